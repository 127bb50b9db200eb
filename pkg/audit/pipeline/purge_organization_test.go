package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
	queues "github.com/cloudarq/cloudarq/pkg/platform/queue/memory"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// inhabit fills an organization with people and what they have there. Those who are given
// are members of others already.
func (p *purged) inhabit(org model.OrganizationID, more ...model.PersonID) (all []model.PersonID) {
	p.t.Helper()
	ctx, data := p.t.Context(), store.New(p.table, nil)
	check := func(err error) {
		p.t.Helper()
		if err != nil {
			p.t.Fatal(err)
		}
	}
	id := func() string { return ulid.MustNew(ulid.Timestamp(p.now), ulid.DefaultEntropy()).String() }
	by := model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "o"}, Action: "test", At: p.now}
	o := model.Organization{ID: org, Name: "Of " + string(org), CreatedAt: p.now}
	check(data.CreateOrganization(ctx, by, &o, 10))
	check(data.For(org).PutSettings(ctx, by, &model.Settings{AccessKeysAllowed: true}))
	check(data.For(org).PutDataKey(ctx, "sso", []byte("key")))
	for range 3 {
		who := model.Person{ID: model.PersonID(id()), CreatedAt: p.now}
		who.Email = strings.ToLower(string(who.ID)) + "@" + string(org) + ".example"
		check(data.People().Create(ctx, &who))
		more = append(more, who.ID)
	}
	for _, who := range more {
		m := model.Member{Person: who, Role: model.RoleAdmin, Since: p.now}
		check(data.People().Join(ctx, org, by, &m))
		s := model.Session{ID: model.SessionID(id()), Person: who, Organization: org, CreatedAt: p.now, Hash: model.Hidden("1"), Generation: 1}
		s.Use(p.now)
		check(data.People().BeginSession(ctx, &s))
		check(data.People().RefreshSession(ctx, &s, model.Hidden("2"), p.now))
		t := model.APIToken{ID: model.TokenID(id()), Name: "t", Owner: who, Scopes: model.RoleAdmin.Scopes(), CreatedAt: p.now, ExpiresAt: p.now.Add(model.TokenAge), Hash: model.Hidden("3")}
		check(data.People().AddToken(ctx, org, by, &t))
		check(data.For(org).NoteTokenUsed(ctx, t, p.now))
	}
	check(data.For(org).ChangeProject(ctx, by, &model.Project{Name: "shop", CreatedAt: p.now}))
	i := model.Invitation{ID: model.InvitationID(id()), Email: "new@example.com", Role: model.RoleAdmin, CreatedAt: p.now, ExpiresAt: p.now.Add(model.InvitationAge), Hash: model.Hidden("4")}
	check(data.People().AddInvitation(ctx, org, by, &i))
	return more
}

// index keeps an index, as this release does and as others may have.
func (p *purged) index(org model.OrganizationID, connections ...model.ConnectionID) {
	p.t.Helper()
	p.Index = &index.Keepers{Store: p.Store, Blobs: p.Evidence, Now: p.Now}
	records := store.New(p.table, nil).For(org)
	if err := records.MarkAll(p.t.Context(), p.now); err != nil {
		p.t.Fatal(err)
	}
	keys := []string{"shard=07/findings.v0", "shard=99/findings.v9"}
	for _, id := range connections {
		if err := records.EndFindings(p.t.Context(), id, "house", p.now); err != nil {
			p.t.Fatal(err)
		}
		keys = append(keys, fmt.Sprintf("connection=%s/findings.v0", id), fmt.Sprintf("shard=%02d/findings.v1", store.ShardOf(id)))
	}
	for _, key := range keys {
		if err := p.objects.Put(p.t.Context(), fmt.Sprintf("index/org=%s/%s", org, key), strings.NewReader("x")); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestDeathInAnOrganizationsDeletion kills the deletion of an organization before and after
// each of its side effects. Nothing of it is left but its id, whose it was and when it went,
// and nothing of others is touched: neither an organization nor whoever is a member of one.
func TestDeathInAnOrganizationsDeletion(t *testing.T) {
	t.Parallel()
	die := func(at int, after bool) (effects int) {
		t.Helper()
		m := &mortal{}
		p := newPurged(t, m)
		people := p.inhabit("acme2")
		p.fill("acme2", "c-1", 3, 2, 2)
		if err := store.New(p.table, nil).For("acme2").PutNextAudit(t.Context(), "c-1", time.Time{}); err != nil { // none is due meanwhile
			t.Fatal(err)
		}
		others, theirs := p.table.left(t), p.blobs()
		p.inhabit("acme", people[0])
		p.fill("acme", "c-1", 30, 3, 3)
		c := p.fill("acme", "c-2", 30, 1, 3)
		p.index("acme", "c-1", "c-2")
		if _, err := p.Delete(t.Context(), model.Change{}, "acme", c); err != nil {
			t.Fatal(err)
		}
		by := model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "o"}, Action: "delete-organization", At: p.now}
		m.effects, m.at, m.after = nil, at, after
		_, err := p.DeleteOrganization(t.Context(), by, "acme")
		if m.restart(); err != nil { // whoever asked asks again
			if _, err := p.DeleteOrganization(t.Context(), by, "acme"); err != nil {
				t.Fatal(err)
			}
		}
		work := func(ctx context.Context, message queue.Message) error {
			defer m.restart()
			return p.RunPurge(ctx, message)
		}
		for minute := 0; ; minute++ {
			if minute > 300 {
				t.Fatalf("after five hours the deletion still goes on, killed at %s: %v", m.killed(), p.table.left(t))
			}
			p.now = p.now.Add(time.Minute)
			if _, err := p.Tick(t.Context()); err != nil && !m.restart() {
				t.Fatal(err)
			}
			if err := p.broker.Walk(t.Context(), queues.Worker{Queue: p.purges, Handle: work}); err != nil {
				t.Fatal(err)
			}
			if dead := p.purges.Dead(); len(dead) > 0 {
				t.Fatalf("dead letter: %v", dead[0].Err)
			}
			due := false
			for what, e := range p.Store.Chores(t.Context(), p.now.Add(time.Hour)) {
				due = due || e == nil && what.Connection != ""
			}
			if _, err := p.records.Itself(t.Context()); errors.Is(err, store.ErrNotFound) && !due {
				break
			}
		}
		point := fmt.Sprintf("killed at %d (%s), after it: %v", at, m.killed(), after)
		left := p.table.left(t)
		directory := "D#ORGANIZATIONS / acme"
		if said := left[directory]; !strings.Contains(said, "purged_at") {
			t.Errorf("%s: the directory says %s", point, said)
		}
		delete(left, directory)
		for key, body := range left { // an e-mail address that is nobody's any more
			if strings.HasPrefix(key, "E#") && body == `{"person":""}` {
				delete(left, key)
			}
		}
		if d := cmp.Diff(others, left); d != "" {
			t.Errorf("%s: records (-others +left):\n%s", point, d)
		}
		if d := cmp.Diff(theirs, p.blobs()); d != "" {
			t.Errorf("%s: blobs (-others +left):\n%s", point, d)
		}
		again := model.Organization{ID: "acme", CreatedAt: p.now}
		if err := p.Store.CreateOrganization(t.Context(), model.Change{}, &again, 10); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: its id was given again: %v", point, err)
		}
		return len(m.effects)
	}
	effects := die(0, false)
	if effects < 60 {
		t.Fatalf("%d effects", effects)
	}
	for at := 1; at <= effects && !t.Failed(); at++ {
		die(at, false)
		die(at, true)
	}
	t.Logf("%d points", 2*effects)
}
