package pipeline

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// kept is what is kept of an audit: by its records, and by the blob store.
type kept struct {
	recorded []model.Object   // in the order of their keys
	stored   map[string]int64 // bytes, by key
}

// keptKinds are the kinds of objects that are kept of an audit and stay.
var keptKinds = []string{"evidence", "ledger"}

func keptOf(ctx context.Context, from blob.Store, org model.OrganizationID, audit model.Audit, tasks []model.Task) (kept, error) {
	k := kept{recorded: objectsOf(audit, tasks), stored: map[string]int64{}}
	slices.SortFunc(k.recorded, func(a, b model.Object) int { return strings.Compare(a.Key, b.Key) })
	for _, what := range keptKinds {
		for info, err := range from.List(ctx, prefixOf(what, org, audit)) {
			if err != nil {
				return k, fmt.Errorf("objects of audit %s: %w", audit.ID, err)
			}
			k.stored[info.Key] = info.Size
		}
	}
	return k, nil
}

// unrecorded are the objects that no record names with a digest, by key and length.
func (k kept) unrecorded() (all []model.Object) {
	recorded := map[string]bool{}
	for _, o := range k.recorded {
		recorded[o.Key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(k.stored)) {
		if !recorded[key] {
			all = append(all, model.Object{Key: key, Digest: model.Digest{Size: k.stored[key]}})
		}
	}
	return all
}

// statement is what is to be signed.
func (k kept) statement(org model.OrganizationID, audit model.Audit) statement.Statement {
	s := statement.Of(org, audit)
	byKind := map[string][]model.Object{}
	for _, o := range k.recorded {
		what := placeOf(o.Key).what
		byKind[what] = append(byKind[what], o)
	}
	s.Evidence = statement.ChainOf("evidence", byKind["evidence"])
	s.Ledger = statement.ChainOf("ledger", byKind["ledger"])
	s.Unrecorded = statement.ChainOf("unrecorded", k.unrecorded())
	return s
}

// What verifying an audit comes to.
const (
	// VerdictWhole is that of an audit of which all is as it was written.
	VerdictWhole = "whole"
	// VerdictAltered is that of one of which something was changed, added or taken away.
	VerdictAltered = "altered"
	// VerdictUnknown is that of one that was made before digests were kept.
	VerdictUnknown = "before_digests"
	// VerdictForgotten is that of one whose evidence and tasks are not kept any more.
	VerdictForgotten = "forgotten"
)

// What is with an audit's signature.
const (
	SignatureValid   = "valid"
	SignatureNone    = "unsigned"
	SignatureInvalid = "invalid"
)

// How an object is that is kept of an audit, or should be.
const (
	ObjectWhole      = "whole"
	ObjectChanged    = "changed"
	ObjectMissing    = "missing"
	ObjectUnrecorded = "unrecorded" // no record names it
	ObjectUndigested = "undigested" // a record names it, from before digests
)

// Verification is how what is kept of an audit compares with what the audit wrote.
type Verification struct {
	Audit     model.AuditID    `json:"audit"`
	AccountID string           `json:"account_id"`
	State     model.AuditState `json:"state"`
	Verdict   string           `json:"verdict" enum:"whole,altered,before_digests,forgotten"`
	Signature string           `json:"signature" enum:"valid,unsigned,invalid"`
	SignedAt  time.Time        `json:"signed_at,omitzero"`
	// PublicKey is the key that the signature was held to, in base64; Fingerprint is what
	// it is known by.
	PublicKey   string `json:"public_key,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	// Contents are the kinds of objects whose contents were compared, and not their
	// lengths alone.
	Contents []string         `json:"contents"`
	Objects  []VerifiedObject `json:"objects"`
	// Problems are what is not as it was written, a sentence each; Remarks what is to be
	// known besides.
	Problems []string `json:"problems"`
	Remarks  []string `json:"remarks"`
}

// VerifiedObject is an object that is kept of an audit, or should be.
type VerifiedObject struct {
	Kind  string       `json:"kind"` // evidence or ledger
	Task  model.TaskID `json:"task"`
	State string       `json:"state" enum:"whole,changed,missing,unrecorded,undigested"`
	Size  int64        `json:"size"` // as recorded; of what no record names, as stored
	Key   string       `json:"key"`
}

// Verifier holds what is kept of audits to their records, and these to what was signed.
// It reads one object at a time and keeps none.
type Verifier struct {
	Store *store.Store
	Blobs blob.Store
	Now   func() time.Time
	// Contents are the kinds of objects that may be read; of others the lengths are
	// compared. Nil is all.
	Contents []string
	// Key is the public key that has to have signed; nil is the one that the
	// organization's record names, and then an audit may be unsigned.
	Key ed25519.PublicKey
}

// Verify looks at all that is kept of an audit.
func (v Verifier) Verify(ctx context.Context, orgID model.OrganizationID, audit model.Audit) (Verification, error) {
	out := Verification{
		Audit: audit.ID, AccountID: audit.AccountID, State: audit.State, Contents: v.Contents,
		Objects: []VerifiedObject{}, Problems: []string{}, Remarks: []string{},
	}
	if out.Contents == nil {
		out.Contents = keptKinds
	}
	org := v.Store.For(orgID)
	tasks, err := org.Tasks(ctx, audit.ID)
	if err != nil {
		return out, err
	}
	kept, err := keptOf(ctx, v.Blobs, orgID, audit, tasks)
	if err != nil {
		return out, err
	}
	forgotten := len(tasks) == 0 && audit.Forgotten(v.Now())
	if !forgotten {
		if err := v.objects(ctx, &out, kept.recorded, kept.stored); err != nil {
			return out, err
		}
		out.missingRecords(audit, tasks)
	}
	signed, err := v.signature(ctx, &out, orgID, audit)
	if err != nil {
		return out, err
	}
	witnessed := false // that which no record names was there when it was signed
	if signed != nil {
		now := kept.statement(orgID, audit)
		for _, what := range signed.Differs(now) {
			switch {
			case forgotten && slices.Contains([]string{"evidence", "ledger", "unrecorded"}, what):
			case what == "evidence":
				out.problem("the records name %s of evidence that are not those that were signed, which were %d", count(now.Evidence.Objects, "object"), signed.Evidence.Objects)
			case what == "ledger":
				out.problem("the records name %s that are not those that were signed, which were %d", count(now.Ledger.Objects, "ledger"), signed.Ledger.Objects)
			case what == "unrecorded":
				out.problem("%s lie with the audit's that no record names, and when it was signed it was %d, or others", count(now.Unrecorded.Objects, "object"), signed.Unrecorded.Objects)
			default:
				out.problem("the audit's record has another %s than was signed", what)
			}
		}
		witnessed = signed.Unrecorded == now.Unrecorded
	}
	undigested := 0
	if !forgotten {
		undigested = out.unrecorded(audit, tasks, kept, witnessed, signed != nil)
	}
	switch {
	case len(out.Problems) > 0:
		out.Verdict = VerdictAltered
	case forgotten:
		out.Verdict = VerdictForgotten
		out.Remarks = append(out.Remarks, "its evidence and ledgers are not kept any more")
	case undigested > 0 || len(kept.recorded) == 0:
		out.Verdict = VerdictUnknown
		out.Remarks = append(out.Remarks, fmt.Sprintf("%s from before digests were kept: nobody can tell whether they were changed", count(undigested, "object")))
	default:
		out.Verdict = VerdictWhole
	}
	if !audit.State.Ended() {
		out.Remarks = append(out.Remarks, "the audit runs: it is signed when it ends")
	}
	return out, nil
}

func (out *Verification) problem(format string, args ...any) {
	out.Problems = append(out.Problems, fmt.Sprintf(format, args...))
}

func (out *Verification) object(o model.Object, state string) {
	of := placeOf(o.Key)
	out.Objects = append(out.Objects, VerifiedObject{Kind: of.what, Task: model.TaskID(of.task), State: state, Size: o.Size, Key: o.Key})
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// objects compares what is recorded with what is stored.
func (v Verifier) objects(ctx context.Context, out *Verification, recorded []model.Object, stored map[string]int64) error {
	for _, o := range recorded {
		err := v.object(ctx, out, o, stored)
		var altered *AlteredError
		switch {
		case err == nil:
			out.object(o, ObjectWhole)
		case !errors.As(err, &altered):
			return err
		case errors.Is(err, blob.ErrNotFound):
			out.object(o, ObjectMissing)
			out.problem("%s", altered)
		default:
			out.object(o, ObjectChanged)
			out.problem("%s", altered)
		}
	}
	return nil
}

func (v Verifier) object(ctx context.Context, out *Verification, o model.Object, stored map[string]int64) error {
	if slices.Contains(out.Contents, placeOf(o.Key).what) {
		return checkObject(ctx, v.Blobs, o)
	}
	size, found := stored[o.Key]
	switch {
	case found && (size == o.Size || o.Before != nil && size == o.Before.Size):
		return nil
	case found:
		return &AlteredError{o, model.Digest{Size: size}}
	case o.Is(model.Digest{}):
		return nil
	}
	return &AlteredError{Object: o}
}

// missingRecords tells of tasks that the audit must have had, and that have no record.
func (out *Verification) missingRecords(audit model.Audit, tasks []model.Task) {
	if audit.Summary == nil {
		return // it may have ended before they were written
	}
	known, failed := map[model.TaskID]bool{}, map[model.TaskID]bool{}
	wanted := []model.TaskID{across}
	for _, service := range audit.Services {
		wanted = append(wanted, model.TaskID(service))
	}
	for _, t := range tasks {
		known[t.ID], failed[t.ID] = true, t.State == model.TaskFailed
	}
	for _, t := range tasks {
		if !failed[wholeOf(t)] { // of what failed as a whole the parts may be forgotten
			wanted = append(wanted, t.Next...)
		}
	}
	for _, id := range wanted {
		if !known[id] {
			out.problem("the record of the task %s is gone", id)
		}
	}
}

// unrecorded tells of objects that no record names with a digest, and says how many of
// them are from before digests.
func (out *Verification) unrecorded(audit model.Audit, tasks []model.Task, kept kept, witnessed, signed bool) (undigested int) {
	named := map[string]bool{}
	for _, t := range tasks {
		named[t.Evidence], named[t.Ledger] = true, true
	}
	digests := len(kept.recorded) > 0
	for _, o := range kept.unrecorded() {
		switch {
		case !digests && !signed || named[o.Key] && (!signed || witnessed):
			out.object(o, ObjectUndigested)
			undigested++
			continue
		case witnessed:
			out.Remarks = append(out.Remarks, fmt.Sprintf("no record names %s; it was there, of that length, when the audit was signed: of an attempt that died as it stored it", o.Key))
		case !audit.State.Ended():
			out.Remarks = append(out.Remarks, fmt.Sprintf("no record names %s yet", o.Key))
		case signed: // told once of all
		default:
			out.problem("no record names %s: an attempt died as it stored it, or somebody put it there since", o.Key)
		}
		out.object(o, ObjectUnrecorded)
	}
	return undigested
}

// signature opens the statement of an audit; nil if it has none, or not a good one.
func (v Verifier) signature(ctx context.Context, out *Verification, orgID model.OrganizationID, audit model.Audit) (*statement.Statement, error) {
	key := v.Key
	if key == nil {
		stored, err := v.Store.For(orgID).SigningKey(ctx)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		key = stored.Public
	}
	if key != nil {
		out.PublicKey, out.Fingerprint = statement.Text(key), statement.Fingerprint(key)
	}
	if audit.Statement == nil {
		out.Signature = SignatureNone
		switch {
		case v.Key != nil:
			out.problem("the audit is not signed")
		case audit.State.Ended():
			out.Remarks = append(out.Remarks, "it is unsigned: whoever can write its records can change them together with what they name")
		}
		return nil, nil
	}
	signed, err := statement.Open(*audit.Statement, key)
	if err != nil {
		out.Signature = SignatureInvalid
		if key == nil {
			out.problem("the audit is signed, and the organization's public key is gone")
		} else {
			out.problem("what is signed was not signed by the key %s", out.Fingerprint)
		}
		return nil, nil
	}
	out.Signature, out.SignedAt = SignatureValid, signed.SignedAt
	return &signed, nil
}
