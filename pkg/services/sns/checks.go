package sns

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
	"github.com/cloudarq/cloudarq/pkg/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("sns-topic-encrypted-with-kms", model.Medium, encrypted),
		check.For("sns-topic-delivery-logged", model.Low, deliveryLogged),
		check.For("sns-topic-not-public", model.High, onPolicy(notPublic)),
		check.For("sns-topic-policy-no-other-accounts", model.Medium, onPolicy(noOtherAccounts)),
		check.For("sns-topic-policy-services-scoped", model.Medium, onPolicy(servicesScoped)),
		check.For("sns-topic-tls-only", model.Low, onPolicy(tlsOnly)),
		check.For("sns-subscription-no-plain-http", model.High, noPlainHTTP),
	}
}

func encrypted(e *check.Evidence, t Topic) check.Verdict {
	key := check.Read(e, t.Attributes).Key
	return check.Must(key != "", "messages are encrypted with "+key, "messages are not encrypted with a KMS key")
}

func deliveryLogged(e *check.Evidence, t Topic) check.Verdict {
	logged := check.Read(e, t.Attributes).Logged
	return check.Must(len(logged) > 0, "deliveries are logged for "+strings.Join(logged, ", "), "no deliveries are logged")
}

func noPlainHTTP(e *check.Evidence, s Subscription) check.Verdict {
	protocol := check.Read(e, s.Detail).Protocol
	return check.Must(protocol != "http", "messages are delivered by "+protocol, "messages are delivered over plain HTTP")
}

// onPolicy is a rule on the topic's policy.
func onPolicy(judge func(Topic, iampolicy.Policy) check.Verdict) func(*check.Evidence, Topic) check.Verdict {
	return func(e *check.Evidence, t Topic) check.Verdict {
		policy, err := iampolicy.Parse(check.Read(e, t.Attributes).Policy)
		if err != nil {
			return check.Unassessed(fact.Gap{Reason: fact.Failed, Operation: "sns:GetTopicAttributes", Detail: err.Error()})
		}
		return judge(t, policy)
	}
}

func evaluate(t Topic, p iampolicy.Policy) iampolicy.Result {
	return p.Evaluate(iampolicy.Options{Account: t.Account, Partition: t.Partition()})
}

func notPublic(t Topic, p iampolicy.Policy) check.Verdict {
	for _, grant := range evaluate(t, p).At(iampolicy.Public) {
		return check.Failed(fmt.Sprintf("%s of the policy allows everybody %s", grant.Statement, strings.Join(grant.Actions, ", ")))
	}
	return check.Passed("the policy does not let everybody in")
}

func noOtherAccounts(t Topic, p iampolicy.Policy) check.Verdict {
	r := evaluate(t, p)
	for _, level := range []iampolicy.Level{iampolicy.CrossAccount, iampolicy.Organization} {
		for _, grant := range r.At(level) {
			return check.Failed(fmt.Sprintf("%s of the policy lets in %s", grant.Statement, strings.Join(grant.Parties, ", ")))
		}
	}
	return check.Passed("the policy names no other account")
}

func servicesScoped(t Topic, p iampolicy.Policy) check.Verdict {
	for _, grant := range evaluate(t, p).At(iampolicy.ServiceUnscoped) {
		return check.Failed(fmt.Sprintf("%s of the policy lets in %s on behalf of any account", grant.Statement, strings.Join(grant.Services, ", ")))
	}
	return check.Passed("the policy lets no AWS service in on behalf of any account")
}

func tlsOnly(t Topic, p iampolicy.Policy) check.Verdict {
	return check.Must(p.RequiresTLS([]string{"sns:Publish"}, []string{t.ARN}),
		"the policy denies publishing over plain HTTP", "the policy does not deny publishing over plain HTTP")
}
