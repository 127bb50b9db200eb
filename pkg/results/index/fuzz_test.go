package index_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// head is what a segment begins with: its magic, its version and its checksum.
const head = 5 + sha256.Size

// FuzzSegment: whatever is in a segment, with a right checksum too, it is read or it is
// damaged, and what was read answers or is damaged. It never takes more memory than a
// multiple of what it has bytes.
func FuzzSegment(f *testing.F) {
	for _, n := range []int{0, 1, 7, 600} {
		raw, err := index.Encode(index.Head{Connection: "c", Content: "e", Read: began, Writing: began}, nil, estate(1, n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[head:])
	}
	all, rules := rulesOf(f)
	with, err := index.Encode(index.Head{Connection: "c"}, wholeEstate(all, 1), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(with[head:])
	f.Add([]byte("\x01c\x01e\x02\x02\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, body []byte) {
		view, err := index.Load(signed("CAQS", body))
		if err != nil {
			if !errors.Is(err, index.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if view.Bytes() > 64*len(body)+4096 {
			t.Fatalf("%d bytes of %d", view.Bytes(), len(body))
		}
		who := index.Caller{Sees: func(string) bool { return true }}
		view.Totals(rules, who, nil)
		page, err := view.Scores(t.Context(), rules, plain{}, who, index.ScoresQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Accounts {
			view.Coverages(rules, who, []model.ConnectionID{one.Connection})
		}
		for _, words := range [][]string{nil, {"resource=*a*", "tag:env!=x", "first_seen>=2020-01-01"}} {
			_, err := view.Ask(t.Context(), checks, plain{}, who, index.Query{Words: words, Limit: 500, Groups: []index.Group{{Field: "resource", Limit: 10}, {Field: "tag:env", Limit: 10}}})
			if err != nil && !errors.Is(err, index.ErrDamaged) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzShard: the same of what holds segments.
func FuzzShard(f *testing.F) {
	f.Add([]byte("\x05\x00"))
	f.Add([]byte("\x05\x01\x01c\x01m\x01\x02p1\x00\x00\x00\x02\x00\x01n\x00\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := index.CheckShard(signed("CAQH", body)); err != nil && !errors.Is(err, index.ErrDamaged) {
			t.Fatal(err)
		}
	})
}

func signed(magic string, body []byte) []byte {
	sum := sha256.Sum256(body)
	return slices.Concat([]byte(magic), []byte{1}, sum[:], body)
}

// TestAlteredIsDamaged changes each byte of a segment, and cuts it off at each.
func TestAlteredIsDamaged(t *testing.T) {
	t.Parallel()
	raw, err := index.Encode(index.Head{Connection: "c", Content: "e", Read: began}, nil, estate(1, 20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := index.Load(raw); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		altered := bytes.Clone(raw)
		altered[i] ^= 0x20
		for _, in := range [][]byte{altered, raw[:i]} {
			if _, err := index.Load(in); !errors.Is(err, index.ErrDamaged) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		if i > head { // whoever alters it and makes the checksum right is found, or read
			if _, err := index.Load(signed("CAQS", raw[head:i])); !errors.Is(err, index.ErrDamaged) {
				t.Fatalf("cut off at %d: %v", i, err)
			}
		}
	}
}
