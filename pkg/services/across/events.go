package across

import (
	"maps"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

// monitoring is a sort of event of which somebody must hear: chapter 4 of the
// CIS benchmark. A filter is right if it counts each of the events, which are
// what CIS's own pattern names, and not just everything. How it is written is
// of no matter.
type monitoring struct {
	id     model.CheckID
	events []event
	source string // of the events, which a trail may leave out; empty for many
}

// The event sources that the table names more than once.
const (
	ofEC2  = "ec2.amazonaws.com"
	signIn = "signin.amazonaws.com"
)

var monitored = []monitoring{
	{id: "monitoring-unauthorized-api-calls", events: each("errorCode", calls(ofEC2, "RunInstances"),
		"Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException")},
	{id: "monitoring-sign-in-without-mfa", events: with(calls(signIn, "ConsoleLogin"), event{
		"eventType": "AwsConsoleSignIn", "userIdentity.type": "IAMUser",
		"additionalEventData.MFAUsed": "No", "responseElements.ConsoleLogin": "Success",
	})},
	{id: "monitoring-root-usage", events: each("eventType", with(calls(ofEC2, "RunInstances"), event{
		"userIdentity.type": "Root", "userIdentity.arn": "arn:aws:iam::111122223333:root",
	}), "AwsApiCall", "AwsConsoleSignIn")},
	{id: "monitoring-iam-policy-changes", events: calls("iam.amazonaws.com",
		"DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy", "PutRolePolicy", "PutUserPolicy", "CreatePolicy",
		"DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy", "DetachRolePolicy", "AttachUserPolicy",
		"DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy")},
	{id: "monitoring-cloudtrail-changes", events: calls("cloudtrail.amazonaws.com",
		"CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")},
	{id: "monitoring-sign-in-failures", events: with(calls(signIn, "ConsoleLogin"), event{
		"eventType": "AwsConsoleSignIn", "userIdentity.type": "IAMUser", "additionalEventData.MFAUsed": "No",
		"errorMessage": "Failed authentication", "responseElements.ConsoleLogin": "Failure",
	})},
	{id: "monitoring-kms-key-deletion", events: calls("kms.amazonaws.com", "DisableKey", "ScheduleKeyDeletion"), source: "kms.amazonaws.com"},
	{id: "monitoring-s3-bucket-policy-changes", events: calls("s3.amazonaws.com",
		"PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication", "DeleteBucketPolicy",
		"DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication")},
	{id: "monitoring-config-changes", events: calls("config.amazonaws.com",
		"StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder")},
	{id: "monitoring-security-group-changes", events: calls(ofEC2,
		"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress",
		"CreateSecurityGroup", "DeleteSecurityGroup")},
	{id: "monitoring-network-acl-changes", events: calls(ofEC2,
		"CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry",
		"ReplaceNetworkAclAssociation")},
	{id: "monitoring-network-gateway-changes", events: calls(ofEC2,
		"CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway", "DeleteInternetGateway",
		"DetachInternetGateway")},
	{id: "monitoring-route-table-changes", events: calls(ofEC2,
		"CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable", "DeleteRoute",
		"DisassociateRouteTable")},
	{id: "monitoring-vpc-changes", events: calls(ofEC2,
		"CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection",
		"DeleteVpcPeeringConnection", "RejectVpcPeeringConnection", "AttachClassicLinkVpc", "DetachClassicLinkVpc",
		"DisableVpcClassicLink", "EnableVpcClassicLink")},
	{id: "monitoring-organizations-changes", events: calls("organizations.amazonaws.com",
		"AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy", "DeclineHandshake",
		"DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy", "DetachPolicy", "DisablePolicyType", "EnablePolicyType",
		"InviteAccountToOrganization", "LeaveOrganization", "MoveAccount", "RemoveAccountFromOrganization", "UpdatePolicy",
		"UpdateOrganizationalUnit")},
}

// ordinary is what happens all day. A filter that counts it, too, counts
// everything, and its alarm means nothing.
var ordinary = append(calls(ofEC2, "DescribeInstances"), calls("sts.amazonaws.com", "GetCallerIdentity")...)

// calls is each of the calls made twice: by a user and by a role, from different
// places. A filter that looks at only some callers misses one of the two.
func calls(source string, names ...string) []event {
	var all []event
	for _, name := range names {
		all = append(all,
			event{
				"eventType": "AwsApiCall", "eventCategory": "Management", "eventSource": source, "eventName": name,
				"awsRegion": "us-east-1", "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.15.0",
				"userIdentity.type": "IAMUser", "userIdentity.userName": "alice", "userIdentity.accountId": "111122223333",
				"userIdentity.arn": "arn:aws:iam::111122223333:user/alice", "recipientAccountId": "111122223333",
			},
			event{
				"eventType": "AwsApiCall", "eventCategory": "Management", "eventSource": source, "eventName": name,
				"awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.9", "userAgent": "Mozilla/5.0",
				"userIdentity.type": "AssumedRole", "userIdentity.accountId": "111122223333",
				"userIdentity.arn": "arn:aws:sts::111122223333:assumed-role/operator/bob", "recipientAccountId": "111122223333",
			})
	}
	return all
}

// with is the events with some fields set.
func with(events []event, fields event) []event {
	all := make([]event, len(events))
	for i, e := range events {
		all[i] = maps.Clone(e)
		maps.Copy(all[i], fields)
	}
	return all
}

// each is the events once for each value of a field.
func each(field string, events []event, values ...string) []event {
	var all []event
	for _, value := range values {
		all = append(all, with(events, event{field: value})...)
	}
	return all
}

// countedBy reports whether a filter counts all of the events, and not just
// everything.
func (m monitoring) countedBy(filter string) (bool, error) {
	p, err := parsePattern(filter)
	if err != nil {
		return false, err
	}
	for _, e := range m.events {
		if !p(e) {
			return false, nil
		}
	}
	for _, e := range ordinary {
		if p(e) {
			return false, nil
		}
	}
	return true, nil
}

func (m monitoring) rule() check.Rule {
	rule := check.Across(m.id, model.Low, m.judge, usingAlarms...).CausedBy("cloudtrail-all-regions")
	if m.id == "monitoring-root-usage" {
		rule = rule.Except(iam.NoRootUser, iam.NoRootSignIn)
	}
	return rule
}
