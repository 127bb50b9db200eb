// Package statement is what is signed of an audit when it ends: which evidence and
// which calls it stored, and what it came to. Whoever changes any of that later can make
// no statement that says so, unless they have the organization's key.
package statement

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Type is the type of the payload in the envelope of a statement.
const Type = "application/vnd.cloudarq.audit-statement.v1+json"

// Statement is what an ended audit stored.
type Statement struct {
	Organization model.OrganizationID `json:"organization"`
	Connection   model.ConnectionID   `json:"connection"`
	Audit        model.AuditID        `json:"audit"`
	AccountID    string               `json:"account_id"`
	CloudArq     string               `json:"cloudarq,omitempty"` // the version that began the audit
	State        model.AuditState     `json:"state"`
	Retries      int                  `json:"retries"`
	StartedAt    time.Time            `json:"started_at"`
	EndedAt      time.Time            `json:"ended_at"`
	Result       Result               `json:"result"`
	Evidence     Chain                `json:"evidence"`
	Ledger       Chain                `json:"ledger"`
	// Unrecorded are the objects that lay with the others and that no record named, by
	// their keys and lengths alone: of attempts that died as they stored them.
	Unrecorded Chain     `json:"unrecorded"`
	SignedAt   time.Time `json:"signed_at"`
}

// Result is what an audit came to, in numbers; zero for one without a summary.
type Result struct {
	Score  float64      `json:"score"`
	Counts model.Counts `json:"counts"`
	Failed int          `json:"failed"` // that no other failure is the cause of
}

// ResultOf is what an audit's record says.
func ResultOf(a model.Audit) Result {
	if a.Summary == nil {
		return Result{}
	}
	return Result{Score: a.Summary.Score.Value, Counts: a.Summary.Counts, Failed: a.Summary.Counts.Own()}
}

// Of begins the statement of an audit from its record.
func Of(org model.OrganizationID, a model.Audit) Statement {
	return Statement{
		Organization: org, Connection: a.Connection, Audit: a.ID, AccountID: a.AccountID, CloudArq: a.CloudArq, State: a.State, Retries: a.Retries,
		StartedAt: a.StartedAt.UTC(), EndedAt: a.EndedAt.UTC(), Result: ResultOf(a),
	}
}

// Differs says in what a statement differs from another, but for when they were signed;
// nil if in nothing.
func (s Statement) Differs(o Statement) (what []string) {
	for _, part := range []struct {
		name string
		same bool
	}{
		{"organization", s.Organization == o.Organization},
		{"connection", s.Connection == o.Connection},
		{"audit", s.Audit == o.Audit},
		{"account", s.AccountID == o.AccountID},
		// A version before, which does not know of this, leaves it out of what it writes anew.
		{"version", s.CloudArq == o.CloudArq || s.CloudArq == "" || o.CloudArq == ""},
		{"state", s.State == o.State},
		{"retries", s.Retries == o.Retries},
		{"start", s.StartedAt.Equal(o.StartedAt)},
		{"end", s.EndedAt.Equal(o.EndedAt)},
		{"result", s.Result == o.Result},
		{"evidence", s.Evidence == o.Evidence},
		{"ledger", s.Ledger == o.Ledger},
		{"unrecorded", s.Unrecorded == o.Unrecorded},
	} {
		if !part.same {
			what = append(what, part.name)
		}
	}
	return what
}

// Chain is a hash chain over objects in the order of their keys. Its head changes with
// every object that is changed, added, left out or put in another's place.
type Chain struct {
	Objects int    `json:"objects"`
	Head    string `json:"head"` // SHA-256, in hexadecimal
}

// ChainOf makes the chain of objects. Each link is the SHA-256 of the link before it and
// of the object: its key, its digest, and that of what lay there before if it may still
// be that. The first link is of the chain's name alone.
func ChainOf(name string, objects []model.Object) Chain {
	objects = slices.Clone(objects)
	slices.SortFunc(objects, func(a, b model.Object) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.Size, b.Size))
	})
	link := sha256.Sum256([]byte("cloudarq " + name))
	for _, o := range objects {
		var b bytes.Buffer
		b.Write(link[:])
		field := func(text string) { fmt.Fprintf(&b, "%d:%s", len(text), text) }
		digest := func(d model.Digest) { field(d.SHA256); field(strconv.FormatInt(d.Size, 10)) }
		field(o.Key)
		digest(o.Digest)
		if o.Before != nil {
			digest(*o.Before)
		}
		link = sha256.Sum256(b.Bytes())
	}
	return Chain{len(objects), hex.EncodeToString(link[:])}
}

// ErrSignature says that an envelope is not what the key signed.
var ErrSignature = errors.New("the signature does not fit")

// Sign puts a statement in an envelope, signed by Ed25519.
func Sign(s Statement, key ed25519.PrivateKey) (model.Envelope, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return model.Envelope{}, fmt.Errorf("statement of audit %s: %w", s.Audit, err)
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return model.Envelope{
		PayloadType: Type, Payload: payload,
		Signatures: []model.Signature{{KeyID: Fingerprint(public), Sig: ed25519.Sign(key, encoded(Type, payload))}},
	}, nil
}

// Open is the statement in an envelope if the key signed it, or ErrSignature.
func Open(e model.Envelope, key ed25519.PublicKey) (Statement, error) {
	fits := func(s model.Signature) bool { return ed25519.Verify(key, encoded(e.PayloadType, e.Payload), s.Sig) }
	if e.PayloadType != Type || len(key) != ed25519.PublicKeySize || !slices.ContainsFunc(e.Signatures, fits) {
		return Statement{}, ErrSignature
	}
	return Peek(e)
}

// Peek is the statement in an envelope, whoever signed it.
func Peek(e model.Envelope) (s Statement, err error) {
	if err := json.Unmarshal(e.Payload, &s); err != nil {
		return s, fmt.Errorf("statement: %w", err)
	}
	return s, nil
}

// encoded is what is signed: the type and the payload, each after its length, so that a
// signature over one thing fits no other.
// https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md (30 November 2026)
func encoded(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Fingerprint is what a public key is known by: the SHA-256 of its 32 bytes.
func Fingerprint(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// Text is a public key as people pass it on: its 32 bytes in base64.
func Text(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }

// ParseKey reads what Text makes.
func ParseKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("no public key of Ed25519: want %d bytes in base64", ed25519.PublicKeySize)
	}
	return key, nil
}
