package collectors_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
)

var (
	asks    = regexp.MustCompile(`^(BatchGet|Describe|Get|List)`)
	aPolicy = regexp.MustCompile(`Polic(y|ies)$|Polic(y|ies)[\w.]*(Content|Document|Text)$`)
)

const standing = "testdata/policies.tsv"

// TestEveryPolicyIsRead holds that a text that AWS calls a policy is either read, or
// stands in testdata/policies.tsv with the reason why it is not: each operation of the
// SDK's clients in use that answers with such a text is called by a collector, or has a line.
func TestEveryPolicyIsRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(standing)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "#") {
			continue
		}
		operation, reason, _ := strings.Cut(line, "\t")
		if reason == "" || reasons[operation] != "" {
			t.Errorf("%s: %q is no operation with a reason, or has two lines", standing, line)
		}
		reasons[operation] = reason
	}
	for _, c := range calls(t, client.NewGuard()) {
		if c.refusal == nil || !asks.MatchString(c.name) {
			continue
		}
		if found := policiesIn(c.answer, "", nil); len(found) > 0 && reasons[c.refusal.Operation] == "" {
			t.Errorf("%s tells policies that nobody reads: %s", c.refusal.Operation, strings.Join(found, ", "))
		} else if len(found) > 0 {
			delete(reasons, c.refusal.Operation)
		}
	}
	for operation := range reasons {
		t.Errorf("%s: %s is called, or tells no policy", standing, operation)
	}
}

// policiesIn are the parts of an answer that are texts and called policies, by their paths.
// Of a structure in itself it is one.
func policiesIn(t reflect.Type, path string, within []reflect.Type) (found []string) {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		return policiesIn(t.Elem(), path, within)
	case t == reflect.TypeFor[string]() && aPolicy.MatchString(path): // enumerations are no documents
		return []string{path}
	case t.Kind() == reflect.Struct && !slices.Contains(within, t):
		for field := range t.Fields() {
			found = append(found, policiesIn(field.Type, strings.TrimPrefix(path+"."+field.Name, "."), append(slices.Clone(within), t))...)
		}
	}
	return found
}
