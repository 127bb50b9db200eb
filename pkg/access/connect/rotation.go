package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Rotation is the newest External ID of an organization, and how far it has replaced the
// one before.
func (e ExternalIDs) Rotation(ctx context.Context, org model.OrganizationID) (secret.String, model.Rotation, error) {
	sealed, err := e.sealed(ctx, org)
	if err != nil {
		return secret.String{}, model.Rotation{}, err
	}
	return e.rotation(ctx, org, sealed)
}

func (e ExternalIDs) rotation(ctx context.Context, org model.OrganizationID, sealed store.ExternalIDs) (secret.String, model.Rotation, error) {
	all, err := e.open(ctx, org, sealed)
	if err != nil {
		return secret.String{}, model.Rotation{}, err
	}
	r := model.Rotation{Generation: sealed.Newest(), Since: sealed.Since, Staged: sealed.Staged(), By: sealed.By, Version: sealed.Version}
	r.Waiting, err = e.waiting(ctx, org, sealed)
	return all[0].ID, r, err
}

// Rotate makes a new External ID, if nothing has changed since a version was read. The
// one before stays good until Retire: store.ErrStaged says that another before it is
// still. request tells the request from others: one that is repeated gets the same answer.
// store.ErrConflict says that something was changed.
func (e ExternalIDs) Rotate(ctx context.Context, by model.Change, org model.OrganizationID, version int64, request string) (secret.String, model.Rotation, error) {
	for {
		sealed, err := e.sealed(ctx, org)
		if err != nil {
			return secret.String{}, model.Rotation{}, err
		}
		if request != "" && sealed.By == request {
			return e.rotation(ctx, org, sealed)
		}
		if sealed.Version != version {
			return secret.String{}, model.Rotation{}, fmt.Errorf("rotate the External ID of organization %s: %w", org, store.ErrConflict)
		}
		if err := e.rotate(ctx, by, org, &sealed, request); err == nil {
			return e.rotation(ctx, org, sealed)
		} else if !errors.Is(err, store.ErrConflict) {
			return secret.String{}, model.Rotation{}, err
		}
	}
}

// Retire forgets all External IDs of the organization but the newest, or is a
// *model.WaitingError. There may be nothing to retire.
func (e ExternalIDs) Retire(ctx context.Context, by model.Change, org model.OrganizationID) error {
	records := e.Store.For(org)
	for {
		sealed, err := records.ExternalIDs(ctx)
		if err != nil || !sealed.Staged() {
			return err
		}
		// Whoever opens a role with an older one meanwhile notes that, and then writes this
		// record: see still.
		_, rotation, err := e.rotation(ctx, org, sealed)
		if err != nil {
			return err
		}
		if len(rotation.Waiting) > 0 {
			return &model.WaitingError{Rotation: rotation}
		}
		sealed.Retire()
		if err := records.PutExternalIDs(ctx, by, &sealed); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// Connected is to be called when a connection was written that may have a role: whoever
// is about to retire an External ID looks again, whether the role asks for that.
func (e ExternalIDs) Connected(ctx context.Context, org model.OrganizationID) error {
	sealed, err := e.Store.For(org).ExternalIDs(ctx)
	if err != nil || !sealed.Staged() {
		return err
	}
	_, err = e.still(ctx, org, sealed.Newest())
	return err
}

// still reports whether an External ID is good, and has whoever is about to retire it
// look again.
func (e ExternalIDs) still(ctx context.Context, org model.OrganizationID, generation int) (bool, error) {
	records := e.Store.For(org)
	for {
		sealed, err := records.ExternalIDs(ctx)
		if err != nil || !sealed.Has(generation) {
			return false, err
		}
		if err := records.PutExternalIDs(ctx, model.Change{}, &sealed); !errors.Is(err, store.ErrConflict) {
			return err == nil, err
		}
	}
}

// waiting are the connections that were not opened with the newest External ID, while
// there is another: those whose roles were last opened with that, or never, and those
// that have no role yet, whose owners may have been told of the other.
func (e ExternalIDs) waiting(ctx context.Context, org model.OrganizationID, sealed store.ExternalIDs) ([]model.Waiting, error) {
	if !sealed.Staged() {
		return nil, nil
	}
	records := e.Store.For(org)
	connections, err := records.Connections(ctx)
	if err != nil {
		return nil, err
	}
	verified, err := records.AllVerified(ctx)
	if err != nil {
		return nil, err
	}
	var waiting []model.Waiting
	for _, c := range connections {
		generation := verified[c.ID].Generation(c.RoleARN)
		if c.Kind() == model.KindAccessKey || generation == sealed.Newest() {
			continue
		}
		waiting = append(waiting, model.Waiting{Connection: c.ID, AccountID: c.AccountID, Name: c.Name, Project: c.Project, RoleARN: c.RoleARN, Generation: generation})
	}
	return waiting, nil
}
