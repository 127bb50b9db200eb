package secrettest

import (
	"bytes"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func rewrap(t testing.TB, w secret.Wrapper, wrapped []byte) []byte {
	t.Helper()
	anew, err := w.Rewrap(t.Context(), owner, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	return anew
}

func testRewrap(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	sealed := seal(t, k, "x")
	anew := rewrap(t, d.Wrapper, k.Wrapped)
	if bytes.Equal(anew, k.Wrapped) {
		t.Error("the new wrapping is the old one")
	}
	opens(t, unwrap(t, d.Wrapper, anew), sealed, "x")
	opens(t, unwrap(t, d.Wrapper, k.Wrapped), sealed, "x")
}

func testRekey(t *testing.T, d Driver) {
	before := d.Reopen()
	old := generate(t, d.Wrapper)
	sealed := seal(t, old, "x")
	for range 2 {
		d.Rekey()
		opens(t, unwrap(t, d.Wrapper, old.Wrapped), sealed, "x")
		opens(t, unwrap(t, d.Wrapper, rewrap(t, d.Wrapper, old.Wrapped)), sealed, "x")
	}
	newest := generate(t, d.Wrapper)
	// A process that runs since before knows the new keys as well.
	opens(t, unwrap(t, before, newest.Wrapped), seal(t, newest, "y"), "y")
	opens(t, unwrap(t, before, rewrap(t, before, old.Wrapped)), sealed, "x")
}

func testReopen(t *testing.T, d Driver) {
	k := generate(t, d.Wrapper)
	opens(t, unwrap(t, d.Reopen(), k.Wrapped), seal(t, k, "x"), "x")
}
