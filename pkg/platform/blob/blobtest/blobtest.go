// Package blobtest is the suite that every driver of blob.Store passes. A
// driver's own test is one line:
//
//	blobtest.Run(t, func(t testing.TB) blob.Store { … })
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/google/go-cmp/cmp"
)

// Open makes an empty store and closes it in t.Cleanup.
type Open func(t testing.TB) blob.Store

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for name, f := range map[string]func(*testing.T, blob.Store){
		"put, get, delete": testBasics,
		"failed put":       testFailedPut,
		"delete many":      testDeleteMany,
		"list":             testList,
		"keys":             testKeys,
		"never half":       testNeverHalf,
		"put and delete":   testPutDelete,
		"tags":             testTags,
		"cancelled":        testCancelled,
		"model":            testModel,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

func put(t testing.TB, s blob.Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
}

func get(ctx context.Context, s blob.Store, key string) (string, error) {
	r, err := s.Get(ctx, key)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func want(t testing.TB, s blob.Store, key, content string) {
	t.Helper()
	if got, err := get(t.Context(), s, key); err != nil || got != content {
		t.Fatalf("%s holds %.40q (%d bytes), %v; want %.40q", key, got, len(got), err, content)
	}
}

func missing(t testing.TB, s blob.Store, key string) {
	t.Helper()
	if _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("get %s: %v, want ErrNotFound", key, err)
	}
}

func list(t testing.TB, s blob.Store, prefix string) (keys []string) {
	t.Helper()
	for i, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, i.Key)
	}
	return keys
}

func testBasics(t *testing.T, s blob.Store) {
	missing(t, s, "a/b")
	put(t, s, "a/b", "one")
	want(t, s, "a/b", "one")
	missing(t, s, "a")
	missing(t, s, "a/b/c")
	r, err := s.Get(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(t, s, "a/b", "second")
	want(t, s, "a/b", "second")
	if b, err := io.ReadAll(r); err != nil || string(b) != "one" {
		t.Fatalf("a reader opened before: %q, %v", b, err)
	}
	put(t, s, "empty", "")
	want(t, s, "empty", "")
	big := strings.Repeat("0123456789abcdef", 1<<16)
	if err := s.Put(t.Context(), "big", iotest.HalfReader(strings.NewReader(big))); err != nil {
		t.Fatal(err)
	}
	want(t, s, "big", big)
	for range 2 {
		if err := s.Delete(t.Context(), "a/b"); err != nil {
			t.Fatal(err)
		}
		missing(t, s, "a/b")
	}
	if err := s.Delete(t.Context(), "x/y/z"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "empty/x"); err != nil { // below a blob there is nothing
		t.Fatal(err)
	}
	want(t, s, "empty", "")
}

func testDeleteMany(t *testing.T, s blob.Store) {
	for _, n := range []int{0, 1, 3, 2105} {
		var keys []string
		for i := range n {
			key := fmt.Sprintf("many/%d/%04d", i%3, i)
			put(t, s, key, "x")
			keys = append(keys, key)
		}
		kept := []string{"many/0/kept", "many/kept", "many=/0/0000"}
		for _, key := range kept {
			put(t, s, key, key)
		}
		keys = append(keys, "many/0/never", "nowhere/1", "many/kept/below", "many") // there is nothing
		for range 2 {
			if err := s.DeleteMany(t.Context(), keys); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(kept, list(t, s, "")); d != "" {
			t.Fatalf("%d deleted (-want +got):\n%s", n, d)
		}
	}
}

func testFailedPut(t *testing.T, s blob.Store) {
	mine := errors.New("mine")
	half := func() io.Reader {
		return io.MultiReader(bytes.NewReader(make([]byte, 100_000)), iotest.ErrReader(mine))
	}
	if err := s.Put(t.Context(), "a/new", half()); !errors.Is(err, mine) {
		t.Fatalf("%v, want the reader's own error", err)
	}
	missing(t, s, "a/new")
	put(t, s, "a/old", "old")
	if err := s.Put(t.Context(), "a/old", half()); !errors.Is(err, mine) {
		t.Fatalf("%v, want the reader's own error", err)
	}
	want(t, s, "a/old", "old")
	if got := list(t, s, ""); !slices.Equal(got, []string{"a/old"}) {
		t.Fatalf("list: %q", got)
	}
}

func testList(t *testing.T, s blob.Store) {
	if got := list(t, s, ""); got != nil {
		t.Fatalf("empty store: %q", got)
	}
	keys := []string{"a/b", "a-b", "a.b", "a0", "a/b-c", "a/bc/d", "a/bc.d", "ab/c", "é/x", "z", "A/b", "org=1/date=2024-01-02/s.ndjson.zst", "org=10/x"}
	for _, k := range keys {
		put(t, s, k, k)
	}
	slices.Sort(keys)
	for _, prefix := range []string{"", "a", "a/", "a/b", "a/bc", "a/bc/", "a/bc/d", "a/bc/d/", "org=1", "org=1/", "q", "é", "A"} {
		var wanted []string
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) {
				wanted = append(wanted, k)
			}
		}
		if d := cmp.Diff(wanted, list(t, s, prefix)); d != "" {
			t.Errorf("list %q: %s", prefix, d)
		}
	}
	n := 0
	for _, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
	for i, err := range s.List(t.Context(), "z") {
		if err != nil || i.Size != 1 || time.Since(i.Modified).Abs() > time.Hour || i.Modified.Location() != time.UTC {
			t.Errorf("%+v, %v", i, err)
		}
	}
}

func testKeys(t *testing.T, s blob.Store) {
	good := []string{
		"a b", "-", "é/😀", "a..b", "a./b", "x...", strings.Repeat("s", blob.MaxSegment),
		strings.Repeat("0123456789/", 90) + "0123456789", "%2e%2e/x", "~", "*?", "con=1,2;'\"<>|",
	}
	for _, k := range good {
		put(t, s, k, k)
		want(t, s, k, k)
		if got := list(t, s, k); !slices.Equal(got, []string{k}) {
			t.Errorf("list %q: %q", k, got)
		}
	}
	ctx := t.Context()
	for _, k := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", ".hidden", "a/.b", "a\x00b", "a\nb",
		"\x7f", `a\b`, "c:a", "\xff", strings.Repeat("s", blob.MaxSegment+1), strings.Repeat("a/", blob.MaxKey/2) + "a",
	} {
		_, getErr := s.Get(ctx, k)
		for what, err := range map[string]error{"put": s.Put(ctx, k, strings.NewReader("")), "get": getErr, "delete": s.Delete(ctx, k), "delete many": s.DeleteMany(ctx, []string{good[0], k})} {
			if !errors.Is(err, blob.ErrKey) {
				t.Errorf("%s %q: %v, want ErrKey", what, k, err)
			}
		}
	}
	want(t, s, good[0], good[0]) // refused before anything was deleted
	for _, p := range []string{"/", "../", "a//", "a/.", "a\x00", `\`} {
		n := 0
		for _, err := range s.List(ctx, p) {
			if n++; !errors.Is(err, blob.ErrKey) {
				t.Errorf("list %q: %v, want ErrKey", p, err)
			}
		}
		if n != 1 {
			t.Errorf("list %q yields %d times", p, n)
		}
	}
}

func testTags(t *testing.T, s blob.Store) {
	seen := map[string]bool{}
	tag := func() (tag string) {
		for i, err := range s.List(t.Context(), "k") {
			if err != nil {
				t.Fatal(err)
			}
			tag = i.Tag
		}
		return tag
	}
	for i := range 50 {
		put(t, s, "k", fmt.Sprintf("%02d", i))
		now := tag()
		if now == "" || seen[now] || now != tag() {
			t.Fatalf("tag %q: empty, seen before or unstable", now)
		}
		seen[now] = true
	}
}

func testCancelled(t *testing.T, s blob.Store) {
	put(t, s, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := s.Get(ctx, "a")
	var listErr error
	for _, listErr = range s.List(ctx, "") {
	}
	for what, err := range map[string]error{
		"put": s.Put(ctx, "a", strings.NewReader("y")), "get": getErr, "list": listErr, "delete": s.Delete(ctx, "a"),
		"delete many": s.DeleteMany(ctx, []string{"a"}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
	want(t, s, "a", "x")
}
