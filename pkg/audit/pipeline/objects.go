package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Whoever stores evidence or calls keeps a digest of it in the record of the task, and
// whoever reads them compares: what lies in the blob store is worth as much as the
// records, which fewer can write, and the statement that is signed over them.

// AlteredError says that an object is not what was written under its key. Its text is
// one sentence for the user. Nothing that was read of the object is to be used.
type AlteredError struct {
	Object model.Object
	Found  model.Digest // zero if nothing is there
}

func (e *AlteredError) Error() string {
	of := placeOf(e.Object.Key)
	if e.Found == (model.Digest{}) {
		return fmt.Sprintf("the %s of %s in audit %s is gone: nothing is stored under %s any more", of.what, of.task, of.audit, e.Object.Key)
	}
	return fmt.Sprintf("the %s of %s in audit %s is not what the audit wrote: %s was changed since", of.what, of.task, of.audit, e.Object.Key)
}

// Unwrap gives blob.ErrNotFound for what is gone.
func (e *AlteredError) Unwrap() error {
	if e.Found == (model.Digest{}) {
		return blob.ErrNotFound
	}
	return nil
}

// place is what the key of an object says of it.
type place struct{ what, audit, task string }

// placeOf takes apart what Key made. What it did not make comes back whole.
func placeOf(key string) place {
	what, _, _ := strings.Cut(key, "/")
	_, audit, _ := strings.Cut(key, "/audit=")
	audit, part, found := strings.Cut(audit, "/service=")
	if !found {
		return place{what, "?", key}
	}
	task, _ := partAt(part)
	return place{what, audit, string(task)}
}

// digester counts and digests what is written to it or read through it, and keeps the
// error of its reader apart from what others make of the bytes.
type digester struct {
	from io.Reader
	sum  hash.Hash
	n    int64
	err  error
}

func newDigester(from io.Reader) *digester {
	return &digester{from: from, sum: sha256.New()}
}

// Write implements io.Writer.
func (d *digester) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return d.sum.Write(p)
}

// Read implements io.Reader.
func (d *digester) Read(p []byte) (int, error) {
	n, err := d.from.Read(p)
	_, _ = d.Write(p[:n])
	if err != nil && err != io.EOF {
		d.err = err
	}
	return n, err
}

func (d *digester) digest() model.Digest {
	return model.Digest{SHA256: hex.EncodeToString(d.sum.Sum(nil)), Size: d.n}
}

// ReadEvidence calls visit for each line of evidence. A damaged line is an error, never
// a silent end, and so is that the object is not what was written: an *AlteredError. As
// both are found no earlier than at its end, nothing may be concluded before that from
// what was visited.
func ReadEvidence(ctx context.Context, from blob.Store, o model.Object, visit func(evidence.Entry) error) error {
	return readObject(ctx, from, o, visit)
}

// ReadLedger calls visit for each call of a ledger; see ReadEvidence.
func ReadLedger(ctx context.Context, from blob.Store, o model.Object, visit func(ledger.Entry) error) error {
	return readObject(ctx, from, o, visit)
}

func readObject[T any](ctx context.Context, from blob.Store, o model.Object, visit func(T) error) error {
	r, err := from.Get(ctx, o.Key)
	if errors.Is(err, blob.ErrNotFound) && o.Known() {
		return &AlteredError{Object: o}
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", o.Key, err)
	}
	defer func() { _ = r.Close() }()
	content := newDigester(bounded(r, o))
	for line, e := range blob.Read[T](content) {
		if err = e; err == nil {
			err = visit(line)
		}
		if err != nil {
			break
		}
	}
	if content.err == nil && o.Known() { // also what was visited no further, or does not decode
		if altered := content.compare(o); altered != nil {
			return altered
		}
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", o.Key, err)
	}
	return nil
}

// bounded reads no more of an object than tells whether it is longer than it was.
func bounded(r io.Reader, o model.Object) io.Reader {
	if !o.Known() {
		return r
	}
	longest := o.Size
	if o.Before != nil {
		longest = max(longest, o.Before.Size)
	}
	return io.LimitReader(r, longest+1)
}

// compare reads what is left and says whether all of it is what was written.
func (d *digester) compare(o model.Object) error {
	if _, err := io.Copy(io.Discard, d); err != nil {
		return fmt.Errorf("read %s: %w", o.Key, err)
	}
	if found := d.digest(); !o.Is(found) {
		return &AlteredError{o, found}
	}
	return nil
}

// checkObject says, without decoding it, whether an object is what was written: nil, an
// *AlteredError, or that it could not be read.
func checkObject(ctx context.Context, from blob.Store, o model.Object) error {
	r, err := from.Get(ctx, o.Key)
	if errors.Is(err, blob.ErrNotFound) {
		if o.Is(model.Digest{}) {
			return nil
		}
		return &AlteredError{Object: o}
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", o.Key, err)
	}
	defer func() { _ = r.Close() }()
	return newDigester(bounded(r, o)).compare(o)
}

// noteTimeout is how long it may take to note what was stored, also when the time of
// who stored it is over.
const noteTimeout = 10 * time.Second

// noteObjects adds what an attempt stored to the record of its task: that of one that
// failed, or whose result came too late. A task that is forgotten has nothing to note.
func (p *Pipeline) noteObjects(ctx context.Context, org *store.Organization, audit model.AuditID, id model.TaskID, objects ...model.Object) error {
	if len(objects) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	err := updateTask(ctx, org, audit, id, func(t *model.Task) { t.Objects = model.WithObjects(t.Objects, objects...) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// updateTask changes a task, and does so again when somebody else wrote it meanwhile.
func updateTask(ctx context.Context, org *store.Organization, audit model.AuditID, id model.TaskID, change func(*model.Task)) error {
	for {
		task, err := org.Task(ctx, audit, id)
		if err != nil {
			return err
		}
		change(&task)
		if err := org.PutTask(ctx, &task); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// putTask moves a task on from a state, also when others have noted meanwhile what they
// stored for it. If somebody else moved it on nothing is written, and the task becomes
// what it is then. stored is what whoever writes has stored for it.
func putTask(ctx context.Context, org *store.Organization, task *model.Task, from model.TaskState, stored ...model.Object) (written bool, err error) {
	for {
		if err := org.PutTask(ctx, task); !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
		now, err := org.Task(ctx, task.Audit, task.ID)
		if err != nil {
			return false, err
		}
		if now.State != from {
			*task = now
			return false, nil
		}
		task.Version, task.Objects = now.Version, model.WithObjects(now.Objects, stored...)
	}
}

// disown ends a task, or the one that it is a part of, whose evidence is not what it
// wrote: its checks are not assessed, as if nothing had been read. What became of its
// findings before stays as it is; nothing is resolved by it.
func (p *Pipeline) disown(ctx context.Context, org *store.Organization, task model.Task, altered *AlteredError) error {
	p.meter(metrics.TasksFailed, 1)
	return updateTask(ctx, org, task.Audit, wholeOf(task), func(t *model.Task) {
		t.State, t.Problem = model.TaskFailed, model.Cut(altered.Error(), model.MaxReason)
		t.Evidence, t.Resources, t.Listings, t.Tally, t.Wanted, t.Gaps = "", 0, nil, nil, nil, nil
	})
}
