package iampolicy_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// Policies that users of other tools reported as wrongly called public, or
// wrongly called safe.
func TestReportedCases(t *testing.T) {
	runCases(t, map[string]evalCase{
		"prowler 4257: bucket open to one VPC": {
			policy: `{"Sid": "AllowVPCAccess", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
				"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}}}`,
			want: iampolicy.Restricted, reason: "aws:SourceVpc vpc-0a1b2c3d",
		},
		"prowler 5386: everyone named, one foreign role by condition": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::b/*",
				"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/writer"}}}`,
			want: iampolicy.CrossAccount, reason: "arn:aws:iam::999988887777:role/writer",
		},
		"prowler 3346: public read asked about write": {
			policy:  `{"Sid": "Statement", "Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`,
			actions: []string{"s3:Put*", "s3:Delete*", "s3:Restore*"},
			want:    iampolicy.None,
		},
		"prowler 3346: public read asked about read": {
			policy:  `{"Sid": "Statement", "Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}`,
			actions: []string{"s3:GetObject"},
			want:    iampolicy.Public,
		},
		"steampipe 952: everyone of an organization": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
				"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`,
			want: iampolicy.OwnOrganization, reason: org,
		},
		"steampipe 952: listed accounts": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::999988887777:root", "444455556666"]}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}`,
			want:   iampolicy.CrossAccount, reason: "444455556666",
		},
		"prowler 2782: default topic policy, SourceOwner": {
			policy: `{"Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes",
				"SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
				"Resource": "arn:aws:sns:eu-west-1:111122223333:t", "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}}`,
			want: iampolicy.None,
		},
		"prowler 2782: default topic policy, SourceAccount": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}`,
			want:   iampolicy.None,
		},
		"prowler 8326: topic open to a bucket's events": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": "arn:aws:sns:*:*:t",
				"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}}}`,
			want: iampolicy.CrossAccount, reason: "arn:aws:s3:::my-bucket",
		},
		"prowler 4870: Lambda for S3, SourceAccount": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-central-1:111122223333:function:f",
				"Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"}, "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::mybucket"}}}`,
			want: iampolicy.None,
		},
		"prowler 4870: Lambda for S3, bucket only": {
			policy: `{"Sid": "AllowS3Invoke", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
				"Resource": "arn:aws:lambda:eu-central-1:111122223333:function:f", "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::mybucket"}}}`,
			want: iampolicy.CrossAccount, reason: "arn:aws:s3:::mybucket",
		},
		"prowler 4870: the bucket is known as the owner's": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "*",
				"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::mybucket"}}}`,
			own:  []string{"bucket mybucket"},
			want: iampolicy.None,
		},
		"prowler 4870: Lambda for API Gateway": {
			policy: `{"Sid": "AllowExecutionFromAPIGateway", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction",
				"Resource": "*", "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-central-1:111122223333:abc/*/GET/x"}}}`,
			want: iampolicy.None,
		},
		"prowler 5300: Lambda for Secrets Manager without scope": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "secretsmanager.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "*"}`,
			want:   iampolicy.ServiceUnscoped, reason: "secretsmanager.amazonaws.com",
		},
		"prowler 2431: EFS by mount target": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientMount"],
				"Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}},
				{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`,
			want: iampolicy.Restricted, reason: "AccessedViaMountTarget",
		},
		"efs-module 20: EFS open but for TLS": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:ClientMount", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`,
			want:   iampolicy.Public, reason: "asks for TLS",
		},
		"steampipe 866: KMS for RDS of the account": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:Encrypt", "kms:Decrypt", "kms:CreateGrant"], "Resource": "*",
				"Condition": {"StringEquals": {"kms:ViaService": "rds.eu-north-1.amazonaws.com", "kms:CallerAccount": "111122223333"}}}`,
			want: iampolicy.None,
		},
		"kms via service only": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*",
				"Condition": {"StringEquals": {"kms:ViaService": "rds.eu-north-1.amazonaws.com"}}}`,
			want: iampolicy.Public, reason: "any account can use",
		},
		"steampipe 538: bucket wide open": {
			policy: `{"Sid": "AllowAllReadList", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}`,
			want:   iampolicy.Public,
		},
		"checkov 7298: Lambda for an organization": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}}`,
			want:   iampolicy.Organization, reason: "o-zzzzzzzzzz",
		},
		"securityskills 805: Principal * only in a Deny": {
			policy: `{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}`,
			want:   iampolicy.None,
		},
	})
}

func TestServicePolicies(t *testing.T) {
	runCases(t, map[string]evalCase{
		"no statement": {policy: ``, want: iampolicy.None},
		"KMS default key policy": {
			policy: `{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}`,
			want:   iampolicy.None,
		},
		"KMS for CloudWatch Logs, by encryption context": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "logs.eu-west-1.amazonaws.com"}, "Action": "kms:Decrypt*", "Resource": "*",
				"Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:*"}}}`,
			want: iampolicy.None,
		},
		"KMS encryption context of anyone": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt*", "Resource": "*",
				"Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:*"}}}`,
			want: iampolicy.Public,
		},
		"KMS open to all accounts": {policy: `{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}`, want: iampolicy.Public},
		"SQS from an own topic": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111122223333:q",
				"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:t"}}}`,
			want: iampolicy.None,
		},
		"SQS from a foreign topic": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage", "Resource": "*",
				"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:999988887777:t"}}}`,
			want: iampolicy.CrossAccount, reason: "999988887777",
		},
		"SQS from any topic": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}}`,
			want:   iampolicy.Public, reason: "leaves the account open",
		},
		"SNS subscriptions by mail of one domain": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Subscribe", "Resource": "*", "Condition": {"StringLike": {"SNS:Endpoint": "*@example.com"}}}`,
			want:   iampolicy.Restricted, reason: "*@example.com",
		},
		"SNS any https endpoint": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Subscribe", "Resource": "*", "Condition": {"StringLike": {"SNS:Endpoint": "https://*"}, "StringEquals": {"SNS:Protocol": "https"}}}`,
			want:   iampolicy.Public, reason: "names a protocol",
		},
		"Lambda URL without authentication": {
			policy: `{"Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}`,
			want:   iampolicy.Public, reason: "function URL",
		},
		"Lambda URL with IAM for everyone": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}}`,
			want:   iampolicy.Public,
		},
		"Lambda URL with IAM for the organization": {
			policy: `{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}`,
			want:   iampolicy.OwnOrganization,
		},
		"Lambda for one Alexa skill": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "alexa-appkit.amazon.com"}, "Action": "lambda:InvokeFunction", "Resource": "*", "Condition": {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}}}`,
			want:   iampolicy.None,
		},
		"Lambda API Gateway with the account left out": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "lambda:InvokeFunction", "Resource": "*",
				"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-west-3::abc/*/*"}}}`,
			want: iampolicy.ServiceUnscoped,
		},
		"bucket for CloudTrail, SourceArn": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*",
				"Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}}}`,
			want: iampolicy.None,
		},
		"bucket for CloudTrail, ACL header only": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*",
				"Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}`,
			want: iampolicy.ServiceUnscoped, reason: "anybody may send",
		},
		"bucket for a service of the organization": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}}`,
			want:   iampolicy.OwnOrganization,
		},
		"bucket for a CloudFront identity": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, "Action": "s3:GetObject", "Resource": "*"}`,
			want:   iampolicy.CrossAccount, reason: "E1",
		},
		"bucket for an own CloudFront identity": {
			policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, "Action": "s3:GetObject", "Resource": "*"}`,
			own:    []string{"origin access identity E1"},
			want:   iampolicy.None,
		},
		"bucket for CloudFront origin access control": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}}}`,
			want:   iampolicy.None,
		},
		"bucket for a canonical user":      {policy: `{"Effect": "Allow", "Principal": {"CanonicalUser": "79a5"}, "Action": "s3:GetObject", "Resource": "*"}`, want: iampolicy.CrossAccount, reason: "canonical user 79a5"},
		"bucket for the owner's canonical": {policy: `{"Effect": "Allow", "Principal": {"CanonicalUser": "79a5"}, "Action": "s3:GetObject", "Resource": "*"}`, own: []string{"canonical user 79a5"}, want: iampolicy.None},
		"S3 docs: Facebook":                {policy: `{"Effect": "Allow", "Principal": {"Federated": "graph.facebook.com"}, "Action": "s3:PutObject", "Resource": "*"}`, want: iampolicy.Public},
		"ECR pull for everyone":            {policy: `{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}`, want: iampolicy.Public},
		"ECR pull for Lambda of the account": {
			policy: `{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:BatchGetImage", "Condition": {"StringLike": {"aws:sourceArn": "arn:aws:lambda:eu-west-1:111122223333:function:*"}}}`,
			want:   iampolicy.None,
		},
		"secret for a deleted role":       {policy: `{"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}`, want: iampolicy.None},
		"a principal of no known form":    {policy: `{"Effect": "Allow", "Principal": {"AWS": "SOMETHINGINCAPITALS1"}, "Action": "s3:*", "Resource": "*"}`, want: iampolicy.CrossAccount},
		"secret for a trusted account":    {policy: `{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}`, own: []string{"account 999988887777"}, want: iampolicy.None},
		"own number in another partition": {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws-cn:iam::111122223333:root"}, "Action": "s3:*", "Resource": "*"}`, want: iampolicy.CrossAccount},
		"NotPrincipal with Allow":         {policy: `{"Effect": "Allow", "NotPrincipal": {"AWS": "999988887777"}, "Action": "s3:*", "Resource": "*"}`, want: iampolicy.Public, reason: "NotPrincipal with Allow"},
		"NotAction with Allow":            {policy: `{"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket", "Resource": "*"}`, want: iampolicy.Public, reason: "not s3:DeleteBucket"},
		"NotAction leaves the question out": {
			policy:  `{"Effect": "Allow", "Principal": "*", "NotAction": "s3:Put*", "Resource": "*"}`,
			actions: []string{"s3:PutObject"}, want: iampolicy.None,
		},
		"an identity policy":              {policy: `{"Effect": "Allow", "Action": "*", "Resource": "*"}`, want: iampolicy.None},
		"wildcard account in a principal": {policy: `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::*:root"}, "Action": "s3:*", "Resource": "*"}`, want: iampolicy.Public},
		"one * among named accounts":      {policy: `{"Effect": "Allow", "Principal": {"AWS": ["111122223333", "*"]}, "Action": "s3:*", "Resource": "*"}`, want: iampolicy.Public},
	})
}
