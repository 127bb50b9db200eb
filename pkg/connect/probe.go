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
// is allowed there. An error says that AWS gave no answer, or knows not who asks.
func Probes(ctx context.Context, client *awsx.Client, target awsx.Target, account string, calls ledger.Ledger) ([]model.Probe, error) {
	assume := model.Probe{Tried: "assume the role with its External ID", Want: answerAllowed}
	identity := model.Probe{Tried: "ask whose account it is", Want: account}
	regions := model.Probe{Tried: "call " + minimum, Want: answerAllowed}
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
	if identity.Answer = opened.Identity().Account; !identity.Right() {
		identity.Code = codeOtherAccount
		identity.Fix = fmt.Sprintf("%s: the connection is of account %s, but its role is of account %s", codeOtherAccount, account, identity.Answer)
	}
	if regions, err = tryRegions(ctx, opened, regions, target.RoleARN, calls); err != nil {
		return nil, err
	}
	return append(probes, identity, regions), nil
}

func tryRegions(ctx context.Context, account pipeline.Account, p model.Probe, role string, calls ledger.Ledger) (model.Probe, error) {
	var refused *awsx.AccessError
	_, _, err := account.Regions(ctx, calls)
	switch {
	case errors.As(err, &refused):
		p.Answer, p.Code = answerDenied, codeMinimum
		p.Fix = fmt.Sprintf("%s: %s may not call %s, the least that an audit needs; allow it in the role's policy", codeMinimum, role, minimum)
		return p, nil
	case err != nil:
		return p, err
	default:
		p.Answer = answerAllowed
		return p, nil
	}
}
