package connect_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

var given = secret.AccessKey{ID: secret.New("AKIAIOSFODNN7EXAMPLE"), Secret: secret.New("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")}

// accessKeys are real drivers, with a clock that the test moves.
func accessKeys(t *testing.T) (connect.AccessKeys, table.Table, *time.Time) {
	t.Helper()
	ids, file := externalIDs(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return connect.AccessKeys{Store: ids.Store, Keys: ids.Keys, Now: func() time.Time { return now }}, file, &now
}

// give makes a connection, if there is none, and gives it a key.
func give(t *testing.T, k connect.AccessKeys, org model.OrganizationID, id model.ConnectionID, key secret.AccessKey) model.Connection {
	t.Helper()
	c, err := k.Store.For(org).Connection(t.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		c, err = model.Connection{ID: id}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Set(t.Context(), model.Change{}, org, &c, key, k.Now()); err != nil {
		t.Fatal(err)
	}
	return c
}

func same(a, b secret.AccessKey) bool {
	return a.ID.Reveal() == b.ID.Reveal() && a.Secret.Reveal() == b.Secret.Reveal()
}

func TestAccessKeyIsSealed(t *testing.T) {
	t.Parallel()
	k, file, _ := accessKeys(t)
	c := give(t, k, "acme", "a", given)
	if key, err := k.Open(t.Context(), "acme", c); err != nil || !same(key, given) {
		t.Fatalf("opened another key, %v", err)
	}
	if c.AccessKey.Suffix != "MPLE" || !c.AccessKey.Since.Equal(k.Now()) {
		t.Errorf("it is described as %+v", c.AccessKey)
	}
	looked := 0
	for _, pk := range []string{"O#acme#CONNECTION", "O#acme#ACCESS-KEY#a", "O#acme#KEY"} {
		for item, err := range table.All(t.Context(), file, table.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			looked++
			for _, part := range []string{given.ID.Reveal(), given.Secret.Reveal()} {
				if bytes.Contains(item.Body, []byte(part)) {
					t.Errorf("the key is in %s: %s", item.Key, item.Body)
				}
			}
		}
	}
	if looked != 3 {
		t.Errorf("%d records, want the connection, its sealed key and its data key", looked)
	}
}

// Two encryptions of one value differ in every part.
func TestAccessKeyIsSealedAnewEachTime(t *testing.T) {
	t.Parallel()
	k, _, _ := accessKeys(t)
	var all []store.SealedAccessKey
	for range 2 {
		c := give(t, k, "acme", "a", given)
		sealed, err := k.Store.For("acme").AccessKey(t.Context(), "a", c.AccessKey.ID)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sealed)
	}
	const format, nonce = 1, 12
	for what, parts := range map[string][2][]byte{
		"id": {all[0].AccessKeyID, all[1].AccessKeyID}, "secret": {all[0].SecretAccessKey, all[1].SecretAccessKey},
	} {
		a, b := parts[0][format:], parts[1][format:]
		if bytes.Equal(a[:nonce], b[:nonce]) || bytes.Equal(a[nonce:], b[nonce:]) {
			t.Errorf("%s: sealed twice it is %x and %x", what, a, b)
		}
	}
}

// A ciphertext opens in its own place and nowhere else, not even with everything
// that belongs to it.
func TestAccessKeyStaysInItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		org     model.OrganizationID
		id      model.ConnectionID
		change  func(*store.SealedAccessKey)
		withKey bool // the data key is copied, too
	}{
		"another connection":                      {"acme", "b", nil, false},
		"another connection, with the data key":   {"acme", "b", nil, true},
		"another organization":                    {"thief", "a", nil, false},
		"another organization, with the data key": {"thief", "a", nil, true},
		"another field": {"acme", "a", func(s *store.SealedAccessKey) {
			s.AccessKeyID, s.SecretAccessKey = s.SecretAccessKey, s.AccessKeyID
		}, false},
		"one field twice": {"acme", "a", func(s *store.SealedAccessKey) { s.SecretAccessKey = s.AccessKeyID }, false},
		"altered":         {"acme", "a", func(s *store.SealedAccessKey) { s.SecretAccessKey[20] ^= 1 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, _, _ := accessKeys(t)
			ctx := t.Context()
			from := give(t, k, "acme", "a", given)
			sealed, err := k.Store.For("acme").AccessKey(ctx, "a", from.AccessKey.ID)
			if err != nil {
				t.Fatal(err)
			}
			there, to := k.Store.For(c.org), model.Connection{ID: c.id, AccessKey: from.AccessKey}
			wrapped, err := k.Store.For("acme").DataKey(ctx, store.DataKeyOf("a", sealed.ID))
			if err != nil {
				t.Fatal(err)
			}
			if c.change != nil { // in its own place
				if err := there.DeleteAccessKey(ctx, c.id, sealed.ID); err != nil {
					t.Fatal(err)
				}
				c.change(&sealed)
			}
			if c.withKey || c.change != nil {
				if err := there.PutDataKey(ctx, store.DataKeyOf(c.id, sealed.ID), wrapped.Wrapped); err != nil {
					t.Fatal(err)
				}
			} else { // it has another data key of the same name
				other, err := k.Keys.Generate(ctx, secret.Owner{Organization: string(c.org), Record: store.DataKeyOf(c.id, sealed.ID)})
				if err != nil {
					t.Fatal(err)
				}
				if err := there.PutDataKey(ctx, store.DataKeyOf(c.id, sealed.ID), other.Wrapped); err != nil {
					t.Fatal(err)
				}
			}
			if err := there.PutAccessKey(ctx, c.id, sealed); err != nil {
				t.Fatal(err)
			}
			if key, err := k.Open(ctx, c.org, to); !errors.Is(err, secret.ErrSealed) || !key.ID.Empty() && !key.Secret.Empty() {
				t.Errorf("it opens there: %v", err)
			}
			if key, err := k.Open(ctx, "acme", from); c.change == nil && (err != nil || !same(key, given)) {
				t.Errorf("in its place it does not open: %v", err)
			}
		})
	}
}

// ids are the sealed keys that are kept of a connection.
func ids(t *testing.T, k connect.AccessKeys, c model.Connection) []string {
	t.Helper()
	all, err := k.Store.For("acme").AccessKeyIDs(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReplacedAccessKeyIsDestroyed(t *testing.T) {
	t.Parallel()
	k, _, _ := accessKeys(t)
	first := give(t, k, "acme", "a", given)
	second := give(t, k, "acme", "a", secret.AccessKey{ID: secret.New("AKIAIOSFODNN7EXAMPL2"), Secret: given.Secret})
	if got := ids(t, k, second); !slices.Equal(got, []string{second.AccessKey.ID}) || second.AccessKey.Suffix != "MPL2" {
		t.Errorf("kept are %v, want %s alone", got, second.AccessKey.ID)
	}
	if _, err := k.Open(t.Context(), "acme", first); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the replaced key: %v", err)
	}
	// A role takes its place.
	role, before := second, second.AccessKey
	role.RoleARN, role.AccessKey = "arn:aws:iam::111122223333:role/CloudArqAuditRole", nil
	if err := k.Store.For("acme").PutConnection(t.Context(), &role); err != nil {
		t.Fatal(err)
	}
	if err := k.Prune(t.Context(), "acme", role, before); err != nil || len(ids(t, k, role)) != 0 {
		t.Errorf("beside a role are kept %v, %v", ids(t, k, role), err)
	}
}

// Of two who give a connection a key at once, one wins, and his key is whole.
func TestAccessKeyOfWhoComesLate(t *testing.T) {
	t.Parallel()
	k, _, _ := accessKeys(t)
	read := give(t, k, "acme", "a", given)
	won := give(t, k, "acme", "a", given)
	late := read
	if err := k.Set(t.Context(), model.Change{}, "acme", &late, given, k.Now()); !errors.Is(err, store.ErrConflict) || late.AccessKey.ID != read.AccessKey.ID {
		t.Errorf("who read an older connection: %v", err)
	}
	if got := ids(t, k, won); !slices.Equal(got, []string{won.AccessKey.ID}) {
		t.Errorf("kept are %v, want the winner's %s", got, won.AccessKey.ID)
	}
	if key, err := k.Open(t.Context(), "acme", won); err != nil || !same(key, given) {
		t.Errorf("the winner's: %v", err)
	}
}

// dying is a table whose writer dies after so many writes.
type dying struct {
	table.Table
	writes int
}

var errDied = errors.New("died")

func (d *dying) Put(ctx context.Context, it table.Item) error {
	if d.writes--; d.writes < 0 {
		return errDied
	}
	return d.Table.Put(ctx, it)
}

func (d *dying) DeleteMany(ctx context.Context, keys []table.Key) error {
	if d.writes--; d.writes < 0 {
		return errDied
	}
	return d.Table.DeleteMany(ctx, keys)
}

func (d *dying) Delete(ctx context.Context, key table.Key) error {
	if d.writes--; d.writes < 0 {
		return errDied
	}
	return d.Table.Delete(ctx, key)
}

// Whoever dies while giving a key leaves the connection with a key that opens, and
// what he leaves behind is destroyed later.
func TestDyingWhileGivingAKey(t *testing.T) {
	t.Parallel()
	other := secret.AccessKey{ID: secret.New("AKIAIOSFODNN7EXAMPL2"), Secret: given.Secret}
	for writes := range 6 { // the sealed key, its data key, the connection, the deletion of the old data key and of what it sealed
		k, file, now := accessKeys(t)
		c := give(t, k, "acme", "a", given)
		mortal := k
		mortal.Store = store.New(&dying{file, writes}, nil)
		err := mortal.Set(t.Context(), model.Change{}, "acme", &c, other, k.Now())
		if died := writes < 5; errors.Is(err, errDied) != died {
			t.Errorf("after %d writes: %v", writes, err)
		}
		left, err := k.Store.For("acme").Connection(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		want := given
		if writes >= 3 {
			want = other
		}
		if key, err := k.Open(t.Context(), "acme", left); err != nil || !same(key, want) {
			t.Errorf("after %d writes another key opens, or none: %v", writes, err)
		}
		*now = now.Add(2 * time.Hour)
		if err := k.Prune(t.Context(), "acme", left, left.AccessKey); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, k, left); !slices.Equal(got, []string{left.AccessKey.ID}) {
			t.Errorf("after %d writes and a sweep are kept %v, want %s", writes, got, left.AccessKey.ID)
		}
	}
}

// purge purges a connection, deleted or not.
func purge(ctx context.Context, records *store.Organization, id model.ConnectionID) error {
	p, err := records.Purge(ctx, id)
	if err == nil {
		_, err = p.Records(ctx, nil, func() bool { return true })
	}
	if err == nil {
		err = p.Finish(ctx, time.Now())
	}
	return err
}

// A purged connection leaves no sealed key behind, and its receipt counts them.
func TestPurgedAccessKey(t *testing.T) {
	t.Parallel()
	k, file, _ := accessKeys(t)
	c := give(t, k, "acme", "a", given)
	if err := k.Store.For("acme").PutAccessKey(t.Context(), "a", store.SealedAccessKey{ID: "left behind"}); err != nil {
		t.Fatal(err)
	}
	kept := give(t, k, "acme", "ab", given)
	records := k.Store.For("acme")
	if err := purge(t.Context(), records, "a"); err != nil {
		t.Fatal(err)
	}
	if receipt, err := records.Receipt(t.Context(), "a"); err != nil || receipt.Records != 4 {
		t.Errorf("%+v, %v; want two sealed keys, the data key and the connection", receipt, err)
	}
	for _, pk := range []string{"O#acme#CONNECTION", "O#acme#ACCESS-KEY#a", "O#acme#KEY"} {
		for item, err := range table.All(t.Context(), file, table.Query{PK: pk}) {
			if err != nil || !strings.HasPrefix(item.SK, string(kept.ID)) {
				t.Errorf("left of %s: %s, %v", c.ID, item.Key, err)
			}
		}
	}
	if key, err := k.Open(t.Context(), "acme", kept); err != nil || !same(key, given) {
		t.Errorf("the other connection's: %v", err)
	}
}
