"""What somebody must hear of, by chapter 4 of the CIS benchmark for AWS: the filter patterns of its 15 requirements, by name."""


def _calls(source: str, *names: str) -> str:
    named = " || ".join(f"($.eventName = {name})" for name in names)
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({named}) }}"


PATTERNS = {
    "unauthorized-api-calls": '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    "sign-in-without-mfa": (
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser")'
        ' && ($.responseElements.ConsoleLogin = "Success") }'
    ),
    "root-usage": '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
    "iam-policy-changes": _calls(
        "iam",
        *(f"{verb}{principal}Policy" for verb in ("Delete", "Put", "Attach", "Detach") for principal in ("Group", "Role", "User")),
        *("CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion"),
    ),
    "cloudtrail-changes": _calls("cloudtrail", "CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    "sign-in-failures": '{ ($.eventName = "ConsoleLogin") && ($.errorMessage = "Failed authentication") }',
    "kms-key-deletion": _calls("kms", "DisableKey", "ScheduleKeyDeletion"),
    "s3-bucket-policy-changes": _calls(
        "s3",
        *(f"{verb}Bucket{what}" for verb in ("Put", "Delete") for what in ("Policy", "Cors", "Lifecycle", "Replication")),
        "PutBucketAcl",
    ),
    "config-changes": _calls(
        "config", "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel", "PutConfigurationRecorder"
    ),
    "security-group-changes": _calls(
        "ec2",
        *(f"{verb}SecurityGroup{way}gress" for verb in ("Authorize", "Revoke") for way in ("In", "E")),
        *("CreateSecurityGroup", "DeleteSecurityGroup"),
    ),
    "network-acl-changes": _calls(
        "ec2",
        *("CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry"),
        *("ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation"),
    ),
    "network-gateway-changes": _calls(
        "ec2",
        *("CreateCustomerGateway", "DeleteCustomerGateway"),
        *(f"{verb}InternetGateway" for verb in ("Attach", "Create", "Delete", "Detach")),
    ),
    "route-table-changes": _calls(
        "ec2",
        *("CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation"),
        *("DeleteRouteTable", "DeleteRoute", "DisassociateRouteTable"),
    ),
    "vpc-changes": _calls(
        "ec2",
        *("CreateVpc", "DeleteVpc", "ModifyVpcAttribute"),
        *(f"{verb}VpcPeeringConnection" for verb in ("Accept", "Create", "Delete", "Reject")),
        *("AttachClassicLinkVpc", "DetachClassicLinkVpc", "DisableVpcClassicLink", "EnableVpcClassicLink"),
    ),
    "organizations-changes": _calls(
        "organizations",
        *("AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy", "DeclineHandshake"),
        *("DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy", "DetachPolicy", "DisablePolicyType", "EnablePolicyType"),
        *("InviteAccountToOrganization", "LeaveOrganization", "MoveAccount", "RemoveAccountFromOrganization"),
        *("UpdatePolicy", "UpdateOrganizationalUnit"),
    ),
}
NAMESPACE = "CIS"
