// Package policytest has the cases that the rules over resource policies of
// every service share. A service adds those of its own.
package policytest

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// Zone is the zone of trust of account 111122223333 as it was read: it is in
// organization o-abcde12345, has the bucket own-bucket and the origin access identity
// EOWN, and trusts account 777788889999.
func Zone() policyrule.Zone {
	return policyrule.Zone{
		Resource:     model.Resource{Ref: model.Ref{ARN: "arn:aws:account::111122223333:zone", Account: "111122223333", Region: model.Global, Name: "111122223333"}},
		Organization: fact.Known("o-abcde12345"),
		Buckets:      fact.Known([]string{"own-bucket"}),
		OriginAccessIdentities: fact.Known([]policyrule.OriginAccessIdentity{
			{ID: "EOWN", CanonicalUser: "00ab79"},
		}),
		Trusted: fact.Known([]string{"777788889999"}),
	}
}

// Zones declares the type for the catalogue of a test; the service that really has it is
// another one's affair.
func Zones() check.Service {
	return check.Service{Name: "zone", Title: "zone of trust", Kinds: []check.Kind{check.KindOf[policyrule.Zone]().Stateless("a setting of the audit")}}
}

// Blind is the zone without what the change takes away.
func Blind(change func(*policyrule.Zone)) policyrule.Zone {
	z := Zone()
	change(&z)
	return z
}

// InZone gives the cases with the zone beside the resource, where they have none.
func InZone(cases []checktest.Case) []checktest.Case {
	for i := range cases {
		if !slices.ContainsFunc(cases[i].Others, func(r check.Resource) bool { return r.Kind() == (policyrule.Zone{}).Kind() }) {
			cases[i].Others = append(slices.Clone(cases[i].Others), Zone())
		}
	}
	return cases
}

// Names are cases for whether others are let in: policies that name buckets and origin
// access identities, of the owner and of others. with makes a resource with the
// statement as its policy.
func Names(action string, with func(statement string) check.Resource) []checktest.Case {
	bucket := func(name string) check.Resource {
		return with(`{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "` + action + `", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::` + name + `"}}}`)
	}
	identity := func(id string) check.Resource {
		return with(`{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ` + id + `"}, "Action": "` + action + `", "Resource": "*"}`)
	}
	return InZone([]checktest.Case{
		{Name: "a bucket of the owner", Resource: bucket("own-bucket"), Want: check.Pass},
		{Name: "another's bucket", Resource: bucket("strange-bucket"), Want: check.Fail},
		{Name: "an origin access identity of the owner", Resource: identity("EOWN"), Want: check.Pass},
		{Name: "another's origin access identity", Resource: identity("ESTRANGE"), Want: check.Fail},
	})
}

// Subject is a type of resource that has a policy, in account 111122223333 as
// checktest.Ref makes it.
type Subject struct {
	// The checks that ask the three questions; empty where the service has none.
	NotPublic, NoOtherAccounts, ServicesScoped model.CheckID

	// NetworksElsewhere says that another check of the service judges who comes by a network.
	NetworksElsewhere bool

	Action   string // that the policies allow: "sqs:SendMessage"
	Resource string // that they name; empty where policies of the service name none
	// Service is an AWS service that policies let in, and Scope the condition by
	// which it acts for this account only, as the service's console writes it.
	Service, Scope string

	// With is the resource with a policy, a JSON document or "" for none.
	With func(policy string) check.Resource
	// Denied is the resource whose policy could not be read.
	Denied check.Resource
}

// Statement is a policy of one statement that allows the subject's action, with
// the principal given and at most one condition.
func (s Subject) Statement(principal string, condition ...string) check.Resource {
	parts := []string{`"Sid": "tested", "Effect": "Allow"`, `"Action": "` + s.Action + `"`, `"Principal": ` + principal}
	if s.Resource != "" {
		parts = append(parts, `"Resource": "`+s.Resource+`"`)
	}
	for _, c := range condition {
		parts = append(parts, `"Condition": `+c)
	}
	return s.With(`{"Version": "2012-10-17", "Statement": [{` + strings.Join(parts, ", ") + `}]}`)
}

// Cases are those of the checks that the subject names.
func (s Subject) Cases() checktest.Table {
	networks := check.Fail
	if s.NetworksElsewhere {
		networks = check.Pass
	}
	var (
		none         = checktest.Case{Name: "no policy", Resource: s.With(""), Want: check.Pass}
		broken       = checktest.Case{Name: "not a policy", Resource: s.With("[]"), Want: check.NotAssessed}
		denied       = checktest.Case{Name: "denied", Resource: s.Denied, Want: check.NotAssessed}
		own          = s.Statement(`{"AWS": "arn:aws:iam::111122223333:root"}`)
		everybody    = s.Statement(`"*"`)
		account      = s.Statement(`{"AWS": "arn:aws:iam::444455556666:root"}`)
		trusted      = s.Statement(`{"AWS": "arn:aws:iam::777788889999:root"}`)
		organization = s.Statement(`"*"`, `{"StringEquals": {"aws:PrincipalOrgID": "o-zyxwv98765"}}`)
		ownID        = s.Statement(`"*"`, `{"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`)
		ownVariable  = s.Statement(`"*"`, `{"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}`)
		network      = s.Statement(`"*"`, `{"StringEquals": {"aws:SourceVpc": "vpc-1"}}`)
		service      = `{"Service": "` + s.Service + `"}`

		zone           = []check.Resource{Zone()}
		noOrganization = []check.Resource{Blind(func(z *policyrule.Zone) {
			z.Organization = fact.Missing[string](fact.Denied, "organizations:DescribeOrganization")
		})}
	)
	table := checktest.Table{
		s.NotPublic: {
			none,
			{Name: "the owner", Resource: own, Want: check.Pass},
			{Name: "another account", Resource: account, Want: check.Pass},
			{Name: "an organization", Resource: organization, Want: check.Pass},
			{Name: "a network", Resource: network, Want: check.Pass},
			{Name: "everybody", Resource: everybody, Want: check.Fail},
			broken, denied,
		},
		s.NoOtherAccounts: {
			none,
			{Name: "the owner", Resource: own, Want: check.Pass},
			{Name: "everybody, which another check judges", Resource: everybody, Others: zone, Want: check.Pass},
			{Name: "another account", Resource: account, Others: zone, Want: check.Fail},
			{Name: "another account, and nobody knows whom the owner trusts", Resource: account, Want: check.NotAssessed},
			{Name: "an account that the owner trusts", Resource: trusted, Others: zone, Want: check.Pass},
			{Name: "another organization", Resource: organization, Others: zone, Want: check.Fail},
			{Name: "an organization, and nobody knows the owner's", Resource: organization, Others: noOrganization, Want: check.NotAssessed},
			{Name: "the owner's organization by its id", Resource: ownID, Others: zone, Want: check.Pass},
			{Name: "the owner's organization, whatever its id", Resource: ownVariable, Others: noOrganization, Want: check.Pass},
			{Name: "whoever comes by a network", Resource: network, Others: zone, Want: networks},
			broken, denied,
		},
	}
	table[s.NoOtherAccounts] = append(table[s.NoOtherAccounts], Names(s.Action, func(statement string) check.Resource {
		return s.With(`{"Version": "2012-10-17", "Statement": [` + statement + `]}`)
	})...)
	if s.Service != "" {
		unscoped := s.Statement(service)
		scoped := s.Statement(service, s.Scope)
		table[s.NotPublic] = append(table[s.NotPublic], checktest.Case{Name: "a service for any account", Resource: unscoped, Want: check.Pass})
		table[s.NoOtherAccounts] = append(table[s.NoOtherAccounts], checktest.Case{Name: "a service for this account", Resource: scoped, Others: zone, Want: check.Pass})
		table[s.ServicesScoped] = []checktest.Case{
			none,
			{Name: "a service for this account", Resource: scoped, Want: check.Pass},
			{Name: "a service for any account", Resource: unscoped, Want: check.Fail},
			broken, denied,
		}
	}
	delete(table, "")
	return table
}
