// Package dynamodb knows Amazon DynamoDB: its tables, and what is right of them.
package dynamodb

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of DynamoDB.
func Service() check.Service {
	return check.Service{
		Name:  "dynamodb",
		Title: "Amazon DynamoDB",
		Kinds: []check.Kind{check.KindOf[Table]()},
		Rules: rules(),
		Texts: texts,
	}
}

// Table is a DynamoDB table.
type Table struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// PointInTimeRecovery is whether the table can be restored to any second.
	PointInTimeRecovery fact.Of[bool] `json:"point_in_time_recovery"`
	// Policy is the table's policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
	// StreamPolicy is the policy of the table's stream, which tells all changes of items;
	// empty when there is none.
	StreamPolicy fact.Of[string] `json:"stream_policy"`
}

// Kind implements check.Resource.
func (Table) Kind() string { return "AWS::DynamoDB::Table" }

// Detail is what DescribeTable tells.
type Detail struct {
	State     string `json:"state"`               // AWS's word
	Protected *bool  `json:"protected,omitempty"` // from deletion; nil where AWS does not tell
	KMSKey    string `json:"kms_key,omitempty"`   // ARN; empty for a key that DynamoDB owns
}
