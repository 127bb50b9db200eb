package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// EveryConnection yields all connections, also those that are deleted and not purged yet,
// without what was found of them.
func (o *Organization) EveryConnection(ctx context.Context) iter.Seq2[model.Connection, error] {
	return each(ctx, o.table, table.Query{PK: o.key("CONNECTION")}, connectionVersion)
}

// erased are the kinds of records of an organization that go when its connections and its
// people have gone, in that order: what lets somebody in, what is known, what opens what is
// sealed, and what tells of it all. Others expire within a day, or belong to a connection.
var erased = []string{
	"TOKEN", "TOKEN-USED", "INVITATION", "RECOVERY", "SSO", "IDENTITY", "STEPPING-DOWN", "MEMBER", "PROJECT", "ATTESTATION",
	"JOB", "MARKS", "ROLLUP", "RECEIPT", "EVENT", "REUSED", "EXTERNAL-IDS", "SIGNING", keyKind, "LOGGING", "ADMINLOG",
}

// Erase removes all that is kept of an organization that is being deleted and has no
// connections any more, and then itself, of which the directory keeps the id. After each
// page more is asked whether to go on; done says that nothing is left. Whoever dies is gone
// on for by the next.
func (s *Store) Erase(ctx context.Context, itself model.Organization, now time.Time, more func() bool) (done bool, err error) {
	o := s.For(itself.ID)
	done, err = o.erasePeople(ctx, s.People(), now, more)
	for shard := 0; done && err == nil && shard < Shards; shard++ { // whose connections are gone
		done, err = o.erasePartition(ctx, o.markPartition(shard), more)
	}
	for i := 0; done && err == nil && i < len(erased); i++ {
		done, err = o.erasePartition(ctx, o.key(erased[i]), more)
	}
	if err != nil || !done {
		return false, wrapErase(itself.ID, err)
	}
	// The directory before the record: without that nobody would know that it was deleted.
	_, err = table.Update(ctx, s.table, directoryKey(itself.ID), func(item *table.Item) error {
		written, err := encode(item.Key, item.Index, item.Version, entry{itself.DeletedAt, now.UTC()})
		item.Body = written.Body
		return err
	})
	if err == nil {
		err = o.eraseItself(ctx)
	}
	return err == nil, wrapErase(itself.ID, err)
}

func wrapErase(org model.OrganizationID, err error) error {
	if err != nil {
		return fmt.Errorf("erase organization %s: %w", org, err)
	}
	return nil
}

// eraseItself removes what is left: the organization itself last, since by it whoever goes on
// finds that there is something.
func (o *Organization) eraseItself(ctx context.Context) error {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.itselfKey().PK}) {
		if err == nil && item.Key != o.itselfKey() {
			err = o.table.Delete(ctx, item.Key)
		}
		if err != nil {
			return err
		}
	}
	return o.table.Delete(ctx, o.itselfKey())
}

// erasePartition removes all records of a partition, and what leads to them from their ids:
// one by one, since whoever may write many at once, which is how many are deleted at once,
// could write such records as well.
func (o *Organization) erasePartition(ctx context.Context, pk string, more func() bool) (done bool, err error) {
	for {
		page, err := o.table.Query(ctx, table.Query{PK: pk, Limit: table.MaxLimit})
		if err != nil || len(page.Items) == 0 {
			return err == nil, err
		}
		for _, item := range page.Items {
			if model.IsULID(item.SK) {
				if err := o.table.Delete(ctx, leadKey(item.SK)); err != nil {
					return false, err
				}
			}
			if err := o.table.Delete(ctx, item.Key); err != nil {
				return false, err
			}
		}
		if !more() {
			return false, nil
		}
	}
}

// erasePeople ends all memberships, and forgets whom no other organization has.
func (o *Organization) erasePeople(ctx context.Context, dir *People, now time.Time, more func() bool) (done bool, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("MEMBER")}) {
		if err != nil {
			return false, err
		}
		if err := dir.forget(ctx, o, model.PersonID(item.SK), item.Key, now); err != nil {
			return false, err
		}
		if !more() {
			return false, nil
		}
	}
	return true, nil
}

// forget ends a membership, whose record may be one of somebody who is gone, and removes
// the person if it was the last. The member goes last: by it whoever goes on finds what is
// left.
func (p *People) forget(ctx context.Context, o *Organization, id model.PersonID, member table.Key, now time.Time) error {
	var sessions []model.Session
	for s, err := range p.Sessions(ctx, id) {
		if err != nil {
			return err
		}
		if s.Organization == o.id {
			sessions = append(sessions, s)
		}
	}
	for _, s := range sessions {
		if _, err := o.erasePartition(ctx, usedKey(s, nil).PK, func() bool { return true }); err != nil {
			return err
		}
		if err := p.table.Delete(ctx, leadKey(string(s.ID))); err != nil { // by the session whoever goes on finds it
			return err
		}
		if err := p.EndSession(ctx, id, s.ID); err != nil {
			return err
		}
	}
	if err := p.table.Delete(ctx, belongsKey(id, o.id)); err != nil {
		return err
	}
	orgs, err := p.Organizations(ctx, id)
	if err == nil && len(orgs) == 0 {
		err = p.erase(ctx, id, now)
	}
	if err != nil {
		return err
	}
	return p.table.Delete(ctx, member)
}

// erase removes a person who is a member of nothing, unless somebody changes the person at
// this moment, as whoever joins an organization does. The e-mail address is free before.
func (p *People) erase(ctx context.Context, id model.PersonID, now time.Time) error {
	who, item, err := p.read(ctx, id)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	claimed, err := p.table.Get(ctx, emailKey(who.Email))
	if err == nil {
		var c emailClaim
		if err = decode(claimed, &c); err == nil && c.Person == id {
			err = p.release(ctx, claimed, now)
		}
	}
	if err != nil && !isMissing(err) {
		return err
	}
	// Nothing is left of the person in what is written here, which expires at once.
	empty, err := encode(item.Key, table.Key{}, item.Version, struct{}{})
	if err != nil {
		return err
	}
	empty.Expires = now
	if err := p.table.Put(ctx, empty); isConflict(err) {
		return nil // somebody is at it, who joined another organization
	} else if err != nil {
		return err
	}
	return p.table.Delete(ctx, item.Key)
}
