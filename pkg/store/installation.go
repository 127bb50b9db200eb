package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Installation is what is of all organizations alike.
type Installation struct {
	table table.Table

	DataKeyRecords
}

// Installation is the records that are of no organization and of nobody.
func (s *Store) Installation() *Installation {
	return &Installation{s.table, DataKeyRecords{s.table, table.Path(installationPart, keyKind)}}
}

// TokenKey is a key by which access tokens are signed. Only what is sealed is kept: whoever
// can write to the table, and has no master key, cannot put a key of his own here.
type TokenKey struct {
	Number  int64     `json:"-"`       // counts them from 1 on
	ID      string    `json:"id"`      // the kid of its tokens
	Private []byte    `json:"private"` // the seed of an Ed25519 key, sealed
	MadeAt  time.Time `json:"made_at"`
	Until   time.Time `json:"until"` // when it is forgotten
}

func (i *Installation) tokenKeyKey(number int64) table.Key {
	return table.Key{PK: table.Path(installationPart, "KEYS"), SK: fmt.Sprintf("%012d", number)}
}

// TokenKeys are the newest keys of access tokens, the newest first, some at most.
func (i *Installation) TokenKeys(ctx context.Context, most int) (keys []TokenKey, err error) {
	page, err := i.table.Query(ctx, table.Query{PK: i.tokenKeyKey(0).PK, Desc: true, Limit: most})
	if err != nil {
		return nil, fmt.Errorf("keys of access tokens: %w", err)
	}
	for _, item := range page.Items {
		var k TokenKey
		err := decode(item, &k)
		if err == nil {
			k.Number, err = strconv.ParseInt(item.SK, 10, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("keys of access tokens: %w", err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// PutTokenKey keeps a new key of access tokens under its number; ErrConflict says that
// somebody else's has that.
func (i *Installation) PutTokenKey(ctx context.Context, k TokenKey) error {
	if k.Number < 1 {
		return errors.New("keys of access tokens are counted from 1 on")
	}
	item, err := encode(i.tokenKeyKey(k.Number), table.Key{}, 0, k)
	if err != nil {
		return err
	}
	item.Expires = k.Until
	if err := i.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write a key of access tokens: %w", err)
	}
	return nil
}

// DeleteTokenKey forgets a key of access tokens: what it signed is worth nothing then.
func (i *Installation) DeleteTokenKey(ctx context.Context, k TokenKey) error {
	if err := i.table.Delete(ctx, i.tokenKeyKey(k.Number)); err != nil {
		return fmt.Errorf("forget a key of access tokens: %w", err)
	}
	return nil
}
