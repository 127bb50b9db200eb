package iampolicy

import "strings"

// reach says which requesters a bounding key tells apart.
type reach uint8

const (
	unbounding reach = iota
	// caller: keys of the calling identity. Requests by service principals do
	// not carry them.
	caller
	// source: keys that name the account or resource a service acts for, and
	// keys that any request carries.
	source
	// serviceSource: as source, but a direct caller can set the value himself.
	serviceSource
	// network: where the request comes from. Service principals do not come by
	// a customer's network.
	network
	// onlyServices and noServices: the request is, or is not, a service principal's.
	onlyServices
	noServices
	// token: a claim in the token of a federated identity.
	token
	// mail: as source, for Amazon SES alone.
	mail
	// target: what the request is for, which bounds VPC endpoints alone.
	target
	// everything: all requests.
	everything
)

// form says how the values of a key are read.
type form uint8

const (
	formNone form = iota
	formAccount
	formOrganization
	formPath
	formARN
	formUserID
	formFixed
	formIP
	formTrue
	formEndpoint
	formToken
	formOwner   // aws:ResourceAccount, aws:ResourceOrgID against the caller's
	formService // service principal names
	formNetwork // the ARN of a VPC
)

// key tells what a condition key can bound. Keys are lower case.
// Global keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// S3's list of bounding keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func keyForm(key string) (reach, form) {
	switch key {
	case "aws:principalaccount":
		return caller, formAccount
	case "kms:calleraccount", "aws:sourceaccount", "s3:dataaccesspointaccount",
		// Hardly documented and still in the default policy of SNS topics:
		// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html#source-account-versus-source-owner
		"aws:sourceowner":
		return source, formAccount
	case "aws:principalorgid":
		return caller, formOrganization
	case "aws:sourceorgid":
		return source, formOrganization
	case "aws:principalorgpaths":
		return caller, formPath
	case "aws:sourceorgpaths":
		return source, formPath
	case "aws:principalarn", "lambda:sourcefunctionarn", "ec2:sourceinstancearn":
		return caller, formARN
	case "aws:sourcearn", "s3:dataaccesspointarn":
		return source, formARN
	case "aws:userid":
		return caller, formUserID
	case "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "s3:resourceaccount":
		return target, formOwner
	case "aws:sourcevpc", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid",
		// The VPC whose instance the credentials were delivered to.
		"aws:ec2instancesourcevpc",
		"s3:x-amz-server-side-encryption-aws-kms-key-id":
		return network, formFixed
	case "aws:sourcevpcarn":
		return network, formNetwork
	case "aws:vpceorgpaths":
		return network, formPath
	case "aws:sourceip":
		return network, formIP
	// EFS: the client is in a VPC with a mount target.
	// https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html#what-is-a-public-policy
	case "elasticfilesystem:accessedviamounttarget":
		return network, formTrue
	case "sns:endpoint":
		return network, formEndpoint
	case "lambda:eventsourcetoken": // which the invoker supplies
		return serviceSource, formToken
	// SES put the account there before it knew aws:SourceAccount.
	// https://docs.aws.amazon.com/ses/latest/dg/receiving-email-permissions.html
	case "aws:referer":
		return mail, formAccount
	case "aws:principalisawsservice":
		return onlyServices, formTrue
	case "aws:principalservicename", "aws:principalservicenameslist":
		return onlyServices, formService
	}
	// The service that encrypts sets the context and vouches for the ARN in it:
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
	if strings.HasPrefix(key, "kms:encryptioncontext:aws:") && strings.HasSuffix(key, "arn") {
		return serviceSource, formARN
	}
	if tokenClaim(key) {
		return token, formToken
	}
	return unbounding, formNone
}

// freeReason tells why a key bounds nobody, for keys that are often taken for a bound.
// It goes on after the key's name.
func freeReason(key string) string {
	switch {
	case key == "aws:securetransport":
		return "asks for TLS, which anyone can use"
	case key == "kms:viaservice" || strings.HasPrefix(key, "aws:calledvia") || key == "aws:viaawsservice":
		return "names the service used, which any account can use"
	case strings.HasPrefix(key, "aws:principaltag/") || strings.HasPrefix(key, "aws:requesttag/"):
		return "is a tag that any account can set on its own principals"
	case key == "aws:vpcsourceip":
		return "is a private address, which any VPC can use"
	case key == "aws:referer" || key == "aws:useragent":
		return "is a text that anybody may send"
	case key == "aws:principaltype":
		return "names a type of principal that every account has"
	case key == "lambda:functionurlauthtype":
		return "tells how the function URL authenticates, not whom it lets in"
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html, 29 November 2026.
	case key == "events:source" || key == "events:detail-type":
		return "is a text that the sender of an event chooses"
	case key == "events:creatoraccount":
		return "names who made the rule, not who calls"
	case key == "sns:protocol":
		return "names a protocol, not an endpoint"
	case strings.HasPrefix(key, "s3:x-amz-"):
		return "is a header that anybody may send"
	case key == "aws:resourceaccount", key == "aws:resourceorgid", key == "aws:resourceorgpaths", key == "s3:resourceaccount":
		return "names the owner of the resource, not the caller"
	}
	return "does not tell who calls"
}
