package connect

import (
	"context"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	access "github.com/cloudarq/cloudarq/pkg/services/cloudarq/collect"
)

func words(ids []model.CheckID) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = string(id)
	}
	return all
}

// Looked is what IAM says of whom an account was opened as.
type Looked struct {
	Permissions model.Permissions
	// Trust is the trust policy of a role, word for word; empty if it could not be read.
	Trust secret.String
}

// Look compares what the policies of whom an account was opened as allow with what an
// audit of the services and checks needs, chosen by words as in check.Catalog.Select
// and SelectServices; none choose all. That the policies cannot be read is no error.
func Look(ctx context.Context, catalog *check.Catalog, opened pipeline.Account, services, checks []string, calls ledger.Ledger) (Looked, error) {
	role, chosen, err := grant.Needed(catalog, services, checks)
	if err != nil {
		return Looked{}, fmt.Errorf("what an audit needs: %w", err)
	}
	identity := opened.Identity()
	p := model.Permissions{Principal: identity.CallerARN, Needed: len(role.Grants)}
	read, err := access.Read(ctx, opened.Config(opened.HomeRegion(), calls), identity)
	if ctx.Err() != nil {
		return Looked{Permissions: p}, ctx.Err()
	}
	if err != nil {
		p.Unread = unread(err)
		return Looked{Permissions: p}, nil
	}
	allowed, err := read.Policies.Policy()
	if err != nil {
		p.Unread = err.Error()
		return Looked{p, read.Trust}, nil
	}
	p.Version = allowed.Version()
	compared := grant.Compare(role, allowed, chosen)
	for _, d := range compared.Differences {
		if d.What == grant.Missing {
			p.Missing = append(p.Missing, model.MissingAction{Action: d.Action, Why: d.Why, Checks: d.Checks})
		} else {
			p.Excess.Add(d.Action)
		}
	}
	for _, action := range compared.Unused {
		p.Unused.Add(action)
	}
	return Looked{p, read.Trust}, nil
}

// unread is why policies could not be read, in a few words.
func unread(err error) string {
	gap := collect.GapOf(err)
	if gap.Reason == fact.Failed { // which says nothing by itself
		return gap.Detail
	}
	return gap.String()
}
