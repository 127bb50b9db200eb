package notify_test

import (
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
		Body:       []byte(`"` + strings.Repeat("b", notify.MaxBody-2) + `"`),
	}
	for i := range notify.MaxAttributes - 1 {
		m.Attributes[strings.Repeat(string(rune('a'+i)), notify.MaxName)] = strings.Repeat("v", notify.MaxValue)
	}
	if err := notify.Check(m); err != nil {
		t.Fatal(err)
	}
	if n := m.Size(); n > 256<<10 {
		t.Errorf("the largest message has %d bytes", n)
	}
}
