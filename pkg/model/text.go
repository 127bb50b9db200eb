package model

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
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

// Cut is text as it may be kept and shown: one printable line (see Clean) of at most
// limit bytes, of which the last are an ellipsis if there was more.
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

// Clean is a text of somebody else's as one printable line. Names and messages
// of an account come from whoever owns it: they may hold what moves a terminal's
// cursor, reverses a line, or is no character at all. White space of all kinds
// becomes a blank, everything else that cannot be seen U+FFFD. The joiners that
// some scripts need to spell words stay.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text { // what is not UTF-8 comes as U+FFFD
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsGraphic(r), r == '\u200c', r == '\u200d':
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// plain reports whether a text is printable ASCII, as nearly all are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// identify cuts a part of an identity. What is lost is made up for by a digest, so
// that two that differ stay two.
func identify(text string, limit int) string {
	if len(text) <= limit && Clean(text) == text {
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
