package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func TestStringNeverPrints(t *testing.T) {
	t.Parallel()
	const sentinel = "AKIA-sentinel"
	s := secret.New(sentinel)
	type record struct {
		Key    secret.String
		Nested map[string]secret.String
	}
	r := record{s, map[string]secret.String{"k": s}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", s, &s, r)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "secret", s, "record", r)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "secret", s, "record", r)
	fmt.Fprint(&out, fmt.Errorf("open: %v", s), s)

	if text := out.String(); strings.Contains(text, "sentinel") || strings.Contains(text, fmt.Sprintf("%x", sentinel)) {
		t.Errorf("the secret was printed:\n%s", text)
	}
	if s.Reveal() != sentinel {
		t.Error("Reveal does not give the content")
	}
}

// fmt calls no methods on what stands in an unexported field.
func TestStringNeverPrintsFromUnexportedFields(t *testing.T) {
	t.Parallel()
	const sentinel = "AKIA-sentinel"
	type inner struct{ key secret.String }
	type outer struct {
		inner
		nested  inner
		pointer *inner
		plain   secret.String
		list    []secret.String
		array   [1]inner
		byName  map[string]secret.String
		held    any
	}
	s := secret.New(sentinel)
	i := inner{s}
	o := outer{i, i, &i, s, []secret.String{s}, [1]inner{i}, map[string]secret.String{"k": s}, i}
	for name, value := range map[string]any{
		"struct": i, "pointer": &i, "nested": o, "pointer to nested": &o,
		"slice": []outer{o}, "pointers": []*outer{&o}, "map": map[string]outer{"k": o}, "map of pointers": map[string]*inner{"k": &i},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			text := fmt.Sprintf(verb, value)
			for _, form := range []string{"%s", "%x", "%X", "%d"} {
				if shown := strings.Trim(fmt.Sprintf(form, []byte(sentinel)), "[]"); strings.Contains(text, shown) {
					t.Errorf("%s with %s prints the secret: %s", name, verb, text)
				}
			}
		}
	}
}

func TestStringZeroValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s     secret.String
		want  string
		empty bool
	}{
		"zero":  {secret.String{}, "", true},
		"empty": {secret.New(""), "", true},
		"text":  {secret.New("x"), "x", false},
	} {
		if c.s.Reveal() != c.want || c.s.Empty() != c.empty || fmt.Sprint(c.s) != "[redacted]" {
			t.Errorf("%s: %q, empty %v, prints %v", name, c.s.Reveal(), c.s.Empty(), c.s)
		}
	}
}
