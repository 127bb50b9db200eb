package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/lanrat/extsort"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// What is taken in comes as two streams in the order of finding ids, which are merged.

// findings are those that a scope has: their ids, and as long as they are few the
// findings themselves.
type findings struct {
	in  *ingestion
	ids [][16]byte // sorted
	few []model.Finding
}

// fewFindings is how many findings are kept in memory to spare reading them twice.
const fewFindings = 2_000

// read reads the known findings once. Those of a check that goes under another id
// today are given that, so that their history goes on.
func (in *ingestion) read(ctx context.Context) (*findings, error) {
	fs := &findings{in: in, few: []model.Finding{}}
	for f, err := range in.org.EachFinding(ctx, in.connection, in.scope, in.record.Parts) {
		if err != nil {
			return nil, err
		}
		if c, renamed := in.p.Catalog.Successor(f.Check); renamed && scopeOf(c) == in.scope {
			if f, err = in.rename(ctx, f, c.ID); err != nil {
				return nil, err
			}
			fs.few = nil
		}
		fs.ids = append(fs.ids, idBytes(f.ID))
		if len(fs.few) == fewFindings {
			fs.few = nil
		}
		if fs.few != nil {
			fs.few = append(fs.few, f)
		}
	}
	slices.SortFunc(fs.ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return fs, nil
}

func (fs *findings) has(id model.FindingID) bool {
	key := idBytes(id)
	_, found := slices.BinarySearchFunc(fs.ids, key, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return found
}

func (fs *findings) all(ctx context.Context) iter.Seq2[model.Finding, error] {
	if fs.few == nil {
		return fs.in.org.EachFinding(ctx, fs.in.connection, fs.in.scope, fs.in.record.Parts)
	}
	return func(yield func(model.Finding, error) bool) {
		for _, f := range fs.few {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// idBytes is a finding's id as the bytes that its digits stand for.
func idBytes(id model.FindingID) (b [16]byte) {
	_, _ = hex.Decode(b[:], []byte(id)) // an id that is none is like no other
	return b
}

// observations are what the evidence says, in the order of finding ids.
type observations struct {
	sorted   <-chan diff.Observation
	failed   <-chan error
	close    context.CancelFunc
	failures int
}

// observationsAtOnce is how many observations are in memory before they are sorted and
// put on disk, to be merged.
const observationsAtOnce = 4_000

// sort reads all of the evidence, keeps what makes a difference and puts it in order.
func (in *ingestion) sort(ctx context.Context, sources []model.Object, known func(model.FindingID) bool) (*observations, error) {
	ctx, cancel := context.WithCancel(ctx)
	input := make(chan diff.Observation)
	sorter, sorted, failed := extsort.Generic(input,
		func(data []byte) (o diff.Observation, err error) { err = json.Unmarshal(data, &o); return o, err },
		func(o diff.Observation) ([]byte, error) { return json.Marshal(o) },
		func(a, b diff.Observation) int { return cmp.Compare(a.ID, b.ID) },
		&extsort.Config{ChunkSize: observationsAtOnce, NumWorkers: 1, TempFilesDir: in.p.TempDir})
	go sorter.Sort(ctx)
	out := &observations{sorted: sorted, failed: failed, close: cancel}
	emit := func(o diff.Observation) error {
		if o.Proof != nil {
			out.failures++
		}
		select {
		case input <- o:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-failed:
			return fmt.Errorf("sort evidence: %w", cmp.Or(err, errUnsorted))
		}
	}
	for _, source := range sources {
		err := ReadEvidence(ctx, in.p.Evidence, source, func(e evidence.Entry) error { return in.life.Observe(e, source.Key, known, emit) })
		if err != nil {
			cancel()
			return nil, err
		}
	}
	close(input)
	return out, nil
}

var errUnsorted = errors.New("the sorter ended")

// all yields one observation of each finding.
func (o *observations) all() iter.Seq2[diff.Observation, error] {
	return func(yield func(diff.Observation, error) bool) {
		var last *diff.Observation
		for next := range o.sorted {
			if last != nil && last.ID == next.ID {
				*last = diff.Worse(*last, next)
				continue
			}
			if last != nil && !yield(*last, nil) {
				return
			}
			last = &next
		}
		if err := <-o.failed; err != nil {
			yield(diff.Observation{}, fmt.Errorf("sort evidence: %w", err))
			return
		}
		if last != nil {
			yield(*last, nil)
		}
	}
}

// pair is a finding that is known, observed or both.
type pair struct {
	id    model.FindingID
	known *model.Finding
	seen  *diff.Observation
}

// merge goes through two streams in the order of ids side by side. What a pair points
// to is good until the next.
func merge(known iter.Seq2[model.Finding, error], seen iter.Seq2[diff.Observation, error]) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		next, stop := iter.Pull2(seen)
		defer stop()
		o, err, more := next()
		for f, e := range known {
			if e != nil {
				yield(pair{}, e)
				return
			}
			for more && err == nil && o.ID < f.ID {
				if !yield(pair{id: o.ID, seen: &o}, nil) {
					return
				}
				o, err, more = next()
			}
			both := pair{id: f.ID, known: &f}
			if more && err == nil && o.ID == f.ID {
				seen := o
				both.seen = &seen
				o, err, more = next()
			}
			if err != nil {
				yield(pair{}, err)
				return
			}
			if !yield(both, nil) {
				return
			}
		}
		for more {
			if err != nil {
				yield(pair{}, err)
				return
			}
			if !yield(pair{id: o.ID, seen: &o}, nil) {
				return
			}
			o, err, more = next()
		}
	}
}
