package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// callers are who makes requests. Each says who it is by a word in the place of a
// credential, for which the real one is put, made anew if requests ended the one before.
type caller struct {
	name   string
	about  string
	member model.Member
	kind   string // "", "bearer", "cookie", "token", "operator"
	scopes []model.Scope
}

var callers = []caller{
	{name: "anonymous", about: "nobody"},
	{name: "administrator", about: "a session of an administrator's, by a bearer token", kind: "bearer", member: model.Member{Role: model.RoleAdmin}},
	{name: "browser", about: "a session of an administrator's, by cookies", kind: "cookie", member: model.Member{Role: model.RoleAdmin}},
	{name: "client", about: "a session of a client's with one project", kind: "bearer", member: model.Member{Role: model.RoleClient, Projects: []string{"shop"}}},
	{name: "program", about: "an API token with all scopes", kind: "token", member: model.Member{Role: model.RoleAdmin}, scopes: model.RoleAdmin.Scopes()},
	{name: "operator", about: "a signed request, as the gateway hands it on", kind: "operator"},
}

// The words that stand for credentials.
const (
	wordToken     = "fuzz-token"
	wordCookie    = "fuzz-cookie"
	wordCSRF      = "fuzz-csrf"
	wordSignature = "AWS4-HMAC-SHA256 fuzz-signature"
)

// gate puts a caller's credential for the word that stands for it.
type gate struct {
	d      *deployment
	caller caller
	next   http.Handler

	mu   sync.Mutex
	live secret.String
	made atomic.Int64
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch authorization := r.Header.Get("Authorization"); {
	case authorization == wordSignature:
		r.Header.Del("Authorization")
		r = r.WithContext(auth.WithOperator(r.Context(), "arn:aws:iam::999999999999:user/fuzz"))
	case authorization == "Bearer "+wordToken:
		r.Header.Set("Authorization", "Bearer "+g.credential(r.Context()).Reveal())
	case strings.Contains(r.Header.Get("Cookie"), wordCookie):
		access := g.credential(r.Context())
		r.Header.Set("Cookie", strings.ReplaceAll(r.Header.Get("Cookie"), wordCookie, access.Reveal()))
		if r.Header.Get("CloudArq-CSRF") == wordCSRF {
			r.Header.Set("CloudArq-CSRF", people.CSRFToken(access))
		}
	}
	g.next.ServeHTTP(w, r)
}

// credential is the caller's, as long as it is good.
func (g *gate) credential(ctx context.Context) secret.String {
	ctx = context.WithoutCancel(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.live.Empty() && g.good(ctx) {
		return g.live
	}
	made, err := g.make(ctx)
	if err != nil {
		panic(fmt.Errorf("a credential for %s: %w", g.caller.name, err))
	}
	g.live = made
	return made
}

func (g *gate) good(ctx context.Context) bool {
	if o, err := g.d.store.For(organization).Itself(ctx); err != nil || !o.Open() {
		return true // nobody's is
	}
	var who people.Caller
	var err error
	if g.caller.kind == "token" {
		parsed, malformed := people.ParseToken(people.APIToken, g.live)
		if malformed != nil {
			return false
		}
		who, err = g.d.sessions.WhoByAPIToken(ctx, model.TokenID(parsed.ID), parsed.Hash())
	} else {
		who, err = g.d.sessions.Who(ctx, g.live)
	}
	return err == nil && (g.caller.member.Role != model.RoleAdmin || who.Can(model.ScopeAdmin))
}

// make makes somebody, a member, and what lets them in.
func (g *gate) make(ctx context.Context) (secret.String, error) {
	who, m, err := g.d.join(ctx, organization, fmt.Sprintf("%s-%d@acme.example", g.caller.name, g.made.Add(1)), g.caller.member)
	if err != nil {
		return secret.String{}, err
	}
	if g.caller.kind == "token" {
		text, _, err := g.d.token(ctx, m, g.caller.scopes)
		return text, err
	}
	access, _, err := g.d.session(ctx, who)
	return access, err
}

// password is everybody's.
const password = "four words of theirs"

// join makes somebody, who is a member of an organization.
func (d *deployment) join(ctx context.Context, org model.OrganizationID, email string, m model.Member) (model.Person, model.Member, error) {
	now := d.api.Now().UTC().Truncate(time.Second)
	hash, err := d.api.People.Passwords.Hash(ctx, secret.New(password))
	if err != nil {
		return model.Person{}, m, err
	}
	who := model.Person{ID: model.PersonID(ulid.Make().String()), Email: email, Name: "Anna", CreatedAt: now}
	who.Credentials.Password = hash
	if err := d.store.People().Create(ctx, &who); err != nil {
		return who, m, err
	}
	m.Person, m.Since = who.ID, now
	return who, m, d.store.People().Join(ctx, org, model.Change{}, &m)
}

func (d *deployment) session(ctx context.Context, who model.Person) (secret.String, model.Session, error) {
	id := ulid.Make().String()
	_, hash, err := people.NewToken(people.RefreshToken, id)
	if err != nil {
		return secret.String{}, model.Session{}, err
	}
	s, err := d.sessions.Begin(ctx, who, model.Session{ID: model.SessionID(id), Organization: organization, Hash: hash})
	if err != nil {
		return secret.String{}, s, err
	}
	access, _, err := d.sessions.Tokens.Issue(ctx, s)
	return access, s, err
}

func (d *deployment) token(ctx context.Context, m model.Member, scopes []model.Scope) (secret.String, model.APIToken, error) {
	now := d.api.Now().UTC().Truncate(time.Second)
	t := model.APIToken{ID: model.TokenID(ulid.Make().String()), Name: "fuzz", Owner: m.Person, MemberSince: m.Since, Scopes: scopes, CreatedAt: now, ExpiresAt: now.Add(model.MaxTokenAge)}
	text, hash, err := people.NewToken(people.APIToken, string(t.ID))
	if err != nil {
		return text, t, err
	}
	t.Hash = hash
	return text, t, d.store.People().AddToken(ctx, organization, model.Change{}, &t)
}

// open makes the organization, and lets it in again if a request suspended it.
func (d *deployment) open(ctx context.Context, id model.OrganizationID) error {
	o := model.Organization{ID: id, CreatedAt: d.api.Now().UTC().Truncate(time.Second)}
	err := d.store.CreateOrganization(ctx, model.Change{}, &o, 1<<20)
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}
