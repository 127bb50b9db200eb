"""Settings of an account that moto does not know, answered as AWS would."""

from estate.account import REGIONS, Account

NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def neglected(account: Account) -> None:
    """As AWS sets up an account that nobody hardened."""
    ec2(account, snapshots="unblocked", images="unblocked", tokens="", console="true", vpc="off")


def well_kept(account: Account) -> None:
    ec2(account, snapshots="block-all-sharing", images="block-new-sharing", tokens="required", console="false", vpc="block-bidirectional")
    account.answer(
        "account",
        "GetContactInformation",
        {
            "ContactInformation": {
                "FullName": "Well Kept Ltd",
                "AddressLine1": "1 High Street",
                "City": "Dublin",
                "PostalCode": "D01",
                "CountryCode": "IE",
                "PhoneNumber": "+35315550100",
            }
        },
    )
    root_has_mfa(account)
    empty_unused_regions(account)


def ec2(account: Account, snapshots: str, images: str, tokens: str, console: str, vpc: str) -> None:
    defaults = f"<accountLevel><httpTokens>{tokens}</httpTokens></accountLevel>" if tokens else "<accountLevel/>"
    for operation, content in {
        "GetSnapshotBlockPublicAccessState": f"<state>{snapshots}</state><managedBy>account</managedBy>",
        "GetImageBlockPublicAccessState": f"<imageBlockPublicAccessState>{images}</imageBlockPublicAccessState>",
        "GetInstanceMetadataDefaults": defaults,
        "GetSerialConsoleAccessStatus": f"<serialConsoleAccessEnabled>{console}</serialConsoleAccessEnabled>",
        "DescribeVpcBlockPublicAccessOptions": (
            f"<vpcBlockPublicAccessOptions><internetGatewayBlockMode>{vpc}</internetGatewayBlockMode></vpcBlockPublicAccessOptions>"
        ),
        "DescribeClientVpnEndpoints": "<clientVpnEndpoint/>",
    }.items():
        account.answer("ec2", operation, f"<{operation}Response {NAMESPACE}><requestId>0</requestId>{content}</{operation}Response>")


def root_has_mfa(account: Account) -> None:
    """moto's summary says of every root user that it has no MFA device."""
    summary = account.client("iam").get_account_summary()["SummaryMap"] | {"AccountMFAEnabled": 1}
    entries = "".join(f"<entry><key>{key}</key><value>{value}</value></entry>" for key, value in summary.items())
    account.answer(
        "iam",
        "GetAccountSummary",
        '<GetAccountSummaryResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetAccountSummaryResult>'
        f"<SummaryMap>{entries}</SummaryMap></GetAccountSummaryResult>"
        "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></GetAccountSummaryResponse>",
    )


def empty_unused_regions(account: Account) -> None:
    """AWS makes an open network in every region; where nothing runs there should be none, and nothing new in the clear anywhere."""
    for region in account.client("ec2").describe_regions()["Regions"]:
        client = account.client("ec2", region["RegionName"])
        client.enable_ebs_encryption_by_default()
        if region["RegionName"] in REGIONS:
            continue
        for subnet in client.describe_subnets()["Subnets"]:
            client.delete_subnet(SubnetId=subnet["SubnetId"])
        for vpc in client.describe_vpcs()["Vpcs"]:
            client.delete_vpc(VpcId=vpc["VpcId"])
