package connect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// roles are the roles of some accounts, as STS knows them.
type roles struct {
	asks map[string]string // the External ID that a role asks for, by its ARN
}

func (r *roles) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	_ = request.ParseForm()
	if request.Form.Get("Action") == "GetCallerIdentity" {
		_, _ = io.WriteString(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/R/s</Arn><UserId>AROA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		return
	}
	if request.Form.Get("ExternalId") != r.asks[request.Form.Get("RoleArn")] {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>")
		return
	}
	_, _ = fmt.Fprintf(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// meeting is a table at which others do something between two calls of one who works
// with it, and whose answers may be lost.
type meeting struct {
	table.Table
	calls atomic.Int32 // until the others do it
	do    func()
	lose  atomic.Bool // the answer of the next write
}

func (m *meeting) meet() {
	if do := m.do; do != nil && m.calls.Add(-1) == 0 {
		m.do = nil
		do()
	}
}

func (m *meeting) Get(ctx context.Context, k table.Key) (table.Item, error) {
	defer m.meet()
	return m.Table.Get(ctx, k)
}

func (m *meeting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	defer m.meet()
	return m.Table.Query(ctx, q)
}

var errLost = errors.New("the answer was lost")

func (m *meeting) Put(ctx context.Context, it table.Item) error {
	defer m.meet()
	err := m.Table.Put(ctx, it)
	if err == nil && m.lose.Swap(false) {
		return errLost
	}
	return err
}

// customers are some connections of an organization, and what their owners do.
type customers struct {
	t        *rapid.T
	ids      connect.ExternalIDs
	accounts connect.Accounts
	table    *meeting
	roles    *roles
	next     int

	live map[model.ConnectionID]bool
	back map[model.ConnectionID]bool // the role asks for an older External ID than it was last opened with
}

const org = "acme"

func roleARN(id model.ConnectionID) string { return "arn:aws:iam::111122223333:role/" + string(id) }

func (c *customers) good() (all []string) {
	ids, err := c.ids.All(c.t.Context(), org)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, id := range ids {
		all = append(all, id.ID.Reveal())
	}
	return all
}

// some is one of the External IDs.
func (c *customers) some(ids []string) string {
	return ids[rapid.IntRange(0, len(ids)-1).Draw(c.t, "id")]
}

func (c *customers) one() model.ConnectionID {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(c.live))).Draw(c.t, "connection")
}

// add connects an account whose role asks for one of the External IDs that are good now.
func (c *customers) add(asks string) {
	c.next++
	id := model.ConnectionID(fmt.Sprintf("c%d", c.next))
	c.roles.asks[roleARN(id)] = asks
	connection := model.Connection{ID: id, AccountID: "111122223333", RoleARN: roleARN(id)}
	if err := c.ids.Store.For(org).PutConnection(c.t.Context(), &connection); err != nil && !errors.Is(err, errLost) {
		c.t.Fatal(err)
	}
	c.live[id] = true
	if err := c.ids.Connected(c.t.Context(), org); err != nil && !errors.Is(err, errLost) {
		c.t.Fatal(err)
	}
	if good := c.good(); !slices.Contains(good, asks) { // it was retired before
		c.roles.asks[roleARN(id)] = good[0]
	}
}

// open is what an audit does with a connection.
func (c *customers) open(id model.ConnectionID) error {
	state := rapid.SampledFrom([]model.AuditState{model.AuditConnecting, model.AuditRunning}).Draw(c.t, "state")
	_, err := c.accounts.Open(c.t.Context(), org, model.Audit{ID: "a", Connection: id, AccountID: "111122223333", State: state}, policy.Session{Actions: []string{"kms:ListKeys"}}, &ledger.Memory{})
	if err == nil {
		c.back[id] = false
	}
	return err
}

// rotate is what a client does that reads the state first, and repeats its request if
// the answer is lost.
func (c *customers) rotate(key string) {
	id, r, err := c.ids.Rotation(c.t.Context(), org)
	if err != nil {
		c.t.Fatal(err)
	}
	for range 2 {
		next, after, err := c.ids.Rotate(c.t.Context(), model.Change{}, org, r.Version, key)
		if err == nil && r.Staged && r.By != key || err == nil && next.Reveal() == id.Reveal() && r.By != key {
			c.t.Fatalf("rotated in stages: from %+v to %+v", r, after)
		}
		if err == nil || errors.Is(err, store.ErrStaged) || errors.Is(err, store.ErrConflict) {
			return
		}
		if !errors.Is(err, errLost) {
			c.t.Fatal(err)
		}
	}
}

func (c *customers) retire() {
	var waiting *model.WaitingError
	if err := c.ids.Retire(c.t.Context(), model.Change{}, org); err != nil && !errors.As(err, &waiting) && !errors.Is(err, errLost) {
		c.t.Fatal(err)
	}
}

// move has a role ask for another of the External IDs that are good now.
func (c *customers) move(id model.ConnectionID) {
	good := c.good()
	to := c.some(good)
	if to != good[0] && c.roles.asks[roleARN(id)] == good[0] {
		c.back[id] = true
	}
	c.roles.asks[roleARN(id)] = to
}

func (c *customers) remove(id model.ConnectionID) {
	delete(c.live, id)
	records := c.ids.Store.For(org)
	connection, err := records.Connection(c.t.Context(), id)
	if err == nil {
		connection.State = model.ConnectionDeleted
		err = records.PutConnection(c.t.Context(), &connection)
	}
	if err != nil && !errors.Is(err, errLost) {
		c.t.Fatal(err)
	}
}

// act is something that somebody does.
func (c *customers) act(what string) {
	switch what {
	case "rotate":
		c.rotate(rapid.SampledFrom([]string{"", "k1", "k2"}).Draw(c.t, "key"))
	case "retire":
		c.retire()
	case "open":
		if len(c.live) > 0 {
			id := c.one()
			if err := c.open(id); err != nil && !errors.Is(err, errLost) && !c.back[id] {
				c.t.Fatalf("%s is locked out: %v", id, err)
			}
		}
	case "move":
		if len(c.live) > 0 {
			c.move(c.one())
		}
	case "add":
		c.add(c.some(c.good()))
	case "follow": // all owners do what they are told
		newest := c.good()[0]
		for _, id := range slices.Sorted(maps.Keys(c.live)) {
			c.roles.asks[roleARN(id)] = newest
			if rapid.IntRange(0, 9).Draw(c.t, "opened") > 0 {
				_ = c.open(id)
			}
		}
	case "remove":
		if len(c.live) > 0 {
			c.remove(c.one())
		}
	}
}

// However External IDs are rotated and retired, by however many clients, some of whom
// never hear an answer, while accounts are opened, come and go: a role that could be
// opened can be.
func TestNobodyIsLockedOut(t *testing.T) {
	roles := &roles{}
	server := httptest.NewServer(roles)
	defer server.Close()
	server.Config.SetKeepAlivesEnabled(false) // each opening has connections of its own
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": "", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s",
	} {
		t.Setenv(name, value)
	}
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keyring"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	entrance := client.New(client.Options{Version: "test", MaxAttempts: 1})
	rotations, retirements := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		at := &meeting{Table: memtable.New(nil)}
		roles.asks = map[string]string{}
		ids := connect.ExternalIDs{Store: store.New(at, nil), Keys: keys, Now: time.Now}
		c := &customers{
			t: t, ids: ids, table: at, roles: roles, live: map[model.ConnectionID]bool{}, back: map[model.ConnectionID]bool{},
			accounts: connect.Accounts{ExternalIDs: ids, Client: entrance, VerifyEvery: time.Hour, Now: time.Now},
		}
		for range 3 {
			c.add(c.good()[0])
		}
		actions := []string{"rotate", "retire", "open", "open", "open", "move", "follow", "add", "remove"}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := c.good()
			// Somebody else does something in the middle of it, or its answer is lost.
			if rapid.Bool().Draw(t, "two at once") {
				other := rapid.SampledFrom([]string{"rotate", "retire", "open", "add"}).Draw(t, "other")
				at.calls.Store(rapid.Int32Range(1, 12).Draw(t, "call"))
				at.do = func() { c.act(other) }
			} else if rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
				at.lose.Store(true)
			}
			c.act(rapid.SampledFrom(actions).Draw(t, "action"))
			at.do = nil
			at.lose.Store(false)
			after := c.good()
			switch {
			case len(after) > 2:
				t.Fatalf("%d External IDs are good", len(after))
			case len(after) > len(before):
				rotations++
			case len(after) < len(before):
				retirements++
			}
			for id := range c.live {
				if !c.back[id] && !slices.Contains(after, c.roles.asks[roleARN(id)]) {
					t.Fatalf("the role of %s asks for an External ID that is gone", id)
				}
			}
		}
	})
	t.Logf("%d rotations, %d retirements", rotations, retirements)
	if rotations == 0 || retirements == 0 {
		t.Error("nothing was rotated and retired")
	}
}
