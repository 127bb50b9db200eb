package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// dataKey is a wrapped data key.
type dataKey struct {
	Wrapped []byte `json:"wrapped"`
}

// DataKeyRecords are the wrapped data keys of an organization, or of the installation.
type DataKeyRecords struct {
	table table.Table
	pk    string
}

func (r DataKeyRecords) dataKeyKey(record string) table.Key {
	return table.Key{PK: r.pk, SK: record}
}

// DataKey is the wrapped data key of a record, as it was read.
type DataKey struct {
	Record  string // what it belongs to
	Wrapped []byte
	Version int64 // of the stored record
}

// DataKey reads the wrapped data key of a record, or ErrNotFound. Deleting it makes
// everything unreadable that was sealed with it.
func (r DataKeyRecords) DataKey(ctx context.Context, record string) (DataKey, error) {
	var k dataKey
	item, err := r.table.Get(ctx, r.dataKeyKey(record))
	if err == nil {
		err = decode(item, &k)
	}
	if err != nil {
		return DataKey{}, fmt.Errorf("data key of %s: %w", record, err)
	}
	return DataKey{Record: record, Wrapped: k.Wrapped, Version: item.Version}, nil
}

// PutDataKey keeps the first data key of a record; ErrConflict says that it has
// one.
func (r DataKeyRecords) PutDataKey(ctx context.Context, record string, wrapped []byte) error {
	item, err := encode(r.dataKeyKey(record), table.Key{}, 0, dataKey{wrapped})
	if err != nil {
		return err
	}
	if err := r.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the data key of %s: %w", record, err)
	}
	return nil
}

// DataKeysPage lists the data keys, a page at a time, by what they belong to, and says
// what continues it; empty at the end.
func (r DataKeyRecords) DataKeysPage(ctx context.Context, cursor string, limit int) (keys []DataKey, next string, err error) {
	page, err := r.table.Query(ctx, table.Query{PK: r.pk, Cursor: cursor, Limit: limit})
	if err != nil {
		return nil, "", fmt.Errorf("list data keys: %w", err)
	}
	for _, item := range page.Items {
		var k dataKey
		if err := decode(item, &k); err != nil {
			return nil, "", err
		}
		keys = append(keys, DataKey{Record: item.SK, Wrapped: k.Wrapped, Version: item.Version})
	}
	return keys, page.Cursor, nil
}

// ReplaceDataKey writes the same data key, wrapped anew, in place of what was read.
// ErrConflict says that somebody else did, or that it was deleted: it stays so.
func (r DataKeyRecords) ReplaceDataKey(ctx context.Context, read DataKey, wrapped []byte) error {
	item, err := encode(r.dataKeyKey(read.Record), table.Key{}, read.Version, dataKey{wrapped})
	if err != nil {
		return err
	}
	if err := r.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the data key of %s anew: %w", read.Record, err)
	}
	return nil
}

// InstallationOwner stands for the installation where data keys name the organization
// that they are of. No organization has such a name: the edges refuse the sign in it.
const InstallationOwner model.OrganizationID = "#installation"

// DataKeysOf are the data keys of an organization, or of the InstallationOwner.
func (s *Store) DataKeysOf(org model.OrganizationID) DataKeyRecords {
	if org == InstallationOwner {
		return s.Installation().DataKeyRecords
	}
	return s.For(org).DataKeyRecords
}

// OwnedDataKey is a data key with the organization that it belongs to, or the
// InstallationOwner.
type OwnedDataKey struct {
	Organization model.OrganizationID
	DataKey
}

// DataKeys picks the data keys of all organizations, and of the installation, from the
// items of a whole table. Everything that is sealed is sealed by one of them. An error is
// yielded last.
func DataKeys(items iter.Seq2[table.Item, error]) iter.Seq2[OwnedDataKey, error] {
	return func(yield func(OwnedDataKey, error) bool) {
		for item, err := range items {
			var k dataKey
			org, kind := kindOf(item.PK)
			if err == nil && kind != keyKind {
				continue
			}
			if err == nil {
				err = decode(item, &k)
			}
			if !yield(OwnedDataKey{org, DataKey{Record: item.SK, Wrapped: k.Wrapped, Version: item.Version}}, err) || err != nil {
				return
			}
		}
	}
}
