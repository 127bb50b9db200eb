"""CloudFront: a distribution that serves plain HTTP, and one that does not."""

import re
import threading
from collections import defaultdict

from estate.account import Account

NO_LOGGING = {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"

_listed: dict[Account, list[str]] = defaultdict(list)
_listing = threading.Lock()


def neglected(account: Account) -> None:
    _distribution(account, "site", "allow-all", {"CloudFrontDefaultCertificate": True}, web_acl="", root_object="", logging=NO_LOGGING)


def well_kept(account: Account) -> None:
    certificate = account.arn("acm", "certificate/site", "us-east-1")
    modern = {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    acl = account.arn("wafv2", "global/webacl/site/1", "us-east-1")
    logging = {"Enabled": True, "IncludeCookies": False, "Bucket": f"{account.name_of('access-logs')}.s3.amazonaws.com", "Prefix": "site/"}
    _distribution(account, "site", "redirect-to-https", modern, web_acl=acl, root_object="index.html", logging=logging)


def bulk(account: Account, region: str, number: int) -> None:
    viewers = "allow-all" if number % 2 else "redirect-to-https"
    certificate = {"CloudFrontDefaultCertificate": True}
    _distribution(account, f"bulk-{number}", viewers, certificate, web_acl="", root_object="index.html", logging=NO_LOGGING)


def _distribution(account: Account, name: str, viewers: str, certificate: dict, web_acl: str, root_object: str, logging: dict) -> None:
    origin = {
        "Id": "app",
        "DomainName": "app.example.com",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only" if web_acl else "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    client = account.client("cloudfront")
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": name,
            "Enabled": True,
            "DefaultRootObject": root_object,
            "WebACLId": web_acl,
            "Logging": logging,
            "ViewerCertificate": certificate,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "app",
                "ViewerProtocolPolicy": viewers,
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
                "TrustedSigners": {"Enabled": False, "Quantity": 0},
            },
        }
    )["Distribution"]
    _list(account, made, certificate)


def _list(account: Account, made: dict, certificate: dict) -> None:
    """Has the distribution listed. moto leaves all of its configuration out of the listing, half of its ARN and its certificate."""
    answers = []
    client = account.new_client("cloudfront")
    client.meta.events.register("before-parse.cloudfront.GetDistributionConfig", lambda response_dict, **_: answers.append(response_dict))
    client.get_distribution_config(Id=made["Id"])
    config = re.search(r"<DistributionConfig[^>]*>(.*)</DistributionConfig>", answers[0]["body"].decode(), re.DOTALL).group(1)
    parts = "".join(f"<{key}>{str(value).lower() if value is True else value}</{key}>" for key, value in certificate.items())
    config = re.sub("<ViewerCertificate>.*</ViewerCertificate>", f"<ViewerCertificate>{parts}</ViewerCertificate>", config)
    with _listing:
        listed = _listed[account]
        listed.append(
            f"<DistributionSummary><Id>{made['Id']}</Id><ARN>{account.arn('cloudfront', 'distribution/' + made['Id'])}</ARN>"
            f"<Status>Deployed</Status><DomainName>{made['DomainName']}</DomainName>{config}</DistributionSummary>"
        )
        account.answer(
            "cloudfront",
            "ListDistributions",
            f'<DistributionList xmlns="{NAMESPACE}"><Marker/><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated>'
            f"<Quantity>{len(listed)}</Quantity><Items>{''.join(listed)}</Items></DistributionList>",
        )
