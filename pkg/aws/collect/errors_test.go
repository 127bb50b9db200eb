package collect_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

func call(service, operation string, err error) error {
	return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
}

func api(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }

func TestGapOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		reason fact.Reason
		action string
	}{
		"denied":      {call("KMS", "ListKeys", api("AccessDeniedException", "User: x is not authorized")), fact.Denied, "kms:ListKeys"},
		"denied, EC2": {call("EC2", "DescribeVpcs", api("UnauthorizedOperation", "You are not authorized")), fact.Denied, "ec2:DescribeVpcs"},
		"denied, S3":  {call("S3", "GetBucketEncryption", api("AccessDenied", "Access Denied")), fact.Denied, "s3:GetEncryptionConfiguration"},
		"denied, SNS": {call("SNS", "ListTopics", api("AuthorizationError", "x")), fact.Denied, "sns:ListTopics"},
		"scp":         {call("KMS", "ListKeys", api("AccessDeniedException", "x with an explicit deny in a service control policy")), fact.SCPDenied, "kms:ListKeys"},
		"scp, EC2":    {call("EC2", "DescribeVpcs", api("UnauthorizedOperation", "x with an explicit deny in a service control policy: arn")), fact.SCPDenied, "ec2:DescribeVpcs"},
		"rcp":         {call("S3", "GetBucketAcl", api("AccessDenied", "x because no resource control policy allows the s3:GetBucketAcl action")), fact.SCPDenied, "s3:GetBucketAcl"},
		"key policy": {call("KMS", "GetKeyPolicy", api("AccessDeniedException",
			"User: x is not authorized to perform: kms:GetKeyPolicy on resource: y because no resource-based policy allows the kms:GetKeyPolicy action")), fact.ResourceDenied, ""},
		"bucket policy": {call("S3", "GetBucketAcl", api("AccessDenied",
			"User: x is not authorized to perform: s3:GetBucketAcl on resource: y with an explicit deny in a resource-based policy")), fact.ResourceDenied, ""},
		"identity": {call("S3", "GetBucketAcl", api("AccessDenied",
			"User: x is not authorized to perform: s3:GetBucketAcl because no identity-based policy allows the s3:GetBucketAcl action")), fact.Denied, "s3:GetBucketAcl"},
		"expired":           {call("KMS", "ListKeys", api("ExpiredTokenException", "The security token included in the request is expired")), fact.Expired, ""},
		"expired, EC2":      {call("EC2", "DescribeVpcs", api("RequestExpired", "Request has expired.")), fact.Expired, ""},
		"throttled":         {call("EC2", "DescribeVpcs", api("RequestLimitExceeded", "x")), fact.Throttled, ""},
		"throttled, S3":     {call("S3", "ListBuckets", api("SlowDown", "x")), fact.Throttled, ""},
		"region disabled":   {call("EC2", "DescribeVpcs", api("AuthFailure", "x")), fact.RegionDisabled, ""},
		"not enabled":       {call("SecurityHub", "DescribeHub", api("InvalidAccessException", "not subscribed")), fact.NotEnabled, ""},
		"macie off":         {call("Macie2", "GetMacieSession", api("AccessDeniedException", "Macie is not enabled.")), fact.NotEnabled, ""},
		"macie denied":      {call("Macie2", "GetMacieSession", api("AccessDeniedException", "not authorized")), fact.Denied, "macie2:GetMacieSession"},
		"no organization":   {call("Organizations", "DescribeOrganization", api("AWSOrganizationsNotInUseException", "x")), fact.NotEnabled, ""},
		"unknown operation": {call("KMS", "ListKeys", api("UnknownOperationException", "x")), fact.Unsupported, ""},
		"no such host":      {call("KMS", "ListKeys", &net.DNSError{IsNotFound: true}), fact.Unsupported, ""},
		"resolver failed":   {call("KMS", "ListKeys", &net.DNSError{IsTemporary: true}), fact.Failed, ""},
		"deadline":          {call("KMS", "ListKeys", context.DeadlineExceeded), fact.Timeout, ""},
		"server error":      {call("KMS", "ListKeys", api("InternalFailure", "x")), fact.Failed, ""},
		"anything else":     {errors.New("boom"), fact.Failed, ""},
		"wrapped":           {fmt.Errorf("list keys: %w", call("KMS", "ListKeys", api("AccessDeniedException", "x"))), fact.Denied, "kms:ListKeys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := collect.GapOf(c.err)
			if got.Reason != c.reason || got.Action != c.action {
				t.Errorf("%+v, want reason %q with action %q", got, c.reason, c.action)
			}
			if got.Detail == "" {
				t.Error("the gap says nothing of the error")
			}
		})
	}
}

// Every audit has a session of its own; what it is denied reads the same.
func TestBriefLeavesOutTheSession(t *testing.T) {
	t.Parallel()
	got := collect.Brief(call("KMS", "ListKeys", api("AccessDenied",
		"User: arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq-01M8ADQ8Y0 is not authorized to perform: kms:ListKeys")))
	if want := "AccessDenied: User: arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole is not authorized to perform: kms:ListKeys"; got != want {
		t.Errorf("brief %q, want %q", got, want)
	}
}

func TestBriefIsOneShortLine(t *testing.T) {
	t.Parallel()
	got := collect.Brief(call("KMS", "ListKeys", api("X", "line\nline "+strings.Repeat("é", 400))))
	if strings.ContainsAny(got, "\n\r") || len(got) > 310 || !strings.HasPrefix(got, "X: line line") {
		t.Errorf("brief %q", got)
	}
}
