package store

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// SealedAccessKey is the access key of a connection, sealed by a data key. Its record is written once: which of them is good, the connection says,
// so that one write of the connection puts a new key in an old one's place.
type SealedAccessKey struct {
	ID              string `json:"id"` // as in model.AccessKey: a ULID of when it was given
	AccessKeyID     []byte `json:"access_key_id"`
	SecretAccessKey []byte `json:"secret_access_key"`
	// OwnDataKey says that it has a data key of its own, so that whoever seals it need not
	// be able to open any; those from before it are sealed by the connection's.
	OwnDataKey bool `json:"own_data_key,omitempty"`
}

// DataKeyOf is the record of the data key of an access key that has its own.
func DataKeyOf(connection model.ConnectionID, id string) string { return string(connection) + "/" + id }

// accessKeyPart is where the sealed keys of a connection are.
const accessKeyPart = "ACCESS-KEY"

func (o *Organization) sealedKey(connection model.ConnectionID, id string) table.Key {
	return table.Key{PK: o.key(accessKeyPart, string(connection)), SK: id}
}

// AccessKey reads a sealed access key of a connection, or ErrNotFound.
func (o *Organization) AccessKey(ctx context.Context, connection model.ConnectionID, id string) (k SealedAccessKey, err error) {
	if _, err = o.get(ctx, o.sealedKey(connection, id), &k); err != nil {
		return k, fmt.Errorf("access key of connection %s: %w", connection, err)
	}
	return k, nil
}

// PutAccessKey keeps a sealed access key of a connection. It is of no use until the
// connection names it.
func (o *Organization) PutAccessKey(ctx context.Context, connection model.ConnectionID, k SealedAccessKey) error {
	item, err := encode(o.sealedKey(connection, k.ID), table.Key{}, 0, k)
	if err != nil {
		return err
	}
	if err := o.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write the access key of connection %s: %w", connection, err)
	}
	return nil
}

// AccessKeyIDs lists the ids of all sealed access keys of a connection, the oldest
// first.
func (o *Organization) AccessKeyIDs(ctx context.Context, connection model.ConnectionID) (ids []string, err error) {
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key(accessKeyPart, string(connection))}) {
		if err != nil {
			return nil, fmt.Errorf("access keys of connection %s: %w", connection, err)
		}
		ids = append(ids, item.SK)
	}
	return ids, nil
}

// DestroyAccessKeys destroys all sealed access keys of a connection.
func (o *Organization) DestroyAccessKeys(ctx context.Context, connection model.ConnectionID) error {
	ids, err := o.AccessKeyIDs(ctx, connection)
	if err != nil || len(ids) == 0 {
		return err
	}
	keys := []table.Key{o.dataKeyKey(string(connection))} // of those from before each had its own
	var sealed []table.Key
	for _, id := range ids {
		keys, sealed = append(keys, o.dataKeyKey(DataKeyOf(connection, id))), append(sealed, o.sealedKey(connection, id))
	}
	return o.destroy(ctx, connection, keys, sealed)
}

// DeleteAccessKey destroys a sealed access key of a connection, and its data key.
func (o *Organization) DeleteAccessKey(ctx context.Context, connection model.ConnectionID, id string) error {
	return o.destroy(ctx, connection, []table.Key{o.dataKeyKey(DataKeyOf(connection, id))}, []table.Key{o.sealedKey(connection, id)})
}

// destroy deletes data keys, and then what they sealed, which leads to them: whoever dies
// in between leaves what nothing opens, and the next one finds it.
func (o *Organization) destroy(ctx context.Context, connection model.ConnectionID, keys, sealed []table.Key) error {
	err := o.table.DeleteMany(ctx, keys)
	if err == nil {
		err = o.table.DeleteMany(ctx, sealed)
	}
	if err != nil {
		return fmt.Errorf("destroy access keys of connection %s: %w", connection, err)
	}
	return nil
}
