// Package secretsmanager knows AWS Secrets Manager: its secrets, and what is
// right of them. Their values are never read.
package secretsmanager

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Secrets Manager.
func Service() check.Service {
	return check.Service{
		Name:  "secretsmanager",
		Title: "AWS Secrets Manager",
		Kinds: []check.Kind{check.KindOf[Secret]().Stateless("the listing leaves out secrets that are planned to be deleted")},
		Rules: rules(),
		Texts: texts,
	}
}

// Secret is a secret without its value.
type Secret struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// Policy is the resource policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (Secret) Kind() string { return "AWS::SecretsManager::Secret" }

// Manager implements check.Managed.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
func (s Secret) Manager(e *check.Evidence) string { return check.Read(e, s.Detail).OwningService }

// Detail is what ListSecrets tells.
type Detail struct {
	KMSKey string `json:"kms_key,omitempty"` // id or ARN; empty for the AWS managed key
	// OwningService made the secret for itself and looks after it ("rds"); empty
	// for those of the customer.
	OwningService string `json:"owning_service,omitempty"`
	// PrimaryRegion is set for a secret that is replicated; elsewhere the secret
	// is a replica.
	PrimaryRegion string     `json:"primary_region,omitempty"`
	Created       time.Time  `json:"created"`
	Changed       *time.Time `json:"changed,omitempty"`  // in any way, its tags included
	Accessed      *time.Time `json:"accessed,omitempty"` // a day; nil when never
	Rotation      Rotation   `json:"rotation"`
}

// Rotation is how a secret is renewed.
type Rotation struct {
	Enabled bool `json:"enabled"`
	// Days between rotations, which AWS reckons from the schedule, whatever its
	// form.
	Days int64      `json:"days,omitempty"`
	Last *time.Time `json:"last,omitempty"`
	Next *time.Time `json:"next,omitempty"` // in the past when rotation fails
}
