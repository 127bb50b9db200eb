package iampolicy

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// hidden stands for a secret; where a document has several, a number tells them apart.
const hidden = "[redacted"

// Mask replaces the secrets in a policy document: the values of conditions that ask for
// what only those know who share it. External IDs are such values, CloudArq's own among
// them, and so are the texts that AWS's examples have web sites send as Referer or
// User-Agent, and the tokens of event sources. All that is asked of a policy is answered
// as before: a fixed value stays fixed, a pattern stays one, two that are equal stay
// equal, and the account's own number stays, which is no secret and bounds Amazon SES.
// A document that is no JSON, is longer or deeper than any policy is replaced by a word
// about that, which [Parse] refuses.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html (Referer), 29 November 2026.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html (EventSourceToken)
func Mask(document, account string) string {
	if document == "" {
		return ""
	}
	if len(document) > maxLength {
		return errTooLong.Error()
	}
	h := masker{text: document, account: account, tokens: json.NewDecoder(strings.NewReader(document)), marks: map[string]string{}}
	h.tokens.UseNumber()
	err := h.value("", "", 0)
	switch {
	case errors.Is(err, errTooDeep):
		return err.Error()
	case err != nil:
		return "not JSON"
	}
	return h.out.String() + document[h.copied:]
}

// masker copies a document, but for some of its values. It copies the text rather
// than encode it anew, so that nothing else of it changes.
type masker struct {
	text    string
	account string
	tokens  *json.Decoder
	out     strings.Builder
	copied  int               // how much of text
	marks   map[string]string // what stands for each value
}

// secretKeys are the condition keys whose values are secrets.
var secretKeys = []string{"sts:ExternalId", "aws:Referer", "aws:UserAgent", "lambda:EventSourceToken"}

// isSecret reports whether a key is one of them, in whatever case it is written.
func isSecret(key string) bool {
	return slices.ContainsFunc(secretKeys, func(k string) bool { return strings.EqualFold(k, key) })
}

// value reads one value, which stands under the keys given, the nearest first; one that
// is secret is replaced, whatever its type.
func (h *masker) value(key, operator string, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	before := h.tokens.InputOffset()
	token, err := h.tokens.Token()
	if err != nil {
		return err
	}
	secret := isSecret(key)
	switch t := token.(type) {
	case json.Delim:
		for h.tokens.More() {
			inner, outer := key, operator
			if t == '{' {
				token, err := h.tokens.Token()
				if err != nil {
					return err
				}
				if name, _ := token.(string); !secret { // all within is secret, too
					inner, outer = name, key
				}
			}
			if err := h.value(inner, outer, depth+1); err != nil {
				return err
			}
		}
		_, err = h.tokens.Token() // its end
		return err
	case string:
		if secret && !asksForPresence(operator, t) {
			h.replace(int(before), t)
		}
	case json.Number:
		if secret {
			h.replace(int(before), t.String())
		}
	case bool:
		if text := strconv.FormatBool(t); secret && !asksForPresence(operator, text) {
			h.replace(int(before), text)
		}
	}
	return nil
}

// asksForPresence tells that the value only says whether there must be one.
func asksForPresence(operator, value string) bool {
	_, name, quantified := strings.Cut(operator, ":")
	if !quantified {
		name = operator
	}
	return strings.EqualFold(name, "Null") && (strings.EqualFold(value, "true") || strings.EqualFold(value, "false"))
}

// replace puts something else in place of the value that has just been read,
// before which there can only be what separates it.
func (h *masker) replace(before int, value string) {
	switch {
	case value == "" || variable(value) || h.account != "" && value == h.account:
		return
	case wild(value) && strings.Trim(value, "*?") == "":
		return
	}
	masked := h.mark(value)
	if wild(value) {
		masked += "*"
	}
	start := before + strings.IndexFunc(h.text[before:], func(r rune) bool { return !strings.ContainsRune(" \t\r\n,:", r) })
	h.out.WriteString(h.text[h.copied:start])
	h.out.WriteString(`"` + masked + `"`)
	h.copied = int(h.tokens.InputOffset())
}

// mark is what stands for a value in this document.
func (h *masker) mark(value string) string {
	if h.marks[value] == "" {
		number := ""
		if n := len(h.marks); n > 0 {
			number = " " + strconv.Itoa(n+1)
		}
		h.marks[value] = hidden + number + "]"
	}
	return h.marks[value]
}
