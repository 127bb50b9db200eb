package iampolicy

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// hidden stands for an External ID.
const hidden = "[redacted]"

// HideExternalIDs replaces the External IDs that a policy document asks for, which
// are secrets between those who use them: CloudArq's own is among them. All that
// is asked of a policy is answered as before: a fixed value stays fixed, a pattern
// stays one. A document that is no JSON stays as it is; one that is longer or deeper
// than any policy is replaced by a word about that, which [Parse] refuses.
func HideExternalIDs(document string) string {
	if len(document) > maxLength {
		return errTooLong.Error()
	}
	h := hider{text: document, tokens: json.NewDecoder(strings.NewReader(document))}
	h.tokens.UseNumber()
	if err := h.value("", "", 0); errors.Is(err, errTooDeep) {
		return err.Error()
	} else if err != nil {
		return document
	}
	return h.out.String() + document[h.copied:]
}

// hider copies a document, but for some of its values. It copies the text rather
// than encode it anew, so that nothing else of it changes.
type hider struct {
	text   string
	tokens *json.Decoder
	out    strings.Builder
	copied int // how much of text
}

// externalIDs is the key whose values are secret, in whatever case it is written.
const externalIDs = "sts:ExternalId"

// value reads one value, which stands under the keys given, the nearest first; one that
// is secret is replaced, whatever its type.
func (h *hider) value(key, operator string, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	before := h.tokens.InputOffset()
	token, err := h.tokens.Token()
	if err != nil {
		return err
	}
	secret := strings.EqualFold(key, externalIDs)
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

// asksForPresence tells that the value only says whether there must be an External ID.
func asksForPresence(operator, value string) bool {
	_, name, quantified := strings.Cut(operator, ":")
	if !quantified {
		name = operator
	}
	return strings.EqualFold(name, "Null") && (strings.EqualFold(value, "true") || strings.EqualFold(value, "false"))
}

// replace puts something else in place of the value that has just been read,
// before which there can only be what separates it.
func (h *hider) replace(before int, value string) {
	masked := hidden
	switch {
	case value == "" || variable(value):
		return
	case wild(value) && strings.Trim(value, "*?") == "":
		return
	case wild(value):
		masked += "*"
	}
	start := before + strings.IndexFunc(h.text[before:], func(r rune) bool { return !strings.ContainsRune(" \t\r\n,:", r) })
	h.out.WriteString(h.text[h.copied:start])
	h.out.WriteString(`"` + masked + `"`)
	h.copied = int(h.tokens.InputOffset())
}
