package sns

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("sns-topic-encrypted-with-kms", model.Medium, topics.Asks(encrypted)),
		check.For("sns-topic-delivery-logged", model.Low, topics.Asks(deliveryLogged)),
		check.For("sns-topic-not-public", model.High, policies().Asking(policyrule.NotPublic)),
		check.Across("sns-topic-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.For("sns-topic-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)),
		check.For("sns-topic-tls-only", model.Low, policies().RequiringTLS("sns:Publish")),
		check.For("sns-subscription-no-plain-http", model.High, noPlainHTTP),
	}
}

var topics = check.On(func(t Topic) fact.Of[Attributes] { return t.Attributes })

func encrypted(a Attributes) check.Verdict {
	return check.Must(a.Key != "", "messages are encrypted with "+a.Key, "messages are not encrypted with a KMS key")
}

func deliveryLogged(a Attributes) check.Verdict {
	return check.Must(len(a.Logged) > 0, "deliveries are logged for "+check.List(a.Logged), "no deliveries are logged")
}

func noPlainHTTP(e *check.Evidence, s Subscription) check.Verdict {
	// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html, 29 November 2026.
	switch protocol := check.Read(e, s.Detail).Protocol; protocol {
	case "http":
		return check.Failed("messages are delivered over plain HTTP")
	case "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose":
		return check.Passed("messages are delivered by " + protocol)
	default:
		return check.Unfamiliar("protocol", protocol)
	}
}

func policies() policyrule.Source[Topic] {
	return policyrule.Source[Topic]{
		Operation: "sns:GetTopicAttributes",
		Policy:    func(e *check.Evidence, t Topic) string { return check.Read(e, t.Attributes).Policy },
	}
}
