package filter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
)

var vocabulary = filter.Vocabulary{
	{Name: "severity", Ordered: true, Values: func() []string { return []string{"low", "medium", "high", "critical"} }},
	{Name: "state", Values: func() []string { return []string{"open", "reopened", "resolved"} }},
	{Name: "account", Values: func() []string { return []string{"111111111111", "222222222222"} }, Meaning: func(word string) ([]string, error) {
		switch word {
		case "prod":
			return []string{"111111111111", "222222222222"}, nil
		case "twice":
			return nil, errors.New("two are called so")
		}
		return nil, nil
	}},
	{Name: "resource_type", Also: []string{"type"}, Values: func() []string { return []string{"AWS::S3::Bucket", "AWS::KMS::Key"} }},
	{Name: "name"},
	{Name: "first_seen", Dates: true},
	{Name: "tag:"},
}

func TestWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"severity=high,LOW":                    "severity=high,LOW",
		"severity>=high":                       "severity=high,critical",
		"severity<medium":                      "severity=low",
		"severity!=low":                        "severity!=low",
		"account=prod":                         "account=111111111111,222222222222",
		"account!=prod,222222222222":           "account!=111111111111,222222222222,222222222222",
		"account=1*":                           "account=1*",
		"type=aws::s3::*":                      "resource_type=aws::s3::*",
		"name=anything at all":                 "name=anything at all",
		"name=":                                "name=",
		"first_seen>=2026-05-01":               "first_seen>=2026-05-01",
		"first_seen=2026-05-01":                "first_seen=2026-05-01T*",
		"first_seen!=2026-05-01,*":             "first_seen!=2026-05-01T*,*",
		"tag:Env=prod":                         "tag:Env=prod",
		"first_seen<=2026-05-01":               "first_seen<=2026-05-01",
		"severity<=critical":                   "severity=low,medium,high,critical",
		"first_seen=2026-05-01T01:02:03+01:00": "first_seen=2026-05-01T00:02:03Z",
	} {
		got, err := vocabulary.Words([]string{word})
		if err != nil || got[0] != want {
			t.Errorf("%s: %v (%v), want %s", word, got, err, want)
		}
	}
}

// TestWordsRefuse: what cannot be is refused, with what comes nearest.
func TestWordsRefuse(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"severity=hgih":          `unknown severity "hgih"; did you mean "high"? (one of low, medium, high, critical)`,
		"severity=high,":         `unknown severity ""`,
		"severity>=x":            "unknown severity",
		"severity>critical":      "there is none",
		"state=closed":           `unknown state "closed"`,
		"state>=open":            "has no order",
		"state=o[":               "pattern",
		"account=333333333333":   "unknown account",
		"account=pord":           "unknown account",
		"account=twice":          "two are called so",
		"type=AWS::S3::Bukket":   `did you mean "AWS::S3::Bucket"?`,
		"resource_type=*lambda*": "unknown resource_type",
		"severty=high":           `did you mean "severity"?`,
		"tag:=x":                 "want a name behind tag:",
		"first_seen=yesterday":   "not a date",
		"name>x":                 "has no order",
		"high":                   "want FIELD=VALUE",
	} {
		if got, err := vocabulary.Words([]string{word}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v (%v), want an error with %s", word, got, err, want)
		}
	}
}

// TestOneEditIsNoticed: a value of a closed set that is one letter off is refused, with the
// one that was meant.
func TestOneEditIsNoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]filter.Field{vocabulary[0], vocabulary[1], vocabulary[3]}).Draw(t, "field")
		value := rapid.SampledFrom(f.Values()).Draw(t, "value")
		at := rapid.IntRange(0, len(value)-1).Draw(t, "at")
		typo := value[:at] + "_" + value[at+1:]
		_, err := vocabulary.Words([]string{f.Name + "=" + typo})
		var unknown *check.UnknownError
		if !errors.As(err, &unknown) || unknown.Word != typo || unknown.Nearest != value {
			t.Fatalf("%s=%s: %v, want that %s is meant", f.Name, typo, err, value)
		}
	})
}

// TestWordsAreRead: what Words gives, Terms takes, by the same fields.
func TestWordsAreRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`(severity|state|account|type|name|first_seen|tag:x)(=|!=|>=|<|<=|>)(high|open|prod|low,high|2026-01-02|\*|x|\[|AWS::S3::Bucket|,)`).Draw(t, "word")
		words, err := vocabulary.Words([]string{word})
		if err != nil {
			return
		}
		terms, err := filter.Terms(vocabulary.Names(), words)
		if err != nil && !slices.Contains([]string{"name=[", "name!=[", "tag:x=[", "tag:x!=["}, word) && !strings.HasPrefix(word, "first_seen") {
			t.Fatalf("%s became %v, which is refused: %v", word, words, err)
		}
		if f, _ := vocabulary.Field(strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("=<>!", r) })[0]); err == nil && !strings.HasPrefix(terms[0].Field, strings.TrimSuffix(f.Name, ":")) {
			t.Fatalf("%s became one on %s", word, terms[0].Field)
		}
	})
}
