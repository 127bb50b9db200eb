package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ErrFull says that there are as many as there may be.
var ErrFull = errors.New("there are as many as there may be")

// counts are how many there are of something, at most: what is deleted, or was counted by
// somebody who died before it was made, is counted until somebody looks.
type counts struct {
	Connections int `json:"connections"`
	Tokens      int `json:"tokens,omitempty"`
}

func (o *Organization) countsKey() table.Key {
	return table.Key{PK: o.key("ORGANIZATION"), SK: "counts"}
}

// RoomForConnection counts a connection that is about to be made, or is ErrFull if there
// are most. All connections are looked at the first time and when it seems to be full, and
// no other time. Those that are made at that moment may come on top.
func (o *Organization) RoomForConnection(ctx context.Context, most int) error {
	_, err := table.Update(ctx, o.table, o.countsKey(), func(item *table.Item) error {
		var c counts
		if item.Version > 0 {
			if err := decode(*item, &c); err != nil {
				return err
			}
		}
		if item.Version == 0 || c.Connections >= most {
			all, err := o.Connections(ctx)
			if err != nil {
				return err
			}
			c.Connections = len(all)
		}
		if c.Connections >= most {
			return ErrFull
		}
		c.Connections++
		written, err := encode(item.Key, item.Index, item.Version, c)
		item.Body = written.Body
		return err
	})
	if err != nil {
		return fmt.Errorf("room for another connection of organization %s: %w", o.id, err)
	}
	return nil
}

// RoomForToken counts an API token that is about to be made, or is ErrFull if there are
// most that are good, as RoomForConnection does.
func (o *Organization) RoomForToken(ctx context.Context, most int, now time.Time) error {
	_, err := table.Update(ctx, o.table, o.countsKey(), func(item *table.Item) error {
		var c counts
		if item.Version > 0 {
			if err := decode(*item, &c); err != nil {
				return err
			}
		}
		if c.Tokens == 0 || c.Tokens >= most {
			c.Tokens = 0
			for t, err := range o.APITokens(ctx) {
				if err != nil {
					return err
				}
				if t.Live(now) {
					c.Tokens++
				}
			}
		}
		if c.Tokens >= most {
			return ErrFull
		}
		c.Tokens++
		written, err := encode(item.Key, item.Index, item.Version, c)
		item.Body = written.Body
		return err
	})
	if err != nil {
		return fmt.Errorf("room for another API token of organization %s: %w", o.id, err)
	}
	return nil
}

// organizationsKey is of the directory of organizations, which is no organization's own.
func organizationsKey(id model.OrganizationID) table.Key {
	return table.Key{PK: table.Path("D", "ORGANIZATIONS"), SK: string(id)}
}

// Admit notes an organization in the directory, or is ErrFull if it is new and there are
// most. One that has an External ID is not new, but older than the directory. Those that
// are admitted at the same moment may come on top.
func (s *Store) Admit(ctx context.Context, id model.OrganizationID, most int) error {
	k := organizationsKey(id)
	_, err := s.table.Get(ctx, k)
	if err == nil || !isMissing(err) {
		return err
	}
	external, err := s.For(id).ExternalIDs(ctx)
	if err != nil {
		return err
	}
	if len(external.Sealed) == 0 {
		n := 0
		for _, err := range table.All(ctx, s.table, table.Query{PK: k.PK, Limit: table.MaxLimit}) {
			if err != nil {
				return fmt.Errorf("list organizations: %w", err)
			}
			if n++; n >= most {
				return fmt.Errorf("organization %s: %w", id, ErrFull)
			}
		}
	}
	item, err := encode(k, table.Key{}, 0, struct{}{})
	if err != nil {
		return err
	}
	if err := s.table.Put(ctx, item); err != nil && !isConflict(err) {
		return fmt.Errorf("note organization %s: %w", id, err)
	}
	return nil
}
