package framework_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/framework"
)

const head = "---\nid: f-1\ntitle: F\nversion: \"1\"\npublisher: P\nsource: https://example.com\nmapping: ours\ndate: 2026-11-30\n---\n"

func TestParse(t *testing.T) {
	t.Parallel()
	f, err := framework.Parse([]byte(head + "1.1\tIdentity\tkms-key-rotation prowler:kms_cmk_rotation iam-access-key-rotated?days=45\n1.2\t\t-\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f.ID != "f-1" || f.Version != "1" || len(f.Requirements) != 2 || f.Requirements[0].Section != "Identity" || f.Requirements[1].Parts != nil {
		t.Errorf("got %+v", f)
	}
	var words []string
	for _, p := range f.Requirements[0].Parts {
		words = append(words, p.String())
	}
	if got := strings.Join(words, " "); got != "kms-key-rotation prowler:kms_cmk_rotation iam-access-key-rotated?days=45" {
		t.Errorf("parts are %s", got)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"nothing":           "",
		"no head":           "1.1\t\t-\n",
		"open head":         "---\nid: f\n",
		"unknown key":       strings.Replace(head, "title", "text: x\ntitle", 1) + "1\t\t-\n",
		"no title":          strings.Replace(head, "title: F", "title: ''", 1) + "1\t\t-\n",
		"capital id":        strings.Replace(head, "f-1", "F-1", 1) + "1\t\t-\n",
		"source of http":    strings.Replace(head, "https", "http", 1) + "1\t\t-\n",
		"no date":           strings.Replace(head, "2026-11-30", "soon", 1) + "1\t\t-\n",
		"no requirements":   head,
		"twice":             head + "1\t\t-\n1\t\t-\n",
		"two fields":        head + "1\t-\n",
		"no id":             head + "\t\t-\n",
		"no parts":          head + "1\t\t\n",
		"blank line":        head + "1\t\t-\n\n2\t\t-\n",
		"part twice":        head + "1\t\ta a\n",
		"two blanks":        head + "1\t\ta  b\n",
		"tool without id":   head + "1\t\tprowler:\n",
		"id without tool":   head + "1\t\t:a\n",
		"option of another": head + "1\t\tprowler:a?days=1\n",
		"option unset":      head + "1\t\ta?days=\n",
		"option twice":      head + "1\t\ta?days=1&days=2\n",
		"blank in an id":    head + "1 1\t\t-\n",
	} {
		if f, err := framework.Parse([]byte(document)); err == nil {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// TestAll: every file is read, and says where it is from.
func TestAll(t *testing.T) {
	t.Parallel()
	all, err := framework.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 47 {
		t.Errorf("%d frameworks", len(all))
	}
}
