package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// session is a session as stored.
type session struct {
	model.Session
	MemberSince time.Time `json:"member_since"`
	Epoch       int64     `json:"epoch,omitempty"`
	Generation  int64     `json:"generation"`
	Hash        []byte    `json:"hash"`
}

func (s session) read(version int64) model.Session {
	r := s.Session
	r.MemberSince, r.Epoch, r.Generation, r.Hash, r.Version = s.MemberSince, s.Epoch, s.Generation, s.Hash, version
	return r
}

func sessionKey(who model.PersonID, id model.SessionID) table.Key {
	return table.Key{PK: table.Path(personPart, string(who), "SESSION"), SK: string(id)}
}

// refreshed says which refresh token was used.
type refreshed struct {
	Generation int64 `json:"generation"`
}

// usedKey is where it stands that a refresh token of a session was used. Each has a record
// of its own, so that one which was used months ago is known, and no guess is taken for it.
func usedKey(s model.Session, hash model.Hidden) table.Key {
	return table.Key{PK: table.Path(personPart, string(s.Person), "REFRESHED", string(s.ID)), SK: hex.EncodeToString(hash)}
}

// BeginSession writes a new session, and before it what leads to it, which expires.
func (p *People) BeginSession(ctx context.Context, s *model.Session) error {
	if err := p.lead(ctx, string(s.ID), Lead{Organization: s.Organization, Person: s.Person}, s.Until()); err != nil {
		return err
	}
	return p.putSession(ctx, s)
}

func (p *People) putSession(ctx context.Context, s *model.Session) error {
	item, err := encode(sessionKey(s.Person, s.ID), table.Key{}, s.Version, session{*s, s.MemberSince, s.Epoch, s.Generation, s.Hash})
	if err != nil {
		return err
	}
	item.Expires = s.ExpiresAt
	if err := p.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write session %s: %w", s.ID, err)
	}
	s.Version++
	return nil
}

// Session reads a session of a person, or is ErrNotFound: it has ended.
func (p *People) Session(ctx context.Context, who model.PersonID, id model.SessionID) (model.Session, error) {
	var s session
	item, err := p.table.Get(ctx, sessionKey(who, id))
	if err == nil {
		err = decode(item, &s)
	}
	if err != nil {
		return model.Session{}, fmt.Errorf("session %s: %w", id, err)
	}
	return s.read(item.Version), nil
}

// Sessions are those of a person, in all organizations, the oldest first.
func (p *People) Sessions(ctx context.Context, who model.PersonID) iter.Seq2[model.Session, error] {
	return func(yield func(model.Session, error) bool) {
		for item, err := range table.All(ctx, p.table, table.Query{PK: sessionKey(who, "").PK}) {
			var s session
			if err == nil {
				err = decode(item, &s)
			}
			if err != nil {
				err = fmt.Errorf("sessions of person %s: %w", who, err)
			}
			if !yield(s.read(item.Version), err) || err != nil {
				return
			}
		}
	}
}

// RefreshSession gives a session that was read its next refresh token, whose hash it is;
// ErrConflict says that somebody else did, or ended it.
//
// That the token before was used is written first. While it is the session's still, nobody
// asks for that; whoever dies then leaves it good.
func (p *People) RefreshSession(ctx context.Context, s *model.Session, next model.Hidden, now time.Time) error {
	used, err := encode(usedKey(*s, s.Hash), table.Key{}, 0, refreshed{s.Generation})
	if err != nil {
		return err
	}
	used.Expires = s.Until()
	if err := p.table.PutMany(ctx, []table.Item{used}); err != nil {
		return fmt.Errorf("refresh session %s: %w", s.ID, err)
	}
	changed := *s
	changed.Hash = next
	changed.Generation++
	changed.Use(now)
	if err := p.putSession(ctx, &changed); err != nil {
		return err
	}
	*s = changed
	return nil
}

// Refreshed is which refresh token of a session, counted from 1 on, has a hash and was
// used; 0 if none was.
func (p *People) Refreshed(ctx context.Context, s model.Session, hash model.Hidden) (generation int64, err error) {
	if len(hash) == 0 {
		return 0, nil
	}
	var r refreshed
	item, err := p.table.Get(ctx, usedKey(s, hash))
	if err == nil {
		err = decode(item, &r)
	}
	if err != nil && !isMissing(err) {
		return 0, fmt.Errorf("refresh tokens of session %s: %w", s.ID, err)
	}
	return r.Generation, nil
}

// EndSession ends a session of a person; it is no error if it has ended. What leads to it goes
// as well, if it is the person's, or expires.
func (p *People) EndSession(ctx context.Context, who model.PersonID, id model.SessionID) error {
	err := p.table.Delete(ctx, sessionKey(who, id))
	if err == nil {
		var l Lead
		if l, err = p.Lead(ctx, string(id)); err == nil && l.Person == who {
			err = p.table.Delete(ctx, leadKey(string(id)))
		}
	}
	if err != nil && !isMissing(err) {
		return fmt.Errorf("end session %s: %w", id, err)
	}
	return nil
}

// EndSessions ends those sessions of a person that are meant.
func (p *People) EndSessions(ctx context.Context, who model.PersonID, meant func(model.Session) bool) error {
	for s, err := range p.Sessions(ctx, who) {
		if err != nil {
			return err
		}
		if meant(s) {
			if err := p.EndSession(ctx, who, s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
