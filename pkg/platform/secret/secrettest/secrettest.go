// Package secrettest is the suite that every driver of secret.Wrapper passes,
// by itself and behind secret.Cached.
package secrettest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Driver is a wrapper with what the suite must do to it.
type Driver struct {
	Wrapper secret.Wrapper
	// Other is a wrapper of other master keys.
	Other secret.Wrapper
	// Rekey makes a new master key the newest. Old ones stay.
	Rekey func()
	// Reopen returns the wrapper as another process has it.
	Reopen func() secret.Wrapper
}

// Open makes a driver and closes it in t.Cleanup.
type Open func(t testing.TB) Driver

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for name, f := range map[string]func(*testing.T, Driver){
		"seal and open":    testSeal,
		"nothing repeats":  testNothingRepeats,
		"moved":            testMoved,
		"altered":          testAltered,
		"altered wrapping": testAlteredWrapping,
		"wrong owner":      testWrongOwner,
		"another wrapper":  testOther,
		"rewrap":           testRewrap,
		"rekey":            testRekey,
		"another process":  testReopen,
		"invalid":          testInvalid,
		"nothing prints":   testPrints,
		"side by side":     testSideBySide,
		"cancelled":        testCancelled,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
		t.Run(name+", cached", func(t *testing.T) {
			d := open(t)
			d.Wrapper = secret.Cached(d.Wrapper, 10, time.Hour, nil)
			f(t, d)
		})
	}
}

var (
	owner = secret.Owner{Organization: "org", Record: "connection-1"}
	place = secret.Binding{Organization: "org", Record: "connection-1", Field: "external-id"}
)

func generate(t testing.TB, w secret.Wrapper) secret.DataKey {
	t.Helper()
	k, err := w.Generate(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func unwrap(t testing.TB, w secret.Wrapper, wrapped []byte) secret.DataKey {
	t.Helper()
	k, err := w.Unwrap(t.Context(), owner, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k secret.DataKey, plain string) []byte {
	t.Helper()
	sealed, err := k.Seal(place, secret.New(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func opens(t testing.TB, k secret.DataKey, sealed []byte, want string) {
	t.Helper()
	if got, err := k.Open(place, sealed); err != nil || got.Reveal() != want {
		t.Fatalf("open: %d bytes, %v; want %d", len(got.Reveal()), err, len(want))
	}
}

func stays(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, secret.ErrSealed) {
		t.Errorf("%s: %v, want ErrSealed", what, err)
	}
}

func testSeal(t *testing.T, d Driver) {
	made := generate(t, d.Wrapper)
	again := unwrap(t, d.Wrapper, made.Wrapped)
	for _, plain := range []string{"", "x", "\x00\xff", strings.Repeat("secret", 10_000)} {
		opens(t, made, seal(t, made, plain), plain)
		opens(t, again, seal(t, made, plain), plain)
		opens(t, made, seal(t, again, plain), plain)
	}
	if bytes.Contains(seal(t, made, "sentinel"), []byte("sentinel")) {
		t.Error("what is sealed can be read")
	}
}

func testNothingRepeats(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	if bytes.Equal(seal(t, k, "x"), seal(t, k, "x")) {
		t.Error("two encryptions of one value are equal")
	}
	other := generate(t, d.Wrapper)
	if bytes.Equal(k.Wrapped, other.Wrapped) {
		t.Error("two data keys are equal")
	}
	_, err := other.Open(place, seal(t, k, "x"))
	stays(t, "by another data key of the owner", err)
}

func testMoved(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	sealed := seal(t, k, "x")
	for what, b := range map[string]secret.Binding{
		"organization": {Organization: "other", Record: place.Record, Field: place.Field},
		"record":       {Organization: place.Organization, Record: "connection-2", Field: place.Field},
		"field":        {Organization: place.Organization, Record: place.Record, Field: "secret-key"},
		"all shifted":  {Organization: "orgc", Record: "onnection-1", Field: place.Field},
		"end shifted":  {Organization: place.Organization, Record: "connection-1e", Field: "xternal-id"},
	} {
		_, err := k.Open(b, sealed)
		stays(t, "moved to another "+what, err)
	}
	opens(t, k, sealed, "x")
}

func testAltered(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	sealed := seal(t, k, "some secret")
	for i := range sealed {
		for bit := range 8 {
			altered := slices.Clone(sealed)
			altered[i] ^= 1 << bit
			_, err := k.Open(place, altered)
			stays(t, fmt.Sprintf("bit %d of byte %d flipped", bit, i), err)
		}
		_, err := k.Open(place, sealed[:i])
		stays(t, fmt.Sprintf("cut to %d bytes", i), err)
	}
	_, err := k.Open(place, append(slices.Clone(sealed), 0))
	stays(t, "a byte appended", err)
	opens(t, k, sealed, "some secret")
}

func testAlteredWrapping(t *testing.T, d Driver) {
	w := d.Wrapper
	wrapped := generate(t, w).Wrapped
	for i := range wrapped {
		altered := slices.Clone(wrapped)
		altered[i] ^= 1
		_, err := w.Unwrap(t.Context(), owner, altered)
		stays(t, fmt.Sprintf("byte %d flipped", i), err)
	}
	for what, wrapped := range map[string][]byte{
		"nothing": nil, "a byte": {1}, "garbage": bytes.Repeat([]byte{7}, 300), "too much": make([]byte, 10_000),
		"cut": wrapped[:len(wrapped)-1], "longer": append(slices.Clone(wrapped), 0),
	} {
		_, err := w.Unwrap(t.Context(), owner, wrapped)
		stays(t, what, err)
		_, err = w.Rewrap(t.Context(), owner, wrapped)
		stays(t, "rewrap "+what, err)
	}
	unwrap(t, w, wrapped)
}

func testWrongOwner(t *testing.T, d Driver) {
	wrapped := generate(t, d.Wrapper).Wrapped
	unwrap(t, d.Wrapper, wrapped) // also when it is at hand
	for what, s := range map[string]secret.Owner{
		"organization": {Organization: "other", Record: owner.Record},
		"record":       {Organization: owner.Organization, Record: "connection-2"},
		"shifted":      {Organization: "orgc", Record: "onnection-1"},
		"exchanged":    {Organization: owner.Record, Record: owner.Organization},
	} {
		_, err := d.Wrapper.Unwrap(t.Context(), s, wrapped)
		stays(t, "unwrap for another "+what, err)
		_, err = d.Wrapper.Rewrap(t.Context(), s, wrapped)
		stays(t, "rewrap for another "+what, err)
	}
}

func testOther(t *testing.T, d Driver) {
	wrapped := generate(t, d.Wrapper).Wrapped
	_, err := d.Other.Unwrap(t.Context(), owner, wrapped)
	stays(t, "unwrap by other master keys", err)
	_, err = d.Other.Rewrap(t.Context(), owner, wrapped)
	stays(t, "rewrap by other master keys", err)
}

func testInvalid(t *testing.T, d Driver) {
	for _, s := range []secret.Owner{{}, {Organization: "org"}, {Record: "r"}, {Organization: "\xff", Record: "r"}, {Organization: "o", Record: strings.Repeat("r", 2000)}} {
		_, generateErr := d.Wrapper.Generate(t.Context(), s)
		_, unwrapErr := d.Wrapper.Unwrap(t.Context(), s, []byte("x"))
		_, rewrapErr := d.Wrapper.Rewrap(t.Context(), s, []byte("x"))
		for what, err := range map[string]error{"generate": generateErr, "unwrap": unwrapErr, "rewrap": rewrapErr} {
			if !errors.Is(err, secret.ErrInvalid) {
				t.Errorf("%s for %q: %v, want ErrInvalid", what, s, err)
			}
		}
	}
	k := generate(t, d.Wrapper)
	for _, b := range []secret.Binding{{}, {Organization: "o", Record: "r"}, {Organization: "o", Field: "f"}, {Record: "r", Field: "f"}, {Organization: "o", Record: "r", Field: "\xff"}} {
		_, sealErr := k.Seal(b, secret.New("x"))
		_, openErr := k.Open(b, seal(t, k, "x"))
		if !errors.Is(sealErr, secret.ErrInvalid) || !errors.Is(openErr, secret.ErrInvalid) {
			t.Errorf("binding %q: %v and %v, want ErrInvalid", b, sealErr, openErr)
		}
	}
}

// Whatever a key is in and whoever prints it, only addresses and the word show.
func testPrints(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{k, &k} {
			if got := fmt.Sprintf(verb, value); got != "[redacted]" {
				t.Errorf("%s of %T prints %s", verb, value, got)
			}
		}
	}
	data, err := json.Marshal(map[string]any{"k": k})
	if err != nil || string(data) != `{"k":"[redacted]"}` {
		t.Errorf("JSON is %s, %v", data, err)
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "k", k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "k", k)
	if n := strings.Count(out.String(), "[redacted]"); n != 2 {
		t.Errorf("logged as %s", out.String())
	}
}

func testSideBySide(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	sealed := seal(t, k, "x")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				again, err := d.Wrapper.Unwrap(t.Context(), owner, k.Wrapped)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := again.Open(place, sealed); err != nil || got.Reveal() != "x" {
					t.Errorf("open: %v", err)
				}
				if _, err := d.Wrapper.Generate(t.Context(), owner); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(d.Rekey)
	wg.Wait()
	opens(t, unwrap(t, d.Wrapper, k.Wrapped), sealed, "x")
}

func testCancelled(t *testing.T, d Driver) {
	wrapped := generate(t, d.Wrapper).Wrapped
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, generateErr := d.Wrapper.Generate(ctx, owner)
	_, unwrapErr := d.Wrapper.Unwrap(ctx, owner, wrapped)
	_, rewrapErr := d.Wrapper.Rewrap(ctx, owner, wrapped)
	for what, err := range map[string]error{"generate": generateErr, "unwrap": unwrapErr, "rewrap": rewrapErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
}
