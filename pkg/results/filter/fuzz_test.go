package filter_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

// FuzzFilter: a word that is understood fits or does not, and the same word turned round
// says the opposite of what is known, and of what is not neither.
func FuzzFilter(f *testing.F) {
	for _, word := range []string{"severity=high", "severity!=high,low", "resource=*logs*", "resource=[", "first_seen>=2026-05-01", "first_seen<=x", "owner=*", "=", "!", "severity", "nothing=x", "severity=\\", "team=*", "first_seen>2026-05-01T10:00:00Z,x"} {
		f.Add(word, "high", "arn:aws:s3:::logs")
	}
	f.Fuzz(func(t *testing.T, word, severity, arn string) {
		is, err := filter.Parse(fields, []string{word})
		if err != nil {
			return
		}
		one := thing{severity, arn, "2026-05-01T10:00:00Z"}
		fits := is.Match(one)
		twice, err := filter.Parse(fields, []string{word, word})
		if err != nil || twice.Match(one) != fits {
			t.Fatalf("%q twice says something else: %v", word, err)
		}
		for i := range word {
			if word[i] != '=' || i > 0 && (word[i-1] == '!' || word[i-1] == '<' || word[i-1] == '>') {
				continue
			}
			not, err := filter.Parse(fields, []string{word[:i] + "!" + word[i:]})
			if err != nil {
				t.Fatalf("%q can be said, and not the opposite: %v", word, err)
			}
			if field := word[:i]; field == "severity" || field == "resource" {
				if not.Match(one) == fits {
					t.Fatalf("%q of %+v is %t, and so is the opposite", word, one, fits)
				}
			}
			break
		}
	})
}
