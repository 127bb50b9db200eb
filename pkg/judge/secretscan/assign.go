package secretscan

import "strings"

// assigned reports whether a text gives a value to what is named after a secret, in
// whatever language: NAME=value, name: value, "name": "value", 'name' => 'value',
// define('NAME', 'value'), <name>value</name>, --name value, name: NAME and value:
// value as two fields, and a few words of SQL and of configuration files.
//
// Names are looked for one after the other; a value is read from each that says
// something and then looked through for names itself, as it may be a string of
// assignments.
func assigned(text string) bool {
	var field pending
	for at := 0; at < len(text); {
		if !wordly(text[at]) && text[at] != '-' {
			at++
			continue
		}
		end := at + run(text[at:], dotted, -1)
		name := text[at:end]
		if skipped := pointer(text, at, end); skipped > end {
			at = skipped
			continue
		}
		if field.assigned(text, at, end, name) {
			return true
		}
		at = end
	}
	return false
}

// pointer is where a reference to a secret ends that begins at a word: its parts are
// no assignments, though arn:aws:secretsmanager:…:secret:prod looks like one.
func pointer(text string, at, end int) int {
	if end == len(text) || text[end] != ':' {
		return end
	}
	stop := func(c byte) bool { return !space(c) && !quote(c) && c != '<' && c != ',' && c != ';' && c != '\\' }
	switch word := strings.ToLower(text[at:end]); {
	case word == "arn":
	case word == "resolve" && at > 1 && text[at-2:at] == "{{":
		stop = func(c byte) bool { return c != '}' && !space(c) }
	case stores[word] && word != "file" && word != "env" && word != "secret" && word != "ref" && end+1 < len(text) && !blank(text[end+1]):
	default:
		return end
	}
	return end + run(text[end:], stop, -1)
}

// pending is a field that named a setting, whose value is another field.
type pending struct {
	class class
	until int // where in the text it is no longer waited for
}

// nearby is how far a field with a value may stand from the one with its name.
const nearby = 256

var nameFields, valueFields = words("name key parameterkey parameter variable property setting"), words("value parametervalue content data newvalue")

// assigned reports whether a name, text[at:end], is given a credential.
func (p *pending) assigned(text string, at, end int, name string) bool {
	short := name[max(0, len(name)-longestName):]
	c := classify(short)
	bare := strings.ToLower(short[strings.LastIndexAny(short, ".-:")+1:])
	isName, isValue := nameFields[bare], valueFields[bare] && at < p.until
	if c.kind == nothing && !isName && !isValue {
		return false
	}
	if isValue && c.kind == nothing {
		c = p.class
	}
	value, where, ok := valueOf(text, at, end, c)
	if !ok {
		return false
	}
	if isName && (c.kind == nothing || c.kind == drawnKey) {
		if len(value) <= longestName && run(value, dotted, -1) == len(value) {
			if named := classify(value); named.kind != nothing {
				*p = pending{named, end + nearby}
			}
		}
		return false
	}
	if isValue {
		p.until = 0
	}
	return c.credential(value, where)
}

// valueOf is what a name is given, and where that stands.
func valueOf(text string, at, end int, c class) (string, place, bool) {
	before, after := text[:at], text[end:]
	flag := text[at] == '-'
	closed := false // a quote before the name is closed after it
	for range 4 {
		if after == "" {
			return "", 0, false
		}
		if quote(after[0]) || after[0] == ']' || after[0] == '\\' && len(after) > 1 && quote(after[1]) {
			closed = closed || quote(after[0])
			after = after[1:]
			continue
		}
		break
	}
	blanks := run(after, blank, 64)
	rest := after[blanks:]
	switch {
	case rest == "":
		return "", 0, false
	case hasAny(rest, "==", "=~", ":?", "!="):
		return "", 0, false
	case hasAny(rest, ":=", "=>", "->", "?=", "+=", ":-"):
		return read(rest[2:], c)
	case rest[0] == '=' || rest[0] == ':':
		if hasAny(rest, ":::", "://") {
			return "", 0, false
		}
		given := strings.TrimLeft(rest, ":=")
		if start := given[run(given, blank, 64):]; at > 0 && quote(text[at-1]) && !closed && start != "" && start[0] == text[at-1] {
			return "", 0, false // the quote ends the string that began with the name: "PASSWORD=" + x
		}
		value, where, ok := read(given, c)
		if spaced := blanks > 0 || len(rest) > 1 && blank(rest[1]); where == inText && rest[0] == '=' && spaced {
			where = inCode
		}
		return value, where, ok
	case rest[0] == '>' && blanks == 0 && (closed || strings.HasSuffix(before, "<")):
		n := 1 + run(rest[1:], func(b byte) bool { return b != '<' && b != '\n' }, maxValue)
		return rest[1:n], quoted, n < len(rest) && rest[n] == '<'
	case rest[0] == ',' && (closed && called(before) || flag && closed):
		value, where, ok := read(rest[1:], c)
		return value, where, ok && where != inText && (flag || !wordsOnly(value))
	case rest[0] == '(' && blanks == 0 && !closed:
		// builder.password("…"); what getPassword("…") is given is no password.
		value, where, ok := read(rest[1:], c)
		return value, where, ok && where != inText && strong(value) && !named(value) && !switches[first(text[at:end])]
	case blanks == 0:
		return "", 0, false
	case hasAny(rest, "-Value "): // Set-Item -Path Env:NAME -Value 'value'
		return read(rest[len("-Value "):], c)
	case flag && rest[0] != '-' && rest[0] != '|' && rest[0] != '>' && rest[0] != '&' && rest[0] != '\\':
		return read(rest, c)
	case c.kind >= issued && !closed && !c.verb && rest[0] != '-':
		// Without any sign between: netrc, redis.conf, SQL, setx, Dockerfile's ENV, aws configure set.
		value, where, ok := read(rest, c)
		if !ok {
			return "", 0, false
		}
		sql := where == literal && c.kind == password && strings.IndexByte(value, ' ') < 0
		return value, where, sql || strong(value) && !named(value) && !expression(value) || setBefore(before)
	}
	return "", 0, false
}

// read is the value that a text begins with, up to maxValue bytes.
func read(text string, c class) (string, place, bool) {
	text = text[run(text, blank, 64):]
	// A block of YAML has its value on the next line.
	if len(text) > 1 && (text[0] == '|' || text[0] == '>') {
		if n := 1 + run(text[1:], func(b byte) bool { return b == '-' || b == '+' || blank(b) || b == '\r' }, 8); n < len(text) && text[n] == '\n' {
			text = text[n:][run(text[n:], space, 128):]
			return text[:run(text, func(b byte) bool { return b != '\n' && b != '\r' }, maxValue)], quoted, true
		}
	}
	if hasAny(text, "ConvertTo-SecureString", "(ConvertTo-SecureString") {
		return "", 0, false // has a form of its own
	}
	// What languages write before a string: b"…", @"…", N'…', $'…'.
	if len(text) > 1 && quote(text[1]) && strings.IndexByte("bBuUrRfFnN@$LE(", text[0]) >= 0 {
		text = text[1:]
	}
	slashes := run(text, func(b byte) bool { return b == '\\' }, 8)
	if slashes < len(text) && quote(text[slashes]) {
		mark := text[slashes]
		if mark == '`' {
			return "", 0, false // the output of a command
		}
		text = text[slashes+1:]
		n := run(text, func(b byte) bool { return b != mark && b != '\n' }, maxValue)
		value := strings.TrimRight(text[:n], `\`)
		if value != "" && (blank(value[0]) || strings.IndexByte(");,", value[0]) >= 0) {
			return "", 0, false // the quote ends the string that the name stands in: "Your password: "
		}
		if mark == '\'' {
			return value, literal, true
		}
		return value, quoted, true
	}
	value := text[:run(text, func(b byte) bool { return !space(b) && !quote(b) && b != '<' }, maxValue)]
	if strings.HasPrefix(text, "<") {
		value = text[:run(text, func(b byte) bool { return !space(b) && !quote(b) }, maxValue)]
	}
	if strings.HasPrefix(value, "#") && c.kind != password {
		return "", 0, false
	}
	return bare(value), inText, true
}

// bare ends a value without quotes where the next assignment of a row begins:
// Password=x;Database=y, password=x&user=y, password: x, user: y.
func bare(value string) string {
	for i := 0; i < len(value); i++ {
		if strings.IndexByte(";&,", value[i]) < 0 {
			continue
		}
		rest := value[i+1:]
		if n := run(rest, dotted, 64); rest == "" || n > 0 && n < len(rest) && (rest[n] == '=' || rest[n] == ':') || value[i] == ';' && n == len(rest) {
			return value[:i]
		}
	}
	if value != "" && strings.IndexByte("$(<", value[0]) >= 0 {
		return value
	}
	return strings.TrimRight(value, `,;)}]>\`)
}

// called reports whether a string before a quoted name begins the arguments of a call.
func called(before string) bool {
	before = before[:len(before)-runBack(before, func(c byte) bool { return quote(c) || c == '\\' }, 4)]
	before = before[:len(before)-runBack(before, blank, 8)]
	return strings.HasSuffix(before, "(")
}

// setBefore reports whether the words before a name set what comes after it.
func setBefore(before string) bool {
	before = before[max(0, len(before)-32):]
	trimmed := strings.TrimRight(before, " \t\"'")
	if trimmed == before {
		return false
	}
	for _, command := range []string{"ENV", "ARG", "setx", "SetEnv", "setenv", "configure set", "config set", "config:set"} {
		if word := strings.TrimSuffix(trimmed, command); word != trimmed && begins(word) {
			return true
		}
	}
	return false
}

func hasAny(text string, beginnings ...string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

func first(name string) string {
	if all := split(name[max(0, len(name)-longestName):]); len(all) > 0 {
		return all[0]
	}
	return ""
}

func wordsOnly(value string) bool { return named(value) && !strings.ContainsAny(value, "0123456789") }
