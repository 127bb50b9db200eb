package store

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// spent is how many calls of an audit's budget its tasks have taken.
type spent struct {
	Calls int `json:"calls"`
}

func (o *Organization) callsKey(connection model.ConnectionID, audit model.AuditID) table.Key {
	return table.Key{PK: o.key("CALLS", string(connection)), SK: string(audit)}
}

// TakeCalls takes so many calls of what is left of an audit's budget, or as many as
// there are; 0 when it is used up. Whoever dies with calls that were not made has used
// them: the budget is a bound. A negative number gives back.
func (o *Organization) TakeCalls(ctx context.Context, audit model.Audit, calls int) (taken int, err error) {
	_, err = table.Update(ctx, o.table, o.callsKey(audit.Connection, audit.ID), func(item *table.Item) error {
		var s spent
		if item.Version > 0 {
			if err := decode(*item, &s); err != nil {
				return err
			}
		}
		taken = min(calls, audit.CallBudget-s.Calls)
		if calls > 0 && taken <= 0 {
			taken = 0
			return table.ErrSkip
		}
		s.Calls = max(0, s.Calls+taken)
		written, err := encode(item.Key, item.Index, item.Version, s)
		item.Body, item.Expires = written.Body, audit.DetailUntil
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take calls of the budget of audit %s: %w", audit.ID, err)
	}
	return taken, nil
}
