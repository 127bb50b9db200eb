// Package eventbridge knows Amazon EventBridge.
package eventbridge

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Amazon EventBridge.
func Service() check.Service {
	return check.Service{
		Name:  "eventbridge",
		Title: "Amazon EventBridge",
		Kinds: []check.Kind{check.KindOf[EventBus]().Stateless("event buses are there or are not")},
		Rules: rules(),
		Texts: texts,
	}
}

// EventBus is an event bus: the default one of a region, one of the account's own, or one
// that a partner's events come by.
type EventBus struct {
	model.Resource
	// Policy says who else may put events on the bus and make rules of it, a JSON document;
	// empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (EventBus) Kind() string { return "AWS::Events::EventBus" }
