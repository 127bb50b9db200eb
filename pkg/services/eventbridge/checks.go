package eventbridge

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("eventbridge-bus-not-public", model.High, policies().Asking(policyrule.NotPublic)),
		check.Across("eventbridge-bus-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
	}
}

func policies() policyrule.Source[EventBus] {
	return policyrule.Source[EventBus]{
		Operation: "events:ListEventBuses",
		Policy:    func(e *check.Evidence, b EventBus) string { return check.Read(e, b.Policy) },
	}
}
