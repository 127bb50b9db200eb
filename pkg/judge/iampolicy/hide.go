package iampolicy

import (
	"encoding/json"
	"errors"
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
	if err := h.value(false, 0); errors.Is(err, errTooDeep) {
		return err.Error()
	} else if err != nil {
		return document
	}
	return h.out.String() + document[h.copied:]
}

// hider copies a document, but for some of its strings. It copies the text rather
// than encode it anew, so that nothing else of it changes.
type hider struct {
	text   string
	tokens *json.Decoder
	out    strings.Builder
	copied int // how much of text
}

// value reads one value; the strings of one that is secret are replaced.
func (h *hider) value(secret bool, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	before := h.tokens.InputOffset()
	token, err := h.tokens.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case string:
		if secret {
			h.replace(int(before), t)
		}
	case json.Delim:
		for h.tokens.More() {
			inside := secret
			if t == '{' {
				key, err := h.tokens.Token()
				if err != nil {
					return err
				}
				name, _ := key.(string)
				inside = secret || strings.EqualFold(name, "sts:ExternalId")
			}
			if err := h.value(inside, depth+1); err != nil {
				return err
			}
		}
		_, err = h.tokens.Token() // its end
	}
	return err
}

// replace puts something else in place of the string that has just been read,
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
	start := before + strings.IndexByte(h.text[before:], '"')
	h.out.WriteString(h.text[h.copied:start])
	h.out.WriteString(`"` + masked + `"`)
	h.copied = int(h.tokens.InputOffset())
}
