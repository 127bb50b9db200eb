"""API Gateway: an API that anybody may call, with a password among its variables, and one behind IAM and a firewall."""

from estate.account import HOME, Account
from estate.services import logs


def neglected(account: Account) -> None:
    _api(account, "orders", authorization="NONE", tracing=False, variables={"db_password": "hunter2-hunter2"})


def well_kept(account: Account) -> None:
    client = account.client("apigateway")
    api = _api(account, "orders", authorization="AWS_IAM", tracing=True, variables={"table": "orders"})
    settings = {
        "/accessLogSettings/destinationArn": logs.group(account, HOME, "/api/orders"),
        "/accessLogSettings/format": "$context.requestId $context.identity.sourceIp $context.status",
    }
    client.update_stage(
        restApiId=api,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in settings.items()],
    )
    stage = f"arn:aws:apigateway:{HOME}::/restapis/{api}/stages/prod"
    account.client("wafv2").associate_web_acl(WebACLArn=_firewall(account), ResourceArn=stage)


def bulk(account: Account, region: str, number: int) -> None:
    account.client("apigateway", region).create_rest_api(name=f"bulk-{number}", endpointConfiguration={"types": ["REGIONAL"]})


def _firewall(account: Account) -> str:
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "orders"}
    acl = account.client("wafv2").create_web_acl(Name="orders", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen)
    return acl["Summary"]["ARN"]


def _api(account: Account, name: str, authorization: str, tracing: bool, variables: dict[str, str]) -> str:
    client = account.client("apigateway")
    api = client.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType=authorization)
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    deployment = client.create_deployment(restApiId=api)["id"]
    client.create_stage(restApiId=api, stageName="prod", deploymentId=deployment, tracingEnabled=tracing, variables=variables)
    return api
