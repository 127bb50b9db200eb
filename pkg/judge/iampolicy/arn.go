package iampolicy

import "strings"

// arn is an ARN, or a pattern of one, in its six parts.
type arn struct {
	partition, service, region, account, resource string
}

func parseARN(s string) (arn, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" {
		return arn{}, false
	}
	return arn{p[1], p[2], p[3], p[4], p[5]}, true
}

// isAccount tells that s is an account number.
func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// arnParty reads an ARN, or a pattern of one, that must match who or what makes the
// request. loose is set if the operator lets * run across the colons. ok is false if
// the pattern bounds nothing.
func (e *evaluator) arnParty(pattern string, loose bool) (p party, ok bool) {
	pattern = e.ownAccount(pattern)
	if e.variable(pattern) {
		return p, false
	}
	a, ok := parseARN(pattern)
	if !ok {
		return p, false
	}
	if isAccount(a.account) {
		if loose && wild(a.partition+a.service+a.region) && (a.partition != "aws" || nameable(a.service, a.resource)) {
			return p, false
		}
		return e.accountParty(a.account, a.partition, pattern), true
	}
	// The ARNs of buckets and of a few other things carry no account. A fixed name
	// is one thing. Old policies write buckets as arn:aws:s3:*:*:bucket; ARNs of S3
	// with a slash (access points, jobs, dashboards) do have an account.
	bucket := a.service == "s3" && !strings.ContainsAny(a.resource, "/:")
	switch {
	case wild(a.service) || wild(a.resource):
	case bucket && (a.account == "" || a.account == "*"):
		return thing(ABucket, a.resource, pattern), true
	case a.service == "s3" && a.account == "" && a.region == "": // an object
		name, _, _ := strings.Cut(a.resource, "/")
		return thing(ABucket, name, pattern), true
	case a.account == "" && !wild(a.region) && a.service != "s3":
		return thing(something, pattern, pattern), true
	}
	return p, false
}

// nameable tells that a stranger could give something of the service a name such that
// its ARN holds another account's number between colons, followed by what rest
// matches: then a * that runs across colons takes it for the other account's. A log
// group may be named 111122223333, and its ARN ends with :111122223333:*, so
// arn:aws:logs:*:111122223333:* matches it, and arn:aws:logs:*:111122223333:log-group:*
// does not. What is not known of a service is taken to be possible. Forms of ARNs:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func nameable(service, rest string) bool {
	switch service {
	case "sns", "sqs", "s3", "dynamodb", "kms", "cloudfront", "cloudtrail", "config",
		"ses", "codestar-notifications", "backup", "guardduty", "budgets", "elasticloadbalancing",
		"kinesis", "firehose", "codecommit", "execute-api", "ec2", "ecr", "elasticfilesystem",
		"codebuild", "codepipeline", "glue", "scheduler", "events", "pipes", "secretsmanager", "ssm", "rds",
		"elasticache", "redshift", "cloudformation", "autoscaling", "ecs", "eks", "iot", "es", "sagemaker", "batch",
		"wafv2", "acm", "apigateway", "amplify", "appsync", "transfer", "macie2", "securityhub", "inspector2":
		return false // no colon behind a name that a customer chooses
	case "lambda": // function:NAME:QUALIFIER
		return !strings.Contains(rest, ":")
	case "logs": // log-group:NAME:*, log-group:NAME:log-stream:NAME
		return overlap(rest, "log-stream:*") || covers(rest, "*")
	}
	return true
}

// ownAccount puts the owner's account for the variable that means it: in an endpoint's
// policy that is the account of what is reached, which may be anybody's.
func (e *evaluator) ownAccount(s string) string {
	if e.zone.Account == "" || e.endpoint || !e.variable(s) {
		return s
	}
	return replaceFold(s, "${aws:ResourceAccount}", e.zone.Account)
}

func replaceFold(s, old, to string) string {
	for i := 0; i+len(old) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(old)], old) {
			return s[:i] + to + s[i+len(old):]
		}
	}
	return s
}
