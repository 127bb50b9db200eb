package api_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// crowd are organizations and people as tests name them, made when they are named first.
type crowd struct {
	store    *store.Store
	sessions people.Sessions
	now      func() time.Time

	mu     sync.Mutex
	tokens map[string]secret.String
}

// token is an API token of an administrator's, for everything.
func (c *crowd) token(t testing.TB, org model.OrganizationID, name string) secret.String {
	return c.limited(t, org, name, model.Member{Role: model.RoleAdmin}, model.APIToken{Scopes: model.RoleAdmin.Scopes()})
}

// limited is an API token as it is said, of a member as it is said.
func (c *crowd) limited(t testing.TB, org model.OrganizationID, name string, m model.Member, token model.APIToken) secret.String {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := string(org) + " " + name
	if made, ok := c.tokens[key]; ok {
		return made
	}
	ctx, now := t.Context(), c.now()
	o := model.Organization{ID: org, CreatedAt: now}
	if err := c.store.CreateOrganization(ctx, model.Change{}, &o, 1<<20); err != nil && !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	who := model.Person{ID: model.PersonID(newULID()), Email: name + "@" + string(org) + ".example", CreatedAt: now}
	if err := c.store.People().Create(ctx, &who); err != nil {
		t.Fatal(err)
	}
	m.Person, m.Since = who.ID, now
	if err := c.store.People().Join(ctx, org, model.Change{}, &m); err != nil {
		t.Fatal(err)
	}
	token.ID, token.Name, token.Owner, token.MemberSince = model.TokenID(newULID()), name, who.ID, m.Since
	if token.ExpiresAt.IsZero() {
		token.CreatedAt, token.ExpiresAt = now, now.Add(model.MaxTokenAge)
	}
	text, hash, err := people.NewToken(people.APIToken, string(token.ID))
	if err != nil {
		t.Fatal(err)
	}
	token.Hash = hash
	if err := c.store.People().AddToken(ctx, org, model.Change{}, &token); err != nil {
		t.Fatal(err)
	}
	c.tokens[key] = text
	return text
}

func newULID() string { return ulid.Make().String() }
