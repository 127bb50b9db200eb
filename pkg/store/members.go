package store

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// kept is a record of an organization as it is stored, apart from what is hidden of it.
// The log says of it what the record's JSON does, which has nothing hidden.
type kept[T any] struct {
	Record T      `json:"record"`
	Hash   []byte `json:"hash,omitempty"`
	Sealed []byte `json:"sealed,omitempty"` // a secret that has to be used again
	// MemberSince is of API tokens.
	MemberSince time.Time `json:"member_since,omitzero"`
	Gone        bool      `json:"$gone,omitempty"` // see gone
}

// kind is a kind of records of an organization, of which every change is logged.
type kind[T any] struct {
	part    string // of the key
	name    string // in the log, and in errors
	id      func(*T) string
	version func(*T) *int64
	check   func(*T) error
	// ends is when it is good for nothing any more; nil: never. It can be seen for goneAge
	// then, and so can what it carries for the log.
	ends func(*T) time.Time
	hide func(*T, *kept[T]) // writes what the JSON leaves out; nil: nothing
	show func(*T, kept[T])  // reads that
}

var (
	members = kind[model.Member]{
		part: "MEMBER", name: "member",
		id:      func(m *model.Member) string { return string(m.Person) },
		version: func(m *model.Member) *int64 { return &m.Version },
		check:   func(m *model.Member) error { return m.Check() },
	}
	projects = kind[model.Project]{
		part: "PROJECT", name: "project",
		id:      func(p *model.Project) string { return p.Name },
		version: func(p *model.Project) *int64 { return &p.Version },
		check:   func(p *model.Project) error { return p.Check() },
	}
	invitations = kind[model.Invitation]{
		part: "INVITATION", name: "invitation",
		id:      func(i *model.Invitation) string { return string(i.ID) },
		version: func(i *model.Invitation) *int64 { return &i.Version },
		check:   func(i *model.Invitation) error { return i.Check() },
		ends:    func(i *model.Invitation) time.Time { return i.ExpiresAt },
		hide:    func(i *model.Invitation, k *kept[model.Invitation]) { k.Hash = i.Hash },
		show:    func(i *model.Invitation, k kept[model.Invitation]) { i.Hash = k.Hash },
	}
	recoveries = kind[model.Recovery]{
		part: "RECOVERY", name: "recovery",
		id:      func(r *model.Recovery) string { return string(r.ID) },
		version: func(r *model.Recovery) *int64 { return &r.Version },
		check:   func(r *model.Recovery) error { return r.Check() },
		ends:    func(r *model.Recovery) time.Time { return r.ExpiresAt },
		hide:    func(r *model.Recovery, k *kept[model.Recovery]) { k.Hash = r.Hash },
		show:    func(r *model.Recovery, k kept[model.Recovery]) { r.Hash = k.Hash },
	}
	tokens = kind[model.APIToken]{
		part: "TOKEN", name: "token",
		id:      func(t *model.APIToken) string { return string(t.ID) },
		version: func(t *model.APIToken) *int64 { return &t.Version },
		check:   func(t *model.APIToken) error { return t.Check() },
		ends:    func(t *model.APIToken) time.Time { return t.ExpiresAt },
		hide:    func(t *model.APIToken, k *kept[model.APIToken]) { k.Hash, k.MemberSince = t.Hash, t.MemberSince },
		show:    func(t *model.APIToken, k kept[model.APIToken]) { t.Hash, t.MemberSince = k.Hash, k.MemberSince },
	}
)

func (k kind[T]) key(o *Organization, id string) table.Key {
	return table.Key{PK: o.key(k.part), SK: id}
}

// put writes a record if it is unchanged since it was read, and moves its version on;
// ErrConflict otherwise. A new one has version 0, also in the place of one that is gone.
// What breaks its limits is a *model.FieldError.
func (k kind[T]) put(ctx context.Context, o *Organization, by model.Change, r *T) error {
	if err := k.check(r); err != nil {
		return err
	}
	var stored kept[T]
	if stored.Record = *r; k.hide != nil {
		k.hide(r, &stored)
	}
	item, err := encode(k.key(o, k.id(r)), table.Key{}, *k.version(r), stored)
	if err == nil {
		item.Version, err = o.overGone(ctx, item)
	}
	if err == nil {
		if k.ends != nil {
			item.Expires = k.ends(r).Add(goneAge)
		}
		err = o.putLogged(ctx, item, by, k.name+"/"+k.id(r), k.redact)
	}
	if err != nil {
		return fmt.Errorf("write %s %s: %w", k.name, k.id(r), err)
	}
	*k.version(r) = item.Version + 1
	return nil
}

// remove puts nothing in the place of a record if that is unchanged since it was read;
// ErrConflict otherwise. Of several that remove it at once, one does. What is hidden of
// it is destroyed by the same write that says so.
func (k kind[T]) remove(ctx context.Context, o *Organization, by model.Change, r T) error {
	item := table.Item{Key: k.key(o, k.id(&r)), Version: *k.version(&r), Body: []byte(gone), Expires: by.At.Add(goneAge)}
	if item.Version == 0 { // it was not read
		if _, err := k.get(ctx, o, k.id(&r)); err != nil {
			return err
		}
		return fmt.Errorf("remove %s %s: %w", k.name, k.id(&r), ErrConflict)
	}
	if err := o.putLogged(ctx, item, by, k.name+"/"+k.id(&r), k.redact); err != nil {
		return fmt.Errorf("remove %s %s: %w", k.name, k.id(&r), err)
	}
	return nil
}

// overGone is the version that an item has to be written over: that of what is gone, if a
// new one is to take its place.
func (o *Organization) overGone(ctx context.Context, item table.Item) (int64, error) {
	if item.Version > 0 {
		return item.Version, nil
	}
	stored, err := o.table.Get(ctx, item.Key)
	switch {
	case isMissing(err):
		return 0, nil
	case err != nil:
		return 0, err
	case !isGone(stored.Body):
		return 0, ErrConflict
	}
	return stored.Version, nil
}

func (k kind[T]) redact(body []byte) (json.RawMessage, error) {
	var stored kept[T]
	if err := json.Unmarshal(body, &stored); err != nil {
		return nil, err
	}
	return json.Marshal(stored.Record)
}

// read decodes a record; false says that it is gone.
func (k kind[T]) read(item table.Item) (r T, there bool, err error) {
	var stored kept[T]
	if err := decode(item, &stored); err != nil || stored.Gone {
		return r, false, err
	}
	if r = stored.Record; k.show != nil {
		k.show(&r, stored)
	}
	*k.version(&r) = item.Version
	return r, true, nil
}

func (k kind[T]) get(ctx context.Context, o *Organization, id string) (r T, err error) {
	item, err := o.table.Get(ctx, k.key(o, id))
	there := false
	if err == nil {
		r, there, err = k.read(item)
	}
	if err == nil && !there {
		err = ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("%s %s: %w", k.name, id, err)
	}
	return r, nil
}

// page lists some records, those that come after a cursor of an earlier page. What is gone
// is left out, so that a page may be short.
func (k kind[T]) page(ctx context.Context, o *Organization, cursor string, limit int) (page []T, next string, err error) {
	return k.pageOf(ctx, o, table.Query{PK: o.key(k.part), Cursor: cursor, Limit: limit})
}

func (k kind[T]) pageOf(ctx context.Context, o *Organization, q table.Query) (page []T, next string, err error) {
	found, err := o.table.Query(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("list %ss: %w", k.name, err)
	}
	for _, item := range found.Items {
		r, there, err := k.read(item)
		if err != nil {
			return nil, "", fmt.Errorf("list %ss: %w", k.name, err)
		}
		if there {
			page = append(page, r)
		}
	}
	return page, found.Cursor, nil
}

// all yields all records, in the order of their ids.
func (k kind[T]) all(ctx context.Context, o *Organization) iter.Seq2[T, error] {
	return k.allOf(ctx, o, table.Query{PK: o.key(k.part)})
}

func (k kind[T]) allOf(ctx context.Context, o *Organization, q table.Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range table.All(ctx, o.table, q) {
			var r T
			there := true
			if err == nil {
				r, there, err = k.read(item)
			}
			if err != nil {
				err = fmt.Errorf("list %ss: %w", k.name, err)
			}
			if there && !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Member reads a member, also a suspended one, or is ErrNotFound.
func (o *Organization) Member(ctx context.Context, person model.PersonID) (model.Member, error) {
	return members.get(ctx, o, string(person))
}

// MembersPage lists some members by the ids of the people.
func (o *Organization) MembersPage(ctx context.Context, cursor string, limit int) (page []model.Member, next string, err error) {
	return members.page(ctx, o, cursor, limit)
}

// Members yields all members by the ids of the people.
func (o *Organization) Members(ctx context.Context) iter.Seq2[model.Member, error] {
	return members.all(ctx, o)
}

// ChangeMember writes a member that was read; ErrConflict says that somebody else changed
// it first. Who becomes one does so by People.Join.
func (o *Organization) ChangeMember(ctx context.Context, by model.Change, m *model.Member) error {
	if m.Version == 0 {
		return fmt.Errorf("change member %s: %w", m.Person, ErrConflict)
	}
	return members.put(ctx, o, by, m)
}

// Project reads a project, or is ErrNotFound.
func (o *Organization) Project(ctx context.Context, name string) (model.Project, error) {
	return projects.get(ctx, o, name)
}

// ProjectsPage lists some projects by name.
func (o *Organization) ProjectsPage(ctx context.Context, cursor string, limit int) (page []model.Project, next string, err error) {
	return projects.page(ctx, o, cursor, limit)
}

// ChangeProject writes a project if it is unchanged since it was read; ErrConflict
// otherwise. A new one has version 0.
func (o *Organization) ChangeProject(ctx context.Context, by model.Change, p *model.Project) error {
	return projects.put(ctx, o, by, p)
}

// ProjectUse is what names a project.
type ProjectUse struct{ Connections, Members, Invitations, Tokens int }

// ProjectUse counts what names a project at a moment: connections, grants, invitations that
// are good, and API tokens that are.
func (o *Organization) ProjectUse(ctx context.Context, name string, now time.Time) (use ProjectUse, err error) {
	for c, err := range o.EveryConnection(ctx) {
		if err != nil {
			return use, err
		}
		if c.Project == name && c.State != model.ConnectionDeleted {
			use.Connections++
		}
	}
	for m, err := range o.Members(ctx) {
		if err != nil {
			return use, err
		}
		if slices.Contains(m.Projects, name) {
			use.Members++
		}
	}
	for i, err := range invitations.all(ctx, o) {
		if err != nil {
			return use, err
		}
		if slices.Contains(i.Projects, name) && i.Live(now) {
			use.Invitations++
		}
	}
	for t, err := range o.APITokens(ctx) {
		if err != nil {
			return use, err
		}
		if slices.Contains(t.Projects, name) && t.Live(now) {
			use.Tokens++
		}
	}
	return use, nil
}

// RemoveProject removes a project as it was read. Whoever removes one that is in use leaves
// grants of a name that another project may have later: see ProjectUse.
func (o *Organization) RemoveProject(ctx context.Context, by model.Change, p model.Project) error {
	// Another of its name would have them, and nobody could see them before.
	if err := o.removeRollUps(ctx, p.Name); err != nil {
		return fmt.Errorf("remove the trend of project %s: %w", p.Name, err)
	}
	return projects.remove(ctx, o, by, p)
}

// Projects yields all projects by name.
func (o *Organization) Projects(ctx context.Context) iter.Seq2[model.Project, error] {
	return projects.all(ctx, o)
}

// Invitation reads an invitation, or is ErrNotFound: it is used, or taken back. One that is
// over is there for a while; Live says so.
func (o *Organization) Invitation(ctx context.Context, id model.InvitationID) (model.Invitation, error) {
	return invitations.get(ctx, o, string(id))
}

// InvitationsPage lists some invitations by id, which is by age.
func (o *Organization) InvitationsPage(ctx context.Context, cursor string, limit int) (page []model.Invitation, next string, err error) {
	return invitations.page(ctx, o, cursor, limit)
}

// RemoveInvitation takes an invitation back, or uses it up: whoever does so first, before
// anything else is done for it, and has no error is the one who may use it. Whoever dies
// then has to be invited again; nothing can be used twice.
func (o *Organization) RemoveInvitation(ctx context.Context, by model.Change, i model.Invitation) error {
	return invitations.remove(ctx, o, by, i)
}

// Recovery reads a recovery link, or is ErrNotFound: it is used, or taken back. One that is
// over is there for a while; Live says so.
func (o *Organization) Recovery(ctx context.Context, id model.RecoveryID) (model.Recovery, error) {
	return recoveries.get(ctx, o, string(id))
}

// RemoveRecovery takes a recovery link back, or uses it up, as RemoveInvitation does.
func (o *Organization) RemoveRecovery(ctx context.Context, by model.Change, r model.Recovery) error {
	return recoveries.remove(ctx, o, by, r)
}

// APIToken reads an API token, or is ErrNotFound. One that is over is there for a while;
// Live says so. When it was last used, TokenUsed says.
func (o *Organization) APIToken(ctx context.Context, id model.TokenID) (model.APIToken, error) {
	return tokens.get(ctx, o, string(id))
}

// APITokens yields all API tokens by id, which is by age. When they were last used is left
// out.
func (o *Organization) APITokens(ctx context.Context) iter.Seq2[model.APIToken, error] {
	return tokens.all(ctx, o)
}

func (o *Organization) putToken(ctx context.Context, by model.Change, t *model.APIToken) error {
	stored := *t
	stored.LastUsed = "" // has a record of its own
	if err := tokens.put(ctx, o, by, &stored); err != nil {
		return err
	}
	t.Version = stored.Version
	return nil
}

// RemoveAPIToken ends an API token as it was read.
func (o *Organization) RemoveAPIToken(ctx context.Context, by model.Change, t model.APIToken) error {
	t.LastUsed = ""
	return tokens.remove(ctx, o, by, t)
}

// tokenUsed is when a token was used. It is apart from the token, whose changes are logged
// and conditional.
type tokenUsed struct {
	Day string `json:"day"` // in UTC, "2026-11-30"
}

func (o *Organization) tokenUsedKey(id model.TokenID) table.Key {
	return table.Key{PK: o.key("TOKEN-USED"), SK: string(id)}
}

// TokenUsed is the day that an API token was last used; empty if it never was.
func (o *Organization) TokenUsed(ctx context.Context, id model.TokenID) (day string, err error) {
	var used tokenUsed
	if _, err := o.get(ctx, o.tokenUsedKey(id), &used); err != nil && !isMissing(err) {
		return "", fmt.Errorf("last use of token %s: %w", id, err)
	}
	return used.Day, nil
}

// NoteTokenUsed notes the day that an API token was used. It writes once a day.
func (o *Organization) NoteTokenUsed(ctx context.Context, t model.APIToken, now time.Time) error {
	day := now.UTC().Format(time.DateOnly)
	last, err := o.TokenUsed(ctx, t.ID)
	if err != nil || last >= day {
		return err
	}
	item, err := encode(o.tokenUsedKey(t.ID), table.Key{}, 0, tokenUsed{day})
	if err != nil {
		return err
	}
	item.Expires = t.ExpiresAt.Add(goneAge)
	if err := o.table.PutMany(ctx, []table.Item{item}); err != nil {
		return fmt.Errorf("note the use of token %s: %w", t.ID, err)
	}
	return nil
}

// NoteReuse logs that a refresh token of a session was used again, once for each session,
// whoever tries it again. A session is no record of the organization, and is about to end.
func (o *Organization) NoteReuse(ctx context.Context, by model.Change, s model.Session) error {
	item, err := encode(table.Key{PK: o.key("REUSED"), SK: string(s.ID)}, table.Key{}, 0, s)
	if err != nil {
		return err
	}
	item.Expires = by.At.Add(goneAge)
	err = o.putLogged(ctx, item, by, "session/"+string(s.ID), nothingSecret[model.Session])
	if isConflict(err) { // it was noted, if perhaps not appended
		var stored table.Item
		if stored, err = o.table.Get(ctx, item.Key); err == nil {
			err = o.settle(ctx, stored.Body)
		}
	}
	if err != nil {
		return fmt.Errorf("note the reuse of session %s: %w", s.ID, err)
	}
	return nil
}

// NoteEvent logs what is about to happen to something that is no record of the
// organization, such as a person's password. It is written before that happens: whoever
// dies between has said more than was done, and nothing is done that nobody knows of.
func (o *Organization) NoteEvent(ctx context.Context, by model.Change, object string, what any) error {
	item, err := encode(table.Key{PK: o.key("EVENT"), SK: ulid.Make().String()}, table.Key{}, 0, what)
	if err == nil {
		item.Expires = by.At.Add(goneAge)
		err = o.putLogged(ctx, item, by, object, func(body []byte) (json.RawMessage, error) { return body, nil })
	}
	if err != nil {
		return fmt.Errorf("note an event of %s: %w", object, err)
	}
	return nil
}
