// Package acm knows AWS Certificate Manager: its certificates, and what is right
// of them.
package acm

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of ACM.
func Service() check.Service {
	return check.Service{
		Name:  "acm",
		Title: "AWS Certificate Manager",
		Kinds: []check.Kind{check.KindOf[Certificate]()},
		Rules: rules(),
		Texts: texts,
	}
}

// Certificate is a certificate that ACM issued or was given.
type Certificate struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// RenewalStatus is how the last renewal went: SUCCESS, PENDING_VALIDATION,
	// FAILED…; empty before the first. It is asked only of certificates that ACM
	// renews.
	RenewalStatus fact.Of[string] `json:"renewal_status"`
}

// Kind implements check.Resource.
func (Certificate) Kind() string { return "AWS::CertificateManager::Certificate" }

// Detail is what ListCertificates tells. The words are AWS's.
type Detail struct {
	Status       string     `json:"status"`        // ISSUED, PENDING_VALIDATION, EXPIRED…
	Type         string     `json:"type"`          // AMAZON_ISSUED, PRIVATE or IMPORTED
	Names        []string   `json:"names"`         // the first hundred
	KeyAlgorithm string     `json:"key_algorithm"` // with underscores: RSA_2048, EC_prime256v1
	InUse        bool       `json:"in_use"`
	Until        *time.Time `json:"until,omitempty"`   // absent before it is issued
	Renewal      string     `json:"renewal,omitempty"` // ELIGIBLE or INELIGIBLE
}

// Renewable reports whether ACM renews the certificate: it issued it, and
// something uses it.
// https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
func (d Detail) Renewable() bool {
	return d.Type != "IMPORTED" && d.Status == "ISSUED" && d.InUse && d.Renewal != "INELIGIBLE"
}
