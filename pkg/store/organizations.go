package store

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// directoryKey is of the list of organizations, which is no organization's own. What is in
// it may be of somebody who died before the organization was made; it counts.
func directoryKey(id model.OrganizationID) table.Key {
	return table.Key{PK: table.Path(directoryPart, "ORGANIZATIONS"), SK: string(id)}
}

func (o *Organization) itselfKey() table.Key {
	return table.Key{PK: o.key("ORGANIZATION"), SK: "organization"}
}

// CreateOrganization writes a new organization; ErrConflict says that there is one of that
// id, or was, and ErrFull that there are most. Those that are made at the same moment may
// come on top. What was kept of an organization before organizations were made becomes its.
func (s *Store) CreateOrganization(ctx context.Context, by model.Change, o *model.Organization, most int) error {
	if err := o.Check(); err != nil {
		return err
	}
	if _, err := s.Organization(ctx, o.ID); err == nil {
		return fmt.Errorf("create organization %s: %w", o.ID, ErrConflict)
	} else if !isMissing(err) {
		return err
	}
	if err := s.list(ctx, o.ID, most); err != nil {
		return fmt.Errorf("create organization %s: %w", o.ID, err)
	}
	return s.For(o.ID).ChangeItself(ctx, by, o)
}

// list puts an organization into the directory, or is ErrFull if it is new and there are
// most.
func (s *Store) list(ctx context.Context, id model.OrganizationID, most int) error {
	k := directoryKey(id)
	if _, err := s.table.Get(ctx, k); err == nil || !isMissing(err) {
		return err
	}
	n := 0
	for _, err := range table.All(ctx, s.table, table.Query{PK: k.PK, Limit: table.MaxLimit}) {
		if err != nil {
			return err
		}
		if n++; n >= most {
			return ErrFull
		}
	}
	item, err := encode(k, table.Key{}, 0, entry{})
	if err != nil {
		return err
	}
	if err := s.table.Put(ctx, item); err != nil && !isConflict(err) {
		return err
	}
	return nil
}

// entry is what the directory says of an organization: nothing, until all else of it is
// purged.
type entry struct {
	DeletedAt time.Time `json:"deleted_at,omitzero"`
	PurgedAt  time.Time `json:"purged_at,omitzero"`
}

// Organization reads an organization, also one that was purged, of which there are its id
// and when that was; or is ErrNotFound.
func (s *Store) Organization(ctx context.Context, id model.OrganizationID) (model.Organization, error) {
	o, err := s.For(id).Itself(ctx)
	if !isMissing(err) {
		return o, err
	}
	var was entry
	item, e := s.table.Get(ctx, directoryKey(id))
	if e == nil {
		e = decode(item, &was)
	}
	switch {
	case isMissing(e) || e == nil && was.PurgedAt.IsZero():
		return model.Organization{}, err
	case e != nil:
		return model.Organization{}, fmt.Errorf("organization %s: %w", id, e)
	}
	return model.Organization{ID: id, DeletedAt: was.DeletedAt, PurgedAt: was.PurgedAt, Version: item.Version}, nil
}

// OrganizationsPage lists some organizations by id.
func (s *Store) OrganizationsPage(ctx context.Context, cursor string, limit int) (page []model.Organization, next string, err error) {
	found, err := s.table.Query(ctx, table.Query{PK: directoryKey("").PK, Cursor: cursor, Limit: limit})
	if err != nil {
		return nil, "", fmt.Errorf("list organizations: %w", err)
	}
	for _, item := range found.Items {
		o, err := s.Organization(ctx, model.OrganizationID(item.SK))
		if isMissing(err) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		page = append(page, o)
	}
	return page, found.Cursor, nil
}

// Itself reads the organization, also one that is suspended or being deleted, or is
// ErrNotFound: nobody made it.
func (o *Organization) Itself(ctx context.Context) (itself model.Organization, err error) {
	item, err := o.get(ctx, o.itselfKey(), &itself)
	if err != nil {
		return itself, fmt.Errorf("organization %s: %w", o.id, err)
	}
	itself.Version = item.Version
	return itself, nil
}

// ChangeItself writes the organization if it is unchanged since it was read; ErrConflict
// otherwise.
func (o *Organization) ChangeItself(ctx context.Context, by model.Change, itself *model.Organization) error {
	itself.ID = o.id
	if err := itself.CheckName(); err != nil {
		return err
	}
	item, err := encode(o.itselfKey(), table.Key{}, itself.Version, itself)
	if err != nil {
		return err
	}
	if err := o.putLogged(ctx, item, by, "organization", nothingSecret[model.Organization]); err != nil {
		return fmt.Errorf("write organization %s: %w", o.id, err)
	}
	itself.Version++
	return nil
}

// Closed reports whether the organization is suspended, or being deleted. One that nobody
// made is not: the local command has none.
func (o *Organization) Closed(ctx context.Context) (bool, error) {
	itself, err := o.Itself(ctx)
	if isMissing(err) {
		return false, nil
	}
	return err == nil && !itself.Open(), err
}
