package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Verified is what is known of the way into the account of a connection, from trying.
type Verified struct {
	// Way is the role that was last found to be assumable with the External ID alone,
	// or for the local command which access key was accepted; empty if nothing was.
	Way string    `json:"role"`
	At  time.Time `json:"at,omitzero"` // when; zero if it was noted before times were
	// NoSource is the role, if it was found to refuse sessions with a source identity.
	NoSource string `json:"no_source,omitempty"`
	// Opened is the role that was last opened, and ExternalID the generation of the
	// External ID that it was opened with.
	Opened     string `json:"opened,omitempty"`
	ExternalID int    `json:"external_id,omitempty"`
	// Trust is a digest of the trust policy that Way had, sealed; empty if it could not be
	// read. Again says that it had just changed: it is to be verified once more.
	Trust []byte `json:"trust,omitempty"`
	Again bool   `json:"again,omitempty"`
}

// Fresh reports whether a way was verified, and not longer ago than some time.
func (v Verified) Fresh(way string, now time.Time, age time.Duration) bool {
	return way != "" && v.Way == way && now.Sub(v.At) < age
}

// Generation is that of the External ID which a role was last opened with; 0 if it never
// was.
func (v Verified) Generation(role string) int {
	if role == "" || v.Opened != role {
		return 0
	}
	return v.ExternalID
}

func (o *Organization) verifiedKey(connection model.ConnectionID) table.Key {
	return table.Key{PK: o.key("VERIFIED"), SK: string(connection)}
}

// Verified is what was found of the way into a connection's account; zero if nothing
// was.
func (o *Organization) Verified(ctx context.Context, connection model.ConnectionID) (Verified, error) {
	var v Verified
	if _, err := o.get(ctx, o.verifiedKey(connection), &v); err != nil && !isMissing(err) {
		return v, fmt.Errorf("verified role of connection %s: %w", connection, err)
	}
	return v, nil
}

// AllVerified is what was found of the ways into all accounts of the organization.
func (o *Organization) AllVerified(ctx context.Context) (map[model.ConnectionID]Verified, error) {
	all := map[model.ConnectionID]Verified{}
	for item, err := range table.All(ctx, o.table, table.Query{PK: o.key("VERIFIED")}) {
		var v Verified
		if err == nil {
			err = decode(item, &v)
		}
		if err != nil {
			return nil, fmt.Errorf("list verified roles: %w", err)
		}
		all[model.ConnectionID(item.SK)] = v
	}
	return all, nil
}

// ChangeVerified notes what was found, on top of what others have noted meanwhile.
func (o *Organization) ChangeVerified(ctx context.Context, connection model.ConnectionID, change func(*Verified)) error {
	_, err := table.Update(ctx, o.table, o.verifiedKey(connection), func(item *table.Item) error {
		var v Verified
		if item.Version > 0 {
			if err := decode(*item, &v); err != nil {
				return err
			}
		}
		change(&v)
		written, err := encode(item.Key, item.Index, item.Version, v)
		if err == nil && item.Version > 0 && bytes.Equal(item.Body, written.Body) {
			return table.ErrSkip
		}
		item.Body = written.Body
		return err
	})
	if err != nil {
		return fmt.Errorf("note the verified role of connection %s: %w", connection, err)
	}
	return nil
}

// Unverify makes the next audit of a connection verify the way into its account again.
func (o *Organization) Unverify(ctx context.Context, connection model.ConnectionID) error {
	return o.ChangeVerified(ctx, connection, func(v *Verified) { v.Way, v.At = "", time.Time{} })
}
