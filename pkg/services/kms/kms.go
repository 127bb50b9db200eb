// Package kms knows AWS Key Management Service: its keys, and what is right of
// them.
package kms

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of KMS.
func Service() check.Service {
	return check.Service{
		Name:  "kms",
		Title: "AWS Key Management Service",
		Kinds: []check.Kind{check.KindOf[Key]()},
		Rules: rules(),
		Texts: texts,
	}
}

// Key is a KMS key, of the customer or managed by AWS.
type Key struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// Rotation is whether automatic rotation is on. It is asked only of keys
	// that can rotate.
	Rotation fact.Of[bool] `json:"rotation"`
	// Policy is the key policy, a JSON document. It is asked only of customer
	// managed keys: AWS writes the policies of its own.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (Key) Kind() string { return "AWS::KMS::Key" }

// Detail is what DescribeKey tells. The words are AWS's.
type Detail struct {
	Manager     string     `json:"manager"` // AWS or CUSTOMER
	State       string     `json:"state"`   // Enabled, Disabled, PendingDeletion…
	Spec        string     `json:"spec"`    // SYMMETRIC_DEFAULT, RSA_2048…
	Origin      string     `json:"origin"`  // AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE
	MultiRegion bool       `json:"multi_region"`
	Deletion    *time.Time `json:"deletion,omitempty"` // when a key pending deletion will go
}

// Customer reports whether the account manages the key itself.
func (d Detail) Customer() bool { return d.Manager == "CUSTOMER" }

// Rotates reports whether KMS can rotate the key by itself: symmetric keys of
// the customer whose material KMS made.
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
func (d Detail) Rotates() bool {
	return d.Customer() && d.Spec == "SYMMETRIC_DEFAULT" && d.Origin == "AWS_KMS"
}
