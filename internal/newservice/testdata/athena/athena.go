// Package athena knows Amazon Athena.
package athena

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Amazon Athena.
func Service() check.Service {
	return check.Service{
		Name:  "athena",
		Title: "Amazon Athena",
		Kinds: []check.Kind{check.KindOf[WorkGroup]()},
		Rules: rules(),
		Texts: texts,
	}
}

// WorkGroup is a work group.
type WorkGroup struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
}

// Kind implements check.Resource.
func (WorkGroup) Kind() string { return "AWS::Athena::WorkGroup" }

// State implements check.Stateful.
func (x WorkGroup) State(e *check.Evidence) string { return check.Read(e, x.Detail).State }

// Lifecycle implements check.Stateful. The words are the SDK's.
func (WorkGroup) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the work group", Judged: []string{"ENABLED", "DISABLED"}}
}

// detail is what the rules decide on.
var detail = check.On(func(x WorkGroup) fact.Of[Detail] { return x.Detail })

// Detail is what GetWorkGroup tells.
type Detail struct {
	State string `json:"state"`
	// Encryption is SSE_S3, SSE_KMS or CSE_KMS, or MANAGED where Athena itself keeps the
	// results; empty if none is set.
	Encryption string `json:"encryption"`
	Enforced   bool   `json:"enforced"` // clients cannot choose settings of their own
	Spark      bool   `json:"spark"`
}
