"""CloudFront: a distribution that serves plain HTTP, and one that does not."""

from estate.account import Account


def neglected(account: Account) -> None:
    _distribution(account, "allow-all", {"CloudFrontDefaultCertificate": True}, web_acl="", root_object="")


def well_kept(account: Account) -> None:
    certificate = account.arn("acm", "certificate/site", "us-east-1")
    modern = {"ACMCertificateArn": certificate, "SSLSupportMethod": "sni-only", "MinimumProtocolVersion": "TLSv1.2_2021"}
    acl = account.arn("wafv2", "global/webacl/site/1", "us-east-1")
    _distribution(account, "redirect-to-https", modern, web_acl=acl, root_object="index.html")


def _distribution(account: Account, viewers: str, certificate: dict, web_acl: str, root_object: str) -> None:
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
    account.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "site",
            "Comment": "site",
            "Enabled": True,
            "DefaultRootObject": root_object,
            "WebACLId": web_acl,
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
    )
