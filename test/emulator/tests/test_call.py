"""Requests are recognised, and their actions named, for services that moto does not even have."""

import botocore.session
import pytest
from strict_moto.actions import action
from strict_moto.call import identify


def environ(signing_name: str, method: str = "GET", path: str = "/", query: str = "", **more: str) -> dict:
    scope = f"Credential=test/20260101/eu-west-1/{signing_name}/aws4_request"
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}"} | more


@pytest.mark.parametrize(
    ("request_environ", "service", "operation", "action_name"),
    [
        (environ("s3"), "s3", "ListBuckets", "s3:ListAllMyBuckets"),
        (environ("s3", path="/b", query="encryption="), "s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        (environ("s3", path="/b/", query="publicAccessBlock"), "s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        (environ("s3", path="/b", query="lifecycle"), "s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
        (environ("s3", path="/b", query="object-lock"), "s3", "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"),
        (environ("s3", path="/b", query="replication"), "s3", "GetBucketReplication", "s3:GetReplicationConfiguration"),
        (environ("s3", path="/b", query="notification"), "s3", "GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
        (environ("s3", path="/b", query="list-type=2&max-keys=1"), "s3", "ListObjectsV2", "s3:ListBucket"),
        (environ("s3", "HEAD", path="/b"), "s3", "HeadBucket", "s3:ListBucket"),
        (environ("s3", "PUT", path="/b/k/with/slashes"), "s3", "PutObject", "s3:PutObject"),
        (
            environ("s3", path="/v20180820/configuration/publicAccessBlock"),
            "s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock",
        ),
        (environ("s3", "DELETE", path="/bucket/key", query="x-id=DeleteObject"), "s3", "DeleteObject", "s3:DeleteObject"),
        (environ("s3", "DELETE", path="/bucket/key", query="uploadId=1"), "s3", "AbortMultipartUpload", "s3:AbortMultipartUpload"),
        (environ("s3", "PUT", path="/bucket/key"), "s3", "PutObject", "s3:PutObject"),
        (environ("s3", "PUT", path="/bucket/key", query="partNumber=1&uploadId=1"), "s3", "UploadPart", "s3:PutObject"),
        (environ("s3", path="/bucket/key", query="versionId=1"), "s3", "GetObject", "s3:GetObject"),
        (environ("lambda", path="/2015-03-31/functions/"), "lambda", "ListFunctions", "lambda:ListFunctions"),
        (environ("apigateway", path="/restapis"), "apigateway", "GetRestApis", "apigateway:GET"),
        (environ("apigateway", path="/v2/apis"), "apigatewayv2", "GetApis", "apigateway:GET"),
        (environ("ses", path="/v2/email/identities"), "sesv2", "ListEmailIdentities", "ses:ListEmailIdentities"),
        (environ("bedrock", "POST", path="/agents/"), "bedrock-agent", "ListAgents", "bedrock:ListAgents"),
        (environ("kms", "POST", HTTP_X_AMZ_TARGET="TrentService.ListKeys"), "kms", "ListKeys", "kms:ListKeys"),
        (environ("tagging", "POST", HTTP_X_AMZ_TARGET="X.GetResources"), "resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        (
            environ("monitoring", "POST", path="/service/GraniteServiceVersion20100801/operation/DescribeAlarms"),
            "cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms",
        ),
        (
            environ("backup", path="/tags/x", RAW_URI="/tags/arn%3Aaws%3Abackup%3Aeu-west-1%3A1%3Aplan%2Fp?x=y"),
            "backup", "ListTags", "backup:ListTags",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_identify(request_environ, service, operation, action_name):
    call = identify(request_environ)
    assert (call.service, call.operation, action(call)) == (service, operation, action_name)


def test_a_presigned_url_is_a_call_of_its_signer():
    query = "x-id=GetObject&X-Amz-Credential=ASIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Security-Token=a%2Bb&X-Amz-Signature=c"
    call = identify({"REQUEST_METHOD": "GET", "PATH_INFO": "/b/k", "QUERY_STRING": query})
    assert (call.name, call.region, call.access_key, call.session_token) == ("s3:GetObject", "eu-west-1", "ASIA", "a+b")


def test_unsigned_requests_are_not_calls():
    assert identify({"REQUEST_METHOD": "GET", "PATH_INFO": "/moto-api/"}) is None


def test_exceptions_name_real_operations():
    """A misspelt operation in iam_actions.tsv would simply never apply."""
    from strict_moto import actions

    session = botocore.session.get_session()
    for service, operation in actions._exceptions():
        assert operation in session.get_service_model(service).operation_names
