package collect_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	awscollect "github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq/collect"
)

const (
	roleARN  = "arn:aws:iam::111122223333:role/CloudArqAuditRole"
	readARN  = "arn:aws:iam::111122223333:policy/CloudArq-Read1"
	auditARN = "arn:aws:iam::aws:policy/SecurityAudit"
	limitARN = "arn:aws:iam::111122223333:policy/limit"
)

func text(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
}

// encoded is a document as IAM returns it.
func encoded(action string) *string {
	return aws.String(strings.ReplaceAll(url.QueryEscape(text(action)), "+", "%20"))
}

func managed(arn, action string) types.ManagedPolicyDetail {
	return types.ManagedPolicyDetail{Arn: &arn, PolicyVersionList: []types.PolicyVersion{
		{VersionId: aws.String("v1"), Document: encoded("old:Action")},
		{VersionId: aws.String("v2"), IsDefaultVersion: true, Document: encoded(action)},
	}}
}

func attached(arns ...string) []types.AttachedPolicy {
	all := []types.AttachedPolicy{}
	for _, arn := range arns {
		all = append(all, types.AttachedPolicy{PolicyArn: &arn})
	}
	return all
}

// full is an account in which what is looked for is never on the first page.
func full(f *fake.Fake) {
	fake.OnPages[sdk.GetAccountAuthorizationDetailsInput](f,
		&sdk.GetAccountAuthorizationDetailsOutput{
			IsTruncated: true, Marker: aws.String("2"),
			RoleDetailList: []types.RoleDetail{{
				RoleName: aws.String("another"), AttachedManagedPolicies: attached(),
				RolePolicyList: []types.PolicyDetail{{PolicyName: aws.String("x"), PolicyDocument: encoded("another:Action")}},
			}},
			UserDetailList: []types.UserDetail{{
				UserName: aws.String("auditor"), GroupList: []string{"auditors"}, AttachedManagedPolicies: attached(),
				UserPolicyList: []types.PolicyDetail{{PolicyName: aws.String("own"), PolicyDocument: encoded("s3:GetBucketAcl")}},
			}},
			Policies: []types.ManagedPolicyDetail{managed(auditARN, "kms:ListKeys")},
		},
		&sdk.GetAccountAuthorizationDetailsOutput{
			RoleDetailList: []types.RoleDetail{{
				RoleName: aws.String("CloudArqAuditRole"), AttachedManagedPolicies: attached(readARN, auditARN),
				RolePolicyList:      []types.PolicyDetail{{PolicyName: aws.String("more"), PolicyDocument: encoded("ec2:DescribeRegions")}},
				PermissionsBoundary: &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(limitARN)},
			}},
			GroupDetailList: []types.GroupDetail{{
				GroupName: aws.String("auditors"), AttachedManagedPolicies: attached(auditARN),
				GroupPolicyList: []types.PolicyDetail{{PolicyName: aws.String("own"), PolicyDocument: encoded("sqs:ListQueues")}},
			}},
			Policies: []types.ManagedPolicyDetail{managed(readARN, "s3:ListAllMyBuckets"), managed(limitARN, "*")},
		})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), cloudarq.Service())
}

// Whose policies are read follows from who the caller is.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller string
		want   []string // names of documents
		fails  string
	}{
		"role":                  {"arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq-1", []string{readARN, auditARN, "more"}, ""},
		"user, with his groups": {"arn:aws:iam::111122223333:user/people/auditor", []string{auditARN, "auditors/own", "own"}, ""},
		"root user":             {"arn:aws:iam::111122223333:root", []string{"root user"}, ""},
		"role that is gone":     {"arn:aws:sts::111122223333:assumed-role/Gone/cloudarq-1", nil, "does not list the role Gone"},
		"user that is gone":     {"arn:aws:iam::111122223333:user/gone", nil, "does not list the user gone"},
		"federated user":        {"arn:aws:sts::111122223333:federated-user/x", nil, "neither a role's session nor a user"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.New()
			full(cloud)
			got, err := collect.Policies(t.Context(), cloud.Config(t), model.Identity{Account: "111122223333", Partition: "aws", CallerARN: c.caller})
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("error %v, want %q", err, c.fails)
				}
				return
			}
			var names []string
			for _, d := range got.Documents {
				names = append(names, d.Name)
			}
			slices.Sort(c.want)
			slices.Sort(names)
			if diff := cmp.Diff(c.want, names); err != nil || diff != "" {
				t.Errorf("policies (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

// What was tried of the role says how it is now if that is known: nothing else passes.
func TestTrust(t *testing.T) {
	t.Parallel()
	role, user := "arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq-1", "arn:aws:iam::111122223333:user/people/auditor"
	closed, open := &model.Trust{TriedAt: collecttest.Now}, &model.Trust{TriedAt: collecttest.Now, Open: "without an External ID"}
	for name, c := range map[string]struct {
		caller model.Identity
		trust  *model.Trust
		denied bool
		want   check.Status
	}{
		"closed":                          {model.Identity{CallerARN: role, Entrusted: true}, closed, false, check.Pass},
		"open":                            {model.Identity{CallerARN: role, Entrusted: true}, open, false, check.Fail},
		"open, and nothing may be read":   {model.Identity{CallerARN: role, Entrusted: true}, open, true, check.Fail},
		"closed, but nothing may be read": {model.Identity{CallerARN: role, Entrusted: true}, closed, true, check.NotAssessed},
		"not read when it was tried":      {model.Identity{CallerARN: role, Entrusted: true}, &model.Trust{TriedAt: collecttest.Now, Unread: "denied"}, false, check.NotAssessed},
		"not tried":                       {model.Identity{CallerARN: role, Entrusted: true}, nil, false, check.NotAssessed},
		"access key":                      {model.Identity{CallerARN: user, Entrusted: true}, nil, false, check.NotApplicable},
		"whoever runs the command":        {model.Identity{CallerARN: role}, nil, false, check.NotApplicable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := fake.New()
			full(cloud)
			if c.denied {
				cloud.Meddle = func(string, int) error { return fake.Error("AccessDenied") }
			}
			found := &collecttest.Found{Gaps: map[string]*fact.Gap{}}
			session := awscollect.NewSession(cloud.Config(t), "111122223333", "aws", model.Global, found)
			session.Caller, session.Trust = c.caller, c.trust
			session.Caller.Account, session.Caller.Partition = "111122223333", "aws"
			session.Run(t.Context(), collect.Spec().Walks[0])
			rules := cloudarq.Service().Rules
			at := slices.IndexFunc(rules, func(r check.Rule) bool { return r.ID == cloudarq.ExternalIDCheck })
			if v := check.NewJudge(collecttest.Now, nil).Judge(rules[at], found.Resources[0]); v.Status != c.want {
				t.Errorf("%+v, want %s", v, c.want)
			}
		})
	}
}
