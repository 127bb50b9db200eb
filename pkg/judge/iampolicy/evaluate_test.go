package iampolicy_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// In all tests 111122223333 owns the resource, in organization o-a1b2c3d4e5.
const (
	owner = "111122223333"
	org   = "o-a1b2c3d4e5"
)

// evalCase is a resource policy and what is to be said of it.
type evalCase struct {
	policy string // statements, as in "Statement": [ ... ]
	opts   iampolicy.Options
	want   iampolicy.Level
	reason string // found in a reason, a party or a note
}

func parse(t testing.TB, statements string) iampolicy.Policy {
	t.Helper()
	p, err := iampolicy.Parse(`{"Version": "2012-10-17", "Statement": [` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c evalCase) evaluate(t testing.TB) iampolicy.Result {
	t.Helper()
	opts := c.opts
	opts.Account, opts.Partition, opts.OrganizationID = owner, "aws", org
	return parse(t, c.policy).Evaluate(opts)
}

// said is all that a result says, for searching.
func said(r iampolicy.Result) string {
	var b strings.Builder
	for _, g := range append(r.Grants, r.Contained...) {
		for _, list := range [][]string{g.Principals, g.Parties, g.Services, g.Actions, g.Reasons} {
			b.WriteString(strings.Join(list, "\n") + "\n")
		}
	}
	b.WriteString(strings.Join(r.Notes, "\n"))
	return b.String()
}

func runCases(t *testing.T, cases map[string]evalCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.evaluate(t)
			if got.Level != c.want {
				t.Errorf("level %s, want %s\n%s", got.Level, c.want, said(got))
			}
			if !strings.Contains(said(got), c.reason) {
				t.Errorf("no reason %q in:\n%s", c.reason, said(got))
			}
		})
	}
}

// condition runs one Condition block on {Allow, Principal, Action s3:GetObject}.
type condition struct {
	block  string
	want   iampolicy.Level
	reason string
}

func runConditions(t *testing.T, principal string, cases map[string]condition) {
	t.Helper()
	all := map[string]evalCase{}
	for name, c := range cases {
		all[name] = evalCase{
			policy: `{"Effect": "Allow", "Principal": ` + principal + `, "Action": "s3:GetObject", "Resource": "*", "Condition": {` + c.block + `}}`,
			want:   c.want, reason: c.reason,
		}
	}
	runCases(t, all)
}

func TestGrantIsEvidence(t *testing.T) {
	c := evalCase{
		policy: `{"Sid": "Share", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::b/*",
			"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::999988887777:role/etl"], "Service": "logging.s3.amazonaws.com"}}`,
		opts: iampolicy.Options{Actions: []string{"s3:Get*"}},
	}
	r := c.evaluate(t)
	if r.Level != iampolicy.ServiceUnscoped || len(r.Grants) != 2 || len(r.Contained) != 1 {
		t.Fatalf("%+v", r)
	}
	g := r.At(iampolicy.CrossAccount)
	if len(g) != 1 || g[0].Statement != "Share" || strings.Join(g[0].Principals, " ") != "arn:aws:iam::999988887777:role/etl" ||
		strings.Join(g[0].Actions, " ") != "s3:GetObject" || strings.Join(g[0].Parties, " ") != "arn:aws:iam::999988887777:role/etl" {
		t.Errorf("%+v", g)
	}
	if g := r.At(iampolicy.ServiceUnscoped); len(g) != 1 || strings.Join(g[0].Services, " ") != "logging.s3.amazonaws.com" {
		t.Errorf("%+v", g)
	}
}

var sink iampolicy.Result

func BenchmarkEvaluate(b *testing.B) {
	p := parse(b, `{"Sid": "Default", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:Publish", "SNS:Subscribe"],
			"Resource": "arn:aws:sns:eu-west-1:111122223333:t", "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}},
		{"Sid": "S3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "SNS:Publish",
			"Resource": "arn:aws:sns:eu-west-1:111122223333:t", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}},
		{"Sid": "TLS", "Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`)
	for b.Loop() {
		sink = p.Evaluate(iampolicy.Options{Account: owner})
	}
}
