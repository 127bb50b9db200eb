"""An account of rare things: what no sample account has, so that each action of the audit role is needed somewhere."""

from estate import accounts
from estate.account import HOME, Account
from estate.policies import allow
from estate.services import cloudfront, elbv2, s3

ID = "666666666666"


def seed(endpoint: str, policies: list[dict]) -> dict:
    """Fills the account and says how to reach it."""
    account = Account("corners", ID, endpoint)
    for part in (_buckets, _certificates, _containers, _databases, _detectors, _functions, _load_balancers, _networks):
        part(account)
    return accounts.let_audit(account, policies)


def _buckets(account: Account) -> None:
    """A bucket that CloudFront reads by an identity of the account's, which moto does not have, and access points of both kinds."""
    identity = "E2QWRUHAPOMQZL"
    account.answer(
        "cloudfront",
        "ListCloudFrontOriginAccessIdentities",
        f'<CloudFrontOriginAccessIdentityList xmlns="{cloudfront.NAMESPACE}"><Marker/><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated>'
        f"<Quantity>1</Quantity><Items><CloudFrontOriginAccessIdentitySummary><Id>{identity}</Id>"
        f"<S3CanonicalUserId>{'b970' * 16}</S3CanonicalUserId><Comment/></CloudFrontOriginAccessIdentitySummary></Items></CloudFrontOriginAccessIdentityList>",
    )
    name = s3.bucket(account, "pages")
    reader = {"AWS": f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {identity}"}
    account.client("s3").put_bucket_policy(Bucket=name, Policy=allow(reader, "s3:GetObject", f"arn:aws:s3:::{name}/*"))
    control = account.client("s3control")
    control.create_access_point(AccountId=account.id, Name="pages", Bucket=name)
    point = account.arn("s3", "accesspoint/pages", HOME)
    control.put_access_point_policy(
        AccountId=account.id, Name="pages", Policy=allow({"AWS": f"arn:aws:iam::{account.id}:root"}, "s3:GetObject", f"{point}/object/*")
    )
    control.create_multi_region_access_point(AccountId=account.id, ClientToken="pages", Details={"Name": "everywhere", "Regions": [{"Bucket": name}]})


def _certificates(account: Account) -> None:
    """One that is renewed, which the emulator never does."""
    certificate = {
        "CertificateArn": account.arn("acm", "certificate/1", HOME),
        "DomainName": "www.example.com",
        "Status": "ISSUED",
        "Type": "AMAZON_ISSUED",
        "InUse": True,
        "RenewalEligibility": "ELIGIBLE",
    }
    account.answer("acm", "ListCertificates", {"CertificateSummaryList": [certificate]}, HOME)


def _containers(account: Account) -> None:
    """A task that runs as a service."""
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="shop", containerDefinitions=[{"name": "web", "image": "shop/web:1", "memory": 128}])
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="shop", desiredCount=1)


def _databases(account: Account) -> None:
    """A cluster with parameters of its own, and its snapshot."""
    rds = account.client("rds")
    rds.create_db_cluster_parameter_group(DBClusterParameterGroupName="shop", DBParameterGroupFamily="aurora-mysql8.0", Description="shop")
    rds.create_db_cluster(
        DBClusterIdentifier="shop",
        Engine="aurora-mysql",
        MasterUsername="owner",
        MasterUserPassword="correct-horse-battery",
        DBClusterParameterGroupName="shop",
    )
    rds.create_db_cluster_snapshot(DBClusterIdentifier="shop", DBClusterSnapshotIdentifier="shop-2019")


def _detectors(account: Account) -> None:
    """A detector that nobody else manages."""
    account.client("guardduty").create_detector(Enable=True)
    account.answer("guardduty", "GetAdministratorAccount", {})
    account.answer("guardduty", "ListMembers", {"members": []})


def _functions(account: Account) -> None:
    """Where code is signed."""
    arn = account.arn("lambda", "function:resize", HOME)
    function = {"FunctionName": "resize", "FunctionArn": arn, "Runtime": "python3.13", "PackageType": "Zip"}
    account.answer("lambda", "ListFunctions", {"Functions": [function]}, HOME)
    account.answer("lambda", "ListFunctionUrlConfigs", {"FunctionUrlConfigs": []}, HOME)
    account.answer("lambda", "GetFunctionConcurrency", {}, HOME)
    account.answer("lambda", "ListAliases", {"Aliases": []}, HOME)
    account.answer("lambda", "ListFunctionEventInvokeConfigs", {"FunctionEventInvokeConfigs": []}, HOME)
    signing = {"CodeSigningConfigArn": account.arn("lambda", "code-signing-config:csc-1", HOME)}
    account.answer("lambda", "ListCodeSigningConfigs", {"CodeSigningConfigs": [signing]}, HOME)


def _load_balancers(account: Account) -> None:
    """A Classic Load Balancer that speaks TLS."""
    certificate = account.client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"]
    https = {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstancePort": 80, "SSLCertificateId": certificate}
    account.client("elb").create_load_balancer(LoadBalancerName="shop", Listeners=[https], AvailabilityZones=[f"{HOME}a"])


def _networks(account: Account) -> None:
    """Two networks that are peers, and a service that others may reach."""
    ec2 = account.client("ec2")
    left, right = (ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in (1, 2))
    peering = ec2.create_vpc_peering_connection(VpcId=left, PeerVpcId=right)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    offices = ec2.create_managed_prefix_list(
        PrefixListName="offices", AddressFamily="IPv4", MaxEntries=2, Entries=[{"Cidr": "203.0.113.0/24", "Description": "head office"}]
    )["PrefixList"]["PrefixListId"]
    group = ec2.create_security_group(GroupName="offices", Description="offices", VpcId=left)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": offices}]}]
    )
    balancer = account.client("elbv2").create_load_balancer(Name="inner", Type="network", Subnets=elbv2.subnets(account)[:1])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[arn], AcceptanceRequired=True)
