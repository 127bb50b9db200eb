package connect_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// opened is an account whose role is called Auditor.
type opened struct{ config aws.Config }

func (o opened) Config(string, ledger.Ledger) aws.Config { return o.config }
func (opened) HomeRegion() string                        { return "us-east-1" }
func (opened) Identity() model.Identity {
	return model.Identity{Account: "111122223333", Partition: "aws", CallerARN: "arn:aws:sts::111122223333:assumed-role/Auditor/cloudarq-1", Entrusted: true}
}

func (opened) Regions(context.Context, ledger.Ledger) (enabled, disabled []string, err error) {
	return nil, nil, nil
}

// What a role allows is counted; that it cannot be read is no error, and says why.
func TestPermissions(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	role := func(name, document string) func(*fake.Fake) {
		return func(f *fake.Fake) {
			fake.OnPages[iam.GetAccountAuthorizationDetailsInput](f, &iam.GetAccountAuthorizationDetailsOutput{
				RoleDetailList: []types.RoleDetail{{
					RoleName: &name, AttachedManagedPolicies: []types.AttachedPolicy{},
					RolePolicyList: []types.PolicyDetail{{PolicyName: aws.String("audit"), PolicyDocument: &document}},
				}},
			})
		}
	}
	allow := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"CloudArq20250101Read1","Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`
	}
	for name, c := range map[string]struct {
		account func(*fake.Fake)
		unread  string
		missing bool // sqs:ListQueues
		version string
		unused  int
		excess  int
	}{
		"some of it":         {role("Auditor", allow(`["ec2:DescribeRegions","kms:ListKeys","sqs:PurgeQueue","s3:GetObject"]`)), "", true, "20250101", 1, 2},
		"all of it":          {role("Auditor", allow(`["ec2:DescribeRegions","sqs:ListQueues","sqs:GetQueueAttributes"]`)), "", false, "20250101", 0, 0},
		"a role that is not": {role("Another", allow(`"*"`)), "the account does not list the role Auditor", false, "", 0, 0},
		"not understood":     {role("Auditor", `{"Statement":[{"Effect":"Perhaps"}]}`), "malformed policy document", false, "", 0, 0},
		"denied": {func(f *fake.Fake) {
			role("Auditor", allow(`"*"`))(f)
			f.Meddle = func(string, int) error { return fake.Error("AccessDenied") }
		}, "denied: iam:GetAccountAuthorizationDetails", false, "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.New()
			c.account(cloud)
			looked, err := connect.Look(t.Context(), catalog, opened{cloud.Config(t)}, []string{"sqs"}, nil, &ledger.Memory{})
			p := looked.Permissions
			if err != nil || !strings.Contains(p.Unread, c.unread) || (p.Unread == "") != (c.unread == "") {
				t.Fatalf("%+v, %v; want unread because of %q", p, err, c.unread)
			}
			missing := false
			for _, m := range p.Missing {
				missing = missing || m.Action == "sqs:ListQueues" && len(m.Checks) > 0
			}
			if missing != c.missing || p.Version != c.version || p.Unused.Count != c.unused || p.Excess.Count != c.excess {
				t.Errorf("%+v", p)
			}
		})
	}
}
