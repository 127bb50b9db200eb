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
	reading := collect.NewReading(ctx, s)
	l := lister{Session: s, reading: reading}
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
	reading *collect.Reading
	report  fact.Of[report]
	virtual fact.Of[map[string]bool]
}

func (l lister) page(o *sdk.GetAccountAuthorizationDetailsOutput) []check.Resource {
	// Each page has all four lists, most of them empty.
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html, 29 November 2026.
	return slices.Concat(
		each(collect.RequiredList("UserDetailList", o.UserDetailList), l.user), each(collect.RequiredList("GroupDetailList", o.GroupDetailList), l.group),
		each(collect.RequiredList("RoleDetailList", o.RoleDetailList), l.role), each(collect.RequiredList("Policies", o.Policies), l.policy))
}

func each[T any](items []T, resources func(T) []check.Resource) []check.Resource {
	var all []check.Resource
	for _, item := range items {
		all = append(all, resources(item)...)
	}
	return all
}

func (l lister) user(u types.UserDetail) []check.Resource {
	arn, created := collect.RequiredARN("User.Arn", u.Arn), collect.Required("User.CreateDate", u.CreateDate)
	user := iam.User{
		Resource: l.Resource(arn, collect.RequiredText("UserName", u.UserName)),
		Detail: collect.From(l.reading, u, func(u types.UserDetail) iam.UserDetail {
			return iam.UserDetail{
				Created:  created,
				Groups:   collect.RequiredList("GroupList", u.GroupList),
				Attached: arns(u.AttachedManagedPolicies),
				Inline:   names(u.UserPolicyList),
				Boundary: boundary(u.PermissionsBoundary),
			}
		}),
		Credentials: credentials(l.report, arn, created),
		VirtualMFA:  fact.Map(l.virtual, func(owners map[string]bool) bool { return owners[arn] }),
	}
	return append(l.inline(arn, u.Path, u.UserPolicyList), user)
}

func (l lister) group(g types.GroupDetail) []check.Resource {
	arn := collect.RequiredARN("Group.Arn", g.Arn)
	group := iam.Group{
		Resource: l.Resource(arn, collect.RequiredText("GroupName", g.GroupName)),
		Detail: collect.From(l.reading, g, func(g types.GroupDetail) iam.GroupDetail {
			return iam.GroupDetail{Attached: arns(g.AttachedManagedPolicies)}
		}),
	}
	return append(l.inline(arn, g.Path, g.GroupPolicyList), group)
}

func (l lister) role(r types.RoleDetail) []check.Resource {
	arn := collect.RequiredARN("Role.Arn", r.Arn)
	role := iam.Role{Resource: l.Resource(arn, collect.RequiredText("RoleName", r.RoleName)), Detail: collect.From(l.reading, r, l.roleDetail)}
	return append(l.inline(arn, r.Path, r.RolePolicyList), role)
}

func (l lister) roleDetail(r types.RoleDetail) iam.RoleDetail {
	collect.RequiredList("RolePolicyList", r.RolePolicyList) // IAM sends it empty
	d := iam.RoleDetail{
		Path:     path(r.Path),
		Created:  collect.Required("Role.CreateDate", r.CreateDate),
		Trust:    l.document(r.AssumeRolePolicyDocument),
		Attached: arns(r.AttachedManagedPolicies),
		Boundary: boundary(r.PermissionsBoundary),
	}
	if r.RoleLastUsed != nil {
		d.Used = r.RoleLastUsed.LastUsedDate
	}
	return d
}

func (l lister) policy(p types.ManagedPolicyDetail) []check.Resource {
	arn := collect.RequiredARN("Policy.Arn", p.Arn)
	detail := collect.From(l.reading, p, func(p types.ManagedPolicyDetail) iam.PolicyDetail {
		attachments := collect.Required("AttachmentCount", p.AttachmentCount)
		d := iam.PolicyDetail{
			AWS:         strings.Contains(arn, ":iam::aws:policy/"),
			Attachments: collect.Count("AttachmentCount", &attachments),
			Boundaries:  collect.Count("PermissionsBoundaryUsageCount", p.PermissionsBoundaryUsageCount),
		}
		if d.AWS && d.Attachments+d.Boundaries == 0 {
			return d // one of AWS's thousand that the account does not use
		}
		at := slices.IndexFunc(p.PolicyVersionList, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
		d.Document = l.document(p.PolicyVersionList[at].Document)
		return d
	})
	if d, gap := detail.Get(); gap == nil && d.Document == "" {
		return nil
	}
	// The ARN ends with the name, whether the answer gives it once more or not.
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	return []check.Resource{iam.Policy{Resource: l.Resource(arn, name), Detail: detail}}
}

func (l lister) inline(arn string, of *string, policies []types.PolicyDetail) []check.Resource {
	return each(policies, func(p types.PolicyDetail) []check.Resource {
		policy := iam.InlinePolicy{
			Resource: l.Resource(arn, collect.RequiredText("PolicyName", p.PolicyName)),
			Detail: collect.From(l.reading, p, func(p types.PolicyDetail) iam.InlinePolicyDetail {
				return iam.InlinePolicyDetail{OwnerPath: path(of), Document: l.document(p.PolicyDocument)}
			}),
		}
		policy.Sub = "policy/" + policy.Name
		return []check.Resource{policy}
	})
}

// document is a policy as JSON. IAM encodes policies by RFC 3986, where a plus sign is
// a plus sign.
func (l lister) document(encoded *string) string {
	return l.Policy(iampolicy.Plain(collect.RequiredText("policy document", encoded)))
}

// path is where an identity stands; it tells roles that AWS owns.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names, 29 November 2026.
func path(of *string) string {
	text := collect.RequiredText("Path", of)
	if !strings.HasPrefix(text, "/") {
		collect.Garbled("the path %q does not begin with a slash", text)
	}
	return text
}

func arns(policies []types.AttachedPolicy) []string {
	var all []string
	for _, p := range collect.RequiredList("AttachedManagedPolicies", policies) {
		all = append(all, collect.RequiredARN("PolicyArn", p.PolicyArn))
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
	return collect.RequiredARN("PermissionsBoundaryArn", b.PermissionsBoundaryArn)
}
