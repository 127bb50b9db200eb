package collect_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
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

func attached(arns ...string) (all []types.AttachedPolicy) {
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
			RoleDetailList: []types.RoleDetail{{RoleName: aws.String("another"), RolePolicyList: []types.PolicyDetail{{PolicyName: aws.String("x"), PolicyDocument: encoded("another:Action")}}}},
			UserDetailList: []types.UserDetail{{
				UserName: aws.String("auditor"), GroupList: []string{"auditors"},
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

// zone is what belongs to the account, on several pages.
func zone(f *fake.Fake) {
	fake.On(f, func(*organizations.DescribeOrganizationInput) (*organizations.DescribeOrganizationOutput, error) {
		return &organizations.DescribeOrganizationOutput{Organization: &orgtypes.Organization{Id: aws.String("o-abcde12345")}}, nil
	})
	fake.OnPages[s3.ListBucketsInput](f,
		&s3.ListBucketsOutput{ContinuationToken: aws.String("2"), Buckets: []s3types.Bucket{{Name: aws.String("one"), BucketRegion: aws.String("eu-west-1")}}},
		&s3.ListBucketsOutput{Buckets: []s3types.Bucket{{Name: aws.String("two"), BucketRegion: aws.String("us-east-1")}}})
	fake.OnPages[cloudfront.ListCloudFrontOriginAccessIdentitiesInput](f,
		&cloudfront.ListCloudFrontOriginAccessIdentitiesOutput{CloudFrontOriginAccessIdentityList: &cftypes.CloudFrontOriginAccessIdentityList{
			IsTruncated: aws.Bool(true), NextMarker: aws.String("2"),
			Items: []cftypes.CloudFrontOriginAccessIdentitySummary{{Id: aws.String("E1"), S3CanonicalUserId: aws.String("00ab")}},
		}},
		&cloudfront.ListCloudFrontOriginAccessIdentitiesOutput{CloudFrontOriginAccessIdentityList: &cftypes.CloudFrontOriginAccessIdentityList{
			IsTruncated: aws.Bool(false), Items: []cftypes.CloudFrontOriginAccessIdentitySummary{{Id: aws.String("E2"), S3CanonicalUserId: aws.String("00cd")}},
		}})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), func(f *fake.Fake) { full(f); zone(f) }, []check.Resource{
		cloudarq.Access{
			Resource: model.Resource{Ref: model.Ref{ARN: roleARN, Account: collecttest.Account, Region: model.Global, Name: "CloudArqAuditRole"}},
			Policies: fact.Known(cloudarq.Policies{
				Entrusted: true,
				Documents: []cloudarq.Document{
					{Name: readARN, Document: text("s3:ListAllMyBuckets")}, {Name: auditARN, Document: text("kms:ListKeys")}, {Name: "more", Document: text("ec2:DescribeRegions")},
				},
				Boundary: &cloudarq.Document{Name: limitARN, Document: text("*")},
			}),
		},
		policyrule.Zone{
			Resource:     model.Resource{Ref: model.Ref{ARN: "arn:aws:account::" + collecttest.Account + ":zone", Account: collecttest.Account, Region: model.Global, Name: collecttest.Account}},
			Organization: fact.Known("o-abcde12345"),
			Buckets:      fact.Known([]string{"one", "two"}),
			OriginAccessIdentities: fact.Known([]policyrule.OriginAccessIdentity{
				{ID: "E1", CanonicalUser: "00ab"}, {ID: "E2", CanonicalUser: "00cd"},
			}),
			Trusted: fact.Known([]string{"444455556666"}),
		},
	})
}

// An account that is in no organization has none, which is an answer.
func TestNoOrganization(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	zone(cloud)
	fake.Fail[organizations.DescribeOrganizationInput](cloud, "AWSOrganizationsNotInUseException")
	for _, r := range collecttest.Walk(t, collect.Spec(), cloud).Resources {
		if z, ok := r.(policyrule.Zone); ok {
			if id, gap := z.Organization.Get(); id != "" || gap != nil {
				t.Errorf("organization %q, %v", id, gap)
			}
			return
		}
	}
	t.Error("no zone")
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
