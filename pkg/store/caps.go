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

// CreateProject writes a project that is not there, or is ErrFull if there are most, and
// ErrConflict if it is there. Those that are made at that moment may come on top.
func (o *Organization) CreateProject(ctx context.Context, by model.Change, p *model.Project, most int) error {
	if _, err := o.Project(ctx, p.Name); err == nil {
		return fmt.Errorf("project %s: %w", p.Name, ErrConflict)
	} else if !isMissing(err) {
		return err
	}
	n := 0
	for _, err := range o.Projects(ctx) {
		if err != nil {
			return err
		}
		if n++; n >= most {
			return fmt.Errorf("project %s: %w", p.Name, ErrFull)
		}
	}
	return o.ChangeProject(ctx, by, p)
}
