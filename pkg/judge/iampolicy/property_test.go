package iampolicy_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// The pieces that random policies are made of: each meets most others.
var (
	someEffects    = []string{"Allow", "Allow", "Deny"}
	somePrincipals = []string{
		`"Principal": "*"`, `"Principal": {"AWS": "*"}`, `"Principal": {"AWS": "111122223333"}`, `"Principal": {"AWS": ["999988887777", "444455556666"]}`,
		`"Principal": {"Service": "s3.amazonaws.com"}`, `"Principal": {"AWS": "arn:aws:iam::999988887777:root", "Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}`,
		`"Principal": {"CanonicalUser": "79a5"}`, `"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/gitlab.com"}`, `"Principal": {"Federated": "graph.facebook.com"}`,
	}
	// What a Deny may except: AWS advises against NotPrincipal in an Allow, and asks for it nowhere.
	someExceptions = []string{
		`"NotPrincipal": {"AWS": "111122223333"}`, `"NotPrincipal": {"AWS": "999988887777"}`,
		`"NotPrincipal": {"AWS": "111122223333", "Service": "sns.amazonaws.com"}`,
	}
	someActions   = []string{`"Action": "*"`, `"Action": "s3:*"`, `"Action": ["s3:GetObject", "s3:PutObject"]`, `"Action": "s3:Get*"`, `"NotAction": "s3:Put*"`}
	someResources = []string{
		`"Resource": "*"`, `"Resource": "arn:aws:s3:::b/*"`, `"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]`, `"NotResource": "arn:aws:s3:::c"`,
		`"Resource": "arn:aws:s3:::b/${aws:username}/*"`, `"NotResource": "arn:aws:s3:::b/${aws:username}/*"`, `"Resource": "arn:aws:s3:::b"`,
	}
	someConditions = []struct{ operator, key, value string }{
		{"StringEquals", "aws:SourceAccount", `"111122223333"`},
		{"StringEquals", "aws:SourceAccount", `["999988887777", "111122223333"]`},
		{"StringEquals", "aws:PrincipalOrgID", `"o-a1b2c3d4e5"`},
		{"StringNotEquals", "aws:PrincipalOrgID", `"o-a1b2c3d4e5"`},
		{"StringEqualsIfExists", "aws:PrincipalOrgID", `"o-a1b2c3d4e5"`},
		{"Null", "aws:PrincipalOrgID", `"false"`},
		{"StringNotEquals", "aws:PrincipalAccount", `"111122223333"`},
		{"StringLike", "aws:PrincipalAccount", `"*"`},
		{"ArnLike", "aws:SourceArn", `"arn:aws:s3:::b"`},
		{"ArnLike", "aws:SourceArn", `"arn:aws:sns:*:999988887777:*"`},
		{"ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::999988887777:role/*"`},
		{"IpAddress", "aws:SourceIp", `"203.0.113.0/24"`},
		{"NotIpAddress", "aws:SourceIp", `"10.0.0.0/8"`},
		{"IpAddress", "aws:SourceIp", `"0.0.0.0/0"`},
		{"StringEquals", "aws:SourceVpce", `"vpce-1"`},
		{"Bool", "aws:PrincipalIsAWSService", `"true"`},
		{"BoolIfExists", "aws:PrincipalIsAWSService", `"false"`},
		{"Bool", "aws:SecureTransport", `"false"`},
		{"StringLike", "aws:userid", `"AROADBQP57FF2AEXAMPLE:*"`},
		{"StringLike", "gitlab.com:sub", `"project_path:me/*"`},
		{"StringEquals", "aws:PrincipalServiceName", `"s3.amazonaws.com"`},
		{"StringEquals", "aws:SourceOrgID", `"o-zzzzzzzzzz"`},
		{"StringEquals", "aws:PrincipalOrgID", `"${aws:ResourceOrgID}"`},
		{"StringEquals", "aws:ResourceOrgID", `"${aws:PrincipalOrgID}"`},
		{"StringEquals", "aws:SourceOrgID", `"${aws:ResourceOrgID}"`},
		{"StringNotEquals", "aws:PrincipalOrgID", `"${aws:ResourceOrgID}"`},
		{"StringNotEqualsIfExists", "aws:SourceOrgID", `"${aws:ResourceOrgID}"`},
		{"StringEquals", "aws:ResourceAccount", `"${aws:PrincipalAccount}"`},
		{"StringNotEquals", "aws:SourceAccount", `"${aws:ResourceAccount}"`},
		{"StringEquals", "aws:PrincipalAccount", `"999988887777"`},
		{"StringEquals", "aws:PrincipalOrgID", `"o-*"`},
		{"StringLike", "aws:PrincipalArn", `"arn:*:iam::111122223333:role/x"`},
		{"StringLike", "aws:SourceArn", `"arn:aws:logs:*:111122223333:*"`},
		{"ArnLike", "s3:DataAccessPointArn", `"arn:aws:s3:eu-west-1:*:accesspoint/reports"`},
		{"ArnLike", "aws:SourceArn", `"arn:aws:s3:eu-west-1:*:storage-lens/default"`},
		{"Null", "aws:SourceAccount", `"false"`},
		{"Null", "aws:PrincipalServiceName", `"true"`},
	}
)

type draft struct {
	effect, principal, action, resource string
	conditions                          []int // of someConditions
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func randomDraft(r *rand.Rand) draft {
	d := draft{pick(r, someEffects), pick(r, somePrincipals), pick(r, someActions), pick(r, someResources), nil}
	if d.effect == "Deny" && r.IntN(4) == 0 {
		d.principal = pick(r, someExceptions)
	}
	for range r.IntN(3) {
		d.add(r)
	}
	return d
}

// add puts a condition in that the draft's language allows beside the others.
func (d *draft) add(r *rand.Rand) {
	n := r.IntN(len(someConditions))
	for _, m := range d.conditions {
		if someConditions[m].operator == someConditions[n].operator {
			return
		}
	}
	d.conditions = append(d.conditions, n)
}

func (d draft) String() string {
	var list []string
	for _, n := range d.conditions {
		c := someConditions[n]
		list = append(list, `"`+c.operator+`": {"`+c.key+`": `+c.value+`}`)
	}
	return `{"Effect": "` + d.effect + `", ` + d.principal + `, ` + d.action + `, ` + d.resource +
		`, "Condition": {` + strings.Join(list, ", ") + `}}`
}

func join(drafts []draft) string {
	var list []string
	for _, d := range drafts {
		list = append(list, d.String())
	}
	return strings.Join(list, ",\n")
}

func TestLevelsMoveOneWay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	level := func(drafts []draft, actions []string) iampolicy.Level {
		return widest(evalCase{policy: join(drafts), actions: actions}.evaluate(t))
	}
	var moved [3]int
	for range 4000 {
		drafts := make([]draft, 1+r.IntN(3))
		for i := range drafts {
			drafts[i] = randomDraft(r)
		}
		var actions []string
		if r.IntN(3) == 0 {
			actions = []string{pick(r, []string{"s3:GetObject", "s3:Put*", "sqs:*"})}
		}
		before := level(drafts, actions)

		more := randomDraft(r)
		more.effect, more.principal = "Allow", pick(r, somePrincipals)
		after := level(append(drafts[:len(drafts):len(drafts)], more), actions)
		if after < before {
			t.Fatalf("an Allow more lowers %s to %s:\n%s\n%s", before, after, join(drafts), more)
		}
		if after != before {
			moved[0]++
		}

		more.effect = "Deny"
		after = level(append(drafts[:len(drafts):len(drafts)], more), actions)
		if after > before {
			t.Fatalf("a Deny more raises %s to %s:\n%s\n%s", before, after, join(drafts), more)
		}
		if after != before {
			moved[1]++
		}

		i := r.IntN(len(drafts))
		if drafts[i].effect == "Allow" {
			bounded := append([]draft{}, drafts...)
			bounded[i].conditions = bounded[i].conditions[:len(bounded[i].conditions):len(bounded[i].conditions)]
			bounded[i].add(r)
			after = level(bounded, actions)
			if after > before {
				t.Fatalf("a condition more raises %s to %s:\n%s\n%s", before, after, join(drafts), join(bounded))
			}
			if after != before {
				moved[2]++
			}
		}
	}
	for i, n := range moved {
		if n < 30 {
			t.Errorf("change %d moved the level only %d times: the pieces do not meet", i, n)
		}
	}
}
