package services_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/apigateway"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/ecr"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/eventbridge"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/kms"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/secretsmanager"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
	"github.com/cloudarq/cloudarq/pkg/services/sqs"
)

// The account of the test: everything is in one region, which is the worst case.
const (
	owner = "111122223333"
	home  = "eu-west-1"
)

// population makes the resources of one type in an account of size n. Every second
// one has what the rules look for, and mostly a partner of its own.
type population func(n int) []check.Resource

// populations has each type that rules over the account judge or look at.
func populations(patterns []string) map[string]population {
	all := map[string]population{}
	add := func(p population) { all[p(1)[0].Kind()] = p }

	add(many("sqs", "q", func(i int, r model.Resource) sqs.Queue {
		a := sqs.Attributes{Policy: granting(i)}
		if i%2 == 0 {
			a.DeadLetterQueue = arn("sqs", "q", i/2)
		}
		return sqs.Queue{Resource: r, Attributes: fact.Known(a)}
	}))
	add(many("autoscaling", "group", func(i int, r model.Resource) autoscaling.Group {
		return autoscaling.Group{Resource: r, Detail: fact.Known(autoscaling.GroupDetail{LaunchConfiguration: half(i, name("launch", i))})}
	}))
	add(many("autoscaling", "launch", func(_ int, r model.Resource) autoscaling.LaunchConfiguration {
		return autoscaling.LaunchConfiguration{Resource: r, Detail: fact.Known(autoscaling.LaunchDetail{})}
	}))
	add(many("apigateway", "api", func(i int, r model.Resource) apigateway.RestAPI {
		return apigateway.RestAPI{Resource: r, Detail: fact.Known(apigateway.Detail{ID: name("api", i)})}
	}))
	add(many("apigateway", "domain", func(i int, r model.Resource) apigateway.DomainName {
		return apigateway.DomainName{Resource: r, APIs: fact.Known([]string{half(i, name("api", i))})}
	}))
	add(many("ecr", "repository", func(i int, r model.Resource) ecr.Repository {
		return ecr.Repository{Resource: r, Detail: fact.Known(ecr.Detail{}), Policy: fact.Known(granting(i))}
	}))
	add(inEachRegion("ecr", "registry", func(r model.Resource) ecr.Registry {
		return ecr.Registry{Resource: r, Policy: fact.Known(granting(1)), Scanning: fact.Known(ecr.Scanning{Type: "BASIC", Filters: []string{"prod"}})}
	}))

	add(many("ec2", "i", func(i int, r model.Resource) ec2.Instance {
		return ec2.Instance{Resource: r, Detail: fact.Known(ec2.InstanceDetail{
			State: "running", PublicIPv4: []string{"198.51.100.7"}, Groups: []string{name("sg", i), half(i, name("sg", i+1))},
		})}
	}))
	add(many("ec2", "sg", func(i int, r model.Resource) ec2.SecurityGroup {
		return ec2.SecurityGroup{Resource: r, Idle: fact.Known(false), Interfaces: fact.Known(0), Detail: fact.Known(ec2.GroupDetail{
			Ingress: []ec2.Permission{{Protocol: "tcp", Groups: []string{half(i, name("sg", i+1))}}},
		})}
	}))
	add(many("ec2", "template", func(i int, r model.Resource) ec2.LaunchTemplate {
		return ec2.LaunchTemplate{Resource: r, Versions: fact.Known([]ec2.TemplateVersion{{Groups: []string{half(i, name("sg", i))}}})}
	}))
	add(many("ec2", "vpc", func(_ int, r model.Resource) ec2.VPC {
		return ec2.VPC{Resource: r, Idle: fact.Known(false), Detail: fact.Known(ec2.VPCDetail{})}
	}))
	add(many("ec2", "log", func(i int, r model.Resource) ec2.FlowLog {
		return ec2.FlowLog{Resource: r, Detail: fact.Known(ec2.FlowLogDetail{Of: half(i, name("vpc", i)), Status: "ACTIVE", Traffic: "ACCEPT"})}
	}))
	add(many("ec2", "subnet", func(i int, r model.Resource) ec2.Subnet {
		return ec2.Subnet{Resource: r, Idle: fact.Known(false), Detail: fact.Known(ec2.SubnetDetail{VPC: half(i, name("vpc", i)), Zone: "a"})}
	}))
	add(many("ec2", "endpoint", func(i int, r model.Resource) ec2.Endpoint {
		return ec2.Endpoint{Resource: r, TakesPolicy: fact.Known(true), Detail: fact.Known(ec2.EndpointDetail{VPC: half(i, name("vpc", i)), Service: "com.amazonaws.eu-west-1.s3", State: "available", Policy: granting(i)})}
	}))
	add(many("ec2", "peering", func(_ int, r model.Resource) ec2.Peering {
		return ec2.Peering{Resource: r, Detail: fact.Known(ec2.PeeringDetail{Status: "active", Accepter: ec2.PeeringSide{VPC: "vpc", Ranges: []string{"10.0.0.0/16"}}})}
	}))
	add(many("ec2", "table", func(i int, r model.Resource) ec2.RouteTable {
		return ec2.RouteTable{Resource: r, Detail: fact.Known(ec2.RouteTableDetail{Peerings: []ec2.PeeringRoute{{Peering: half(i, name("peering", i)), Range: "10.0.1.0/24"}}})}
	}))
	add(many("ec2", "snapshot", func(_ int, r model.Resource) ec2.Snapshot {
		return ec2.Snapshot{Resource: r, Detail: fact.Known(ec2.SnapshotDetail{}), Public: fact.Known(true)}
	}))
	add(inEachRegion("ec2", "settings", func(r model.Resource) ec2.RegionSettings {
		return ec2.RegionSettings{
			Resource: r, SnapshotBlock: fact.Known("unblocked"), ImageBlock: fact.Known("unblocked"), EBSEncryption: fact.Known(false), Metadata: fact.Known(ec2.Metadata{}),
		}
	}))

	add(many("rds", "db", func(_ int, r model.Resource) rds.DBInstance { return rds.DBInstance{Resource: r} }))
	add(many("rds", "cluster", func(_ int, r model.Resource) rds.DBCluster { return rds.DBCluster{Resource: r} }))
	add(inEachRegion("rds", "settings", func(r model.Resource) rds.RegionSettings {
		return rds.RegionSettings{Resource: r, Subscriptions: fact.Known([]rds.Subscription(nil))}
	}))
	add(inEachRegion("macie", "settings", func(r model.Resource) macie.RegionSettings {
		return macie.RegionSettings{Resource: r, Status: fact.Known("")}
	}))
	add(inEachRegion("access-analyzer", "settings", func(r model.Resource) accessanalyzer.RegionSettings {
		return accessanalyzer.RegionSettings{Resource: r, Analyzers: fact.Known([]accessanalyzer.Analyzer(nil))}
	}))
	add(inEachRegion("securityhub", "settings", func(r model.Resource) securityhub.RegionSettings {
		return securityhub.RegionSettings{Resource: r, Hub: fact.Known("")}
	}))
	add(inEachRegion("guardduty", "settings", func(r model.Resource) guardduty.RegionSettings {
		return guardduty.RegionSettings{
			Resource: r, Detector: fact.Known(guardduty.Detector{ID: "1", Status: "ENABLED"}),
			Administrator: fact.Known(""), Members: fact.Known(false),
		}
	}))
	add(once("organizations", "membership", func(r model.Resource) organizations.Membership {
		return organizations.Membership{Resource: r, Organization: fact.Known(organizations.Organization{ID: "o-1234567890"})}
	}))
	add(inEachRegion("config", "settings", func(r model.Resource) config.RegionSettings {
		return config.RegionSettings{Resource: r, Recorders: fact.Known([]config.Recorder(nil)), Statuses: fact.Known([]config.Status(nil))}
	}))

	add(many("s3", "bucket", func(i int, r model.Resource) s3.Bucket {
		r.ARN = bucketARN(i)
		return s3.Bucket{
			Resource: r, Policy: fact.Known(strings.Replace(granting(i), "[", `[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},`, 1)), Detail: fact.Known(s3.Detail{}), Ownership: fact.Known(""), PublicAccessBlock: fact.Known(s3.PublicAccessBlock{}),
			PublicGrants: fact.Known([]s3.Grant{{Group: s3.AllUsers, Permission: "FULL_CONTROL"}, {Group: s3.AuthenticatedUsers, Permission: "FULL_CONTROL"}}),
			Encryption:   fact.Known(s3.Encryption{Algorithm: "AES256"}), Lifecycle: fact.Known([]s3.LifecycleRule(nil)),
			LogBucket: fact.Known(""), ObjectLock: fact.Known(s3.ObjectLock{}), Versioning: fact.Known(s3.Versioning{}),
			Replication: fact.Known([]s3.ReplicationRule{{Enabled: true, Destination: half(i, bucketARN(i+1))}}),
		}
	}))
	open := func(i int) fact.Of[string] {
		return fact.Known(strings.Replace(granting(i), "[", `[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},`, 1))
	}
	add(many("s3", "accesspoint", func(i int, r model.Resource) s3.AccessPoint {
		return s3.AccessPoint{Resource: r, PublicAccessBlock: fact.Known(s3.PublicAccessBlock{}), Policy: open(i)}
	}))
	add(many("s3", "mrap", func(i int, r model.Resource) s3.MultiRegionAccessPoint {
		return s3.MultiRegionAccessPoint{
			Resource: r, Detail: fact.Known(s3.AccessPointDetail{State: "READY"}), PublicAccessBlock: fact.Known(s3.PublicAccessBlock{}), Policy: open(i),
		}
	}))
	add(once("s3", "block", func(r model.Resource) s3.AccountPublicAccessBlock {
		return s3.AccountPublicAccessBlock{Resource: r, Settings: fact.Known(s3.PublicAccessBlock{})}
	}))

	add(many("cloudtrail", "trail", func(i int, r model.Resource) cloudtrail.Trail {
		selectors := cloudtrail.Selectors{Basic: []cloudtrail.BasicSelector{{ReadWrite: "All", Management: true}}}
		if i == 0 {
			selectors.Basic[0].Objects = []string{"arn:aws:s3:::bucket-"}
		}
		// All write to one log group: what one of them leads to all do.
		return cloudtrail.Trail{
			Resource: r, Status: fact.Known(cloudtrail.Status{Logging: true}), Selectors: fact.Known(selectors), Detail: fact.Known(cloudtrail.Detail{
				Bucket: half(i, name("bucket", i)), LogGroup: "arn:aws:logs:" + home + ":" + owner + ":log-group:trail:*",
			}),
		}
	}))
	all[cloudtrail.RegionTrails{}.Kind()] = func(n int) []check.Resource {
		var seen []cloudtrail.Sighting
		for i := range n {
			seen = append(seen, cloudtrail.Sighting{ARN: arn("cloudtrail", "trail", i), Home: home, MultiRegion: true})
		}
		return []check.Resource{cloudtrail.RegionTrails{Resource: identity("cloudtrail", "trails", 0), Trails: fact.Known(seen)}}
	}
	add(many("logs", "filter", func(i int, r model.Resource) logs.MetricFilter {
		group := name("nothing", i)
		if i%4 == 1 { // a few of each pattern: reading patterns is what takes longest here
			group = "trail"
		}
		return logs.MetricFilter{Resource: r, Detail: fact.Known(logs.FilterDetail{
			LogGroup: group, Pattern: patterns[i/4%len(patterns)], Metrics: []logs.Metric{{Namespace: "n", Name: name("metric", i)}, {Namespace: "n", Name: "shared"}},
		})}
	}))
	add(many("cloudwatch", "alarm", func(i int, r model.Resource) cloudwatch.Alarm {
		d := cloudwatch.Detail{Enabled: true, Metrics: []cloudwatch.Metric{{Namespace: "n", Name: name("metric", i)}}}
		switch i % 4 {
		case 1:
			d.Actions = []string{arn("sns", "topic", i)}
		case 0:
			d.Rule = `ALARM("` + name("alarm", i+1) + `")`
		case 2:
			d.Metrics = append(d.Metrics, cloudwatch.Metric{Namespace: "n", Name: "shared"})
		}
		return cloudwatch.Alarm{Resource: r, Detail: fact.Known(d)}
	}))
	add(many("sns", "topic", func(i int, r model.Resource) sns.Topic {
		return sns.Topic{Resource: r, Attributes: fact.Known(sns.Attributes{Policy: granting(i)})}
	}))
	add(many("lambda", "function", func(i int, r model.Resource) lambda.Function {
		return lambda.Function{Resource: r, Policy: fact.Known(granting(i)), Aliases: fact.Known([]lambda.Qualified{{Qualifier: "live", Policy: granting(i)}}), Versions: fact.Known([]lambda.Qualified{{Qualifier: "1", Policy: granting(i)}}), Detail: fact.Known(lambda.Detail{
			Runtime: "python3.13", VPC: "vpc", Subnets: []string{name("subnet", i), half(i, name("subnet", i+1))}, Groups: []string{half(i, name("sg", i))},
		})}
	}))
	add(many("events", "event-bus", func(i int, r model.Resource) eventbridge.EventBus {
		return eventbridge.EventBus{Resource: r, Policy: fact.Known(granting(i))}
	}))
	add(many("lambda", "layer", func(i int, r model.Resource) lambda.LayerVersion {
		return lambda.LayerVersion{Resource: r, Policy: fact.Known(granting(i))}
	}))
	add(many("logs", "destination", func(i int, r model.Resource) logs.Destination {
		return logs.Destination{Resource: r, Policy: fact.Known(granting(i))}
	}))
	add(many("dynamodb", "table", func(i int, r model.Resource) dynamodb.Table {
		return dynamodb.Table{Resource: r, Detail: fact.Known(dynamodb.Detail{}), Policy: fact.Known(granting(i)), StreamPolicy: fact.Known(granting(i))}
	}))
	add(many("secretsmanager", "secret", func(i int, r model.Resource) secretsmanager.Secret {
		return secretsmanager.Secret{Resource: r, Policy: fact.Known(granting(i))}
	}))
	add(many("elasticfilesystem", "fs", func(i int, r model.Resource) efs.FileSystem {
		return efs.FileSystem{
			Resource: r, Detail: fact.Known(efs.Detail{State: "available"}), Policy: fact.Known(granting(i)),
			MountTargets: fact.Known([]efs.MountTarget{{Subnet: name("subnet", i), State: "available"}}),
		}
	}))
	add(many("kms", "key", func(i int, r model.Resource) kms.Key {
		return kms.Key{Resource: r, Detail: fact.Known(kms.Detail{Manager: "CUSTOMER", State: "Enabled"}), Policy: fact.Known(granting(i))}
	}))
	all[policyrule.Zone{}.Kind()] = func(n int) []check.Resource {
		var buckets, trusted []string
		var identities []policyrule.OriginAccessIdentity
		for i := range n {
			buckets = append(buckets, name("bucket", i))
			identities = append(identities, policyrule.OriginAccessIdentity{ID: name("E", i), CanonicalUser: name("user", i)})
		}
		for i := range min(n, model.MaxTrustedAccounts) {
			trusted = append(trusted, fmt.Sprintf("%012d", i))
		}
		return []check.Resource{policyrule.Zone{
			Resource: identity("account", "zone", 0), Organization: fact.Known("o-abcde12345"), Buckets: fact.Known(buckets),
			OriginAccessIdentities: fact.Known(identities), Trusted: fact.Known(trusted),
		}}
	}

	add(once("iam", "account", func(r model.Resource) iam.Account { return iam.Account{Resource: r, Users: fact.Known(7)} }))
	add(many("iam", "user", func(i int, r model.Resource) iam.User {
		return iam.User{
			Resource: r, Credentials: fact.Known(iam.Credentials{Password: true}),
			Detail: fact.Known(iam.UserDetail{Groups: []string{half(i, name("group", i))}, Attached: []string{arn("iam", "policy", i)}, Boundary: half(i, arn("iam", "policy", 1))}),
		}
	}))
	add(many("iam", "group", func(i int, r model.Resource) iam.Group {
		return iam.Group{Resource: r, Detail: fact.Known(iam.GroupDetail{Attached: []string{arn("iam", "policy", i)}})}
	}))
	add(many("iam", "role", func(i int, r model.Resource) iam.Role {
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + half(i, arn("iam", "oidc", i)) + `x"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`
		d := iam.RoleDetail{Path: "/", Trust: strings.Replace(trust, `x"}`, `"}`, i%2), Attached: []string{arn("iam", "policy", i)}}
		if i%3 == 0 {
			d.Attached = append(d.Attached, "arn:aws:iam::aws:policy/ReadOnlyAccess")
			d.Trust = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%012d"},"Action":"sts:AssumeRole"},
				{"Effect":"Allow","Principal":{"Service":"scheduler.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"%012d"}}}]}`, 999_000_000_000+i, i)
		}
		return iam.Role{Resource: r, Detail: fact.Known(d)}
	}))
	add(many("iam", "policy", func(i int, r model.Resource) iam.Policy {
		document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
		if i%3 == 0 {
			document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		}
		d := iam.PolicyDetail{Attachments: 3, Document: document}
		if i == 0 { // one of AWS's, that allows everything
			d.AWS, d.Document = true, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		}
		return iam.Policy{Resource: r, Detail: fact.Known(d)}
	}))
	add(many("iam", "user", func(_ int, r model.Resource) iam.InlinePolicy {
		r.Name, r.Sub = "own", "policy/own"
		return iam.InlinePolicy{Resource: r, Detail: fact.Known(iam.InlinePolicyDetail{Document: anybody})}
	}))
	add(many("iam", "oidc", func(_ int, r model.Resource) iam.OIDCProvider {
		return iam.OIDCProvider{Resource: r, Detail: fact.Known(iam.OIDCProviderDetail{})}
	}))
	all[iam.SAMLProvider{}.Kind()] = func(int) []check.Resource { return nil } // the rule asks only whether there is one
	return all
}

// granting is a policy that asks of all that a zone of trust has.
func granting(i int) string {
	account := i % model.MaxTrustedAccounts
	if i%4 == 3 {
		account += 999_000_000_000
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::%s"}}},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity %s"},"Action":"*","Resource":"*"},
		{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcde12345"}}},
		{"Effect":"Allow","Principal":{"AWS":"%012d"},"Action":"*","Resource":"*"}]}`, name("bucket", i), name("E", i), account)
}

const anybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`

func name(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }

func arn(service, kind string, i int) string {
	return "arn:aws:" + service + ":" + home + ":" + owner + ":" + name(kind, i)
}

func bucketARN(i int) string { return "arn:aws:s3:::" + name("bucket", i) }

// half is the text for every second resource, and one that fits nothing for the
// others.
func half(i int, text string) string {
	if i%2 == 0 {
		return name("nothing", i)
	}
	return text
}

func identity(service, kind string, i int) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn(service, kind, i), Account: owner, Region: home, Name: name(kind, i)}}
}

func many[R check.Resource](service, kind string, one func(i int, r model.Resource) R) population {
	return func(n int) []check.Resource {
		var all []check.Resource
		for i := range n {
			all = append(all, one(i, identity(service, kind, i)))
		}
		return all
	}
}

// inEachRegion is for types of which a region has one resource, in an account of
// any size.
func inEachRegion[R check.Resource](service, kind string, one func(r model.Resource) R) population {
	return func(int) []check.Resource {
		var all []check.Resource
		for i := range 20 {
			r := identity(service, kind, i)
			if i > 0 {
				r.Region = name("region", i)
			}
			all = append(all, one(r))
		}
		return all
	}
}

// once is for types of which an account has one resource.
func once[R check.Resource](service, kind string, one func(r model.Resource) R) population {
	return func(int) []check.Resource { return []check.Resource{one(identity(service, kind, 0))} }
}

// effort is what a rule took over all of its resources.
type effort struct{ cost, bytes int }

// TestLinear: ten times as many resources of each type are ten times the work and
// the evidence. A rule that walks all pairs takes a hundred times. It counts facts
// read and resources handed out, since time depends on the machine.
func TestLinear(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	texts, err := catalog.Texts()
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, c := range catalog.Checks() {
		if _, pattern, ok := strings.Cut(texts[c.ID].Remediation.CLI, "--filter-pattern '"); ok {
			pattern, _, _ = strings.Cut(pattern, "'")
			patterns = append(patterns, pattern)
		}
	}
	if len(patterns) == 0 {
		t.Fatal("no check tells the pattern of its metric filter")
	}
	of := populations(patterns)
	// The first step finds what the second would take minutes to find.
	small := measure(t, catalog, of, 100)
	for _, n := range []int{1_000, 10_000} {
		large := measure(t, catalog, of, n)
		for id, s := range small {
			l := large[id]
			if l.cost > 12*s.cost {
				t.Errorf("%s reads %d facts and resources in an account of %d, and %d in one of %d; ask a check.Index", id, s.cost, n/10, l.cost, n)
			}
			if l.bytes > 12*s.bytes {
				t.Errorf("%s keeps %d bytes of evidence in an account of %d, and %d in one of %d", id, s.bytes, n/10, l.bytes, n)
			}
		}
		if t.Failed() {
			return
		}
		small = large
	}
	if len(small) < 40 {
		t.Errorf("%d rules look at the account; did they lose check.Using?", len(small))
	}
}

// measure judges an account of size n by all rules that look at more than one
// resource.
func measure(t *testing.T, catalog *check.Catalog, of map[string]population, n int) map[model.CheckID]effort {
	t.Helper()
	var kinds []string
	for _, c := range catalog.Checks() {
		if c.NeedsAccount() {
			kinds = append(append(kinds, c.Kind), c.Uses...)
		}
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	world := check.NewWorld(kinds...)
	for _, kind := range kinds {
		if of[kind] == nil {
			t.Fatalf("a rule looks at %s: say in populations how to make many", kind)
		}
		for _, r := range of[kind](n) {
			world.Add(checktest.Settled(r))
		}
	}
	judge := check.NewJudge(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), world)
	efforts := map[model.CheckID]effort{}
	for _, c := range catalog.Checks() {
		if !c.NeedsAccount() {
			continue
		}
		var sum effort
		seen := map[string]bool{}
		statuses := map[check.Status]int{}
		for _, r := range world.Resources(c.Kind) {
			verdict := judge.Judge(c.Rule, r)
			statuses[verdict.Status]++
			exhibits := judge.Evidence().Exhibits(r)
			for _, x := range exhibits {
				seen[x.Kind] = true
			}
			v, err := evidence.Apart(c.ID, verdict, exhibits)
			if err != nil {
				t.Fatal(err)
			}
			bytes := 0
			for _, x := range v.Others {
				bytes += len(x.Content)
			}
			if bytes > check.MaxEvidence || len(v.Others) > check.MaxExhibits || len(v.Reason) > check.MaxReason {
				t.Fatalf("%s: %d exhibits of %d bytes, and a reason of %d", c.ID, len(v.Others), bytes, len(v.Reason))
			}
			sum.cost += judge.Evidence().Cost()
			sum.bytes += bytes
		}
		for _, kind := range c.Uses {
			if !seen[kind] {
				t.Errorf("%s never comes to look at %s: let populations lead it there; %v", c.ID, kind, statuses)
			}
		}
		efforts[c.ID] = sum
	}
	return efforts
}
