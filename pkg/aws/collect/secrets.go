package collect

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// SearchLimit is how many bytes are looked at for one resource. AWS takes 16 KB of
// user data, 64 KB of a task definition and 4 KB of a function's environment; what
// gzip makes of 16 KB can be a thousand times as much.
const SearchLimit = 64 << 10

// Search looks for credentials in what belongs to one resource. What might hold one
// is reduced to whether it looks like one, while it is decoded; the value itself is
// never kept. A search looks at SearchLimit bytes at most and ends with its context.
// Whoever finds nothing must ask Gap whether all was looked at.
type Search struct {
	ctx  context.Context
	left int
	cut  bool // there was more than is looked at
	torn bool // something could not be unpacked
	late bool // the context ended
}

// NewSearch begins the search of one resource.
func NewSearch(ctx context.Context) *Search { return &Search{ctx: ctx, left: SearchLimit} }

// Whole reports whether all was looked at.
func (s *Search) Whole() bool { return !s.late && !s.torn && !s.cut }

// Gap says why not all was looked at, and is nil if all was. operation is the call
// that gave it, such as "ec2:DescribeInstanceAttribute".
func (s *Search) Gap(session *Session, operation string) *fact.Gap {
	gap := fact.Gap{Reason: fact.NotCollected, Operation: operation, Region: session.Region}
	switch {
	case s.late:
		gap.Reason, gap.Detail = fact.Timeout, "time was up before all of it was looked at"
	case s.torn:
		gap.Detail = "it could not be unpacked to its end"
	case s.cut:
		gap.Detail = "only the first 64 KiB were looked at"
	default:
		return nil
	}
	return &gap
}

// Searched is what a search came to. That there is a credential is known from any
// part; that there is none, from the whole alone.
func Searched[T any](session *Session, s *Search, operation string, value T, found bool) fact.Of[T] {
	if gap := s.Gap(session, operation); gap != nil && !found {
		return fact.Unknown[T](*gap)
	}
	return fact.Known(value)
}

// Looked is how many bytes were looked at.
func (s *Search) Looked() int { return SearchLimit - s.left }

// take is as much of a text as may be looked at.
func (s *Search) take(text string) string {
	if s.ctx.Err() != nil {
		s.late = true
		return ""
	}
	if len(text) > s.left {
		s.cut = true
		text = text[:s.left]
	}
	s.left -= len(text)
	return text
}

// Text reports whether a text holds what looks like a credential.
func (s *Search) Text(text string) bool {
	text = s.take(text)
	return shaped(text) || assigned(text)
}

// UserData reports whether user data, as AWS gives it in base64, holds what looks
// like a credential. cloud-init also takes it packed by gzip.
func (s *Search) UserData(encoded string) bool {
	if s.ctx.Err() != nil {
		s.late = true
		return false
	}
	most := int64(s.left) + 1 // one more shows that there is more
	data, err := io.ReadAll(io.LimitReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(encoded)), most))
	if err != nil {
		return s.Text(encoded) // in the clear
	}
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		// What could be unpacked of a damaged file is still worth a look.
		data, err = io.ReadAll(io.LimitReader(packed, most))
		s.torn = s.torn || err != nil
	}
	return s.Text(string(data))
}

// Names lists, sorted, the settings whose value looks like a credential, or whose
// name says that it is one.
func (s *Search) Names(settings map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		short, value := s.take(name), s.take(settings[name])
		if shaped(value) || named(short, value) {
			names = append(names, name)
		}
	}
	return names
}

// Texts come from the audited account, and could be made to keep an auditor busy.
// So shapes are found by their literal beginnings, and what follows is walked once:
// the work grows with the text's length and no faster.

// shape is a form of credentials that is recognised by itself: a word that begins
// so and goes on with at least so many characters.
type shape struct {
	literal string
	goesOn  func(byte) bool
	least   int
	// word says that the word ends there: after exactly that many characters, or
	// after however many there are.
	word  bool
	exact bool
}

var shapes = func() []shape {
	all := []shape{
		{literal: "AKIA", goesOn: upper, least: 16, word: true, exact: true}, // AWS access key id
		{literal: "ASIA", goesOn: upper, least: 16, word: true, exact: true},
		{literal: "github_pat_", goesOn: wordly, least: 60, word: true}, // GitHub fine-grained token
		{literal: "glpat-", goesOn: dashed, least: 20},                  // GitLab token
		{literal: "sk_live_", goesOn: alnum, least: 16, word: true},     // Stripe key
		{literal: "rk_live_", goesOn: alnum, least: 16, word: true},
		{literal: "AIza", goesOn: dashed, least: 35},                         // Google API key
		{literal: "npm_", goesOn: alnum, least: 36, word: true, exact: true}, // npm token
	}
	for _, kind := range "pousr" {
		all = append(all, shape{literal: "gh" + string(kind) + "_", goesOn: alnum, least: 36, word: true}) // GitHub token
	}
	for _, kind := range "abposr" {
		all = append(all, shape{literal: "xox" + string(kind) + "-", goesOn: slack, least: 10}) // Slack token
	}
	return all
}()

func upper(c byte) bool  { return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' }
func alnum(c byte) bool  { return upper(c) || 'a' <= c && c <= 'z' }
func wordly(c byte) bool { return alnum(c) || c == '_' }
func dashed(c byte) bool { return wordly(c) || c == '-' }
func slack(c byte) bool  { return alnum(c) || c == '-' }
func space(c byte) bool  { return c == ' ' || '\t' <= c && c <= '\r' && c != '\v' }

// run is how many characters of a kind a text begins with, up to a number if it is
// not negative.
func run(text string, kind func(byte) bool, most int) int {
	n := 0
	for n < len(text) && n != most && kind(text[n]) {
		n++
	}
	return n
}

// runBack is how many characters of a kind a text ends with.
func runBack(text string, kind func(byte) bool) int {
	n := 0
	for n < len(text) && kind(text[len(text)-1-n]) {
		n++
	}
	return n
}

// begins reports whether a word may begin, or end, after so much of a text.
func begins(before string) bool { return before == "" || !wordly(before[len(before)-1]) }

// each calls look with what is before and after each place of a literal, until it
// says yes.
func each(text, literal string, look func(before, after string) bool) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], literal)
		if i < 0 {
			return false
		}
		at += i + len(literal)
		if look(text[:at-len(literal)], text[at:]) {
			return true
		}
	}
}

// shaped reports whether a text holds a credential that is recognised by its form.
func shaped(text string) bool {
	for _, s := range shapes {
		if each(text, s.literal, func(before, after string) bool { return begins(before) && s.follows(after) }) {
			return true
		}
	}
	return each(text, "PRIVATE KEY-----", privateKey) || each(text, ".eyJ", webToken) || each(text, "://", passwordURL)
}

func (s shape) follows(after string) bool {
	most := s.least
	if s.word && !s.exact {
		most = -1
	}
	n := run(after, s.goesOn, most)
	return n >= s.least && (!s.word || n == len(after) || !wordly(after[n]))
}

// privateKey is "-----BEGIN … PRIVATE KEY-----", with capitals between (PEM).
func privateKey(before, _ string) bool {
	n := runBack(before, func(c byte) bool { return c == ' ' || 'A' <= c && c <= 'Z' })
	words := before[len(before)-n:]
	return strings.HasPrefix(words, "BEGIN ") && strings.HasSuffix(before[:len(before)-n], "-----")
}

// webToken is a JSON web token: three parts, of which the first two begin with
// "eyJ"; the literal is the border of these.
func webToken(before, after string) bool {
	first := before[len(before)-runBack(before, dashed):]
	whole := before[:len(before)-len(first)]
	long := false
	for i := 0; i+3+10 <= len(first) && !long; i++ {
		long = strings.HasPrefix(first[i:], "eyJ") && (i > 0 && !wordly(first[i-1]) || i == 0 && begins(whole))
	}
	if !long {
		return false
	}
	n := run(after, dashed, -1)
	return n >= 10 && n+1 < len(after) && after[n] == '.' && dashed(after[n+1])
}

// passwordURL is scheme://user:password@.
func passwordURL(before, after string) bool {
	scheme := before[len(before)-runBack(before, func(c byte) bool {
		return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '.' || c == '-'
	}):]
	if strings.IndexFunc(scheme, func(r rune) bool { return 'a' <= r && r <= 'z' }) < 0 {
		return false
	}
	part := func(c byte) bool { return c != '/' && c != ':' && c != '@' && !space(c) }
	user := run(after, part, -1)
	if user == 0 || user == len(after) || after[user] != ':' {
		return false
	}
	after = after[user+1:]
	password := run(after, part, -1)
	return password < len(after) && after[password] == '@' && utf8.RuneCountInString(after[:password]) >= 3
}

// secretNames are words in the name of a setting that holds a secret.
var secretNames = regexp.MustCompile(`(?i)(pass(word|wd|phrase)?|secret|token|api_?key|private_?key|access_?key|credential|auth_?key|encryption_?key|connection_?string)s?$`)

// longestName is more than secretNames can match of the end of a name.
const longestName = 32

// references are values that point to a secret kept elsewhere, or to nothing.
var references = regexp.MustCompile(`^(\$|\{\{|arn:|ssm:|secretsmanager:|/|https?://[^@]*$|true$|false$|<)`)

func named(name, value string) bool {
	return len(value) >= 6 && secretNames.MatchString(name[max(0, len(name)-longestName):]) && !references.MatchString(value)
}

// assigned reports whether a script has a line like NAME=value or NAME: value that
// gives a value to what is named after a secret.
func assigned(text string) bool {
	spaces := func(at int) int { return at + run(text[at:], space, -1) }
	for at := 0; at < len(text); {
		if !wordly(text[at]) || '0' <= text[at] && text[at] <= '9' {
			at++
			continue
		}
		end := at + run(text[at:], func(c byte) bool { return dashed(c) || c == '.' }, -1)
		name := text[at:end]
		at = end
		if end = spaces(end); end == len(text) || text[end] != '=' && text[end] != ':' {
			continue
		}
		if end = spaces(end + 1); end < len(text) && (text[end] == '"' || text[end] == '\'') {
			end++
		}
		value := text[end:][:run(text[end:], func(c byte) bool { return !space(c) && c != '"' && c != '\'' }, -1)]
		if utf8.RuneCountInString(value) < 6 {
			continue
		}
		if named(name, value) {
			return true
		}
		at = end + len(value)
	}
	return false
}
