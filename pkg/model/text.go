package model

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// How much is kept of what an audited account says, in bytes. The evidence file
// has all of it; records, alerts and messages have no more than this.
const (
	MaxReason   = 1024 // of a verdict or a problem
	MaxNote     = 512  // of a turn in a finding's history
	MaxARN      = 2048
	MaxPart     = 1024 // of Ref.Sub
	MaxName     = 512
	MaxProblems = 20 // of an audit
)

// CutMark ends a text that was longer.
const CutMark = "…"

// Cut is text as it may be kept and shown: valid UTF-8 without characters that
// tables, terminals or XML refuse or obey, and at most limit bytes, of which the last
// are an ellipsis if there was more.
func Cut(text string, limit int) string {
	text = Clean(text)
	if len(text) <= limit {
		return text
	}
	end := max(limit-len(CutMark), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + CutMark
}

// Clean is text with every character that may not be shown replaced by U+FFFD:
// controls other than tab and line feed, what XML cannot carry, and what turns the
// direction of writing round.
func Clean(text string) string {
	if clean(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}

func clean(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, unprintable) < 0
}

func unprintable(r rune) bool {
	switch {
	case r == '\t', r == '\n':
		return false
	case r < ' ', r >= 0x7f && r <= 0x9f: // C0, DEL and C1
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidirectional overrides and isolates
		return true
	case r&0xfffe == 0xfffe: // no characters at all: U+FFFE, U+FFFF and those of the other planes
		return true
	}
	return false
}

// identify cuts a part of an identity. What is lost is made up for by a digest, so
// that two that differ stay two.
func identify(text string, limit int) string {
	if len(text) <= limit && clean(text) {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	mark := "~" + hex.EncodeToString(sum[:8])
	return Cut(text, limit-len(mark)) + mark
}

// Bounded is the reference as it is kept: each part within its limit and printable.
func (r Ref) Bounded() Ref {
	r.ARN, r.Sub, r.Name = identify(r.ARN, MaxARN), identify(r.Sub, MaxPart), Cut(r.Name, MaxName)
	r.Account, r.Region = Cut(r.Account, MaxName), Cut(r.Region, MaxName)
	return r
}

// AddProblem notes a problem of an audit, each once and not more than can be read.
func (a *Audit) AddProblem(problem string) {
	problem = Cut(problem, MaxReason)
	for _, p := range a.Problems {
		if p == problem {
			return
		}
	}
	if len(a.Problems) < MaxProblems {
		a.Problems = append(a.Problems, problem)
	}
}
