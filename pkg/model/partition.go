package model

import (
	"slices"
	"strings"
)

// Partition is a part of AWS that is apart from the others: accounts, ARNs and consoles
// of its own.
type Partition struct {
	Name    string   // "aws-us-gov", as ARNs have it
	Regions []string // what the names of its regions begin with; none for what the others leave
	Home    string   // the region of its global services
	Console string   // host of its console; empty where none is on the internet
	Domains []string // what the names of its endpoints end with
}

// partitions are all of AWS's, as of 2026-11-30. A test holds them to those of the SDK.
// https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
// https://docs.aws.eu/esc/latest/userguide/introduction.html (the European Sovereign Cloud)
var partitions = []Partition{
	{Name: "aws-cn", Regions: []string{"cn-"}, Home: "cn-north-1", Console: "console.amazonaws.cn", Domains: []string{".amazonaws.com.cn", ".api.amazonwebservices.com.cn"}},
	{Name: "aws-eusc", Regions: []string{"eusc-"}, Home: "eusc-de-east-1", Console: "console.amazonaws-eusc.eu", Domains: []string{".amazonaws.eu", ".api.amazonwebservices.eu"}},
	{Name: "aws-iso", Regions: []string{"us-iso-"}, Home: "us-iso-east-1", Domains: []string{".c2s.ic.gov", ".api.aws.ic.gov"}},
	{Name: "aws-iso-b", Regions: []string{"us-isob-"}, Home: "us-isob-east-1", Domains: []string{".sc2s.sgov.gov", ".api.aws.scloud"}},
	{Name: "aws-iso-e", Regions: []string{"eu-isoe-"}, Home: "eu-isoe-west-1", Domains: []string{".cloud.adc-e.uk", ".api.cloud-aws.adc-e.uk"}},
	{Name: "aws-iso-f", Regions: []string{"us-isof-"}, Home: "us-isof-south-1", Domains: []string{".csp.hci.ic.gov", ".api.aws.hci.ic.gov"}},
	{Name: "aws-us-gov", Regions: []string{"us-gov-"}, Home: "us-gov-west-1", Console: "console.amazonaws-us-gov.com", Domains: []string{".amazonaws.com", ".api.aws"}},
	{Name: "aws", Home: "us-east-1", Console: "console.aws.amazon.com", Domains: []string{".amazonaws.com", ".api.aws", ".signin.aws.amazon.com"}},
}

// Partitions are all that AWS has.
func Partitions() []Partition { return slices.Clone(partitions) }

// PartitionNamed finds a partition by its name in ARNs.
func PartitionNamed(name string) (Partition, bool) {
	at := slices.IndexFunc(partitions, func(p Partition) bool { return p.Name == name })
	if at < 0 {
		return Partition{}, false
	}
	return partitions[at], true
}

// PartitionOf is the partition of a region.
func PartitionOf(region string) Partition {
	for _, p := range partitions {
		if slices.ContainsFunc(p.Regions, func(beginning string) bool { return strings.HasPrefix(region, beginning) }) {
			return p
		}
	}
	return partitions[len(partitions)-1]
}
