package model

import (
	"fmt"
	"strings"
)

// Ref identifies a resource: its ARN, or a synthetic ARN where AWS gives none,
// and for a part of a resource that is judged by itself the part's name.
type Ref struct {
	ARN     string `json:"arn"`
	Sub     string `json:"sub,omitempty"` // "access-key/AKIA…"; empty for a whole resource
	Account string `json:"account"`       // 12 digits
	Region  string `json:"region"`        // "global" for services without regions
	Name    string `json:"name,omitempty"`
}

// Global is the region of resources that belong to no region.
const Global = "global"

// Resource is embedded by every resource type of the services.
type Resource struct {
	Ref
}

// Reference is the resource's identity; with Kind it makes a type a resource
// that checks can judge.
func (r Resource) Reference() Ref { return r.Ref }

// Partition is the ARN's partition: "aws", "aws-cn", "aws-us-gov"….
func (r Ref) Partition() string {
	parts := strings.SplitN(r.ARN, ":", 3)
	if len(parts) == 3 && parts[0] == "arn" {
		return parts[1]
	}
	return "aws"
}

// String is the ARN, followed by the part's name where there is one.
func (r Ref) String() string {
	if r.Sub == "" {
		return r.ARN
	}
	return r.ARN + "#" + r.Sub
}

// Everything is the reference for what a verdict says of all resources of one
// service in one region, where no single resource could be named: the listing
// was denied, or nothing exists.
func Everything(partition, service, account, region string) Ref {
	arnRegion := region
	if region == Global {
		arnRegion = ""
	}
	return Ref{
		ARN:     fmt.Sprintf("arn:%s:%s:%s:%s:*", partition, service, arnRegion, account),
		Account: account,
		Region:  region,
	}
}
