// Package acm knows AWS Certificate Manager: its certificates, and what is right
// of them.
package acm

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/check"
	"github.com/cloudarq/cloudarq/pkg/fact"
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
	// Issuance is asked only of certificates in force that ACM issued.
	Issuance fact.Of[Issuance] `json:"issuance"`
}

// Kind implements check.Resource.
func (Certificate) Kind() string { return "AWS::CertificateManager::Certificate" }

// Detail is what ListCertificates tells. The words are AWS's.
type Detail struct {
	Status       string     `json:"status"` // ISSUED, PENDING_VALIDATION, EXPIRED…
	Type         string     `json:"type"`   // AMAZON_ISSUED, PRIVATE or IMPORTED
	Names        []string   `json:"names"`  // the first hundred
	KeyAlgorithm string     `json:"key_algorithm"`
	InUse        bool       `json:"in_use"`
	Until        *time.Time `json:"until,omitempty"`   // absent before it is issued
	Renewal      string     `json:"renewal,omitempty"` // ELIGIBLE or INELIGIBLE
}

// Issued reports whether ACM issued the certificate and it is in force.
func (d Detail) Issued() bool { return d.Type != "IMPORTED" && d.Status == "ISSUED" }

// Issuance is what DescribeCertificate adds.
type Issuance struct {
	Transparency  string `json:"transparency,omitempty"`   // ENABLED or DISABLED
	RenewalStatus string `json:"renewal_status,omitempty"` // PENDING_VALIDATION, FAILED…; empty before the first renewal
}
