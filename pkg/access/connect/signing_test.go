package connect_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/audit/statement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

func signer(t *testing.T) (connect.Signing, table.Table) {
	t.Helper()
	ids, file := externalIDs(t)
	return connect.Signing{Store: ids.Store, Keys: ids.Keys, Now: time.Now}, file
}

func publicKey(t *testing.T, s connect.Signing, org model.OrganizationID) ed25519.PublicKey {
	t.Helper()
	key, err := s.Public(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignedByTheOrganization(t *testing.T) {
	t.Parallel()
	s, _ := signer(t)
	what := statement.Statement{Organization: "acme", Audit: "audit"}
	signed, err := s.Sign(t.Context(), "acme", what)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := statement.Open(signed, publicKey(t, s, "acme")); err != nil || got.Differs(what) != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := statement.Open(signed, publicKey(t, s, "other")); !errors.Is(err, statement.ErrSignature) {
		t.Errorf("by another organization's key: %v", err)
	}
}

// Whoever signs first at the same moment does so by the key that is kept.
func TestSigningKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	s, _ := signer(t)
	var wait sync.WaitGroup
	envelopes := make([]model.Envelope, 8)
	for i := range envelopes {
		wait.Go(func() {
			var err error
			if envelopes[i], err = s.Sign(t.Context(), "acme", statement.Statement{Audit: "audit"}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	key := publicKey(t, s, "acme")
	for _, e := range envelopes {
		if _, err := statement.Open(e, key); err != nil {
			t.Error(err)
		}
	}
}

// counting says whose data keys were opened.
type counting struct {
	secret.Wrapper
	records map[string]bool
}

func (c counting) Unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) (secret.DataKey, error) {
	c.records[owner.Record] = true
	return c.Wrapper.Unwrap(ctx, owner, wrapped)
}

// The private key is not in the table, opens for nobody else, and whoever signs opens
// no other data key.
func TestSigningKeyIsSealed(t *testing.T) {
	t.Parallel()
	s, file := signer(t)
	key := publicKey(t, s, "acme")
	opened := counting{s.Keys, map[string]bool{}}
	s.Keys = opened
	if _, err := s.Sign(t.Context(), "acme", statement.Statement{}); err != nil || len(opened.records) != 1 || !opened.records["signing"] {
		t.Errorf("to sign it opened %v, %v", opened.records, err)
	}
	for _, pk := range []string{"O#acme#SIGNING", "O#acme#KEY"} {
		for item, err := range table.All(t.Context(), file, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			item.PK, item.Version = strings.Replace(item.PK, "acme", "thief", 1), 0
			if err := file.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.Sign(t.Context(), "thief", statement.Statement{}); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("a copied key signs for another organization: %v", err)
	}
	// A public key that is put in the place of ours is not signed for.
	other, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range table.All(t.Context(), file, table.Query{PK: "O#acme#SIGNING"}) {
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := []byte(base64.StdEncoding.EncodeToString(key)), []byte(base64.StdEncoding.EncodeToString(other))
		if item.Body = bytes.Replace(item.Body, ours, theirs, 1); !bytes.Contains(item.Body, theirs) {
			t.Fatalf("the public key is not in the clear in %s", item.Body)
		}
		if err := file.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Sign(t.Context(), "acme", statement.Statement{}); err == nil || !strings.Contains(err.Error(), "public half") {
		t.Errorf("with another public key: %v", err)
	}
}
