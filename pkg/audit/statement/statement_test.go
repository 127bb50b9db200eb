package statement_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func key(fill byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = fill
	return ed25519.NewKeyFromSeed(seed)
}

func public(k ed25519.PrivateKey) ed25519.PublicKey {
	p, _ := k.Public().(ed25519.PublicKey)
	return p
}

func sample() statement.Statement {
	at := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
	a := model.Audit{ID: "audit", Connection: "c", AccountID: "111122223333", CloudArq: "1.2.3", State: model.AuditDone, StartedAt: at, EndedAt: at.Add(time.Minute)}
	a.Summary = &model.Summary{Counts: model.Counts{Pass: 3, Fail: 2, Folded: 1}, Score: model.Score{Value: 61.5}}
	s := statement.Of("acme", a)
	s.Evidence = statement.ChainOf("evidence", []model.Object{{Key: "k", Digest: model.Digest{SHA256: "00", Size: 7}}})
	s.SignedAt = at.Add(time.Hour)
	return s
}

func TestSignature(t *testing.T) {
	t.Parallel()
	ours, others := key(1), key(2)
	signed, err := statement.Sign(sample(), ours)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := statement.Open(signed, public(ours)); err != nil || got.Differs(sample()) != nil || !got.SignedAt.Equal(sample().SignedAt) {
		t.Errorf("what was signed opens as %+v, %v", got, err)
	}
	// Any tool that knows the form can check it.
	message := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(signed.PayloadType), signed.PayloadType, len(signed.Payload), signed.Payload)
	if !ed25519.Verify(public(ours), message, signed.Signatures[0].Sig) || signed.Signatures[0].KeyID != statement.Fingerprint(public(ours)) {
		t.Error("the signature is not one over a DSSE envelope")
	}
	for name, change := range map[string]func(*model.Envelope){
		"another type":       func(e *model.Envelope) { e.PayloadType += "x" },
		"another payload":    func(e *model.Envelope) { e.Payload = slices.Replace(slices.Clone(e.Payload), 5, 6, 'X') },
		"a longer payload":   func(e *model.Envelope) { e.Payload = append(slices.Clone(e.Payload), ' ') },
		"another signature":  func(e *model.Envelope) { e.Signatures[0].Sig[3] ^= 1 },
		"no signature":       func(e *model.Envelope) { e.Signatures = nil },
		"an empty signature": func(e *model.Envelope) { e.Signatures = []model.Signature{{}} },
		"signed by another":  func(e *model.Envelope) { *e, _ = statement.Sign(sample(), others) },
	} {
		e, _ := statement.Sign(sample(), ours)
		change(&e)
		if got, err := statement.Open(e, public(ours)); !errors.Is(err, statement.ErrSignature) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := statement.Open(signed, nil); !errors.Is(err, statement.ErrSignature) {
		t.Errorf("without a key: %v", err)
	}
}

// TestDiffers: no field of a statement may change unseen, but the time of signing.
func TestDiffers(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*statement.Statement){
		"organization": func(s *statement.Statement) { s.Organization = "other" },
		"connection":   func(s *statement.Statement) { s.Connection = "other" },
		"audit":        func(s *statement.Statement) { s.Audit = "other" },
		"account":      func(s *statement.Statement) { s.AccountID = "444455556666" },
		"version":      func(s *statement.Statement) { s.CloudArq = "1.2.4" },
		"state":        func(s *statement.Statement) { s.State = model.AuditPartial },
		"retries":      func(s *statement.Statement) { s.Retries++ },
		"start":        func(s *statement.Statement) { s.StartedAt = s.StartedAt.Add(1) },
		"end":          func(s *statement.Statement) { s.EndedAt = s.EndedAt.Add(1) },
		"result":       func(s *statement.Statement) { s.Result.Counts.Pass++ },
		"evidence":     func(s *statement.Statement) { s.Evidence.Head = "" },
		"ledger":       func(s *statement.Statement) { s.Ledger.Objects++ },
		"unrecorded":   func(s *statement.Statement) { s.Unrecorded.Objects++ },
	} {
		s := sample()
		change(&s)
		if got := s.Differs(sample()); !slices.Equal(got, []string{what}) {
			t.Errorf("%s: differs in %v", what, got)
		}
	}
	s := sample()
	s.SignedAt = s.SignedAt.Add(time.Hour)
	if got := s.Differs(sample()); got != nil {
		t.Errorf("signed later: differs in %v", got)
	}
	s.CloudArq = "" // as a version before writes the record anew
	if got := s.Differs(sample()); got != nil {
		t.Errorf("without a version: differs in %v", got)
	}
}

// TestChain: the order in which objects are given does not matter, and everything else
// does.
func TestChain(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab1:")), 0, 3, -1)
	digest := rapid.Custom(func(t *rapid.T) model.Digest {
		return model.Digest{SHA256: text.Draw(t, "sum"), Size: rapid.Int64Range(0, 11).Draw(t, "size")}
	})
	object := rapid.Custom(func(t *rapid.T) model.Object {
		o := model.Object{Key: text.Draw(t, "key"), Digest: digest.Draw(t, "digest")}
		if rapid.Bool().Draw(t, "before") {
			d := digest.Draw(t, "what was before")
			o.Before = &d
		}
		return o
	})
	describe := func(all []model.Object) (lines []string) {
		for _, o := range all {
			line := fmt.Sprintf("%q %q %d", o.Key, o.SHA256, o.Size)
			if o.Before != nil {
				line += fmt.Sprintf(" %q %d", o.Before.SHA256, o.Before.Size)
			}
			lines = append(lines, line)
		}
		slices.Sort(lines)
		return lines
	}
	byKey := func(o model.Object) string { return o.Key }
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfNDistinct(object, 0, 4, byKey).Draw(t, "a")
		b := rapid.SliceOfNDistinct(object, 0, 4, byKey).Draw(t, "b")
		same := slices.Equal(describe(a), describe(b))
		if got := statement.ChainOf("x", a) == statement.ChainOf("x", b); got != same {
			t.Fatalf("the chains of %v and %v are the same: %v", describe(a), describe(b), got)
		}
		if statement.ChainOf("x", a) != statement.ChainOf("x", rapid.Permutation(a).Draw(t, "order")) {
			t.Fatal("the order in which they are given matters")
		}
		if statement.ChainOf("x", a) == statement.ChainOf("y", a) {
			t.Fatal("chains of two names are the same")
		}
	})
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	k := public(key(1))
	if got, err := statement.ParseKey(statement.Text(k) + "\n"); err != nil || !got.Equal(k) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "x", statement.Fingerprint(k), base64.StdEncoding.EncodeToString(k[:31]), base64.StdEncoding.EncodeToString(key(1))} {
		if got, err := statement.ParseKey(text); err == nil {
			t.Errorf("%q is the key %v", text, got)
		}
	}
}
