package collect_test

import (
	"net/url"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/services/iam/collect"
)

// Evidence keeps no External ID, CloudArq's own among them.
func TestDocument(t *testing.T) {
	t.Parallel()
	const given, kept = `{"Statement":{"Condition":{"StringEquals":{"sts:ExternalId":"a+b c"}}}}`, `{"Statement":{"Condition":{"StringEquals":{"sts:ExternalId":"[redacted]"}}}}`
	for name, text := range map[string]string{"plain": given, "encoded": url.PathEscape(given)} {
		if got := collect.Document(&text); got != kept {
			t.Errorf("%s: %s, want %s", name, got, kept)
		}
	}
}
