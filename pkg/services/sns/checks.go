package sns

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("sns-topic-encrypted-with-kms", model.Medium, encrypted),
		check.For("sns-topic-delivery-logged", model.Low, deliveryLogged),
		check.For("sns-topic-not-public", model.High, policies().Asking(policyrule.NotPublic)),
		check.Across("sns-topic-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.For("sns-topic-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)),
		check.For("sns-topic-tls-only", model.Low, policies().RequiringTLS("sns:Publish")),
		check.For("sns-subscription-no-plain-http", model.High, noPlainHTTP),
	}
}

func encrypted(e *check.Evidence, t Topic) check.Verdict {
	key := check.Read(e, t.Attributes).Key
	return check.Must(key != "", "messages are encrypted with "+key, "messages are not encrypted with a KMS key")
}

func deliveryLogged(e *check.Evidence, t Topic) check.Verdict {
	logged := check.Read(e, t.Attributes).Logged
	return check.Must(len(logged) > 0, "deliveries are logged for "+check.List(logged), "no deliveries are logged")
}

func noPlainHTTP(e *check.Evidence, s Subscription) check.Verdict {
	protocol := check.Read(e, s.Detail).Protocol
	return check.Must(protocol != "http", "messages are delivered by "+protocol, "messages are delivered over plain HTTP")
}

func policies() policyrule.Source[Topic] {
	return policyrule.Source[Topic]{
		Operation: "sns:GetTopicAttributes",
		Policy:    func(e *check.Evidence, t Topic) string { return check.Read(e, t.Attributes).Policy },
	}
}
