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

// outsiders gives requests as AWS would fill their context.
func outsiders() map[string]request {
	caller := func(account, org string, more map[string]string) map[string]string {
		m := map[string]string{
			"aws:principalaccount": account, "aws:principalorgid": org, "aws:principalarn": "arn:aws:iam::" + account + ":role/x",
			"aws:userid": "AROASTRANGERSTRANGER:s", "aws:principalisawsservice": "false", "aws:securetransport": "true",
		}
		maps.Copy(m, more)
		return m
	}
	acting := func(service, account, arn string) map[string]string {
		return map[string]string{
			"aws:principalisawsservice": "true", "aws:principalservicename": service, "aws:securetransport": "true",
			"aws:sourceaccount": account, "aws:sourcearn": arn, "aws:sourceorgid": "o-stranger00",
		}
	}
	internet := map[string]string{"aws:sourceip": "198.51.100.9"}
	all := map[string]request{
		"anonymous": {public, "", map[string]string{"aws:sourceip": "198.51.100.9", "aws:securetransport": "true"}},
		"stranger":  {public, "777700001111", caller("777700001111", "o-stranger00", internet)},
		"stranger without organization": {public, "777700003333", map[string]string{
			"aws:principalaccount": "777700003333", "aws:sourceip": "198.51.100.9",
			"aws:principalarn": "arn:aws:iam::777700003333:user/x", "aws:principalisawsservice": "false", "aws:securetransport": "true",
		}},
		"stranger at the office":    {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "203.0.113.5"})},
		"anonymous at the office":   {restricted, "", map[string]string{"aws:sourceip": "203.0.113.5", "aws:securetransport": "true"}},
		"stranger by the endpoint":  {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourcevpce": "vpce-1"})},
		"stranger with the role id": {restricted, "777700001111", caller("777700001111", "o-stranger00", map[string]string{"aws:sourceip": "198.51.100.9", "aws:userid": "AROADBQP57FF2AEXAMPLE:s"})},
		"colleague":                 {ownOrg, "777700002222", caller("777700002222", org, internet)},
		"partner":                   {cross, "999988887777", caller("999988887777", "o-zzzzzzzzzz", internet)},
		"canonical user":            {cross, "79a5", caller("333300001111", "o-stranger00", internet)},
		"S3 for a stranger":         {unscoped, "s3.amazonaws.com", acting("s3.amazonaws.com", "777700001111", "arn:aws:s3:::other")},
		"S3 for a stranger's b":     {cross, "s3.amazonaws.com", acting("s3.amazonaws.com", "777700001111", "arn:aws:s3:::b")},
		"SNS for the partner":       {cross, "sns.amazonaws.com", acting("sns.amazonaws.com", "999988887777", "arn:aws:sns:eu-west-1:999988887777:t")},
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
	for name, r := range all {
		plain := maps.Clone(r.context)
		plain["aws:securetransport"] = "false"
		all[name+", plain HTTP"] = request{r.least, r.principal, plain}
	}
	return all
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

// permits is the policy language, as AWS documents it, for one request.
func permits(p iampolicy.Policy, r request, action, resource string) bool {
	ok := false
	for _, s := range p.Statements {
		named := s.Principal.Any || slices.Contains(s.Principal.Names(), "*") || slices.Contains(s.Principal.Names(), r.principal)
		about := globs(s.Actions, action) || len(s.NotActions) > 0 && !globs(s.NotActions, action)
		here := globs(s.Resources, resource) || len(s.NotResources) > 0 && !globs(s.NotResources, resource)
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
	for _, want := range c.Values {
		switch {
		case strings.HasSuffix(op.Name, "IpAddress"):
			match = match || netip.MustParsePrefix(want).Contains(netip.MustParseAddr(v))
		case strings.HasSuffix(op.Name, "Like"):
			match = match || globs([]string{want}, v)
		default:
			match = match || want == v
		}
	}
	return match != op.Negated()
}

// What a policy really allows is the measure: no request from outside gets past
// a level that says it cannot. And for a single Allow, Public is never said
// without a stranger on the internet who gets in.
func TestAgainstRequests(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	all := outsiders()
	seen := map[iampolicy.Level]int{}
	for range 3000 {
		drafts := make([]draft, 1+r.IntN(3))
		for i := range drafts {
			drafts[i] = randomDraft(r)
		}
		p := parse(t, join(drafts))
		for _, action := range []string{"s3:GetObject", "s3:PutObject"} {
			got := p.Evaluate(zone(), action)
			level := widest(got)
			seen[level]++
			strangers := false
			for name, q := range all {
				in := permits(p, q, action, "arn:aws:s3:::b/x") || permits(p, q, action, "arn:aws:s3:::b")
				if in && level < q.least {
					t.Fatalf("%s: %s gets in, level %s\n%s\n%s", action, name, level, join(drafts), said(got))
				}
				strangers = strangers || in && q.least == public
			}
			token := strings.Contains(drafts[0].String(), "gitlab.com") || strings.Contains(drafts[0].String(), "facebook") // keys on the wrong kind of caller are read on the wide side
			if len(drafts) == 1 && !token && level == public && !strangers {
				t.Fatalf("%s: public, and no stranger gets in\n%s\n%s", action, join(drafts), said(got))
			}
		}
	}
	for l := none; l <= public; l++ {
		if seen[l] < 10 {
			t.Errorf("level %s came up only %d times", l, seen[l])
		}
	}
}
