package rig

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/pkg/audit/pipeline"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Estate is all accounts. They look alike but for what their resources are set to.
type Estate struct {
	store   *store.Store
	bill    *meter.Bill
	regions []string
	kinds   []makerOf // all types that the checks look at, in the catalogue's order
	each    int       // resources of an account, but for the settings that every region has

	changed []uint64 // of a thousand resources, before each round; not written while one is under way
}

type makerOf struct {
	maker
	service string
	global  bool
	single  bool // one in each region, or one in all
	place   int  // among those that are not
	count   int  // in an account, of those that are not
}

// global are the services that have one listing for all regions.
func global(service string) bool {
	switch service {
	case "account", "cloudfront", "iam", "organizations", "route53", "s3":
		return true
	}
	return false
}

// single reports whether a type is of settings, of which there is one.
func single(kind string) bool {
	for _, end := range []string{"Settings", "::Account", "RootUser", "PasswordPolicy", "Contacts", "Membership", "RegionTrails", "PublicAccessBlock", "ScanningConfiguration", "RegionTags"} {
		if strings.HasSuffix(kind, end) {
			return true
		}
	}
	return false
}

// few is how many resources of a type an account has at most, unless the type is
// one of which large accounts have very many.
const few = 50

func numerous(kind string) bool {
	switch kind {
	case "AWS::EC2::Volume", "AWS::EC2::Snapshot", "AWS::EC2::NetworkInterface", "AWS::EC2::SecurityGroup", "AWS::Logs::LogGroup",
		"AWS::Lambda::Function", "AWS::SecretsManager::Secret", "AWS::SNS::Topic", "AWS::SNS::Subscription", "AWS::DynamoDB::Table",
		"AWS::KMS::Key", "AWS::RDS::DBSnapshot", "AWS::ECR::Repository", "AWS::ElasticLoadBalancingV2::LoadBalancer":
		return true
	}
	return false
}

// share divides an account's resources over the types: the same number of each,
// but for those of which there are only a few.
func (e *Estate) share() {
	left := max(0, e.each-e.singles())
	for left > 0 {
		given := 0
		for i := range e.kinds {
			k := &e.kinds[i]
			if !k.single && left > 0 && (k.count < few || numerous(k.kind.Name)) {
				k.count++
				left--
				given++
			}
		}
		if given == 0 {
			return // no type takes more; the audit will see fewer, and Verify say so
		}
	}
}

func newEstate(catalog *check.Catalog, checks []check.Check, s *store.Store, bill *meter.Bill, regions, each int) (*Estate, error) {
	e := &Estate{store: s, bill: bill, each: each}
	for i := range regions {
		e.regions = append(e.regions, fmt.Sprintf("eu-west-%d", i+1))
	}
	asked := map[string]bool{} // an audit asks for nothing that none of its checks looks at
	for _, c := range checks {
		asked[c.Kind] = true
		for _, kind := range c.Uses {
			asked[kind] = true
		}
	}
	for _, service := range catalog.Services() {
		for _, kind := range service.Kinds {
			if !asked[kind.Name] {
				continue
			}
			m, err := newMaker(kind)
			if err != nil {
				return nil, err
			}
			e.kinds = append(e.kinds, makerOf{maker: m, service: service.Name, global: global(service.Name), single: single(kind.Name), place: len(e.kinds)})
		}
	}
	e.share()
	return e, nil
}

// specs are the collectors of all services, which make up what they find.
func (e *Estate) specs() map[string]collect.Spec {
	all := map[string]collect.Spec{}
	for _, kind := range e.kinds {
		spec := all[kind.service]
		spec.Service, spec.Global = kind.service, kind.global
		spec.Walks = append(spec.Walks, collect.Walk{Kinds: []string{kind.kind.Name}, Run: func(ctx context.Context, s *collect.Session) error {
			return e.walk(ctx, s, kind)
		}})
		all[kind.service] = spec
	}
	return all
}

// walk emits the resources of one type in one region, as if a listing had found
// them and one call had described each.
func (e *Estate) walk(_ context.Context, s *collect.Session, kind makerOf) error {
	calls := s.Config.ConfigSources[0].(*callsOf)
	calls.record(kind.service, "List")
	for i := range e.in(s.Region, kind) {
		ref := model.Ref{ARN: s.ARN(kind.service, fmt.Sprintf("%s/resource-%06d", kind.kind.Name, i)), Account: s.Account, Region: s.Region, Name: fmt.Sprintf("resource-%06d", i)}
		r, err := kind.make(ref, e.seed(ref))
		if err != nil {
			return err
		}
		// IAM lists and describes at once; of most others each is described.
		if kind.service != "iam" && !kind.single {
			calls.record(kind.service, "Describe")
		}
		s.Emit(r)
	}
	return nil
}

// in is how many resources of a type there are in a region.
func (e *Estate) in(region string, kind makerOf) int {
	switch {
	case kind.single:
		return 1
	case kind.global:
		return kind.count
	}
	n := kind.count / len(e.regions)
	for i, r := range e.regions {
		// The rest is in regions of the type's own.
		if r == region && (i+kind.place)%len(e.regions) < kind.count%len(e.regions) {
			n++
		}
	}
	return n
}

func (e *Estate) singles() int {
	n := 0
	for _, kind := range e.kinds {
		switch {
		case kind.single && kind.global:
			n++
		case kind.single:
			n += len(e.regions)
		}
	}
	return n
}

// Resources is how many resources an audit of one account finds.
func (e *Estate) Resources() int { return max(e.each, e.singles()) }

// seed is what a resource is set to: it follows from its name, and from the last
// round in which it changed.
func (e *Estate) seed(ref model.Ref) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(ref.ARN))
	seed := hash.Sum64()
	origin := seed
	for round, changed := range e.changed {
		if mixed := (origin ^ uint64(round)*0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9; mixed>>32%1000 < changed {
			seed = mixed
		}
	}
	return seed
}

// Open implements pipeline.Accounts. It reads and asks what package connect does:
// the connection, the organization's External ID and the key to it.
func (e *Estate) Open(ctx context.Context, org model.OrganizationID, audit model.Audit, _ policy.Session, calls ledger.Ledger) (pipeline.Account, error) {
	records := e.store.For(org)
	connection, err := records.Connection(ctx, audit.Connection)
	if err != nil {
		return nil, err
	}
	if _, err := records.ExternalIDs(ctx); err != nil {
		return nil, err
	}
	if _, err := records.Verified(ctx, audit.Connection); err != nil {
		return nil, err
	}
	if _, err := records.DataKey(ctx, dataKey); err != nil {
		return nil, err
	}
	e.bill.Add(meter.Keys, 1) // a function that has just started knows no key yet
	e.bill.Add(meter.OwnCalls.Of(Checker), 1)
	opened := &account{estate: e, id: connection.AccountID}
	of := &callsOf{account: opened, to: calls, region: opened.HomeRegion()}
	of.record("sts", "AssumeRole")
	of.record("sts", "GetCallerIdentity")
	return opened, nil
}

// Verify implements pipeline.Accounts. A role that was verified is not tried again; it
// takes one read. It is the published one, whose policies take two pages to find.
func (e *Estate) Verify(ctx context.Context, org model.OrganizationID, audit model.Audit, opened pipeline.Account, calls ledger.Ledger) (pipeline.WayIn, error) {
	if _, err := e.store.For(org).Verified(ctx, audit.Connection); err != nil {
		return pipeline.WayIn{}, err
	}
	a := opened.(*account)
	of := &callsOf{account: a, to: calls, region: a.HomeRegion()}
	of.record("iam", "GetAccountAuthorizationDetails")
	of.record("iam", "GetAccountAuthorizationDetails")
	allowed := model.Permissions{Principal: a.Identity().CallerARN, Version: policy.VersionDate, Needed: len(policy.Operations())}
	return pipeline.WayIn{Permissions: allowed, Trust: &model.Trust{TriedAt: audit.StartedAt}}, nil
}

// dataKey is the record that the key of an organization's External ID belongs to.
const dataKey = "organization"

// account is one that was opened.
type account struct {
	estate *Estate
	id     string

	mu    sync.Mutex
	paced float64 // milliseconds that the slowest region was held back
}

// Identity implements pipeline.Account.
func (a *account) Identity() model.Identity {
	return model.Identity{Account: a.id, Partition: "aws", CallerARN: "arn:aws:sts::" + a.id + ":assumed-role/CloudArqAuditRole/cloudarq"}
}

// Regions implements pipeline.Account.
func (a *account) Regions(_ context.Context, calls ledger.Ledger) (enabled, disabled []string, err error) {
	of := &callsOf{account: a, to: calls, region: a.HomeRegion()}
	of.record("ec2", "DescribeRegions")
	return a.estate.regions, []string{"af-south-1"}, nil
}

// Config implements pipeline.Account. The walks that it is for find the ledger in
// it, where real ones have a client that writes into it.
func (a *account) Config(region string, calls ledger.Ledger) aws.Config {
	return aws.Config{Region: region, ConfigSources: []any{&callsOf{account: a, to: calls, region: region}}}
}

// HomeRegion implements pipeline.Account.
func (a *account) HomeRegion() string { return "us-east-1" }
