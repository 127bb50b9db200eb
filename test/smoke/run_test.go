package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
)

// TestPrefix: names that AWS would refuse in the middle of a run are refused before it.
func TestPrefix(t *testing.T) {
	for _, name := range []string{"", "ab", "Smoke", "1smoke", "smoke_1", "-smoke", strings.Repeat("a", 21)} {
		if err := command(t.Context(), []string{"-prefix", name}, strings.NewReader(""), io.Discard); err == nil || !strings.Contains(err.Error(), "say PREFIX=") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := command(t.Context(), []string{"-nonsense"}, strings.NewReader(""), io.Discard); err == nil || errors.Is(err, flag.ErrHelp) {
		t.Error(err)
	}
}

// TestPolicy holds the policy to what a managed policy may be, with the longest name, in
// every partition.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (2026-11-30)
func TestPolicy(t *testing.T) {
	var out bytes.Buffer
	name := strings.Repeat("a", 20)
	if err := command(t.Context(), []string{"-policy", "-prefix", name, "-region", "us-gov-west-1"}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Join(strings.Fields(out.String()), "")); n > 6144 {
		t.Errorf("%d characters", n)
	}
	if !json.Valid(out.Bytes()) || strings.Contains(out.String(), "PREFIX") || strings.Contains(out.String(), "arn:aws:") || !strings.Contains(out.String(), "arn:aws-us-gov:iam::*:role/"+name+"-operator") {
		t.Error(out.String())
	}
}

// TestQuestion: nothing is done without a yes.
func TestQuestion(t *testing.T) {
	for _, answer := range []string{"", "\n", "no\n", "y\n"} {
		r := newRun(options{prefix: "smoke", destroy: true}, aws.Config{Region: "eu-west-1"}, io.Discard)
		err := r.ask(t.Context(), strings.NewReader(answer))
		if err == nil || err.Error() != "nothing was done" {
			t.Errorf("%q: %v", answer, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never, _ := io.Pipe()
	r := newRun(options{prefix: "smoke"}, aws.Config{Region: "eu-west-1"}, io.Discard)
	if err := r.ask(ctx, never); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Error(err)
	}
}

func TestPackaged(t *testing.T) {
	template := `
Resources:
  A: # a function
    Type: AWS::Serverless::Function
    Properties: {CodeUri: bin/a/, Role: !GetAtt Role.Arn, Days: "1"}
  B:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: b.zip
  C:
    Type: AWS::SQS::Queue
`
	var asked []string
	got, err := packaged([]byte(template), func(uri string) (string, error) {
		asked = append(asked, uri)
		return "s3://bucket/" + fmt.Sprint(len(asked)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"bin/a/", "b.zip"}, asked); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{`{CodeUri: 's3://bucket/1', Role: !GetAtt Role.Arn, Days: "1"}`, "CodeUri: s3://bucket/2", "Type: AWS::SQS::Queue"} {
		if !strings.Contains(string(got), line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	for _, wrong := range []string{"", "a: [", "Resources: {}", "Resources: {A: {Type: AWS::Serverless::Function}}"} {
		if _, err := packaged([]byte(wrong), func(string) (string, error) { return "", nil }); err == nil {
			t.Errorf("%q is packaged", wrong)
		}
	}
}

// TestReleases: the functions of a release are packed already, and its template lies beside
// them.
func TestReleases(t *testing.T) {
	dist := t.TempDir()
	if _, err := functions(t.Context(), dist, io.Discard); err == nil || !strings.Contains(err.Error(), "has 0 templates of a release") {
		t.Error(err)
	}
	for name, text := range map[string]string{"cloudarq_1.2.3_template.yaml": "", "cloudarq_1.2.3_function_api_arm64.zip": "packed", "bootstrap": "program"} {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if template, err := functions(t.Context(), dist, io.Discard); err != nil || template != filepath.Join(dist, "cloudarq_1.2.3_template.yaml") {
		t.Errorf("%s, %v", template, err)
	}
	if code, err := archive(filepath.Join(dist, "cloudarq_1.2.3_function_api_arm64.zip")); err != nil || string(code) != "packed" {
		t.Errorf("%q, %v", code, err)
	}
	code, err := archive(dist)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
	if err != nil || len(packed.File) != 1 || packed.File[0].Name != "bootstrap" || packed.File[0].Mode() != 0o755 {
		t.Errorf("%+v, %v", packed, err)
	}
}

// TestParameters: what may work at once fits into the room that there is.
func TestParameters(t *testing.T) {
	for _, room := range []int{10, 11, 20, 100, 1000} {
		p := parameters("smoke", "smoke-audit", room)
		sum := 2 + 2 // the worker, the API and the clock
		for _, name := range []string{"CheckerConcurrency", "UrgentConcurrency", "AggregatorConcurrency"} {
			var n int
			if _, err := fmt.Sscan(p[name], &n); err != nil || n < 2 {
				t.Errorf("%s is %s", name, p[name])
			}
			sum += n
		}
		if sum > room {
			t.Errorf("%d at once, in a room for %d", sum, room)
		}
	}
}

// TestEstimate holds the estimate to the template and to the prices.
func TestEstimate(t *testing.T) {
	template, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	alarms := strings.Count(string(template), "Type: AWS::CloudWatch::Alarm\n")
	for _, u := range use {
		if u.unit == "alarm" && u.amount != float64(alarms) {
			t.Errorf("%v alarms are paid for, and the template has %d", u.amount, alarms)
		}
	}
	hour, err := estimate("../../"+prices, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	day, err := estimate("../../"+prices, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if hour <= 0 || hour > 0.05 || day <= hour || day > 1 {
		t.Errorf("an hour costs %v, a day %v", hour, day)
	}
}

func refusal(code, message string) error {
	return &smithy.OperationError{ServiceID: "KMS", OperationName: "ScheduleKeyDeletion", Err: &smithy.GenericAPIError{Code: code, Message: message}}
}

func TestExplain(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"denied":         {refusal("AccessDeniedException", "User: arn:aws:iam::1:user/a is not authorized to perform: kms:ScheduleKeyDeletion on this resource"), "these credentials may not call kms:ScheduleKeyDeletion;"},
		"another action": {refusal("AccessDenied", "User: u is not authorized to perform: iam:PassRole on resource: r"), "these credentials may not call iam:PassRole;"},
		"by an SCP":      {refusal("AccessDeniedException", "User: u is not authorized to perform: kms:ScheduleKeyDeletion with an explicit deny in a service control policy"), "a policy of the organization denies kms:ScheduleKeyDeletion"},
		"else":           {refusal("KMSInvalidStateException", "is pending\n deletion"), "ScheduleKeyDeletion of KMS: KMSInvalidStateException: is pending deletion"},
		"by the API":     {fmt.Errorf("make a connection: %w", &client.Problem{Status: 403, Message: "Forbidden"}), "these credentials may not call execute-api:Invoke: make a connection"},
		"not AWS":        {errors.New("no such file"), "no such file"},
	} {
		if got := explain(c.err).Error(); !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// faked is a run against a stack of one name.
func faked(t *testing.T, statuses ...types.StackStatus) (*run, *fake.Fake) {
	t.Helper()
	f, asked := fake.New(), 0
	fake.On(f, func(*cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
		status := statuses[min(asked, len(statuses)-1)]
		asked++
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackName: aws.String("smoke"), StackId: aws.String("arn:stack"), StackStatus: status}}}, nil
	})
	fake.On(f, func(*cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
		event := func(id, status, reason string) types.StackEvent {
			return types.StackEvent{EventId: &id, LogicalResourceId: &id, ResourceStatus: types.ResourceStatus(status), ResourceStatusReason: &reason}
		}
		return &cloudformation.DescribeStackEventsOutput{StackEvents: []types.StackEvent{
			event("Later", "CREATE_FAILED", "Resource creation cancelled"), event("First", "CREATE_FAILED", "no such thing"), event("Fine", "CREATE_COMPLETE", ""),
		}}, nil
	})
	return newRun(options{prefix: "smoke"}, f.Config(t), io.Discard), f
}

// TestVaultWithBackups: what the daily plan has put there meanwhile keeps its vault, and
// nothing else.
func TestVaultWithBackups(t *testing.T) {
	for name, c := range map[string]struct {
		undeleted []string
		left      bool
	}{
		"the vault":            {[]string{"BackupVault"}, true},
		"the vault and more":   {[]string{"BackupVault", "ApiRole"}, false},
		"something else":       {[]string{"ApiRole"}, false},
		"nothing that it says": {nil, false},
	} {
		r, f := faked(t, types.StackStatusCreateComplete, types.StackStatusCreateComplete, types.StackStatusDeleteFailed, types.StackStatusDeleteComplete)
		var kept [][]string
		fake.On(f, func(in *cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
			kept = append(kept, in.RetainResources)
			return &cloudformation.DeleteStackOutput{}, nil
		})
		fake.On(f, func(*cloudformation.ListStackResourcesInput) (*cloudformation.ListStackResourcesOutput, error) {
			out := &cloudformation.ListStackResourcesOutput{StackResourceSummaries: []types.StackResourceSummary{{LogicalResourceId: aws.String("Key"), ResourceStatus: types.ResourceStatusDeleteSkipped}}}
			for _, id := range c.undeleted {
				out.StackResourceSummaries = append(out.StackResourceSummaries, types.StackResourceSummary{LogicalResourceId: aws.String(id), ResourceStatus: types.ResourceStatusDeleteFailed})
			}
			return out, nil
		})
		err := r.deleteStack(t.Context(), "smoke")
		if c.left != (err == nil) || c.left != (len(r.left) == 1) || c.left != (len(kept) == 2) {
			t.Errorf("%s: %v; kept %v, left %v", name, err, kept, r.left)
		}
	}
}

// TestWhy: what failed first is why.
func TestWhy(t *testing.T) {
	r, f := faked(t, types.StackStatusReviewInProgress, types.StackStatusRollbackComplete)
	fake.On(f, func(in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
		if in.ChangeSetType != types.ChangeSetTypeCreate || len(in.Tags) != 1 || *in.Tags[0].Key != tag || *in.Tags[0].Value != "smoke" || *in.TemplateURL != "https://x" {
			t.Errorf("asked for %+v", in)
		}
		return &cloudformation.CreateChangeSetOutput{Id: aws.String("arn:set"), StackId: aws.String("arn:stack")}, nil
	})
	fake.On(f, func(*cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
		return &cloudformation.DescribeChangeSetOutput{Status: types.ChangeSetStatusCreateComplete}, nil
	})
	fake.On(f, func(*cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
		fake.On(f, func(*cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
			return &cloudformation.DescribeStackEventsOutput{StackEvents: []types.StackEvent{
				{EventId: aws.String("3"), LogicalResourceId: aws.String("B"), ResourceStatus: types.ResourceStatusCreateFailed, ResourceStatusReason: aws.String("Resource creation cancelled")},
				{EventId: aws.String("2"), LogicalResourceId: aws.String("A"), ResourceStatus: types.ResourceStatusCreateFailed, ResourceStatusReason: aws.String("no such thing")},
				{EventId: aws.String("Later"), LogicalResourceId: aws.String("C"), ResourceStatus: types.ResourceStatusCreateFailed, ResourceStatusReason: aws.String("of before")},
			}}, nil
		})
		return &cloudformation.ExecuteChangeSetOutput{}, nil
	})
	_, err := r.deployStack(t.Context(), stackSpec{name: "smoke", url: "https://x"})
	if err == nil || err.Error() != "the stack smoke is ROLLBACK_COMPLETE: A: no such thing" {
		t.Error(err)
	}
}

// TestProposedOnly: a stack that was never made has no tags, and is known by its change set.
func TestProposedOnly(t *testing.T) {
	for _, c := range []struct {
		set  string
		mine bool
	}{{"smoke-01abc", true}, {"awscli-cloudformation-package-deploy-1", false}} {
		r, f := faked(t, types.StackStatusReviewInProgress)
		fake.On(f, func(*cloudformation.ListChangeSetsInput) (*cloudformation.ListChangeSetsOutput, error) {
			return &cloudformation.ListChangeSetsOutput{Summaries: []types.ChangeSetSummary{{ChangeSetName: &c.set}}}, nil
		})
		tags, err := r.stack("smoke", nil).tags(t.Context())
		if err != nil || (tags[tag] == "smoke") != c.mine {
			t.Errorf("%s: %v, %v", c.set, tags, err)
		}
	}
}

// TestKeysThatDoNotTell: keys of others that deny to read their tags are told of, and no
// reason to fail.
func TestKeysThatDoNotTell(t *testing.T) {
	r, f := faked(t, types.StackStatusCreateComplete)
	fake.On(f, func(*kms.ListKeysInput) (*kms.ListKeysOutput, error) {
		return &kms.ListKeysOutput{Keys: []kmstypes.KeyListEntry{{KeyId: aws.String("k")}}}, nil
	})
	fake.Deny[kms.ListResourceTagsInput](f)
	if err := r.deleteKeys(t.Context()); err != nil || len(r.left) != 1 || !strings.Contains(r.left[0], "1 keys whose tags") {
		t.Errorf("%v, %v", err, r.left)
	}
}

// TestWaits: waits end by their own bound, and say for what; an answer of AWS that is no
// "not yet" ends them at once.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{pause: time.Second}
		began := time.Now()
		err := r.until(t.Context(), "the moon", time.Minute, func(context.Context) (bool, error) { return false, nil })
		if err == nil || err.Error() != "waited 1m0s for the moon" || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		tried := 0
		err = r.retry(t.Context(), time.Minute, []string{"Busy"}, func(context.Context) error {
			tried++
			return refusal("Busy", "not yet")
		})
		if err == nil || tried < 59 || !strings.Contains(err.Error(), "waited 1m0s") || !hasCode(err, "Busy") {
			t.Errorf("%d tries: %v", tried, err)
		}
		tried = 0
		err = r.retry(t.Context(), time.Minute, []string{"Busy"}, func(context.Context) error {
			if tried++; tried < 3 {
				return refusal("Busy", "not yet")
			}
			return refusal("Broken", "never")
		})
		if tried != 3 || !hasCode(err, "Broken") {
			t.Errorf("%d tries: %v", tried, err)
		}
	})
}
