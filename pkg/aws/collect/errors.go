package collect

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// class says what an error code means, where the code alone would mislead. The
// empty string matches anything; text matches a part of the message in lower
// case. The first row that matches counts.
type class struct {
	service   string // SDK service id
	operation string
	code      string
	text      string
	reason    fact.Reason
}

// classes holds the known ambiguities first and the common codes last. AWS
// answers AccessDenied for "not enabled", "not in this region" and "not the
// management account" alike, and tells them apart by the message only.
var classes = []class{
	{service: "SecurityHub", code: "InvalidAccessException", reason: fact.NotEnabled},                // "account … is not subscribed to AWS Security Hub"
	{service: "Macie2", code: "AccessDeniedException", text: "not enabled", reason: fact.NotEnabled}, // "Macie is not enabled"
	{service: "Organizations", code: "AWSOrganizationsNotInUseException", reason: fact.NotEnabled},

	// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
	{text: "explicit deny in a service control policy", reason: fact.SCPDenied},
	{text: "no service control policy allows", reason: fact.SCPDenied},
	{text: "explicit deny in a resource control policy", reason: fact.SCPDenied},
	{text: "no resource control policy allows", reason: fact.SCPDenied},
	{text: "explicit deny in a resource-based policy", reason: fact.ResourceDenied},
	{text: "no resource-based policy allows", reason: fact.ResourceDenied}, // a KMS key's policy that does not hand on to IAM

	{code: "AccessDenied", reason: fact.Denied},
	{code: "AccessDeniedException", reason: fact.Denied},
	{code: "AuthorizationError", reason: fact.Denied}, // SNS
	{code: "UnauthorizedOperation", reason: fact.Denied},
	{code: "UnauthorizedAccess", reason: fact.Denied},
	{code: "AuthorizationErrorException", reason: fact.Denied},
	{code: "NotAuthorized", reason: fact.Denied},
	{code: "AllAccessDisabled", reason: fact.Denied}, // S3, by AWS itself
	{code: "Forbidden", reason: fact.Denied},
	{code: "ForbiddenException", reason: fact.Denied},

	// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
	{code: "ExpiredToken", reason: fact.Expired},
	{code: "ExpiredTokenException", reason: fact.Expired},
	{code: "RequestExpired", reason: fact.Expired},       // EC2
	{code: "TokenRefreshRequired", reason: fact.Expired}, // S3

	// A region that the account has not enabled refuses its credentials.
	{code: "InvalidClientTokenId", reason: fact.RegionDisabled},
	{code: "UnrecognizedClientException", reason: fact.RegionDisabled},
	{code: "InvalidToken", reason: fact.RegionDisabled}, // S3
	{code: "AuthFailure", reason: fact.RegionDisabled},  // EC2
	{code: "OptInRequired", reason: fact.NotEnabled},
	{code: "SubscriptionRequiredException", reason: fact.NotEnabled},

	{code: "UnknownOperationException", reason: fact.Unsupported},
	{code: "UnsupportedOperation", reason: fact.Unsupported},
	{code: "UnsupportedOperationException", reason: fact.Unsupported},
	{code: "InvalidAction", reason: fact.Unsupported},
	{code: "NotImplemented", reason: fact.Unsupported},
}

// GapOf says what an error of an AWS call means for the value it should have
// read. Whatever is not recognised is fact.Failed.
func GapOf(err error) fact.Gap {
	gap := fact.Gap{Reason: fact.Failed, Detail: Brief(err)}
	var service, operation string
	var call *smithy.OperationError
	if errors.As(err, &call) {
		service, operation = call.Service(), call.Operation()
		gap.Operation = policy.Name(service, operation)
	}
	var api smithy.APIError
	isAPI := errors.As(err, &api)
	switch {
	case errors.Is(err, ledger.ErrSpent):
		gap.Reason, gap.Detail = fact.OverBudget, ledger.ErrSpent.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		gap.Reason = fact.Timeout
	case isAPI && Throttled(err):
		gap.Reason = fact.Throttled
	case isAPI:
		gap.Reason = classify(service, operation, api)
	case noSuchHost(err):
		gap.Reason = fact.Unsupported // AWS publishes no name for a service that a region lacks
	case timedOut(err):
		gap.Reason = fact.Timeout
	}
	if gap.Reason == fact.Denied || gap.Reason == fact.SCPDenied {
		gap.Action = policy.Action(service, operation)
	}
	return gap
}

func classify(service, operation string, api smithy.APIError) fact.Reason {
	code, message := api.ErrorCode(), strings.ToLower(api.ErrorMessage())
	for _, c := range classes {
		if (c.service == "" || c.service == service) &&
			(c.operation == "" || c.operation == operation) &&
			(c.code == "" || c.code == code) &&
			strings.Contains(message, c.text) {
			return c.reason
		}
	}
	return fact.Failed
}

// Throttled reports whether AWS refused a call because there were too many.
func Throttled(err error) bool {
	return retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err).Bool()
}

func noSuchHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// detailLength bounds what is kept of an error's text.
const detailLength = 300

// session is the name of a role's session in AWS's messages: each audit has its
// own, and what did not change should read the same tomorrow.
var session = regexp.MustCompile(`(:assumed-role/[\w+=,.@-]+)/[\w+=,.@-]+`)

// Brief is an error in one line: AWS's code and message where it is AWS's, with
// nothing that changes from run to run.
func Brief(err error) string {
	text := err.Error()
	var api smithy.APIError
	if errors.As(err, &api) {
		text = api.ErrorCode() + ": " + api.ErrorMessage()
	}
	text = session.ReplaceAllString(strings.Join(strings.Fields(text), " "), "$1")
	if len(text) > detailLength {
		text = strings.ToValidUTF8(text[:detailLength], "") + "…"
	}
	return text
}
