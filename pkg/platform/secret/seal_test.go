package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"pgregory.net/rapid"
)

func dataKey(t testing.TB, fill byte) secret.DataKey {
	t.Helper()
	k, err := secret.NewDataKey([]byte("wrapped"), bytes.Repeat([]byte{fill}, secret.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNewDataKey(t *testing.T) {
	key := bytes.Repeat([]byte{7}, secret.KeySize)
	if _, err := secret.NewDataKey(nil, key); err != nil || !bytes.Equal(key, make([]byte, secret.KeySize)) {
		t.Errorf("%v, and the caller's copy is %v", err, key)
	}
	for _, size := range []int{0, 16, 24, 31, 33} {
		if _, err := secret.NewDataKey(nil, make([]byte, size)); !errors.Is(err, secret.ErrInvalid) {
			t.Errorf("%d bytes: %v, want ErrInvalid", size, err)
		}
	}
	var none secret.DataKey
	b := secret.Binding{Organization: "o", Record: "r", Field: "f"}
	_, sealErr := none.Seal(b, secret.New("x"))
	_, openErr := none.Open(b, []byte{1})
	if !errors.Is(sealErr, secret.ErrInvalid) || !errors.Is(openErr, secret.ErrInvalid) {
		t.Errorf("without a key: %v and %v, want ErrInvalid", sealErr, openErr)
	}
}

// What is sealed opens where it belongs and nowhere else, whatever the names.
func TestSealBinds(t *testing.T) {
	k := dataKey(t, 1)
	part := rapid.StringOfN(rapid.SampledFrom([]rune("ab#\x00é")), 1, 4, -1)
	binding := rapid.Custom(func(t *rapid.T) secret.Binding {
		return secret.Binding{Organization: part.Draw(t, "o"), Record: part.Draw(t, "r"), Field: part.Draw(t, "f")}
	})
	rapid.Check(t, func(t *rapid.T) {
		here, there, plain := binding.Draw(t, "here"), binding.Draw(t, "there"), rapid.String().Draw(t, "plain")
		sealed, err := k.Seal(here, secret.New(plain))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open(here, sealed); err != nil || got.Reveal() != plain {
			t.Fatalf("%q, %v", got.Reveal(), err)
		}
		if _, err := k.Open(there, sealed); here != there && !errors.Is(err, secret.ErrSealed) {
			t.Fatalf("elsewhere: %v, want ErrSealed", err)
		}
	})
}

func TestDataKeyNeverPrints(t *testing.T) {
	raw := bytes.Repeat([]byte("sentinel"), secret.KeySize/8)
	k, err := secret.NewDataKey([]byte("wrapped"), slices.Clone(raw))
	if err != nil {
		t.Fatal(err)
	}
	type record struct {
		Key    secret.DataKey
		hidden secret.DataKey // fmt prints it without its methods
		List   []secret.DataKey
	}
	r := record{k, k, []secret.DataKey{k}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", k, &k, r)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", k, "record", r)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", k, "record", r)
	for _, form := range []string{"sentinel", fmt.Sprintf("%x", "sentinel"), strings.Trim(fmt.Sprintf("%d", raw), "[]"), base64.StdEncoding.EncodeToString(raw)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the key was printed:\n%s", out.String())
		}
	}
}

// counting is a wrapper whose keys are all alike, and which counts its calls.
type counting struct {
	t     *testing.T
	calls map[string]int
	fail  error
}

func (c *counting) Generate(context.Context, secret.Owner) (secret.DataKey, error) {
	c.calls["generate"]++
	return dataKey(c.t, 1), c.fail
}

func (c *counting) Unwrap(_ context.Context, s secret.Owner, wrapped []byte) (secret.DataKey, error) {
	c.calls["unwrap "+s.Record+" "+string(wrapped)]++
	return dataKey(c.t, 1), c.fail
}

func (c *counting) Rewrap(context.Context, secret.Owner, []byte) ([]byte, error) { return nil, c.fail }

func TestCached(t *testing.T) {
	now := time.Unix(1000, 0)
	w := &counting{t: t, calls: map[string]int{}}
	c := secret.Cached(w, 2, time.Minute, func() time.Time { return now })
	unwrap := func(record, wrapped string) secret.DataKey {
		t.Helper()
		k, err := c.Unwrap(t.Context(), secret.Owner{Organization: "o", Record: record}, []byte(wrapped))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	calls := func(what string, want int) {
		t.Helper()
		if n := w.calls[what]; n != want {
			t.Errorf("%d calls of %s, want %d", n, what, want)
		}
	}
	unwrap("a", "1")
	unwrap("a", "1").Wrapped[0] = 'X' // a caller's own
	if k := unwrap("a", "1"); string(k.Wrapped) != "wrapped" {
		t.Errorf("wrapped is %q", k.Wrapped)
	}
	calls("unwrap a 1", 1)
	unwrap("b", "1") // another owner's
	calls("unwrap b 1", 1)

	unwrap("a", "1")
	unwrap("c", "1") // the third: b was used longest ago
	unwrap("a", "1")
	calls("unwrap a 1", 1)
	unwrap("b", "1")
	calls("unwrap b 1", 2)

	now = now.Add(time.Minute - 1)
	unwrap("b", "1")
	calls("unwrap b 1", 2)
	now = now.Add(1)
	unwrap("b", "1")
	calls("unwrap b 1", 3)

	if _, err := c.Generate(t.Context(), secret.Owner{Organization: "o", Record: "new"}); err != nil {
		t.Fatal(err)
	}
	unwrap("new", "wrapped") // known since it was made
	calls("unwrap new wrapped", 0)

	w.fail = errors.New("mine")
	for range 2 {
		if _, err := c.Unwrap(t.Context(), secret.Owner{Organization: "o", Record: "d"}, []byte("1")); err != w.fail {
			t.Errorf("%v, want the wrapper's own error", err)
		}
	}
	calls("unwrap d 1", 2)
}

func TestCacheOfNothing(t *testing.T) {
	w := &counting{t: t, calls: map[string]int{}}
	c := secret.Cached(w, 0, time.Minute, nil)
	for range 2 {
		if _, err := c.Unwrap(t.Context(), secret.Owner{Organization: "o", Record: "r"}, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if w.calls["unwrap r 1"] != 2 {
		t.Errorf("calls: %v, want 2", w.calls)
	}
}
