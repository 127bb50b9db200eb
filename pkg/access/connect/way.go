package connect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// ExternalID is an External ID that a role may ask for.
type ExternalID struct {
	Generation int // see store.ExternalIDs
	ID         secret.String
}

// Way is the way into the account of a connection through its role. What is found out on
// it is kept with the connection: which External ID the role asks for, and whether it lets
// its sessions have a source identity. So neither shows as denied in the account's trail
// more often than it takes to notice a change.
type Way struct {
	Records    *store.Organization
	Connection model.ConnectionID
	// Target has all but the External ID and the source identity.
	Target client.Target
	IDs    []ExternalID // that the role may ask for, the newest first
	// Newest has the newest External ID tried first; otherwise it is the one that opened
	// the role last.
	Newest bool
	// Still makes sure that an External ID which is being replaced is not retired under
	// one who is about to use it, and reports whether it is still good.
	Still func(ctx context.Context, generation int) (bool, error)
	Now   func() time.Time
	// Every is how long it is believed that the role refuses a source identity.
	Every time.Duration
}

// Open opens the account, and gives the target with what it was opened by. That AWS
// denies the role, with whatever is tried, is a *client.AccessError.
func (w Way) Open(ctx context.Context, entrance *client.Client, calls ledger.Ledger) (*client.Account, client.Target, error) {
	role := w.Target.RoleARN
	before, err := w.Records.Verified(ctx, w.Connection)
	if err != nil {
		return nil, w.Target, err
	}
	var denied error
	reserved := 0
	for _, source := range w.sources(before) {
		for _, id := range w.inOrder(before) {
			if id.Generation != w.IDs[0].Generation && before.Generation(role) != id.Generation {
				good, err := w.reserve(ctx, id.Generation)
				if err != nil {
					return nil, w.Target, err
				}
				if reserved = id.Generation; !good {
					continue
				}
			}
			target := w.Target
			target.ExternalID, target.SourceIdentity = id.ID, source
			opened, err := entrance.Open(ctx, target, calls)
			if err == nil {
				return opened, target, w.note(ctx, before, target, id.Generation)
			}
			// Anything but AWS's denial of the role, such as credentials of our own
			// that have expired, says nothing of the account.
			var refused *client.AccessError
			if !errors.As(err, &refused) || !refused.Denied() {
				return nil, target, err
			}
			denied = err
		}
	}
	if reserved == 0 {
		return nil, w.Target, denied
	}
	// What was noted before is not put back: another may have opened it since.
	err = w.Records.ChangeVerified(ctx, w.Connection, func(v *store.Verified) {
		if v.Generation(role) == reserved {
			v.Opened, v.ExternalID = "", 0
		}
	})
	return nil, w.Target, cmp.Or(err, denied)
}

// sources are the source identities to try, in order.
func (w Way) sources(before store.Verified) []string {
	sources := []string{w.Target.SessionName, ""}
	if before.NoSource == w.Target.RoleARN && before.Fresh(w.Target.RoleARN, w.Now(), w.Every) {
		slices.Reverse(sources)
	}
	return sources
}

// inOrder are the External IDs to try, in order.
func (w Way) inOrder(before store.Verified) []ExternalID {
	ids := slices.Clone(w.IDs)
	if last := before.Generation(w.Target.RoleARN); !w.Newest {
		slices.SortStableFunc(ids, func(a, b ExternalID) int {
			switch last {
			case a.Generation:
				return -1
			case b.Generation:
				return 1
			}
			return 0
		})
	}
	return ids
}

// reserve notes that a role is opened with an External ID other than the newest, before
// it is: from then on nobody retires that one. False says that somebody did already. So
// whoever retires an External ID either sees the note or is seen by Still, and no role is
// opened with one that is gone the next time.
func (w Way) reserve(ctx context.Context, generation int) (good bool, err error) {
	err = w.Records.ChangeVerified(ctx, w.Connection, func(v *store.Verified) { v.Opened, v.ExternalID = w.Target.RoleARN, generation })
	if err != nil {
		return false, err
	}
	return w.Still(ctx, generation)
}

// note notes by what a role was opened.
func (w Way) note(ctx context.Context, before store.Verified, by client.Target, generation int) error {
	noSource := ""
	if by.SourceIdentity == "" {
		noSource = by.RoleARN
	}
	if before.NoSource == noSource && before.Generation(by.RoleARN) == generation {
		return nil
	}
	return w.Records.ChangeVerified(ctx, w.Connection, func(v *store.Verified) {
		v.NoSource, v.Opened, v.ExternalID = noSource, by.RoleARN, generation
	})
}
