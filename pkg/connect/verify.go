package connect

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/pipeline"
	"github.com/cloudarq/cloudarq/pkg/secret"
)

// The codes of what is wrong with a connection.
const (
	codePending           = "connection_pending"
	codeDenied            = "role_denied"
	codeMissingExternalID = "trust_missing_external_id"
)

// Verify implements pipeline.Accounts: the role must not be assumable without the
// External ID, nor with a wrong one. The two attempts show in the account's
// CloudTrail as denied. They are made once for a role.
func (a Accounts) Verify(ctx context.Context, org model.OrganizationID, audit model.Audit, calls ledger.Ledger) error {
	records := a.ExternalIDs.Store.For(org)
	target, _, err := a.target(ctx, org, audit)
	if err != nil {
		return err
	}
	verified, err := records.VerifiedRole(ctx, audit.Connection)
	if err != nil || verified == target.RoleARN {
		return err
	}
	for what, id := range map[string]secret.String{
		"without an External ID": {}, "with a wrong External ID": secret.New("cloudarq-probe-" + rand.Text()),
	} {
		target.ExternalID = id
		open, err := a.Client.CanAssume(ctx, target, calls)
		if err != nil {
			return err
		}
		if open {
			return &pipeline.RefusedError{Code: codeMissingExternalID, Message: fmt.Sprintf(
				"%s: %s can be assumed %s, so others could reach the account through CloudArq; add the condition sts:ExternalId to the role's trust policy, as in the published template", codeMissingExternalID, target.RoleARN, what)}
		}
	}
	return records.PutVerifiedRole(ctx, audit.Connection, target.RoleARN)
}
