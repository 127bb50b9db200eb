package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/awsx"
	"github.com/cloudarq/cloudarq/pkg/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/pipeline"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// What AWS answers to a probe.
const (
	answerAllowed = "allowed"
	answerDenied  = "denied"
)

// Refusal is what is wrong first of all, as a *pipeline.RefusedError; nil if
// nothing is.
func Refusal(probes []model.Probe) error {
	for _, p := range probes {
		if p.Code != "" {
			return refusal(p)
		}
	}
	return nil
}

// minimum is the least that an audit needs.
const minimum = "ec2:DescribeRegions"

// Probes tries whether a role lets in who knows the External ID of the target, and
// nobody else, to the account claimed, and whether the least that an audit needs
// is allowed there. Of an access key it tries whether AWS accepts it, instead. An
// error says that AWS gave no answer, or knows not who asks.
func Probes(ctx context.Context, client *awsx.Client, target awsx.Target, account string, calls ledger.Ledger) ([]model.Probe, error) {
	if !target.AccessKey.Empty() {
		return keyProbes(ctx, client, target, account, calls)
	}
	assume := model.Probe{Tried: "assume the role with its External ID", Want: answerAllowed}
	identity, regions := whose(account), least()
	target.Policy = policy.Session([]string{minimum})
	opened, err := client.Open(ctx, target, calls)
	var refused *awsx.AccessError
	if errors.As(err, &refused) {
		// It may be that AWS knows not who asks, which says nothing of the role.
		if assumable, e := client.CanAssume(ctx, target, calls); e != nil || assumable {
			return nil, err
		}
		assume.Answer, assume.Code, assume.Fix = answerDenied, codeDenied, codeDenied+": "+refused.Message
		probes := []model.Probe{assume}
		for _, w := range wrongWays() { // closed as well, but that is not worth a line in the account's trail
			probes = append(probes, model.Probe{Tried: "assume the role " + w.how, Want: answerDenied})
		}
		return append(probes, identity, regions), nil
	}
	if err != nil {
		return nil, err
	}
	assume.Answer = answerAllowed
	probes := []model.Probe{assume}
	for _, w := range wrongWays() {
		p, err := w.try(ctx, client, target, calls)
		if err != nil {
			return nil, err
		}
		probes = append(probes, p)
	}
	inside, err := insideProbes(ctx, opened, account, target.RoleARN, calls)
	if err != nil {
		return nil, err
	}
	return append(probes, inside...), nil
}

// keyProbes are the probes of an access key.
func keyProbes(ctx context.Context, client *awsx.Client, target awsx.Target, account string, calls ledger.Ledger) ([]model.Probe, error) {
	use := model.Probe{Tried: "use the access key", Want: answerAllowed}
	opened, err := client.Open(ctx, target, calls)
	var refused *pipeline.RefusedError
	if errors.As(KeyRefusal(err), &refused) {
		use.Answer, use.Code, use.Fix = answerDenied, refused.Code, refused.Message
		return []model.Probe{use, whose(account), least()}, nil
	}
	if err != nil {
		return nil, err
	}
	use.Answer = answerAllowed
	inside, err := insideProbes(ctx, opened, account, "the access key", calls)
	if err != nil {
		return nil, err
	}
	return append([]model.Probe{use}, inside...), nil
}

// whose and least are what is tried of an account that is opened.
func whose(account string) model.Probe {
	return model.Probe{Tried: "ask whose account it is", Want: account}
}

func least() model.Probe { return model.Probe{Tried: "call " + minimum, Want: answerAllowed} }

func insideProbes(ctx context.Context, opened *awsx.Account, account, by string, calls ledger.Ledger) ([]model.Probe, error) {
	identity := whose(account)
	if identity.Answer = opened.Identity().Account; !identity.Right() {
		identity = otherAccount(account, identity.Answer)
	}
	regions, err := tryRegions(ctx, opened, least(), by, calls)
	if err != nil {
		return nil, err
	}
	return []model.Probe{identity, regions}, nil
}

func tryRegions(ctx context.Context, account pipeline.Account, p model.Probe, by string, calls ledger.Ledger) (model.Probe, error) {
	var refused *awsx.AccessError
	_, _, err := account.Regions(ctx, calls)
	switch {
	case errors.As(err, &refused):
		p.Answer, p.Code = answerDenied, codeMinimum
		p.Fix = fmt.Sprintf("%s: %s may not call %s, the least that an audit needs; allow it in its policy", codeMinimum, by, minimum)
		return p, nil
	case err != nil:
		return p, err
	default:
		p.Answer = answerAllowed
		return p, nil
	}
}
