package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/datakey"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// OwnIDs keeps for each connection an External ID of its own, sealed under a data
// key of the connection. That is for one who audits accounts of his own, whose
// roles he may find with any External ID; where there are several organizations,
// ExternalIDs keeps theirs.
type OwnIDs struct {
	Records *store.Organization
	Keys    secret.Wrapper
}

// Seal seals the External ID of a connection, to be kept with its access.
func (o OwnIDs) Seal(ctx context.Context, org model.OrganizationID, connection model.ConnectionID, id secret.String) ([]byte, error) {
	key, err := datakey.Get(ctx, o.Records.DataKeyRecords, o.Keys, ownerOf(org, connection))
	if err != nil {
		return nil, err
	}
	sealed, err := key.Seal(place(org, connection), id)
	if err != nil {
		return nil, fmt.Errorf("the External ID of connection %s: %w", connection, err)
	}
	return sealed, nil
}

// Open opens what Seal made for the same connection.
func (o OwnIDs) Open(ctx context.Context, org model.OrganizationID, connection model.ConnectionID, sealed []byte) (secret.String, error) {
	key, err := datakey.Open(ctx, o.Records.DataKeyRecords, o.Keys, ownerOf(org, connection))
	if err != nil {
		return secret.String{}, err
	}
	id, err := key.Open(place(org, connection), sealed)
	if err != nil {
		return secret.String{}, fmt.Errorf("the External ID of connection %s: %w", connection, err)
	}
	return id, nil
}

// Trust makes sure that the role of a connection lets in nobody else.
func (o OwnIDs) Trust(org model.OrganizationID, connection model.ConnectionID, entrance *client.Client, now func() time.Time) Trust {
	return Trust{
		Records: o.Records, Connection: connection, Client: entrance,
		Key: func(ctx context.Context) (secret.DataKey, error) {
			return datakey.Open(ctx, o.Records.DataKeyRecords, o.Keys, ownerOf(org, connection))
		},
		Place: trustPlace(org, connection), Now: now, Every: VerifyEvery,
	}
}

func ownerOf(org model.OrganizationID, connection model.ConnectionID) secret.Owner {
	return secret.Owner{Organization: string(org), Record: string(connection)}
}

func place(org model.OrganizationID, connection model.ConnectionID) secret.Binding {
	return secret.Binding{Organization: string(org), Record: string(connection), Field: "external-id"}
}
