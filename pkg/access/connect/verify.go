package connect

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Verify implements pipeline.Accounts: the role must not be assumable without the
// External ID, nor with a wrong one. The two attempts show in the account's
// CloudTrail as denied. They are made again only after a while: a trust policy can be
// loosened later. An access key lets in who has it, and there is nothing to try.
func (a Accounts) Verify(ctx context.Context, org model.OrganizationID, audit model.Audit, calls ledger.Ledger) error {
	records := a.ExternalIDs.Store.For(org)
	connection, err := records.Connection(ctx, audit.Connection)
	if err != nil || connection.AccessKey != nil {
		return err
	}
	target, err := roleOf(connection, audit)
	if err != nil {
		return err
	}
	verified, err := records.Verified(ctx, audit.Connection)
	if err != nil || verified.Fresh(target.RoleARN, a.Now(), a.VerifyEvery) {
		return err
	}
	for _, w := range wrongWays() {
		p, err := w.try(ctx, a.Client, target, calls)
		if err != nil {
			return err
		}
		if !p.Right() {
			return refusal(p)
		}
	}
	return records.ChangeVerified(ctx, audit.Connection, func(v *store.Verified) { v.Way, v.At = target.RoleARN, a.Now() })
}

// VerifyEvery is how long the command trusts what it verified.
const VerifyEvery = 7 * 24 * time.Hour

// wrongWay is a way into an account that must be closed.
type wrongWay struct {
	how string
	id  secret.String
}

func wrongWays() []wrongWay {
	return []wrongWay{
		{"without an External ID", secret.String{}},
		{"with a wrong External ID", secret.New("cloudarq-probe-" + rand.Text())},
	}
}

// try tries to come in; only being denied is right.
func (w wrongWay) try(ctx context.Context, entrance *client.Client, target client.Target, calls ledger.Ledger) (model.Probe, error) {
	target.ExternalID = w.id
	p := model.Probe{Tried: "assume the role " + w.how, Want: answerDenied, Answer: answerDenied}
	open, err := entrance.CanAssume(ctx, target, calls)
	if open {
		p.Answer, p.Code = answerAllowed, model.CodeMissingExternalID
		p.Fix = fmt.Sprintf("%s: %s can be assumed %s, so others could reach the account through CloudArq; add the condition sts:ExternalId to the role's trust policy, as in the published template",
			model.CodeMissingExternalID, target.RoleARN, w.how)
	}
	return p, err
}

// otherAccount is the finding that what opens a connection leads elsewhere.
func otherAccount(want, is string) model.Probe {
	return model.Probe{
		Tried: "ask whose account it is", Want: want, Answer: is, Code: model.CodeAccountMismatch,
		Fix: fmt.Sprintf("%s: the connection is of account %s, but its credentials are of account %s", model.CodeAccountMismatch, want, is),
	}
}

func refusal(p model.Probe) *pipeline.RefusedError {
	return &pipeline.RefusedError{Code: p.Code, Message: p.Fix}
}
