package iampolicy_test

import (
	"fmt"
	"slices"
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
	policy  string // statements, as in "Statement": [ ... ]
	actions []string
	own     []string // things that are the owner's besides the organization, as Thing writes them
	want    iampolicy.Level
	reason  string // found in what is said
}

func parse(t testing.TB, statements string) iampolicy.Policy {
	t.Helper()
	p, err := iampolicy.Parse(`{"Version": "2012-10-17", "Statement": [` + statements + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// zone is the owner's, with the things given as his. All else is known to be somebody
// else's.
func zone(own ...string) iampolicy.Zone {
	own = append(own, "organization "+org)
	return iampolicy.Zone{Account: owner, Partition: "aws", Whose: func(t iampolicy.Thing) iampolicy.Standing {
		if slices.Contains(own, t.String()) {
			return iampolicy.Own
		}
		return iampolicy.Foreign
	}}
}

// ignorant is a zone of which nothing could be read but the account.
var ignorant = iampolicy.Zone{Account: owner, Partition: "aws"}

func (c evalCase) evaluate(t testing.TB) iampolicy.Result {
	t.Helper()
	return parse(t, c.policy).Evaluate(zone(c.own...), c.actions...)
}

// widest is the level of a result.
func widest(r iampolicy.Result) iampolicy.Level {
	l := iampolicy.None
	for _, g := range r.Grants {
		l = max(l, g.Level)
	}
	return l
}

// said is all that a result says, for searching.
func said(r iampolicy.Result) string {
	var b strings.Builder
	for _, g := range r.Grants {
		fmt.Fprintf(&b, "%s: %s %v %v %v: %s\n", g.Statement, g.Level, g.Parties, g.Services, g.Actions, g.Why)
	}
	return b.String()
}

func runCases(t *testing.T, cases map[string]evalCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := c.evaluate(t)
			if widest(got) != c.want {
				t.Errorf("level %s, want %s\n%s", widest(got), c.want, said(got))
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
		actions: []string{"s3:Get*"},
	}
	r := c.evaluate(t)
	if widest(r) != iampolicy.ServiceUnscoped || len(r.Grants) != 2 {
		t.Fatalf("%+v", r)
	}
	g := r.At(iampolicy.CrossAccount)
	if len(g) != 1 || g[0].Statement != "Share" || strings.Join(g[0].Actions, " ") != "s3:GetObject" ||
		strings.Join(g[0].Parties.Named(iampolicy.Foreign), " ") != "arn:aws:iam::999988887777:role/etl" {
		t.Errorf("%+v", g)
	}
	if g := r.At(iampolicy.ServiceUnscoped); len(g) != 1 || strings.Join(g[0].Services, " ") != "logging.s3.amazonaws.com" {
		t.Errorf("%+v", g)
	}
}
