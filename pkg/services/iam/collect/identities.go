package collect

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

// identities emits users, groups, roles and policies, which one operation tells
// together.
func (r reports) identities(ctx context.Context, s *collect.Session) error {
	l := lister{Session: s}
	reading := collect.NewReading(ctx, s)
	reading.Do(func(context.Context) { l.report = r.read(reading, s) })
	reading.Do(func(context.Context) { l.virtual = virtualDevices(reading, s) })
	if err := reading.Wait(); err != nil {
		return err
	}
	pages := sdk.NewGetAccountAuthorizationDetailsPaginator(sdk.NewFromConfig(s.Config), &sdk.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1000)})
	return collect.Each(ctx, s, pages, l.page, func(_ *collect.Reading, found check.Resource) *check.Resource { return &found })
}

// lister turns a page into resources, with what was read of all users before.
type lister struct {
	*collect.Session
	report  fact.Of[report]
	virtual fact.Of[map[string]bool]
}

func (l lister) page(o *sdk.GetAccountAuthorizationDetailsOutput) []check.Resource {
	return slices.Concat(each(o.UserDetailList, l.user), each(o.GroupDetailList, l.group), each(o.RoleDetailList, l.role), each(o.Policies, l.policy))
}

func each[T any](items []T, resources func(T) []check.Resource) []check.Resource {
	var all []check.Resource
	for _, item := range items {
		all = append(all, resources(item)...)
	}
	return all
}

func (l lister) user(u types.UserDetail) []check.Resource {
	arn := aws.ToString(u.Arn)
	user := iam.User{
		Resource: l.Resource(arn, aws.ToString(u.UserName)),
		Detail: fact.Known(iam.UserDetail{
			Created:  *u.CreateDate,
			Groups:   u.GroupList,
			Attached: arns(u.AttachedManagedPolicies),
			Inline:   names(u.UserPolicyList),
			Boundary: boundary(u.PermissionsBoundary),
		}),
		Credentials: credentials(l.report, arn, *u.CreateDate),
		VirtualMFA:  fact.Map(l.virtual, func(owners map[string]bool) bool { return owners[arn] }),
	}
	return append(l.inline("user", arn, u.Path, u.UserPolicyList), user)
}

func (l lister) group(g types.GroupDetail) []check.Resource {
	arn := aws.ToString(g.Arn)
	group := iam.Group{
		Resource: l.Resource(arn, aws.ToString(g.GroupName)),
		Detail:   fact.Known(iam.GroupDetail{Attached: arns(g.AttachedManagedPolicies)}),
	}
	return append(l.inline("group", arn, g.Path, g.GroupPolicyList), group)
}

func (l lister) role(r types.RoleDetail) []check.Resource {
	arn := aws.ToString(r.Arn)
	d := iam.RoleDetail{
		Path:     aws.ToString(r.Path),
		Created:  *r.CreateDate,
		Trust:    document(r.AssumeRolePolicyDocument),
		Attached: arns(r.AttachedManagedPolicies),
		Boundary: boundary(r.PermissionsBoundary),
	}
	if r.RoleLastUsed != nil {
		d.Used = r.RoleLastUsed.LastUsedDate
	}
	role := iam.Role{Resource: l.Resource(arn, aws.ToString(r.RoleName)), Detail: fact.Known(d)}
	return append(l.inline("role", arn, r.Path, r.RolePolicyList), role)
}

func (l lister) policy(p types.ManagedPolicyDetail) []check.Resource {
	arn := aws.ToString(p.Arn)
	d := iam.PolicyDetail{
		AWS:         strings.Contains(arn, ":iam::aws:policy/"),
		Attachments: int(aws.ToInt32(p.AttachmentCount)),
		Boundaries:  int(aws.ToInt32(p.PermissionsBoundaryUsageCount)),
	}
	if d.AWS && d.Attachments+d.Boundaries == 0 {
		return nil // one of AWS's thousand that the account does not use
	}
	at := slices.IndexFunc(p.PolicyVersionList, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
	d.Document = document(p.PolicyVersionList[at].Document)
	// The ARN ends with the name, whether the answer gives it once more or not.
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	return []check.Resource{iam.Policy{Resource: l.Resource(arn, name), Detail: fact.Known(d)}}
}

func (l lister) inline(owner, arn string, path *string, policies []types.PolicyDetail) []check.Resource {
	return each(policies, func(p types.PolicyDetail) []check.Resource {
		policy := iam.InlinePolicy{
			Resource: l.Resource(arn, aws.ToString(p.PolicyName)),
			Detail: fact.Known(iam.InlinePolicyDetail{
				Owner: owner, OwnerPath: aws.ToString(path), Document: document(p.PolicyDocument),
			}),
		}
		policy.Sub = "policy/" + policy.Name
		return []check.Resource{policy}
	})
}

// document is a policy as JSON, without External IDs: no rule needs to know them,
// and evidence is read by more people than they are for. IAM encodes policies by
// RFC 3986, where a plus sign is a plus sign.
func document(encoded *string) string { return iampolicy.HideExternalIDs(iampolicy.Plain(*encoded)) }

func arns(policies []types.AttachedPolicy) []string {
	var all []string
	for _, p := range policies {
		all = append(all, aws.ToString(p.PolicyArn))
	}
	return all
}

func names(policies []types.PolicyDetail) []string {
	var all []string
	for _, p := range policies {
		all = append(all, aws.ToString(p.PolicyName))
	}
	return all
}

func boundary(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return aws.ToString(b.PermissionsBoundaryArn)
}
