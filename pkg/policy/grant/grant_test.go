package grant_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// five is a role of five actions, whatever else the collectors call, and checks that each
// of them is for.
func five(t *testing.T) (policy.Role, []check.Check) {
	t.Helper()
	_, checks := needed(t, []string{"kms"}, []string{"kms-key-rotation", "kms-key-not-public"})
	role, err := policy.NewRole(slices.DeleteFunc(policy.Operations(), func(op policy.Operation) bool {
		return !slices.Contains([]string{"EC2.DescribeRegions", "KMS.DescribeKey", "KMS.GetKeyPolicy", "KMS.GetKeyRotationStatus", "KMS.ListKeys"}, op.ID)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return role, checks
}

func needed(t testing.TB, names, checks []string) (policy.Role, []check.Check) {
	t.Helper()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	role, chosen, err := grant.Needed(catalog, names, checks)
	if err != nil {
		t.Fatal(err)
	}
	return role, chosen
}

func statement(effect, rest string) string {
	return `{"Effect":"` + effect + `",` + rest + `}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const allKMS = `"Action":["ec2:DescribeRegions","kms:ListKeys","KMS:describekey","kms:GetKeyPolicy","kms:GetKeyRotationStatus"],"Resource":"*"`

func TestCompare(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		want     []string // what action
		why      string   // of the first
		excess   int      // -1 for any
	}{
		"exactly": {document(statement("Allow", allKMS)), nil, "", 0},
		"one missing": {
			document(statement("Allow", `"Action":["ec2:DescribeRegions","kms:ListKeys","kms:DescribeKey","kms:GetKeyPolicy"],"Resource":"*"`)),
			[]string{"missing kms:GetKeyRotationStatus"},
			"not allowed", 0,
		},
		"harmless wildcards": {
			document(statement("Allow", `"Action":["ec2:DescribeRegion*","kms:List*","kms:Describe*","kms:Get?eyPolicy","kms:GetKeyRotation*"],"Resource":"*"`)),
			nil, "", -1,
		},
		"a wildcard that writes": {
			document(statement("Allow", allKMS), statement("Allow", `"Action":"kms:Put*","Resource":"*"`)),
			[]string{"writes kms:PutKeyPolicy"},
			"is no read", 1,
		},
		"data": {
			document(statement("Allow", allKMS), statement("Allow", `"Action":["s3:GetObject","sts:GetSessionToken"],"Resource":"arn:aws:s3:::b/*"`)),
			[]string{"reveals s3:GetObject", "reveals sts:GetSessionToken"},
			"reads data", 2,
		},
		"what AWS does not call data and our role denies": {
			document(statement("Allow", allKMS), statement("Allow", `"Action":"secretsmanager:GetSecretValue","Resource":"*"`)),
			[]string{"reveals secretsmanager:GetSecretValue"},
			"CloudArq's own role denies it", 1,
		},
		"all but": {
			document(statement("Allow", `"NotAction":["kms:GetKeyPolicy","a*","b*","c*","d*","e*","f*","g*","h*","i*","j*","l*","m*","n*","o*","p*","q*","r*","s*","t*","u*","v*","w*","x*","kinesis*","kendra*","ka*","kms:C*","kms:D*","kms:E*","kms:G*","kms:I*","kms:P*","kms:R*","kms:S*","kms:T*","kms:U*","kms:V*"],"Resource":"*"`)),
			[]string{
				"missing ec2:DescribeRegions", "missing kms:DescribeKey", "missing kms:GetKeyPolicy", "missing kms:GetKeyRotationStatus",
			},
			"not allowed", -1,
		},
		"denied": {
			document(statement("Allow", allKMS), statement("Deny", `"Action":"kms:GetKeyPol*","Resource":"*"`)),
			[]string{"missing kms:GetKeyPolicy"},
			"denied", 0,
		},
		"a Deny undoes what is too much": {
			document(statement("Allow", `"Action":["kms:*","ec2:DescribeRegions"],"Resource":"*"`),
				statement("Deny", `"NotAction":["kms:ListKeys","kms:DescribeKey","kms:GetKeyPolicy","kms:GetKeyRotationStatus","ec2:DescribeRegions"],"Resource":"*"`)),
			nil, "", 0,
		},
		"denied at times": {
			document(statement("Allow", allKMS), statement("Deny", `"Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)),
			[]string{
				"missing ec2:DescribeRegions", "missing kms:DescribeKey", "missing kms:GetKeyPolicy", "missing kms:GetKeyRotationStatus", "missing kms:ListKeys",
			},
			"denied at times or on some resources", 0,
		},
		"on some resources": {
			document(statement("Allow", allKMS[:len(allKMS)-len(`"*"`)]+`"arn:aws:kms:eu-west-1:111122223333:key/*"`)),
			[]string{
				"missing ec2:DescribeRegions", "missing kms:DescribeKey", "missing kms:GetKeyPolicy", "missing kms:GetKeyRotationStatus", "missing kms:ListKeys",
			},
			"allowed on some resources only", 0,
		},
		"under conditions": {
			document(statement("Allow", allKMS+`,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`)),
			[]string{
				"missing ec2:DescribeRegions", "missing kms:DescribeKey", "missing kms:GetKeyPolicy", "missing kms:GetKeyRotationStatus", "missing kms:ListKeys",
			},
			"allowed under conditions only", 0,
		},
		"misspelt": {
			document(statement("Allow", allKMS), statement("Allow", `"Action":["kms:GetKyePolicy","nosuch:*"],"Resource":"*"`)),
			[]string{"unknown kms:GetKyePolicy", "unknown nosuch:*"},
			"not in AWS's reference", 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			role, checks := five(t)
			p, err := grant.Parse([]byte(c.document))
			if err != nil {
				t.Fatal(err)
			}
			compared := grant.Compare(role, p, checks)
			var got []string
			for _, d := range compared.Differences {
				got = append(got, d.What+" "+d.Action)
				if (d.What == grant.Missing) != (len(d.Checks) > 0) {
					t.Errorf("%s %s blinds %v", d.What, d.Action, d.Checks)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			if len(got) > 0 && !strings.Contains(compared.Differences[0].Why, c.why) {
				t.Errorf("the first because %q, want %q", compared.Differences[0].Why, c.why)
			}
			if c.excess >= 0 && compared.Excess != c.excess {
				t.Errorf("%d actions more than needed, want %d", compared.Excess, c.excess)
			}
			if compared.Suffices() != (len(c.want) == 0) {
				t.Errorf("suffices: %t", compared.Suffices())
			}
		})
	}
}

// The policy that is published suffices by the comparison, in every way that it
// is written.
func TestOwnRoleSuffices(t *testing.T) {
	t.Parallel()
	role, checks := needed(t, nil, nil)
	var documents []string
	for _, m := range role.Policies {
		data, err := json.Marshal(m.Document)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(data))
	}
	for name, text := range map[string]string{
		"as shown":      role.JSON(),
		"list":          "[" + strings.Join(documents, ",") + "]",
		"AWS CLI":       `{"PolicyVersion":{"Document":` + documents[0] + `,"VersionId":"v1"}}`,
		"role policy":   `{"RoleName":"r","PolicyName":"p","PolicyDocument":` + documents[0] + `}`,
		"URL-encoded":   `{"PolicyDocument":"` + strings.ReplaceAll(url.QueryEscape(documents[0]), "+", "%20") + `"}`,
		"without Never": documents[0],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := grant.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if c := grant.Compare(role, p, checks); !c.Suffices() || c.Excess != 0 || c.Needed != len(role.Grants) {
				t.Errorf("%s: %+v", c, c.Differences)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want error // nil for any
	}{
		"nothing":           {"", nil},
		"no JSON":           {"Version: 2012", nil},
		"another object":    {`{"Roles":[]}`, grant.ErrNoPolicy},
		"empty list":        {`[]`, grant.ErrNoPolicy},
		"malformed":         {`{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}`, iampolicy.ErrMalformed},
		"one of two broken": {`[` + document(statement("Allow", allKMS)) + `,{"Statement":7}]`, iampolicy.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := grant.Parse([]byte(c.text)); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want an error (%v)", err, c.want)
			}
		})
	}
}

// AWS's own policies, as data: the figures that the product states of them.
func TestManagedPolicies(t *testing.T) {
	t.Parallel()
	role, checks := needed(t, nil, nil)
	for name, c := range map[string]struct{ allowed, data, credentials int }{
		"security-audit": {2876, 18, 3},
		"read-only":      {6851, 141, 28},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := grant.ManagedPolicy(name)
			if err != nil {
				t.Fatal(err)
			}
			compared := grant.Compare(role, m.Policy, checks)
			t.Logf("%s %s: %s", m.Name, m.Version, compared)
			data, credentials, allowed := 0, 0, 0
			for _, d := range compared.Differences {
				if strings.HasPrefix(d.Why, "reads data") && !strings.Contains(d.Why, "denies it") {
					data++
				}
				if strings.HasSuffix(d.Why, "exposes credentials") {
					credentials++
				}
				if d.What == grant.Unknown || d.Action == "apigateway:GET" && d.What == grant.Reveals {
					allowed-- // counted as excess, and no action of AWS's reference
				}
			}
			allowed += compared.Excess + compared.Needed
			for _, d := range compared.Missing() {
				if d.Why == "not allowed" {
					allowed--
				}
			}
			got := fmt.Sprint(allowed, data, credentials)
			if want := fmt.Sprint(c.allowed, c.data, c.credentials); got != want {
				t.Errorf("actions, data, credentials: %s, want %s", got, want)
			}
		})
	}
	if _, err := grant.ManagedPolicy("security-audti"); err == nil || !strings.Contains(err.Error(), `did you mean "security-audit"`) {
		t.Errorf("%v, want the nearest name", err)
	}
}

func TestUniverseHasAllThatIsUsed(t *testing.T) {
	t.Parallel()
	all := grant.Universe()
	if len(all) < 19000 {
		t.Errorf("%d actions", len(all))
	}
	for action, access := range policy.Accesses() {
		if !slices.Contains(all, access) {
			t.Errorf("%s is not in universe.tsv, or is another there: run make generate", action)
		}
	}
}
