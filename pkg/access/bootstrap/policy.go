package bootstrap

import (
	"encoding/json"
	"fmt"
)

type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// Policy is the least IAM policy, in JSON, of somebody who makes the stack and
// nothing else. CloudFormation calls IAM with the caller's permissions, so that
// those on the role and its policies are needed, too, but only through it. What it
// calls for a resource type is in the type's schema, under "handlers":
// https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
// Left out is what the template gives no reason for: inline policies, permissions
// boundaries, users and groups.
func (p Place) Policy() string {
	role, policies := p.RoleARN(), fmt.Sprintf("arn:%s:iam::%s:policy/%s-*", p.Partition, p.Account, p.Stack)
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledviafirst
	via := map[string]string{"aws:CalledViaFirst": "cloudformation.amazonaws.com"}
	d := document{Version: "2012-10-17", Statement: []statement{{
		Sid: "Stack", Effect: "Allow",
		Action: []string{
			"cloudformation:CreateChangeSet",
			"cloudformation:DeleteChangeSet",
			"cloudformation:DeleteStack", // the empty one of a change set that was not wanted; a failed one
			"cloudformation:DescribeChangeSet",
			"cloudformation:DescribeStackEvents",
			"cloudformation:DescribeStacks",
			"cloudformation:ExecuteChangeSet",
		},
		Resource: fmt.Sprintf("arn:%s:cloudformation:%s:%s:stack/%s/*", p.Partition, p.Region, p.Account, p.Stack),
	}, {
		Sid: "Role", Effect: "Allow",
		Action: []string{
			"iam:CreateRole",
			"iam:DeleteRole",
			"iam:GetRole",
			"iam:GetRolePolicy",
			"iam:ListAttachedRolePolicies",
			"iam:ListRolePolicies",
			"iam:TagRole",
			"iam:UntagRole",
			"iam:UpdateAssumeRolePolicy",
			"iam:UpdateRole",
			"iam:UpdateRoleDescription",
		},
		Resource:  role,
		Condition: map[string]map[string]string{"StringEquals": via},
	}, {
		Sid: "AttachItsPolicies", Effect: "Allow",
		Action:    []string{"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
		Resource:  role,
		Condition: map[string]map[string]string{"StringEquals": via, "ArnLike": {"iam:PolicyARN": policies}},
	}, {
		Sid: "Policies", Effect: "Allow",
		Action: []string{
			"iam:CreatePolicy",
			"iam:CreatePolicyVersion",
			"iam:DeletePolicy",
			"iam:DeletePolicyVersion",
			"iam:GetPolicy",
			"iam:GetPolicyVersion",
			"iam:ListEntitiesForPolicy",
			"iam:ListPolicyVersions",
		},
		Resource:  policies,
		Condition: map[string]map[string]string{"StringEquals": via},
	}}}
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(data) + "\n"
}
