// Package policy knows which AWS operations CloudArq calls, which IAM actions
// they need, and writes the role that allows exactly these: as JSON, for
// CloudFormation and for Terraform. The table of operations is generated from
// the source of the collectors (make generate) and is the read-only guard's
// list.
package policy

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed prefixes.tsv
var prefixData string

// prefixes are IAM's prefixes of the services whose prefix is not the SDK's service
// id in small letters without spaces; whether CloudArq knows the service or not.
var prefixes = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(prefixData) {
		if service, prefix, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && !strings.HasPrefix(line, "#") {
			all[service] = prefix
		}
	}
	return all
})

// prefix is IAM's prefix of a service of the SDK.
func prefix(service string) string {
	if special, ok := prefixes()[service]; ok {
		return special
	}
	return strings.ToLower(strings.ReplaceAll(service, " ", ""))
}

// naming is an operation whose action is not simply "<prefix>:<operation>", and
// why that is so.
type naming struct{ action, reason string }

// exceptions are all such operations.
// Source: AWS Service Authorization Reference,
// https://docs.aws.amazon.com/service-authorization/latest/reference/
var exceptions = map[string]naming{
	"S3.GetBucketEncryption":                {"s3:GetEncryptionConfiguration", objectStore},
	"S3.GetBucketLifecycleConfiguration":    {"s3:GetLifecycleConfiguration", objectStore},
	"S3.GetBucketNotificationConfiguration": {"s3:GetBucketNotification", objectStore},
	"S3.GetBucketReplication":               {"s3:GetReplicationConfiguration", objectStore},
	"S3.GetObjectLockConfiguration":         {"s3:GetBucketObjectLockConfiguration", "the lock is the bucket's; s3:GetObject… are about objects"},
	"S3.GetPublicAccessBlock":               {"s3:GetBucketPublicAccessBlock", "one operation's name, two actions: of the bucket here, of the account in S3 Control"},
	"S3.ListBuckets":                        {"s3:ListAllMyBuckets", "s3:ListBucket lists the objects of one bucket"},
	"S3 Control.GetPublicAccessBlock":       {"s3:GetAccountPublicAccessBlock", "one operation's name, two actions: of the account here, of the bucket in S3"},
	"API Gateway.GetBasePathMappings":       {"apigateway:GET", httpVerb},
	"API Gateway.GetDomainNames":            {"apigateway:GET", httpVerb},
	"API Gateway.GetResources":              {"apigateway:GET", httpVerb},
	"API Gateway.GetRestApis":               {"apigateway:GET", httpVerb},
	"API Gateway.GetStages":                 {"apigateway:GET", httpVerb},
}

const (
	objectStore = "S3's actions are named after the configuration, not after the operation"
	httpVerb    = "API Gateway's actions are the HTTP verbs of its paths"
)

// paths narrows operations whose action would give more than is read to the
// resources that are. apigateway:GET on everything would also read the values of
// API keys (/apikeys?includeValues=true), client certificates and whole exports.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
//
// The account is a wildcard because private domain names have one in their ARN
// and all else has none.
var paths = map[string]string{
	"API Gateway.GetBasePathMappings": "arn:*:apigateway:*:*:/domainnames/*/basepathmappings",
	"API Gateway.GetDomainNames":      "arn:*:apigateway:*:*:/domainnames",
	"API Gateway.GetResources":        "arn:*:apigateway:*:*:/restapis/*/resources",
	"API Gateway.GetRestApis":         "arn:*:apigateway:*:*:/restapis",
	"API Gateway.GetStages":           "arn:*:apigateway:*:*:/restapis/*/stages",
}

// Resources are the patterns of the resources on which an operation, by its id,
// needs its action; none mean all.
func Resources(operation string) []string {
	if path, ok := paths[operation]; ok {
		return []string{path}
	}
	return nil
}

// ungranted are the operations that the audit role need not allow.
var ungranted = map[string]string{
	"STS.AssumeRole":        "opens the role, and so is granted to the checker; the role itself assumes no other",
	"STS.GetCallerIdentity": "needs no permission, and cannot be denied",
}

// Action is the IAM action that an operation needs. service is the SDK's id, such as
// "CloudWatch Logs"; without a service or an operation there is none.
func Action(service, operation string) string {
	if exception, ok := exceptions[service+"."+operation]; ok {
		return exception.action
	}
	return Name(service, operation)
}

// Name is an operation as people write it: IAM's prefix and the operation's own
// name, "s3:GetBucketEncryption".
func Name(service, operation string) string {
	if service == "" || operation == "" {
		return ""
	}
	return prefix(service) + ":" + operation
}
