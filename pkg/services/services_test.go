package services_test

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/services"
)

// documentation is the hosts that references may lead to: whoever follows one
// shall end at the vendor's own words, not at somebody's blog.
var documentation = []string{"docs.aws.amazon.com"}

// page is a page of a guide, and maybe a section of it, as AWS writes addresses:
// a guide's front page would leave the reader to search.
var page = regexp.MustCompile(`^(/[A-Za-z0-9_-]+){2,5}/[A-Za-z0-9_.-]+\.html$`)

// TestReferences looks at every reference of every check, without the network.
func TestReferences(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := catalog.Texts()
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range catalog.Checks() {
		references := texts[check.ID].References
		if len(references) == 0 {
			t.Errorf("%s has no reference", check.ID)
		}
		for i, reference := range references {
			if slices.Contains(references[:i], reference) {
				t.Errorf("%s names %s twice", check.ID, reference)
			}
			u, err := url.Parse(reference)
			switch {
			case err != nil:
				t.Errorf("%s: %v", check.ID, err)
			case u.Scheme != "https" || !slices.Contains(documentation, u.Host):
				t.Errorf("%s: %s is not documentation that we know", check.ID, reference)
			case u.User != nil || u.RawQuery != "" || !page.MatchString(u.Path):
				t.Errorf("%s: %s is not the address of a page", check.ID, reference)
			}
		}
	}
}
