package iampolicy_test

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// request is one concrete request from outside of the owner's account. A policy
// that allows it must not be given a level below least.
type request struct {
	least     iampolicy.Level
	principal string // as a policy may name it; "" is anonymous
	context   map[string]string
}

// setting is the owner's organization, and whether the evaluator is told.
type setting struct {
	organization string
	zone         iampolicy.Zone
}

func settings() []setting {
	alone := iampolicy.Zone{Account: owner, Partition: "aws", Whose: func(iampolicy.Thing) iampolicy.Standing { return iampolicy.Foreign }}
	return []setting{{org, zone()}, {org, ignorant}, {"", alone}, {"", ignorant}, {"o-zzzzzzzzzz", ignorant}}
}

// outsiders gives requests as AWS would fill their context, for an owner in an
// organization, or in none.
func outsiders(organization string) map[string]request {
	caller := func(account, org string, more map[string]string) map[string]string {
		m := map[string]string{
			"aws:principalaccount": account, "aws:principalorgid": org, "aws:principalarn": "arn:aws:iam::" + account + ":role/x",
			"aws:userid": "AROASTRANGERSTRANGER:s", "aws:principalisawsservice": "false", "aws:securetransport": "true",
		}
		maps.Copy(m, more)
		return m
	}
	acting := func(service, account, org, arn string) map[string]string {
		return map[string]string{
			"aws:principalisawsservice": "true", "aws:principalservicename": service, "aws:securetransport": "true",
			"aws:sourceaccount": account, "aws:sourcearn": arn, "aws:sourceorgid": org,
		}
	}
	member := func(of string) iampolicy.Level {
		if of == organization {
			return ownOrg
		}
		return orgLevel
	}
	internet := map[string]string{"aws:sourceip": "198.51.100.9"}
	all := map[string]request{
		"anonymous": {public, "", map[string]string{"aws:sourceip": "198.51.100.9", "aws:securetransport": "true"}},
		"stranger":  {public, "777700001111", caller("777700001111", "o-stranger00", internet)},
		"stranger without organization": {public, "777700003333", map[string]string{
			"aws:principalaccount": "777700003333", "aws:sourceip": "198.51.100.9", "aws:username": "x",
			"aws:principalarn": "arn:aws:iam::777700003333:user/x", "aws:principalisawsservice": "false", "aws:securetransport": "true",
		}},
		"stranger named home":            {public, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "198.51.100.9", "aws:username": "home"})},
		"stranger with a role of a path": {public, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "198.51.100.9", "aws:principalarn": "arn:aws:iam::777700001111:role/y:iam::111122223333:role/x"})},
		"stranger by an access point":    {public, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "198.51.100.9", "s3:dataaccesspointarn": "arn:aws:s3:eu-west-1:777700001111:accesspoint/reports"})},
		"stranger with all tricks": {public, "777700003333", map[string]string{
			"aws:principalaccount": "777700003333", "aws:sourceip": "198.51.100.9", "aws:username": "home", "aws:userid": "AROASTRANGERSTRANGER:s",
			"aws:principalarn": "arn:aws:iam::777700003333:role/y:iam::111122223333:role/x", "s3:dataaccesspointarn": "arn:aws:s3:eu-west-1:777700003333:accesspoint/reports",
			"aws:principalisawsservice": "false", "aws:securetransport": "true",
		}},
		"stranger at the office":             {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "203.0.113.5"})},
		"anonymous at the office":            {restricted, "", map[string]string{"aws:sourceip": "203.0.113.5", "aws:securetransport": "true"}},
		"stranger by the endpoint":           {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourcevpce": "vpce-1"})},
		"stranger with the role id":          {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "198.51.100.9", "aws:userid": "AROADBQP57FF2AEXAMPLE:s"})},
		"colleague":                          {member(org), "777700002222", caller("777700002222", org, internet)},
		"partner":                            {min(cross, member("o-zzzzzzzzzz")), "999988887777", caller("999988887777", "o-zzzzzzzzzz", internet)},
		"canonical user":                     {cross, "79a5", caller("333300001111", "o-stranger00", internet)},
		"S3 for a stranger":                  {unscoped, "s3.amazonaws.com", acting("s3.amazonaws.com", "777700001111", "o-stranger00", "arn:aws:s3:::other")},
		"S3 for a stranger's b":              {cross, "s3.amazonaws.com", acting("s3.amazonaws.com", "777700001111", "o-stranger00", "arn:aws:s3:::b")},
		"S3 for a stranger's dashboard":      {unscoped, "s3.amazonaws.com", acting("s3.amazonaws.com", "777700001111", "o-stranger00", "arn:aws:s3:eu-west-1:777700001111:storage-lens/default")},
		"S3 for a colleague":                 {member(org), "s3.amazonaws.com", acting("s3.amazonaws.com", "777700002222", org, "arn:aws:s3:::colleagues")},
		"logs of a group named as the owner": {unscoped, "sns.amazonaws.com", acting("sns.amazonaws.com", "777700001111", "o-stranger00", "arn:aws:logs:eu-west-1:777700001111:log-group:111122223333:*")},
		"SNS for the partner":                {min(cross, member("o-zzzzzzzzzz")), "sns.amazonaws.com", acting("sns.amazonaws.com", "999988887777", "o-zzzzzzzzzz", "arn:aws:sns:eu-west-1:999988887777:t")},
		"GitLab stranger": {
			public, "arn:aws:iam::111122223333:oidc-provider/gitlab.com",
			map[string]string{"gitlab.com:sub": "project_path:you/x", "aws:sourceip": "198.51.100.9", "aws:securetransport": "true"},
		},
		"GitLab me": {
			restricted, "arn:aws:iam::111122223333:oidc-provider/gitlab.com",
			map[string]string{"gitlab.com:sub": "project_path:me/x", "aws:sourceip": "198.51.100.9", "aws:securetransport": "true"},
		},
		"Facebook": {public, "graph.facebook.com", map[string]string{"aws:sourceip": "198.51.100.9", "aws:securetransport": "true"}},
	}
	for _, name := range slices.Collect(maps.Keys(all)) {
		r := all[name]
		r.context["aws:resourceaccount"] = owner
		if organization != "" {
			r.context["aws:resourceorgid"] = organization
		}
		plain := maps.Clone(r.context)
		plain["aws:securetransport"] = "false"
		all[name+", plain HTTP"] = request{r.least, r.principal, plain}
	}
	return all
}

// resolve puts the context's values for variables; ok is false if one has none.
func resolve(s string, context map[string]string) (value string, ok bool) {
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			return s, true
		}
		name, after, _ := strings.Cut(rest, "}")
		v, known := context[strings.ToLower(name)]
		if !known {
			return "", false
		}
		s = before + v + after
	}
}

func resolved(list []string, context map[string]string) (out []string) {
	for _, v := range list {
		if value, ok := resolve(v, context); ok {
			out = append(out, value)
		}
	}
	return out
}

func globs(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(strings.ToLower(p), strings.ToLower(s)) })
}

// glob is the plainest way to match, so that it shares no fault with the code.
func glob(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '*':
		return glob(p[1:], s) || s != "" && glob(p, s[1:])
	}
	return s != "" && (p[0] == '?' || p[0] == s[0]) && glob(p[1:], s[1:])
}

// names tells that a principal element names who makes the request.
func names(p iampolicy.Principals, principal string) bool {
	return p.Any || slices.ContainsFunc(p.Names(), func(n string) bool {
		return n == "*" || principal != "" && (n == principal || n == "arn:aws:iam::"+principal+":root")
	})
}

// permits is the policy language, as AWS documents it, for one request.
func permits(p iampolicy.Policy, r request, action, resource string) bool {
	ok := false
	for _, s := range p.Statements {
		named := names(s.Principal, r.principal) || !s.NotPrincipal.IsZero() && !names(s.NotPrincipal, r.principal)
		about := globs(s.Actions, action) || len(s.NotActions) > 0 && !globs(s.NotActions, action)
		here := globs(resolved(s.Resources, r.context), resource) || len(s.NotResources) > 0 && !globs(resolved(s.NotResources, r.context), resource)
		holds := !slices.ContainsFunc(s.Conditions, func(c iampolicy.Condition) bool { return !holds(c, r.context) })
		if named && about && here && holds {
			if s.Effect == iampolicy.Deny {
				return false
			}
			ok = true
		}
	}
	return ok
}

func holds(c iampolicy.Condition, context map[string]string) bool {
	v, present := context[strings.ToLower(c.Key)]
	op := c.Operator
	switch {
	case op.Name == "Null":
		return c.Values[0] == "true" != present
	case !present:
		return op.IfExists || op.Negated()
	}
	match := false
	for _, want := range resolved(c.Values, context) {
		switch {
		case strings.HasSuffix(op.Name, "IpAddress"):
			match = match || netip.MustParsePrefix(want).Contains(netip.MustParseAddr(v))
		case strings.HasPrefix(op.Name, "Arn"):
			match = match || globsARN(want, v)
		case strings.HasSuffix(op.Name, "Like"):
			match = match || glob(want, v)
		default:
			match = match || want == v
		}
	}
	return match != op.Negated()
}

// globsARN matches each part of an ARN by itself.
func globsARN(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return false
	}
	for i := range p {
		if !glob(p[i], a[i]) {
			return false
		}
	}
	return true
}

// What a policy really allows is the measure: no request from outside gets past
// a level that says it cannot. And for a single Allow, Public is never said
// without a stranger on the internet who gets in.
func TestAgainstRequests(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	places := []string{"arn:aws:s3:::b", "arn:aws:s3:::b/x", "arn:aws:s3:::b/home/x"}
	seen := map[iampolicy.Level]int{}
	for range 6000 {
		drafts := make([]draft, 1+r.IntN(3))
		for i := range drafts {
			drafts[i] = randomDraft(r)
		}
		p := parse(t, join(drafts))
		action := pick(r, []string{"s3:GetObject", "s3:PutObject"})
		in := pick(r, settings())
		got := p.Evaluate(in.zone, action)
		level := widest(got)
		seen[level]++
		strangers := false
		for name, q := range outsiders(in.organization) {
			enters := slices.ContainsFunc(places, func(place string) bool { return permits(p, q, action, place) })
			if enters && level < q.least {
				t.Fatalf("%s: %s gets in, level %s; the owner is in %q\n%s\n%s", action, name, level, in.organization, join(drafts), said(got))
			}
			// A service for whichever customer is a stranger, too, where everybody is named.
			strangers = strangers || enters && (q.least == public || q.least == unscoped)
		}
		text := drafts[0].String()
		// Keys on the wrong kind of caller, and variables that nobody sets, are read wide.
		wide := strings.Contains(text, "gitlab.com") || strings.Contains(text, "facebook") || strings.Contains(text, "username") || strings.Contains(text, "SourceArn")
		if len(drafts) == 1 && !wide && level == public && !strangers {
			t.Fatalf("%s: public, and no stranger gets in\n%s\n%s", action, join(drafts), said(got))
		}
	}
	for l := none; l <= public; l++ {
		if seen[l] < 10 {
			t.Errorf("level %s came up only %d times", l, seen[l])
		}
	}
}
