package iampolicy

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// awsaccounts.tsv is the accounts of AWS itself, and the services, that AWS's
// documentation tells customers to let in without any bound on whom they act for; with
// the actions that it asks for. For anything else they are strangers like others: an
// account of AWS's in a role's trust policy is a well-known disguise.
//
//go:embed awsaccounts.tsv
var awsAccountsTSV string

// LetsIn names the services of AWS, as its documentation calls them, whose accounts or
// principals some statement allows something: "Elastic Load Balancing".
func (p Policy) LetsIn() []string {
	var services []string
	for _, s := range p.Statements {
		if s.Effect != Allow {
			continue
		}
		for _, name := range slices.Concat(s.Principal.Service, s.Principal.AWS) {
			if a, ok := parseARN(name); ok {
				name = a.account
			}
			if of, ok := servicesOfAWS()[name]; ok && !slices.Contains(services, of) {
				services = append(services, of)
			}
		}
	}
	return services
}

// servicesOfAWS is whose the accounts and principals are.
var servicesOfAWS = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(awsAccountsTSV) {
		if fields := strings.Split(line, "\t"); len(fields) > 1 && !strings.HasPrefix(line, "#") {
			all[fields[0]] = fields[1]
		}
	}
	return all
})

// ofAWS is the actions that documentation asks for, by account number or service.
var ofAWS = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(awsAccountsTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		all[fields[0]] = append(all[fields[0]], strings.Fields(strings.ToLower(fields[3]))...)
	}
	return all
})

// awsAccount tells that the account is AWS's, and lets do no more than its
// documentation asks for. actions are in lower case.
func awsAccount(id string, actions []string) bool { return documented(id, actions) }

// cannotBeScoped tells that AWS documents no condition by which the service could be
// told whom to act for. actions are in lower case.
func cannotBeScoped(service string, actions []string) bool { return documented(service, actions) }

func documented(name string, actions []string) bool {
	asked, ok := ofAWS()[name]
	return ok && len(actions) > 0 && !slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(asked, a) })
}
