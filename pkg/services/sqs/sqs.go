// Package sqs knows Amazon Simple Queue Service: its queues, and what is right
// of them.
package sqs

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of SQS.
func Service() check.Service {
	return check.Service{
		Name:  "sqs",
		Title: "Amazon Simple Queue Service",
		Kinds: []check.Kind{check.KindOf[Queue]().Stateless("queues are there or are not")},
		Rules: rules(),
		Texts: texts,
	}
}

// Queue is an SQS queue.
type Queue struct {
	model.Resource
	Attributes fact.Of[Attributes] `json:"attributes"`
}

// Kind implements check.Resource.
func (Queue) Kind() string { return "AWS::SQS::Queue" }

// Attributes is what GetQueueAttributes tells.
type Attributes struct {
	ManagedSSE bool   `json:"managed_sse"`       // encrypted under a key that SQS owns
	KMSKey     string `json:"kms_key,omitempty"` // id, ARN or alias; empty without SSE-KMS
	Policy     string `json:"policy,omitempty"`  // a JSON document; empty when there is none
	// DeadLetterQueue is the ARN of the queue that takes what cannot be processed;
	// empty without a redrive policy.
	DeadLetterQueue string `json:"dead_letter_queue,omitempty"`
}
