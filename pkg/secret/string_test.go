package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/secret"
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
