package grant_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
)

// Every action that is taken away is missed by its name, with the checks that it
// blinds, and nothing else is.
func TestEachActionIsMissed(t *testing.T) {
	t.Parallel()
	role, checks := needed(t, nil, nil)
	for _, g := range role.Grants {
		var statements []iampolicy.Statement
		for _, other := range role.Grants {
			if other.Action == g.Action {
				continue
			}
			resources := other.Resources
			if len(resources) == 0 {
				resources = []string{"*"}
			}
			statements = append(statements, iampolicy.Statement{Effect: iampolicy.Allow, Actions: []string{other.Action}, Resources: resources})
		}
		data, err := json.Marshal(iampolicy.Policy{Version: "2012-10-17", Statements: statements})
		if err != nil {
			t.Fatal(err)
		}
		p, err := grant.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		missing := grant.Lacking(role, p, checks)
		if len(missing) != 1 || missing[0].Action != g.Action || len(missing[0].Checks) == 0 {
			t.Errorf("without %s, missing are %+v", g.Action, missing)
		}
	}
}

// Every operation and every check is in the tables of what is lost and read.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	takes, reads := grant.Takes(), grant.Reads()
	var operations []string
	for _, op := range policy.Operations() {
		if len(op.Kinds) > 0 {
			operations = append(operations, op.ID)
		}
	}
	if diff := cmp.Diff(operations, slices.Sorted(maps.Keys(takes))); diff != "" {
		t.Errorf("blinds/takes is not of the operations; run make blinds (-called +table):\n%s", diff)
	}
	_, checks := needed(t, nil, nil)
	var ids []string
	for _, k := range checks {
		ids = append(ids, string(k.ID))
	}
	if diff := cmp.Diff(ids, slices.Sorted(maps.Keys(reads))); diff != "" {
		t.Errorf("blinds/reads is not of the checks; run make blinds (-checks +table):\n%s", diff)
	}
}

// shown are the facts and listings that no check reads, and who shows them.
var shown = map[string]string{
	"AWS::ResourceGroupsTagging::TaggedResource": "pkg/results/tags joins the tags to the resources of other services",
}

// Every fact that a collector takes is read by a check, or shown: what is asked for
// nobody costs calls and an action of the role.
func TestEveryFactIsRead(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	for _, names := range grant.Reads() {
		for _, name := range names {
			read[name] = true
		}
	}
	taken := map[string]bool{}
	for operation, names := range grant.Takes() {
		for _, name := range names {
			taken[name] = true
			if !read[name] && shown[name] == "" {
				t.Errorf("%s is asked for %s, which no check reads", operation, name)
			}
		}
	}
	for name := range shown {
		if !taken[name] || read[name] {
			t.Errorf("%s is in the list of what is shown, and is not taken, or is read", name)
		}
	}
}

// A missing action blinds the checks that read what it gives, and those alone.
func TestBlinded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		without   string
		sees      []string // among the blinded
		notBlind  []string
		fewerThan int
	}{
		"a fact":            {"s3:GetBucketLogging", []string{"s3-bucket-access-log"}, []string{"s3-bucket-policy-not-public", "kms-key-rotation"}, 5},
		"a listing":         {"kms:ListKeys", []string{"kms-key-rotation"}, []string{"s3-bucket-access-log"}, 60},
		"what all need":     {"ec2:DescribeRegions", []string{"kms-key-rotation", "s3-bucket-access-log", "iam-root-mfa"}, nil, 1000},
		"of other services": {"cloudtrail:DescribeTrails", []string{"cloudtrail-all-regions", "monitoring-root-usage"}, []string{"s3-bucket-access-log"}, 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			role, checks := needed(t, nil, nil)
			p, err := grant.Parse([]byte(strings.ReplaceAll(role.JSON(), `"`+c.without+`"`, `"sts:GetCallerIdentity"`)))
			if err != nil {
				t.Fatal(err)
			}
			missing := grant.Lacking(role, p, checks)
			if len(missing) != 1 {
				t.Fatalf("missing %+v", missing)
			}
			var blinded []string
			for _, id := range missing[0].Checks {
				blinded = append(blinded, string(id))
			}
			for _, id := range c.sees {
				if !slices.Contains(blinded, id) {
					t.Errorf("%s is not blinded: %v", id, blinded)
				}
			}
			for _, id := range c.notBlind {
				if slices.Contains(blinded, id) {
					t.Errorf("%s is blinded", id)
				}
			}
			if len(blinded) >= c.fewerThan {
				t.Errorf("%d checks are blinded: %v", len(blinded), blinded)
			}
		})
	}
}
