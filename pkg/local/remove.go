package local

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// InputError says that what was asked for cannot be. Its text is one
// sentence for the user.
type InputError struct{ Message string }

func (e *InputError) Error() string { return e.Message }

// Remove deletes a connection and all that is known of its account at once. It
// refuses while an audit of it runs.
func (s *State) Remove(ctx context.Context, connection model.Connection) (model.Receipt, error) {
	audits, err := s.Records.AuditsOf(ctx, connection.ID)
	if err != nil {
		return model.Receipt{}, err
	}
	for _, a := range audits {
		if !a.State.Ended() {
			return model.Receipt{}, &InputError{fmt.Sprintf("audit %s of account %s is running; wait for its end, or stop it with: cloudarq audit cancel %s", a.ID, a.AccountID, a.ID)}
		}
	}
	p := &pipeline.Pipeline{Catalog: s.Catalog, Store: s.Store, Evidence: s.Evidence, Index: s.index, RollUp: s.Trends().RollUp, Now: time.Now}
	if _, err := p.Delete(ctx, model.Change{}, Organization, connection); err != nil {
		return model.Receipt{}, err
	}
	if err := p.RollUps(ctx); err != nil { // before it is purged, which leaves nothing that this reads
		return model.Receipt{}, err
	}
	if err := p.Purge(ctx, Organization, connection.ID); err != nil {
		return model.Receipt{}, err
	}
	return s.Records.Receipt(ctx, connection.ID)
}
