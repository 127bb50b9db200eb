// Package collect reads what the role or the user allows that an audit comes as, and
// the account's zone of trust.
package collect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq"
)

// Spec is how the way in is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: cloudarq.Name,
		Global:  true,
		Walks: []collect.Walk{
			{
				Kinds:      []string{cloudarq.Access{}.Kind()},
				Operations: []string{"IAM.GetAccountAuthorizationDetails"},
				Run:        access,
			},
			{
				Kinds:      []string{policyrule.Zone{}.Kind()},
				Operations: []string{"Organizations.DescribeOrganization", "S3.ListBuckets", "CloudFront.ListCloudFrontOriginAccessIdentities"},
				Run:        zone,
			},
		},
	}
}

func access(ctx context.Context, s *collect.Session) error {
	who, err := principalOf(s.Caller)
	if err != nil {
		return err
	}
	a := cloudarq.Access{Resource: s.Resource(who.arn, who.name)}
	if !s.Caller.Entrusted { // nobody asks what somebody's own credentials allow
		a.Policies, a.Trust = fact.Known(cloudarq.Policies{}), fact.Known(cloudarq.Trust{})
		s.Emit(a)
		return nil
	}
	reading := collect.NewReading(ctx, s)
	a.Policies = collect.Ask(reading, func(ctx context.Context) (cloudarq.Policies, error) { return Policies(ctx, s.Config, s.Caller) })
	if err := reading.Wait(); err != nil {
		return err
	}
	a.Trust = trust(s, who, a.Policies)
	s.Emit(a)
	return nil
}

// trust is what was tried of a role before it was audited. That says how it is now if its
// trust policy is the same, which who cannot read it does not know.
func trust(s *collect.Session, who principal, policies fact.Of[cloudarq.Policies]) fact.Of[cloudarq.Trust] {
	found := cloudarq.Trust{By: who.kind}
	tried := s.Trust
	switch {
	case who.kind != "role":
		return fact.Known(found)
	case tried == nil:
		return fact.Unknown[cloudarq.Trust](fact.Gap{Reason: fact.NotCollected, Region: s.Region, Detail: "it was not tried: that is done with accounts that are kept"})
	case tried.Open == "" && tried.Unread != "":
		return fact.Unknown[cloudarq.Trust](fact.Gap{Reason: fact.NotCollected, Region: s.Region, Detail: "whether the trust policy has changed since it was tried could not be read: " + tried.Unread})
	}
	found.TriedAt, found.Open = tried.TriedAt, tried.Open
	if found.Open != "" {
		return fact.Known(found)
	}
	return fact.Map(policies, func(cloudarq.Policies) cloudarq.Trust { return found })
}

// Policies reads the policies of the caller. It needs
// iam:GetAccountAuthorizationDetails alone, which audits of IAM need in any case,
// and asks for no more pages than it takes to find them.
func Policies(ctx context.Context, cfg aws.Config, caller model.Identity) (cloudarq.Policies, error) {
	read, err := Read(ctx, cfg, caller)
	return read.Policies, err
}

// Principal is a role or a user as IAM has it.
type Principal struct {
	Policies cloudarq.Policies
	// Trust is the trust policy of a role, word for word: with its External ID.
	Trust secret.String
}

// Read is Policies, and reads the trust policy of a role with them.
func Read(ctx context.Context, cfg aws.Config, caller model.Identity) (Principal, error) {
	return collect.Understood(func() (Principal, error) { return read(ctx, cfg, caller) })
}

func read(ctx context.Context, cfg aws.Config, caller model.Identity) (Principal, error) {
	who, err := principalOf(caller)
	if err != nil {
		return Principal{}, err
	}
	if who.kind == "root" {
		return Principal{Policies: cloudarq.Policies{Entrusted: caller.Entrusted, Documents: []cloudarq.Document{{Name: "root user", Document: everything}}}}, nil
	}
	r := reader{client: sdk.NewFromConfig(cfg)}
	found, err := r.principal(ctx, who)
	if err != nil {
		return Principal{}, err
	}
	managed, err := r.managed(ctx, append(slices.Clone(found.attached), found.boundary))
	if err != nil {
		return Principal{}, err
	}
	p := cloudarq.Policies{Entrusted: caller.Entrusted, Documents: found.inline}
	for _, arn := range found.attached {
		p.Documents = append(p.Documents, cloudarq.Document{Name: arn, Document: managed[arn]})
	}
	slices.SortFunc(p.Documents, func(a, b cloudarq.Document) int { return cmp.Compare(a.Name, b.Name) })
	if found.boundary != "" {
		p.Boundary = &cloudarq.Document{Name: found.boundary, Document: managed[found.boundary]}
	}
	return Principal{p, found.trust}, nil
}

// everything is what the root user of an account may do. It has no policies.
const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// principal is a role, a user or the root user of an account.
type principal struct {
	kind, name string // the kind as in ARNs: "role", "user", "root"
	arn        string
}

// principalOf is whose policies a caller has. The ARN of a session names its role
// without the role's path, which the listing has.
func principalOf(caller model.Identity) (principal, error) {
	_, resource, _ := strings.Cut(caller.CallerARN, "::"+caller.Account+":")
	kind, rest, _ := strings.Cut(resource, "/")
	switch kind {
	case "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		return principal{"role", name, "arn:" + caller.Partition + ":iam::" + caller.Account + ":role/" + name}, nil
	case "user":
		return principal{"user", rest[strings.LastIndex(rest, "/")+1:], caller.CallerARN}, nil
	case "root":
		return principal{"root", "root", caller.CallerARN}, nil
	default:
		return principal{}, fmt.Errorf("%q is neither a role's session nor a user", caller.CallerARN)
	}
}

type reader struct{ client *sdk.Client }

// policies are what a role or a user has, or a group of his.
type policies struct {
	attached []string // ARNs
	inline   []cloudarq.Document
	boundary string // ARN; empty for none
	groups   []string
	trust    secret.String // of a role
}

func policiesOf(attached []types.AttachedPolicy, inline []types.PolicyDetail, boundary *types.AttachedPermissionsBoundary) policies {
	var p policies
	for _, a := range collect.RequiredList("AttachedManagedPolicies", attached) {
		p.attached = append(p.attached, collect.RequiredARN("PolicyArn", a.PolicyArn))
	}
	for _, i := range inline {
		p.inline = append(p.inline, cloudarq.Document{Name: aws.ToString(i.PolicyName), Document: document(i.PolicyDocument)})
	}
	if boundary != nil {
		p.boundary = aws.ToString(boundary.PermissionsBoundaryArn)
	}
	return p
}

// principal finds the policies of a role or a user, and those of a user's groups.
func (r reader) principal(ctx context.Context, who principal) (policies, error) {
	var found *policies
	groups := map[string]policies{}
	kinds := []types.EntityType{types.EntityTypeRole}
	if who.kind == "user" {
		kinds = []types.EntityType{types.EntityTypeUser, types.EntityTypeGroup}
	}
	err := r.each(ctx, kinds, func(page *sdk.GetAccountAuthorizationDetailsOutput) (enough bool) {
		for _, role := range page.RoleDetailList {
			if who.kind == "role" && aws.ToString(role.RoleName) == who.name {
				found = new(policiesOf(role.AttachedManagedPolicies, role.RolePolicyList, role.PermissionsBoundary))
				found.trust = secret.New(iampolicy.Plain(aws.ToString(role.AssumeRolePolicyDocument)))
			}
		}
		for _, user := range page.UserDetailList {
			if who.kind == "user" && aws.ToString(user.UserName) == who.name {
				found = new(policiesOf(user.AttachedManagedPolicies, user.UserPolicyList, user.PermissionsBoundary))
				found.groups = user.GroupList
			}
		}
		for _, group := range page.GroupDetailList {
			groups[aws.ToString(group.GroupName)] = policiesOf(group.AttachedManagedPolicies, group.GroupPolicyList, nil)
		}
		return found != nil && !slices.ContainsFunc(found.groups, func(g string) bool { _, known := groups[g]; return !known })
	})
	if err != nil {
		return policies{}, err
	}
	if found == nil {
		return policies{}, fmt.Errorf("the account does not list the %s %s", who.kind, who.name)
	}
	for _, name := range found.groups {
		group, known := groups[name]
		if !known {
			return policies{}, fmt.Errorf("the account does not list the group %s", name)
		}
		found.attached = append(found.attached, group.attached...)
		for _, p := range group.inline {
			p.Name = name + "/" + p.Name
			found.inline = append(found.inline, p)
		}
	}
	slices.Sort(found.attached)
	found.attached = slices.Compact(found.attached)
	return *found, nil
}

// managed reads managed policies, by their ARNs.
func (r reader) managed(ctx context.Context, arns []string) (map[string]string, error) {
	found := map[string]string{}
	missing := func(arn string) bool { return arn != "" && found[arn] == "" }
	var kinds []types.EntityType
	for _, arn := range arns {
		kind := types.EntityTypeLocalManagedPolicy
		if strings.Contains(arn, ":iam::aws:policy/") {
			kind = types.EntityTypeAWSManagedPolicy
		}
		if arn != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return found, nil
	}
	err := r.each(ctx, kinds, func(page *sdk.GetAccountAuthorizationDetailsOutput) (enough bool) {
		for _, p := range page.Policies {
			if arn := aws.ToString(p.Arn); slices.Contains(arns, arn) {
				at := slices.IndexFunc(p.PolicyVersionList, func(v types.PolicyVersion) bool { return v.IsDefaultVersion })
				found[arn] = document(p.PolicyVersionList[at].Document)
			}
		}
		return !slices.ContainsFunc(arns, missing)
	})
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(arns, missing); at >= 0 {
		return nil, fmt.Errorf("the account does not list the policy %s", arns[at])
	}
	return found, nil
}

// each visits the pages of a listing until one was enough.
func (r reader) each(ctx context.Context, kinds []types.EntityType, visit func(*sdk.GetAccountAuthorizationDetailsOutput) (enough bool)) error {
	pages := sdk.NewGetAccountAuthorizationDetailsPaginator(r.client, &sdk.GetAccountAuthorizationDetailsInput{Filter: kinds, MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		if visit(page) {
			return nil
		}
	}
	return nil
}

// document is a policy of the auditor's own; no rule over it asks for an account.
func document(encoded *string) string { return iampolicy.Mask(iampolicy.Plain(*encoded), "") }
