// Package sns knows Amazon Simple Notification Service: topics and the
// subscriptions to them, and what is right of both.
package sns

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of SNS.
func Service() check.Service {
	return check.Service{
		Name:  "sns",
		Title: "Amazon Simple Notification Service",
		Kinds: []check.Kind{
			check.KindOf[Topic]().Stateless("topics are there or are not"),
			check.KindOf[Subscription]().Stateless("subscriptions are there or are not, or wait for their confirmation"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Topic is an SNS topic.
type Topic struct {
	model.Resource
	Attributes fact.Of[Attributes] `json:"attributes"`
}

// Kind implements check.Resource.
func (Topic) Kind() string { return "AWS::SNS::Topic" }

// Attributes is what GetTopicAttributes tells.
type Attributes struct {
	Policy string `json:"policy"`        // a JSON document; every topic has one
	Key    string `json:"key,omitempty"` // of KMS; empty for a topic that is not encrypted with one
	// Confirmed is the number of confirmed subscriptions, those of other
	// accounts included.
	Confirmed int `json:"confirmed"`
	// Logged names the protocols whose deliveries are logged: HTTP, SQS, Lambda…
	Logged []string `json:"logged,omitempty"`
}

// Subscription is a confirmed subscription of the account's, to a topic of any
// account. The endpoint is not kept: it may be somebody's address.
type Subscription struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
}

// Kind implements check.Resource.
func (Subscription) Kind() string { return "AWS::SNS::Subscription" }

// Detail is what the listing tells.
type Detail struct {
	Protocol string `json:"protocol"` // http, https, email, sqs, lambda…
}
