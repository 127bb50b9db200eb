"""API Gateway: an API that anybody may call, with a password among its variables, and one behind IAM."""

from estate.account import Account


def neglected(account: Account) -> None:
    _api(account, "orders", authorization="NONE", tracing=False, variables={"db_password": "hunter2-hunter2"})


def well_kept(account: Account) -> None:
    _api(account, "orders", authorization="AWS_IAM", tracing=True, variables={"table": "orders"})


def _api(account: Account, name: str, authorization: str, tracing: bool, variables: dict[str, str]) -> None:
    client = account.client("apigateway")
    api = client.create_rest_api(name=name, endpointConfiguration={"types": ["REGIONAL"]})["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType=authorization)
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    deployment = client.create_deployment(restApiId=api)["id"]
    client.create_stage(restApiId=api, stageName="prod", deploymentId=deployment, tracingEnabled=tracing, variables=variables)
