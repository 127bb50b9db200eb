package notify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"pgregory.net/rapid"
)

func TestHeadline(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		" \n a  b\tc ":            "a b c",
		"3 new findings: naïve 😀": "3 new findings: na?ve ?",
		strings.Repeat("x", 99):   strings.Repeat("x", 99),
		strings.Repeat("x", 100):  strings.Repeat("x", 96) + "...",
		"\x00\x7f":                "??",
	} {
		if got := notify.Headline(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestHeadlineIsASubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := notify.Message{ID: "1", Subject: notify.Headline(rapid.String().Draw(t, "text")), Body: []byte("{}")}
		if err := notify.Check(m); err != nil {
			t.Fatal(err)
		}
	})
}

// The largest message must fit a batch of SNS, whose limit is 256 KiB.
func TestLargestMessageFits(t *testing.T) {
	m := notify.Message{
		ID:         strings.Repeat("i", notify.MaxID),
		Subject:    strings.Repeat("s", notify.MaxSubject),
		Attributes: map[string]string{},
		// Each of these characters is two bytes within a string of JSON.
		Body: []byte(`"` + strings.Repeat(`\\`, notify.MaxBody/2-1) + `"`),
		Text: strings.Repeat("\n", notify.MaxText),
	}
	for i := range notify.MaxAttributes - 1 {
		m.Attributes[strings.Repeat(string(rune('a'+i)), notify.MaxName)] = strings.Repeat("v", notify.MaxValue)
	}
	if err := notify.Check(m); err != nil {
		t.Fatal(err)
	}
	if n := m.Size(); n > 256<<10 || n < 2*(notify.MaxBody+notify.MaxText) {
		t.Errorf("the largest message has %d bytes", n)
	}
}

// TestPayload: programs get the body byte for byte, and people the text.
func TestPayload(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, err := json.Marshal(rapid.String().Draw(t, "body"))
		if err != nil {
			t.Fatal(err)
		}
		m := notify.Message{ID: "1", Body: body, Text: rapid.String().Draw(t, "text")}
		if notify.Check(m) != nil {
			t.Skip()
		}
		payload, byProtocol := m.Payload()
		if byProtocol != (m.Text != "") {
			t.Fatalf("by protocol: %t, of text %q", byProtocol, m.Text)
		}
		got := map[string]string{"default": payload, "email": ""}
		if byProtocol {
			if err := json.Unmarshal([]byte(payload), &got); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != 2 || got["default"] != string(body) || got["email"] != m.Text {
			t.Fatalf("%s has become %q", body, got)
		}
		if notify.Check(notify.Message{ID: "1", Body: []byte(`"x"`), Text: payload}) != nil {
			t.Fatalf("the payload %q is no text", payload)
		}
	})
}
