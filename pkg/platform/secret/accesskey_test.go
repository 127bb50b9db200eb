package secret_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func TestAccessKey(t *testing.T) {
	t.Parallel()
	const id, word = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for name, c := range map[string]struct {
		id, word string
		want     error
		suffix   string
	}{
		"a user's":       {id, word, nil, "MPLE"},
		"temporary":      {"ASIAIOSFODNN7EXAMPLE", word, secret.ErrTemporaryKey, ""},
		"a user's id":    {"AIDAIOSFODNN7EXAMPLE", word, secret.ErrKeyID, ""},
		"no id":          {"", word, secret.ErrKeyID, ""},
		"swapped":        {word, id, secret.ErrKeyID, ""},
		"two lines":      {id + "\nAKIA", word, secret.ErrKeyID, ""},
		"no secret":      {id, "", secret.ErrKeySecret, "MPLE"},
		"half a secret":  {id, word[:15], secret.ErrKeySecret, "MPLE"},
		"a pasted word":  {id, word + " x", secret.ErrKeySecret, "MPLE"},
		"an endless one": {id, strings.Repeat("x", 129), secret.ErrKeySecret, "MPLE"},
	} {
		k := secret.AccessKey{ID: secret.New(c.id), Secret: secret.New(c.word)}
		err := k.Check()
		if !errors.Is(err, c.want) || k.Suffix() != c.suffix {
			t.Errorf("%s: %v, suffix %q; want %v, %q", name, err, k.Suffix(), c.want, c.suffix)
		}
		for _, part := range []string{c.id, c.word} {
			if text := fmt.Sprintf("%v %+v %#v %v", k, k, k, err); part != "" && strings.Contains(text, part) {
				t.Errorf("%s: printed %s", name, text)
			}
		}
	}
}
