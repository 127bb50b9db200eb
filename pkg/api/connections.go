package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ConnectionInput is what a client says of a connection.
type ConnectionInput struct {
	Name    string `json:"name,omitempty" maxLength:"100"`
	Project string `json:"project,omitempty" maxLength:"100" pattern:"^[A-Za-z0-9._-]*$"`
	RoleARN string `json:"role_arn,omitempty" maxLength:"2048" doc:"The role to assume: of the name that the deployment's AuditRoleName says, without a path; may come later, when it exists" example:"arn:aws:iam::111122223333:role/CloudArqAuditRole"`
	model.AuditOptions
	Schedule model.Schedule `json:"schedule,omitzero" required:"false"`
}

// ConnectionChange is a ConnectionInput that takes the place of what was said before.
type ConnectionChange struct {
	ConnectionInput
	said map[string]json.RawMessage
}

// Schema implements huma.SchemaProvider.
func (ConnectionChange) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[ConnectionInput](), true, "ConnectionInput")
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ConnectionChange) UnmarshalJSON(text []byte) error {
	return errors.Join(strictJSON.Unmarshal(text, &c.ConnectionInput), json.Unmarshal(text, &c.said))
}

// leftOut is what a connection has and a change says nothing of, by its JSON name; empty if
// there is none. A change that is written for one thing would take that away without a word.
func (c *ConnectionChange) leftOut(of model.Connection) (string, error) {
	now, err := json.Marshal(ConnectionInput{Name: of.Name, Project: of.Project, RoleARN: of.RoleARN, AuditOptions: of.AuditOptions, Schedule: of.Schedule})
	var has map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(now, &has)
	}
	if err != nil {
		return "", fmt.Errorf("read what connection %s has: %w", of.ID, err)
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, ok := c.said[name]; !ok {
			return name, nil
		}
	}
	return "", nil
}

// ListedConnection is a connection as clients see it among others.
type ListedConnection struct {
	model.Connection
	Kind   model.ConnectionKind `json:"kind" enum:"role,access_key,none" doc:"What kind of credential CloudArq holds: none but a role's name, a long-lived access key, or nothing yet"`
	KeyAge *model.KeyAge        `json:"key_age,omitempty" doc:"How old the access key is"`
}

func (a *API) listed(c model.Connection) ListedConnection {
	return ListedConnection{Connection: c, Kind: c.Kind(), KeyAge: c.AccessKey.Age(a.Now())}
}

// ConnectionOutput is a connection as clients see it.
type ConnectionOutput struct {
	ListedConnection
	NextAudit *time.Time `json:"next_audit,omitempty"`
	Reminder  string     `json:"reminder,omitempty" doc:"What to delete, and how, after the audit of an account that is audited once"`
	// What follows is told to whoever may set roles up, and to nobody else.
	ExternalID  string `json:"external_id,omitempty" doc:"What the trust policy of the account's role has to ask for; told with the scope connections"`
	CheckerRole string `json:"checker_role,omitempty" doc:"The role that the account's role has to trust; told with the scope connections"`
	Links       *Links `json:"links,omitempty" doc:"To a role that fits, while the connection has none that works; told with the scope connections"`
}

type connectionAnswer struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     ConnectionOutput
}

func (a *API) connections(api huma.API) {
	register(api, mayConnect, huma.Operation{
		OperationID: "create-connection", Method: http.MethodPost, Path: "/v1/connections", DefaultStatus: http.StatusCreated,
		Summary: "Connect an AWS account", Tags: []string{"connections"},
	}, a.createConnection)
	register(api, mayRead, huma.Operation{
		OperationID: "list-connections", Method: http.MethodGet, Path: "/v1/connections", Summary: "List the connected accounts", Tags: []string{"connections"},
	}, a.listConnections)
	register(api, mayRead, huma.Operation{
		OperationID: "get-connection", Method: http.MethodGet, Path: "/v1/connections/{connection}", Summary: "Show a connected account", Tags: []string{"connections"},
	}, a.getConnection)
	register(api, mayConnect, huma.Operation{
		OperationID: "update-connection", Method: http.MethodPut, Path: "/v1/connections/{connection}", Summary: "Change a connected account",
		Description: "The body says all of the connection anew. What the connection has and the body leaves out is refused; what is there and empty is taken away.", Tags: []string{"connections"},
	}, a.updateConnection)
	register(api, mayConnect, huma.Operation{
		OperationID: "delete-connection", Method: http.MethodDelete, Path: "/v1/connections/{connection}", DefaultStatus: http.StatusAccepted,
		Summary: "Delete a connection and all that is known of its account", Tags: []string{"connections"},
	}, a.deleteConnection)
	register(api, mayConnect, huma.Operation{
		OperationID: "give-access-key", Method: http.MethodPut, Path: "/v1/connections/{connection}/access-key",
		Summary: "Give a connection an access key in place of its role or its key before; not recommended, and off unless the settings allow it", Tags: []string{"connections"},
	}, a.giveAccessKey)
	register(api, mayRead, huma.Operation{
		OperationID: "get-receipt", Method: http.MethodGet, Path: "/v1/receipts/{connection}",
		Summary: "Show how much of a deleted connection was purged", Tags: []string{"connections"},
	}, a.getReceipt)
}

func (a *API) createConnection(ctx context.Context, in *struct {
	Repeatable
	Body ConnectionInput
},
) (*connectionAnswer, error) {
	c := model.Connection{CreatedAt: a.Now().UTC().Truncate(time.Second), State: model.ConnectionPending}
	if err := a.apply(ctx, &c, in.Body); err != nil {
		return nil, err
	}
	return once(ctx, a, "connection", in.Repeatable, in.Body, func(id string) (*connectionAnswer, error) {
		c.ID = model.ConnectionID(id)
		return a.makeConnection(ctx, c)
	})
}

func (a *API) makeConnection(ctx context.Context, c model.Connection) (*connectionAnswer, error) {
	org := a.org(ctx)
	// A repeated request finds the connection that the first one made.
	if _, err := org.AnyConnection(ctx, c.ID); errors.Is(err, store.ErrNotFound) {
		if err := a.room(ctx, org); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, a.answer(ctx, err)
	}
	err := org.ChangeConnection(ctx, a.by(ctx), &c)
	if errors.Is(err, store.ErrConflict) {
		c, err = org.Connection(ctx, c.ID)
	}
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := a.ExternalIDs.Connected(ctx, callerOf(ctx).Organization); err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := a.reschedule(ctx, callerOf(ctx).Organization, c); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.tell(ctx, event.OfConnection(callerOf(ctx).Organization, event.ConnectionCreated, c, c.CreatedAt))
	return a.showConnection(ctx, callerOf(ctx).Organization, c)
}

// apply checks what a client says of a connection and writes it into c.
func (a *API) apply(ctx context.Context, c *model.Connection, in ConnectionInput) error {
	said := model.Connection{
		Name: in.Name, Project: in.Project, RoleARN: in.RoleARN, AuditOptions: in.AuditOptions, Schedule: in.Schedule,
	}
	if err := said.Check(); err != nil {
		return a.answer(ctx, err)
	}
	if in.RoleARN != "" {
		account, _ := model.AccountOfRole(in.RoleARN)
		if in.RoleARN != c.RoleARN {
			if err := a.assumable(ctx, in.RoleARN, account); err != nil {
				return err
			}
		}
		if c.AccountID != "" && c.AccountID != account {
			return invalid(ctx, "body.role_arn", "the connection is of account "+c.AccountID+"; connect another account by itself")
		}
		c.AccountID = account
	}
	if !callerOf(ctx).Sees(in.Project) {
		return invalid(ctx, "body.project", "it is none of the projects that are granted to you")
	}
	if len(in.Services) > 0 {
		if _, err := a.Catalog.SelectServices(in.Services); err != nil {
			return invalid(ctx, "body.services", err.Error())
		}
	}
	// What a connection has already may be of a release that knew more of them.
	added := slices.DeleteFunc(slices.Clone(in.Regions), func(r string) bool { return slices.Contains(c.Regions, r) })
	if err := check.Regions(added); err != nil {
		return invalid(ctx, "body.regions", err.Error())
	}
	checks, err := a.Catalog.Select(in.Checks)
	if err != nil {
		return invalid(ctx, "body.checks", err.Error())
	}
	if _, err := pipeline.Resolve(a.Catalog, checks, in.Services); err != nil {
		return invalid(ctx, "body", "the services and checks leave nothing to audit")
	}
	if err := a.settable(ctx, in.Options); err != nil {
		return err
	}
	due, err := schedule.Parse(in.Schedule, c.CreatedAt)
	if err != nil {
		return invalid(ctx, "body.schedule", err.Error())
	}
	if err := a.oftenEnough(ctx, *c, in.Schedule, due); err != nil {
		return err
	}
	if in.Schedule.Expression != "" && in.RoleARN == "" && c.AccessKey == nil {
		return invalid(ctx, "body.schedule", "a schedule needs a role: give role_arn too")
	}
	if in.RoleARN != "" { // which takes the place of an access key
		c.AccessKey = nil
	}
	c.Name, c.Project, c.RoleARN = in.Name, in.Project, in.RoleARN
	c.AuditOptions, c.Schedule = in.AuditOptions, in.Schedule
	return nil
}

// assumable refuses a role that the checker may not assume, because of its name, its path
// or its partition: AWS's denial would not tell that from a role that does not trust it.
func (a *API) assumable(ctx context.Context, role, account string) error {
	_, rest, _ := strings.Cut(a.CheckerRole, ":")
	partition, _, _ := strings.Cut(rest, ":")
	if want := fmt.Sprintf("arn:%s:iam::%s:role/%s", partition, account, a.AuditRole); role != want {
		return invalid(ctx, "body.role_arn", fmt.Sprintf("this deployment can assume %s and no other role of that account: roles have the name %s, which the stack's AuditRoleName says, no path, and are of the partition %s", want, a.AuditRole, partition))
	}
	return nil
}

// reschedule says when the connection is due next.
func (a *API) reschedule(ctx context.Context, org model.OrganizationID, c model.Connection) error {
	s, err := schedule.Parse(c.Schedule, c.CreatedAt)
	if err != nil {
		return err
	}
	after := a.Now()
	if c.Schedule.Once() {
		after = c.CreatedAt.Add(-time.Minute) // due from its creation on
	}
	return a.Store.For(org).PutNextAudit(ctx, c.ID, s.Next(c.ID, after))
}

func (a *API) showConnection(ctx context.Context, org model.OrganizationID, c model.Connection) (*connectionAnswer, error) {
	next, err := a.Store.For(org).NextAudit(ctx, c.ID)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	out := &connectionAnswer{Location: "/v1/connections/" + string(c.ID), ETag: etag(c.Version), Body: ConnectionOutput{ListedConnection: a.listed(c)}}
	// What a role is set up with is of no use to who only reads, and could be to others.
	if callerOf(ctx).Can(model.ScopeConnections) {
		external, err := a.ExternalIDs.ExternalID(ctx, org)
		if err != nil {
			return nil, a.answer(ctx, err)
		}
		out.Body.ExternalID, out.Body.CheckerRole, out.Body.Links = external.Reveal(), a.CheckerRole, a.links(ctx, c, external)
	}
	if !next.IsZero() {
		out.Body.NextAudit = &next
	}
	if c.Schedule.Once() {
		audit, err := a.Store.For(org).LatestInShort(ctx, c.ID, func(a model.Audit) bool { return a.Once })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, a.answer(ctx, err)
		}
		out.Body.Reminder = alert.Reminder(audit)
	}
	return out, nil
}

// matches refuses a change by who does not say, with If-Match, what was read, or has
// not read the newest. Of a list of tags one has to be of the newest, by the strong comparison
// (RFC 9110, section 13.1.1).
func matches(ctx context.Context, ifMatch string, version int64, what string) error {
	switch strings.TrimSpace(ifMatch) {
	case "":
		return problem(ctx, http.StatusPreconditionRequired, "precondition_required", "say with If-Match which state of "+what+" you change")
	case "*": // is true of any state, so that what others changed meanwhile would be lost (RFC 6585, section 3)
		return problem(ctx, http.StatusPreconditionRequired, "precondition_required", "If-Match: * is of any state; say which state of "+what+" you change, by its ETag")
	}
	if !slices.ContainsFunc(strings.Split(ifMatch, ","), func(tag string) bool { return stored(tag) == etag(version) }) {
		return problem(ctx, http.StatusPreconditionFailed, "stale", what+" was changed since you read it")
	}
	return nil
}

type connectionsAnswer struct {
	Body struct {
		Connections []ListedConnection `json:"connections"`
		Cursor      string             `json:"cursor,omitempty" doc:"Continues the list; absent on its last page"`
	}
}

// listConnections lists a page of connections, which is short where some were deleted, or
// are of projects that the caller does not see.
func (a *API) listConnections(ctx context.Context, in *struct {
	Cursor string `query:"cursor" maxLength:"4096"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
},
) (*connectionsAnswer, error) {
	all, next, err := listed(ctx, a, in.Cursor, func(after string) ([]model.Connection, string, error) {
		return a.org(ctx).ConnectionsPage(ctx, after, in.Limit)
	})
	if err != nil {
		return nil, err
	}
	out := &connectionsAnswer{}
	out.Body.Cursor = next
	out.Body.Connections = []ListedConnection{}
	for _, c := range all {
		if callerOf(ctx).Sees(c.Project) {
			out.Body.Connections = append(out.Body.Connections, a.listed(c))
		}
	}
	return out, nil
}

// ConnectionPath names a connection.
type ConnectionPath struct {
	Connection string `path:"connection" maxLength:"64"`
}

func (a *API) getConnection(ctx context.Context, in *ConnectionPath) (*connectionAnswer, error) {
	c, err := a.connection(ctx, in.Connection)
	if err != nil {
		return nil, err
	}
	return a.showConnection(ctx, callerOf(ctx).Organization, c)
}

func (a *API) updateConnection(ctx context.Context, in *struct {
	ConnectionPath
	IfMatch string `header:"If-Match" doc:"The ETag of the connection as it was read"`
	Body    ConnectionChange
},
) (*connectionAnswer, error) {
	return a.changeOne(ctx, in.Connection, in.IfMatch, func(c model.Connection) (ConnectionInput, error) {
		missing, err := in.Body.leftOut(c)
		if err == nil && missing != "" {
			err = invalid(ctx, "body."+missing, "the connection has it, and a change says all anew: say it again, or say it empty to take it away")
		}
		return in.Body.ConnectionInput, a.answer(ctx, err)
	})
}

// changeOne makes of a connection what is said of it as it was read.
func (a *API) changeOne(ctx context.Context, connection, ifMatch string, say func(model.Connection) (ConnectionInput, error)) (*connectionAnswer, error) {
	org := a.org(ctx)
	c, err := a.connection(ctx, connection)
	if err != nil {
		return nil, err
	}
	if err := matches(ctx, ifMatch, c.Version, "the connection"); err != nil {
		return nil, err
	}
	said, err := say(c)
	if err != nil {
		return nil, err
	}
	before := c.AccessKey
	if err := a.apply(ctx, &c, said); err != nil {
		return nil, err
	}
	if err := org.ChangeConnection(ctx, a.by(ctx), &c); err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := a.AccessKeys.Prune(ctx, callerOf(ctx).Organization, c, before); err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := a.ExternalIDs.Connected(ctx, callerOf(ctx).Organization); err != nil {
		return nil, a.answer(ctx, err)
	}
	if err := a.reschedule(ctx, callerOf(ctx).Organization, c); err != nil {
		return nil, a.answer(ctx, err)
	}
	a.tell(ctx, event.OfConnection(callerOf(ctx).Organization, event.ConnectionUpdated, c, a.Now()))
	return a.showConnection(ctx, callerOf(ctx).Organization, c)
}
