package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type row struct {
	ID   string
	N    int            `json:",omitempty"`
	More map[string]any `json:",omitempty"`
}

func encode(t testing.TB, rows ...row) []byte {
	t.Helper()
	var b bytes.Buffer
	w := blob.NewWriter(&b)
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Count() != len(rows) {
		t.Fatalf("count %d", w.Count())
	}
	return b.Bytes()
}

func decode(r io.Reader) (rows []row, err error) {
	for v, e := range blob.Read[row](r) {
		if e != nil {
			err = e
			continue
		}
		rows = append(rows, v)
	}
	return rows, err
}

func TestLinesRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var want []row
		for range rapid.IntRange(0, 20).Draw(rt, "n") {
			want = append(want, row{
				ID: rapid.String().Draw(rt, "id"), N: rapid.Int().Draw(rt, "n"),
				More: map[string]any{"<&>\u2028\n": rapid.StringN(0, 3000, -1).Draw(rt, "s")},
			})
		}
		got, err := decode(iotest.OneByteReader(bytes.NewReader(encode(t, want...))))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			rt.Fatalf("%v\n%s", err, d)
		}
	})
}

// However little is missing or wrong, reading ends with an error.
func TestLinesDamage(t *testing.T) {
	for _, n := range []int{0, 1, 40} {
		var rows []row
		for i := range n {
			rows = append(rows, row{ID: fmt.Sprintf("arn:aws:s3:::bucket-%d-%x", i, i*i*i*7919), N: i})
		}
		whole := encode(t, rows...)
		if got, err := decode(bytes.NewReader(whole)); err != nil || len(got) != n {
			t.Fatalf("%d rows, %v", len(got), err)
		}
		for cut := range whole {
			got, err := decode(bytes.NewReader(whole[:cut]))
			if !errors.Is(err, blob.ErrDamaged) || !strings.Contains(fmt.Sprint(err), "line ") {
				t.Fatalf("%d rows, cut at %d of %d: %d rows, %v", n, cut, len(whole), len(got), err)
			}
		}
		for at := range whole {
			for _, flip := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(whole)
				bad[at] ^= flip
				got, err := decode(bytes.NewReader(bad))
				// A header's unused or descriptive bits may change without harm.
				if err == nil && !cmp.Equal(rows, got) {
					t.Fatalf("%d rows, byte %d ^ %x: silently other content", n, at, flip)
				}
			}
		}
		if _, err := decode(bytes.NewReader(append(bytes.Clone(whole), "tail"...))); !errors.Is(err, blob.ErrDamaged) {
			t.Fatalf("with a tail: %v", err)
		}
	}
	for what, raw := range map[string]string{"text": "{\"ID\":\"a\"}\n", "nothing": "", "zeros": strings.Repeat("\x00", 100)} {
		if _, err := decode(strings.NewReader(raw)); !errors.Is(err, blob.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", what, err)
		}
	}
}

func TestLinesErrors(t *testing.T) {
	var b bytes.Buffer
	w := blob.NewWriter(&b)
	for _, v := range []any{1, "two", row{ID: "3"}} {
		if err := w.Write(v); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []any{math.NaN(), make(chan int), strings.Repeat("x", blob.MaxLine)} {
		if err := w.Write(bad); err == nil || !strings.Contains(err.Error(), "line 4") {
			t.Errorf("refusal: %v", err)
		}
	}
	if err := w.Write(row{ID: "4"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(5); err == nil {
		t.Error("write after close")
	}
	n := 0
	for v, err := range blob.Read[any](bytes.NewReader(b.Bytes())) {
		if n++; err != nil {
			t.Fatal(v, err)
		}
	}
	if n != 4 {
		t.Errorf("%d lines", n)
	}
	if _, err := decode(bytes.NewReader(b.Bytes())); !errors.Is(err, blob.ErrDamaged) || !strings.Contains(err.Error(), "line 1:") {
		t.Errorf("a number is not a row: %v", err)
	}

	mine := errors.New("mine")
	r := io.MultiReader(bytes.NewReader(b.Bytes()[:b.Len()-5]), iotest.ErrReader(mine))
	if _, err := decode(r); !errors.Is(err, mine) || errors.Is(err, blob.ErrDamaged) {
		t.Errorf("%v, want the reader's own error", err)
	}
	w = blob.NewWriter(failing{mine})
	_ = w.Write(1)
	if err := w.Close(); !errors.Is(err, mine) {
		t.Errorf("%v, want the writer's own error", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestReadStops(t *testing.T) {
	for range blob.Read[row](bytes.NewReader(encode(t, row{ID: "a"}, row{ID: "b"}))) {
		break
	}
}

// The bound is the promise in the documentation.
func TestWriterMemory(t *testing.T) {
	const writers, most = 20, 2 << 20
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var open []*blob.Writer
	raw := 0
	var out counter
	for range writers {
		w := blob.NewWriter(&out)
		for i := range 3000 {
			r := row{
				ID: fmt.Sprintf("arn:aws:ec2:eu-west-1:123456789012:instance/i-%08x", i*7919), N: i,
				More: map[string]any{"State": "running", "Groups": []string{"default", "web"}},
			}
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
			raw += 140
		}
		open = append(open, w)
	}
	each := (heap() - before) / writers
	t.Logf("%d KB per open writer, ratio about %d", each>>10, raw/max(int(out), 1))
	if each > most {
		t.Errorf("%d bytes per open writer, want at most %d", each, most)
	}
	for _, w := range open {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func FuzzRead(f *testing.F) {
	f.Add(encode(f, row{ID: "a"}, row{ID: "b"}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, err := range blob.Read[row](bytes.NewReader(b)) {
			if err != nil && !errors.Is(err, blob.ErrDamaged) {
				t.Fatal(err)
			}
		}
	})
}

// TestReset: a writer that was used before, to its end or not, writes what a new
// one does.
func TestReset(t *testing.T) {
	want := encode(t, row{ID: "b"}, row{ID: "c"})
	var first, second bytes.Buffer
	w := blob.NewWriter(&first)
	for _, finish := range []bool{true, false} {
		if err := w.Write(row{ID: "a"}); err != nil {
			t.Fatal(err)
		}
		if finish {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		second.Reset()
		w.Reset(&second)
		for _, id := range []string{"b", "c"} {
			if err := w.Write(row{ID: id}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || w.Count() != 2 || !bytes.Equal(second.Bytes(), want) {
			t.Fatalf("%d lines, %v: %x, want %x", w.Count(), err, second.Bytes(), want)
		}
		w.Reset(&first)
	}
}
