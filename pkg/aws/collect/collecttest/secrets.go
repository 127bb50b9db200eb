package collecttest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/wire"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// shared are conditions whose values only those know who share them, quoted and not.
const shared = `{"StringEquals": {"sts:ExternalId": "` + Secret + `"}, "StringLike": {"aws:Referer": ["https://` + Secret + `/*", 99887766554433]},
	"StringEqualsIfExists": {"AWS:UserAgent": "` + Secret + `", "lambda:eventSourceToken": "` + Secret + `"}}`

// unquoted is the secret of shared that is a number.
const unquoted = "99887766554433"

// secretsOfPolicies writes secrets into each policy in each answer: nothing that is
// collected may hold one.
func (s *scenario) secretsOfPolicies(t *testing.T) {
	t.Helper()
	answers := slices.Clone(s.answers)
	policies := 0
	for i, a := range answers {
		if a.Status >= 300 || len(a.Body) == 0 {
			continue
		}
		if whole, isPolicy := withShared(t, string(a.Body)); isPolicy { // S3 gives a bucket's as it is
			answers[i].Body = []byte(whole)
			policies++
			continue
		}
		body, err := wire.Rewrite(a.Body, func(text string) string {
			changed, isPolicy := withShared(t, text)
			if isPolicy {
				policies++
			}
			return changed
		})
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		answers[i].Body = body
	}
	if policies == 0 {
		return
	}
	found := walk(t.Context(), wire.New(answers).Config(t), s.specs...)
	content, err := json.Marshal(struct{ Resources, Gaps any }{found.Resources, found.Gaps})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{Secret, unquoted} {
		if at := bytes.Index(content, []byte(secret)); at >= 0 {
			t.Errorf("a policy's shared secret is kept: hand the document through Session.Policy: …%.600s", content[max(0, at-300):])
		}
	}
}

// withShared is a policy with secrets in its statements, in the form that it came
// in; false says that the text is no policy.
func withShared(t *testing.T, text string) (changed string, isPolicy bool) {
	t.Helper()
	plain, form := iampolicy.Plain(text), func(p string) string { return p }
	switch {
	case strings.HasPrefix(text, `{\"`): // the inside of a JSON string
		if json.Unmarshal([]byte(`"`+text+`"`), &plain) != nil {
			return text, false
		}
		form = func(p string) string { return strings.ReplaceAll(p, `"`, `\"`) }
	case plain != text:
		form = url.PathEscape
	}
	var policy map[string]json.RawMessage
	if json.Unmarshal([]byte(plain), &policy) != nil || policy["Statement"] == nil {
		return text, false
	}
	var statements []map[string]json.RawMessage
	if json.Unmarshal(policy["Statement"], &statements) != nil {
		var one map[string]json.RawMessage
		if json.Unmarshal(policy["Statement"], &one) != nil {
			return text, false
		}
		statements = append(statements, one)
	}
	for _, s := range statements {
		s["Condition"] = json.RawMessage(shared)
	}
	list, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	policy["Statement"] = list
	whole, err := json.Marshal(policy)
	if err != nil {
		t.Fatal(err)
	}
	return form(string(whole)), true
}
