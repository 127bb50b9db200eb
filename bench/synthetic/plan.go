package synthetic

import (
	"maps"
	"slices"
	"strings"
)

// Plan is how many resources of each type an account has.
type Plan map[string]int

// million are the numbers of an account of a million resources for the types of which
// large accounts have had too many before.
var million = Plan{
	"AWS::IAM::Role": 5_000, "AWS::SNS::Topic": 25_000, "AWS::SQS::Queue": 10_000, "AWS::CloudWatch::Alarm": 5_000, "AWS::Lambda::Function": 100_000,
	// What AWS allows, or collectors read, no more of.
	"AWS::SNS::Subscription": 20_000, "AWS::IAM::User": 5_000, "AWS::IAM::Group": 300, "AWS::IAM::ManagedPolicy": 1_500, "AWS::S3::Bucket": 2_000,
	"AWS::IAM::OIDCProvider": 100, "AWS::IAM::SAMLProvider": 100, "AWS::IAM::ServerCertificate": 20, "AWS::Route53::HostedZone": 500,
	"AWS::Logs::ResourcePolicy": 20, "AWS::Logs::MetricFilter": 1_000, "AWS::EC2::FlowLog": 1_000,
	"AWS::EC2::Subnet": 20_000, // functions name the first of them
}

// numerous are the types that take what is left. Most are listed without a call for
// each.
var numerous = []string{
	"AWS::EC2::Volume", "AWS::EC2::Snapshot", "AWS::EC2::NetworkInterface", "AWS::EC2::SecurityGroup", "AWS::Logs::LogGroup",
	"AWS::RDS::DBSnapshot", "AWS::SecretsManager::Secret", "AWS::ResourceGroupsTagging::TaggedResource", "AWS::KMS::Key",
}

// few is how many there are of each other type, in a million.
const few = 1_000

// PlanOf shares a number of resources out over all types, as an account of a million
// has them.
func PlanOf(total int) Plan {
	share := func(of int) int { return max(1, of*total/1_000_000) }
	plan := Plan{}
	used := 0
	for _, kind := range Kinds() {
		n, known := million[kind]
		switch {
		case slices.Contains(numerous, kind):
			continue
		case !known:
			n = few
		}
		plan[kind] = share(n)
		used += plan[kind]
		switch kind {
		case "AWS::ECS::Cluster":
			used += plan[kind] * servicesEach
		case "AWS::ApiGateway::RestApi":
			used += plan[kind]
		case "AWS::IAM::Role":
			used += plan[kind] / inlineEvery
		case "AWS::IAM::User":
			used += plan[kind]
		}
	}
	left := max(0, total-used)
	for i, kind := range numerous {
		plan[kind] = left / len(numerous)
		if i < left%len(numerous) {
			plan[kind]++
		}
	}
	return plan
}

// Kinds are the types that are listed, sorted: those of which an account may have any
// number.
func Kinds() []string {
	kinds := map[string]bool{"AWS::IAM::User": true, "AWS::IAM::Group": true, "AWS::IAM::Role": true, "AWS::IAM::ManagedPolicy": true, "AWS::EC2::Instance": true}
	for _, op := range operations() {
		if op.kind != "" {
			kinds[op.kind] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

// global says whether a type has one listing for all regions.
func global(kind string) bool {
	for _, service := range []string{"AWS::IAM::", "AWS::S3::", "AWS::CloudFront::", "AWS::Route53::"} {
		if strings.HasPrefix(kind, service) {
			return true
		}
	}
	return false
}
