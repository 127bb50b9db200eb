package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// state is what audits found of a connection. It is a record of its own: who reads what
// accounts answer may not write what connections are to be.
type state struct {
	AccountID string                `json:"account_id,omitempty"` // whose access key it is, if an audit found that out
	State     model.ConnectionState `json:"state,omitempty"`
	Reason    string                `json:"reason,omitempty"`
	Since     time.Time             `json:"since,omitzero"`
}

func (o *Organization) stateKey(id model.ConnectionID) table.Key {
	return table.Key{PK: o.key("STATE"), SK: string(id)}
}

// of writes into a connection what was found of it since its owner last set it up, unless
// it was deleted.
func (s state) of(c *model.Connection) {
	c.AccountID = cmp.Or(c.AccountID, s.AccountID)
	if s.State != "" && c.State != model.ConnectionDeleted && !s.Since.Before(c.Since) {
		c.State, c.Reason, c.Since = s.State, s.Reason, s.Since
	}
}

// ChangeState notes what was found of a connection: change gets the connection as it is,
// alters its AccountID, State, Reason and Since, and reports whether it did. It may run
// several times, when others note something meanwhile. A connection that is not there, or
// was deleted, is ErrNotFound.
func (o *Organization) ChangeState(ctx context.Context, id model.ConnectionID, change func(*model.Connection) bool) error {
	_, err := table.Update(ctx, o.table, o.stateKey(id), func(item *table.Item) error {
		var found state
		if item.Version > 0 {
			if err := decode(*item, &found); err != nil {
				return err
			}
		}
		c, err := o.connectionItself(ctx, id)
		if err != nil {
			return err
		}
		if c.State == model.ConnectionDeleted {
			return fmt.Errorf("connection %s: %w", id, ErrNotFound)
		}
		found.of(&c)
		if !change(&c) {
			return table.ErrSkip
		}
		written, err := encode(item.Key, item.Index, item.Version, state{c.AccountID, c.State, c.Reason, c.Since})
		item.Body = written.Body
		return err
	})
	if err != nil {
		return fmt.Errorf("note the state of connection %s: %w", id, err)
	}
	return nil
}

// withStates writes into connections, which are in order of their ids, what was found of
// them. They are those that follow a place, of which a query has the position.
func (o *Organization) withStates(ctx context.Context, connections []model.Connection, after table.Position) error {
	if len(connections) == 0 {
		return nil
	}
	at := map[model.ConnectionID]*model.Connection{}
	for i := range connections {
		at[connections[i].ID] = &connections[i]
	}
	last := connections[len(connections)-1].ID
	q := table.Query{PK: o.key("STATE"), Limit: min(len(connections), table.MaxLimit)}
	if !after.Key.IsZero() {
		q.Cursor = q.CursorAfter(table.Item{Key: table.Key{PK: q.PK, SK: after.Key.SK}})
	}
	for item, err := range table.All(ctx, o.table, q) {
		if err != nil {
			return err
		}
		if model.ConnectionID(item.SK) > last {
			return nil
		}
		if c := at[model.ConnectionID(item.SK)]; c != nil {
			var found state
			if err := decode(item, &found); err != nil {
				return err
			}
			found.of(c)
		}
	}
	return nil
}
