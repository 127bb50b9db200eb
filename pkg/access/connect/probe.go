package connect

import (
	"context"
	"errors"

	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
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
	probes, opened, err := try(ctx, entrance, way, c.AccountID, calls)
	if err != nil || opened == nil {
		return Verification{Probes: probes}, err
	}
	permissions, err := Permissions(ctx, catalog, opened, c.Services, c.Checks, calls)
	return Verification{probes, &permissions}, err
}

// probeRole makes all attempts with a role. It gives the account if it is the one
// claimed.
func probeRole(ctx context.Context, entrance *client.Client, way Way, claimed string, calls ledger.Ledger) ([]model.Probe, pipeline.Account, error) {
	assume := model.Probe{Tried: "assume the role with its External ID", Want: answerAllowed}
	opened, _, err := way.Open(ctx, entrance, calls)
	var refused *client.AccessError
	if errors.As(err, &refused) && refused.Denied() {
		assume.Answer, assume.Code, assume.Fix = answerDenied, model.CodeRoleDenied, model.CodeRoleDenied+": "+refused.Message
		probes := []model.Probe{assume}
		for _, w := range wrongWays() { // closed as well, but that is not worth a line in the account's trail
			probes = append(probes, model.Probe{Tried: "assume the role " + w.how, Want: answerDenied})
		}
		return append(probes, whose(claimed), least()), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	assume.Answer = answerAllowed
	probes := []model.Probe{assume}
	for _, w := range wrongWays() {
		p, err := w.try(ctx, entrance, way.Target, calls)
		if err != nil {
			return nil, nil, err
		}
		probes = append(probes, p)
	}
	inside, entered, err := insideProbes(ctx, account{opened, way.Target.RoleARN}, claimed, calls)
	if err != nil {
		return nil, nil, err
	}
	return append(probes, inside...), entered, nil
}

// probeKey makes all attempts with an access key. It gives the account if it is the
// one claimed.
func probeKey(ctx context.Context, entrance *client.Client, way Way, claimed string, calls ledger.Ledger) ([]model.Probe, pipeline.Account, error) {
	use := model.Probe{Tried: "use the access key", Want: answerAllowed}
	opened, err := entrance.Open(ctx, way.Target, calls)
	var refused *pipeline.RefusedError
	if errors.As(KeyRefusal(err), &refused) {
		use.Answer, use.Code, use.Fix = answerDenied, refused.Code, refused.Message
		return []model.Probe{use, whose(claimed), least()}, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	use.Answer = answerAllowed
	inside, entered, err := insideProbes(ctx, account{opened, theAccessKey}, claimed, calls)
	if err != nil {
		return nil, nil, err
	}
	return append([]model.Probe{use}, inside...), entered, nil
}

// whose and least are what is tried of an account that is opened.
func whose(claimed string) model.Probe {
	return model.Probe{Tried: "ask whose account it is", Want: claimed}
}

func least() model.Probe { return model.Probe{Tried: "call " + minimum, Want: answerAllowed} }

func insideProbes(ctx context.Context, opened account, claimed string, calls ledger.Ledger) ([]model.Probe, pipeline.Account, error) {
	identity, entered := whose(claimed), pipeline.Account(opened)
	if identity.Answer = opened.Identity().Account; !identity.Right() {
		identity, entered = otherAccount(claimed, identity.Answer), nil
	}
	regions, err := tryRegions(ctx, opened, least(), calls)
	if err != nil {
		return nil, nil, err
	}
	return []model.Probe{identity, regions}, entered, nil
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
