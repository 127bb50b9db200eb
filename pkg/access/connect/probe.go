package connect

import (
	"context"
	"errors"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// What AWS answers to a probe.
const (
	answerAllowed = "allowed"
	answerDenied  = "denied"
)

// Refusal is what is wrong first of all; nil if nothing is.
func Refusal(probes []model.Probe) *pipeline.RefusedError {
	for _, p := range probes {
		if p.Code != "" {
			return refusal(p)
		}
	}
	return nil
}

// minimum is the least that an audit needs.
const minimum = "ec2:DescribeRegions"

// Verification is what came of trying the way into an account.
type Verification struct {
	Probes []model.Probe
	// Permissions is what the role or the access key allows beside what audits of the
	// account need; nil if it was not let in, or not to the account claimed.
	Permissions *model.Permissions
	Trust       secret.String // the role's trust policy; empty if it was not read
}

// Verify tries whether a role lets in who knows its External ID, and nobody else, to
// the account of the connection, whether the least that an audit needs is allowed
// there, and what else is. Of an access key it tries whether AWS accepts it, instead;
// the way then has nothing but that as its target. An error says that AWS gave no
// answer, or knows not who asks.
func Verify(ctx context.Context, catalog *check.Catalog, entrance *client.Client, way Way, c model.Connection, calls ledger.Ledger) (Verification, error) {
	document, err := pipeline.Connecting.Document()
	if err != nil {
		return Verification{}, err
	}
	way.Target.Policy = document
	try := probeRole
	if !way.Target.AccessKey.Empty() {
		try = probeKey
	}
	return try(ctx, catalog, entrance, way, c, calls)
}

// probeRole makes all attempts with a role.
func probeRole(ctx context.Context, catalog *check.Catalog, entrance *client.Client, way Way, c model.Connection, calls ledger.Ledger) (Verification, error) {
	assume := model.Probe{Tried: "assume the role with its External ID", Want: answerAllowed}
	opened, _, err := way.Open(ctx, entrance, calls)
	var refused *client.AccessError
	if errors.As(err, &refused) && refused.Denied() {
		assume.Answer, assume.Code, assume.Fix = answerDenied, model.CodeRoleDenied, model.CodeRoleDenied+": "+refused.Message
		probes := []model.Probe{assume}
		for _, w := range wrongWays(way.Target, secret.String{}) { // closed as well, but that is not worth a line in the account's trail
			probes = append(probes, model.Probe{Tried: "assume the role " + w.how, Want: answerDenied})
		}
		return Verification{Probes: append(probes, whose(c.AccountID), least())}, nil
	}
	if err != nil {
		return Verification{}, err
	}
	assume.Answer = answerAllowed
	v, err := inside(ctx, catalog, account{opened, way.Target.RoleARN}, c, calls)
	if err != nil {
		return v, err
	}
	probes := []model.Probe{assume}
	for _, w := range wrongWays(way.Target, v.Trust) {
		p, err := w.try(ctx, entrance, way.Target, calls)
		if err != nil {
			return Verification{}, err
		}
		probes = append(probes, p)
	}
	v.Probes = append(probes, v.Probes...)
	return v, nil
}

// probeKey makes all attempts with an access key.
func probeKey(ctx context.Context, catalog *check.Catalog, entrance *client.Client, way Way, c model.Connection, calls ledger.Ledger) (Verification, error) {
	use := model.Probe{Tried: "use the access key", Want: answerAllowed}
	opened, err := entrance.Open(ctx, way.Target, calls)
	var refused *pipeline.RefusedError
	if errors.As(KeyRefusal(err), &refused) {
		use.Answer, use.Code, use.Fix = answerDenied, refused.Code, refused.Message
		return Verification{Probes: []model.Probe{use, whose(c.AccountID), least()}}, nil
	}
	if err != nil {
		return Verification{}, err
	}
	use.Answer = answerAllowed
	v, err := inside(ctx, catalog, account{opened, theAccessKey}, c, calls)
	v.Probes = append([]model.Probe{use}, v.Probes...)
	return v, err
}

// whose and least are what is tried of an account that is opened.
func whose(claimed string) model.Probe {
	return model.Probe{Tried: "ask whose account it is", Want: claimed}
}

func least() model.Probe { return model.Probe{Tried: "call " + minimum, Want: answerAllowed} }

// inside is what comes of an account that was opened. What is allowed there is looked at
// if it is the one claimed.
func inside(ctx context.Context, catalog *check.Catalog, opened account, c model.Connection, calls ledger.Ledger) (Verification, error) {
	identity := whose(c.AccountID)
	if identity.Answer = opened.Identity().Account; !identity.Right() {
		identity = otherAccount(c.AccountID, identity.Answer)
	}
	regions, err := tryRegions(ctx, opened, least(), calls)
	v := Verification{Probes: []model.Probe{identity, regions}}
	if err != nil || !identity.Right() {
		return v, err
	}
	looked, err := Look(ctx, catalog, opened, c.Services, c.Checks, calls)
	v.Permissions, v.Trust = &looked.Permissions, looked.Trust
	return v, err
}

func tryRegions(ctx context.Context, opened pipeline.Account, p model.Probe, calls ledger.Ledger) (model.Probe, error) {
	var refused *pipeline.RefusedError
	_, _, err := opened.Regions(ctx, calls)
	switch {
	case errors.As(err, &refused):
		p.Answer, p.Code, p.Fix = answerDenied, refused.Code, refused.Message
		return p, nil
	case err != nil:
		return p, err
	default:
		p.Answer = answerAllowed
		return p, nil
	}
}
