// Package policytest has the cases that the rules over resource policies of
// every service share. A service adds those of its own.
package policytest

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// Subject is a type of resource that has a policy, in account 111122223333 as
// checktest.Ref makes it.
type Subject struct {
	// The checks that ask the three questions; empty where the service has none.
	NotPublic, NoOtherAccounts, ServicesScoped model.CheckID

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
	var (
		none         = checktest.Case{Name: "no policy", Resource: s.With(""), Want: check.Pass}
		broken       = checktest.Case{Name: "not a policy", Resource: s.With("[]"), Want: check.NotAssessed}
		denied       = checktest.Case{Name: "denied", Resource: s.Denied, Want: check.NotAssessed}
		own          = s.Statement(`{"AWS": "arn:aws:iam::111122223333:root"}`)
		everybody    = s.Statement(`"*"`)
		account      = s.Statement(`{"AWS": "arn:aws:iam::444455556666:root"}`)
		organization = s.Statement(`"*"`, `{"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`)
		service      = `{"Service": "` + s.Service + `"}`
	)
	table := checktest.Table{
		s.NotPublic: {
			none,
			{Name: "the owner", Resource: own, Want: check.Pass},
			{Name: "another account", Resource: account, Want: check.Pass},
			{Name: "an organization", Resource: organization, Want: check.Pass},
			{Name: "everybody", Resource: everybody, Want: check.Fail},
			broken, denied,
		},
		s.NoOtherAccounts: {
			none,
			{Name: "the owner", Resource: own, Want: check.Pass},
			{Name: "everybody, which another check judges", Resource: everybody, Want: check.Pass},
			{Name: "another account", Resource: account, Want: check.Fail},
			{Name: "an organization", Resource: organization, Want: check.Fail},
			broken, denied,
		},
	}
	if s.Service != "" {
		unscoped := s.Statement(service)
		scoped := s.Statement(service, s.Scope)
		table[s.NotPublic] = append(table[s.NotPublic], checktest.Case{Name: "a service for any account", Resource: unscoped, Want: check.Pass})
		table[s.NoOtherAccounts] = append(table[s.NoOtherAccounts], checktest.Case{Name: "a service for this account", Resource: scoped, Want: check.Pass})
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
