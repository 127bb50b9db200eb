"""Settings of an account that moto does not know, answered as AWS would."""

from estate import wire
from estate.account import HOME, Account

IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
RDS = "http://rds.amazonaws.com/doc/2014-10-31/"
NAMESPACE = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def neglected(account: Account) -> None:
    """As AWS sets up an account that nobody hardened."""
    ec2(account, snapshots="unblocked", images="unblocked", tokens="", console="true", vpc="off")
    contact(account, FullName="Somebody", PhoneNumber="+35315550199")
    engine_support(account)


def well_kept(account: Account) -> None:
    ec2(account, snapshots="block-all-sharing", images="block-new-sharing", tokens="required", console="false", vpc="block-bidirectional")
    contact(account, FullName="Well Kept Ltd", PhoneNumber="+35315550100")
    engine_support(account)
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
        _ec2_answer(account, operation, content)


def _ec2_answer(account: Account, operation: str, content: str, region: str = "*") -> None:
    body = f"<{operation}Response {NAMESPACE}><requestId>0</requestId>{content}</{operation}Response>"
    account.answer("ec2", operation, body, region)


def root_has_mfa(account: Account) -> None:
    """moto's summary says of every root user that it has no MFA device."""
    summary = account.client("iam").get_account_summary()["SummaryMap"] | {"AccountMFAEnabled": 1}
    result = f"<SummaryMap>{wire.entries(summary)}</SummaryMap>"
    account.answer("iam", "GetAccountSummary", wire.answer("GetAccountSummary", IAM, result))


def engine_support(account: Account) -> None:
    """Until when AWS supports the databases' engine.

    https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html
    """
    lifecycles = "".join(
        "<SupportedEngineLifecycle>"
        f"<LifecycleSupportName>open-source-rds-{name}-support</LifecycleSupportName>"
        f"<LifecycleSupportStartDate>{start}T00:00:00Z</LifecycleSupportStartDate>"
        f"<LifecycleSupportEndDate>{end}T23:59:59.999Z</LifecycleSupportEndDate>"
        "</SupportedEngineLifecycle>"
        for name, start, end in (("standard", "2024-02-26", "2029-02-28"), ("extended", "2029-03-01", "2032-02-29"))
    )
    version = (
        "<DBMajorEngineVersion><Engine>postgres</Engine><MajorEngineVersion>16</MajorEngineVersion>"
        f"<SupportedEngineLifecycles>{lifecycles}</SupportedEngineLifecycles></DBMajorEngineVersion>"
    )
    result = f"<DBMajorEngineVersions>{version}</DBMajorEngineVersions>"
    account.answer("rds", "DescribeDBMajorEngineVersions", wire.answer("DescribeDBMajorEngineVersions", RDS, result))


def contact(account: Account, **filled: str) -> None:
    """AWS asks for these when an account is opened."""
    address = {"AddressLine1": "1 High Street", "City": "Dublin", "PostalCode": "D01", "CountryCode": "IE"}
    account.answer("account", "GetContactInformation", {"ContactInformation": address | filled})


def empty_unused_regions(account: Account) -> None:
    """AWS makes an open network in every region; where nothing runs there should be none."""
    for region in account.regions():
        if region == HOME:
            continue
        client = account.client("ec2", region)
        for subnet in client.describe_subnets()["Subnets"]:
            client.delete_subnet(SubnetId=subnet["SubnetId"])
        for vpc in client.describe_vpcs()["Vpcs"]:
            client.delete_vpc(VpcId=vpc["VpcId"])
        # The emulator keeps a VPC's access list, bound to subnets that are gone.
        _ec2_answer(account, "DescribeNetworkAcls", "<networkAclSet/>", region)
