// Package route53 knows Amazon Route 53: its hosted zones, and what is right of
// them.
package route53

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Route 53.
func Service() check.Service {
	return check.Service{
		Name:  "route53",
		Title: "Amazon Route 53",
		Kinds: []check.Kind{check.KindOf[HostedZone]().Stateless("hosted zones are there or are not")},
		Rules: rules(),
		Texts: texts,
	}
}

// HostedZone is a zone that Route 53 answers for.
type HostedZone struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// QueryLogs are the log groups that get the queries of a public zone.
	QueryLogs fact.Of[[]string] `json:"query_logs"`
	// Signing is the state of DNSSEC of a public zone: SIGNING, NOT_SIGNING,
	// ACTION_NEEDED…
	Signing fact.Of[string] `json:"signing"`
}

// Kind implements check.Resource.
func (HostedZone) Kind() string { return "AWS::Route53::HostedZone" }

// Detail is what ListHostedZones tells.
type Detail struct {
	Private   bool   `json:"private"`              // answers in VPCs only
	CreatedBy string `json:"created_by,omitempty"` // the AWS service that runs the zone, such as servicediscovery.amazonaws.com
}
