package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

const (
	account = "111122223333"
	stackID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/CloudArq/1"
	roleARN = "arn:aws:iam::111122223333:role/CloudArqAuditRole"
)

// cloud is CloudFormation with one stack, as far as the tests need it.
type cloud struct {
	*fake.Fake
	statuses []types.StackStatus // of the stack, one a call, the last for ever; none if there is no stack
	outputs  []types.Output
	events   [][]types.StackEvent // that each of these statuses adds
	called   []string

	asked int
}

func (c *cloud) stack() (types.StackStatus, bool) {
	if len(c.statuses) == 0 {
		return "", false
	}
	return c.statuses[min(c.asked, len(c.statuses)-1)], true
}

// newCloud has the audit role's stack in these states.
func newCloud(statuses ...types.StackStatus) *cloud {
	c := &cloud{Fake: fake.New(), statuses: statuses, outputs: []types.Output{
		{OutputKey: aws.String("RoleArn"), OutputValue: aws.String(roleARN)}, {OutputKey: aws.String("PolicyVersion"), OutputValue: aws.String("1")},
	}}
	c.Meddle = func(operation string, _ int) error {
		_, name, _ := strings.Cut(operation, ".")
		c.called = append(c.called, name)
		return nil
	}
	fake.On(c.Fake, func(*sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Account: aws.String(account), Arn: aws.String("arn:aws:iam::111122223333:user/alice")}, nil
	})
	fake.On(c.Fake, func(in *cloudformation.DescribeStacksInput) (*cloudformation.DescribeStacksOutput, error) {
		status, ok := c.stack()
		if !ok {
			return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id " + *in.StackName + " does not exist"}
		}
		c.asked++
		return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{
			StackName: aws.String("CloudArq"), StackId: aws.String(stackID), StackStatus: status, Outputs: c.outputs,
		}}}, nil
	})
	fake.On(c.Fake, func(*cloudformation.DescribeStackEventsInput) (*cloudformation.DescribeStackEventsOutput, error) {
		var all []types.StackEvent
		for _, added := range c.events[:min(c.asked, len(c.events))] {
			for _, e := range added {
				e.EventId = aws.String(fmt.Sprint(len(all)))
				all = append(all, e)
			}
		}
		slices.Reverse(all)
		return &cloudformation.DescribeStackEventsOutput{StackEvents: all}, nil
	})
	fake.On(c.Fake, func(in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
		return &cloudformation.CreateChangeSetOutput{Id: aws.String("arn:aws:cloudformation:eu-west-1:111122223333:changeSet/" + *in.ChangeSetName + "/1"), StackId: aws.String(stackID)}, nil
	})
	c.changeSet(types.ChangeSetStatusCreateComplete, "")
	fake.On(c.Fake, func(*cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
		return &cloudformation.ExecuteChangeSetOutput{}, nil
	})
	fake.On(c.Fake, func(*cloudformation.DeleteChangeSetInput) (*cloudformation.DeleteChangeSetOutput, error) {
		return &cloudformation.DeleteChangeSetOutput{}, nil
	})
	fake.On(c.Fake, func(*cloudformation.DeleteStackInput) (*cloudformation.DeleteStackOutput, error) {
		return &cloudformation.DeleteStackOutput{}, nil
	})
	return c
}

// changeSet lets change sets end in a state, with a change a page.
func (c *cloud) changeSet(status types.ChangeSetStatus, reason string, changes ...types.ResourceChange) {
	fake.On(c.Fake, func(in *cloudformation.DescribeChangeSetInput) (*cloudformation.DescribeChangeSetOutput, error) {
		page := 0
		_, _ = fmt.Sscan(aws.ToString(in.NextToken), &page)
		out := &cloudformation.DescribeChangeSetOutput{Status: status, StatusReason: &reason}
		if page < len(changes) {
			out.Changes = []types.Change{{ResourceChange: &changes[page]}}
		}
		if page+1 < len(changes) {
			out.NextToken = aws.String(fmt.Sprint(page + 1))
		}
		return out, nil
	})
}

func (c *cloud) open(t *testing.T) *bootstrap.Administrator {
	t.Helper()
	cfg := c.Config(t)
	cfg.Credentials = credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")
	admin, err := bootstrap.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

func wanted() bootstrap.Stack {
	return bootstrap.Stack{Name: "CloudArq", Template: "{}", ExternalID: secret.New("the-external-id"), Principal: "arn:aws:iam::444455556666:user/auditor", Role: "CloudArqAuditRole"}
}

// heard keeps the events that were said.
type heard []string

func (h *heard) say(e bootstrap.Event) {
	*h = append(*h, strings.TrimSpace(e.LogicalID+" "+e.Status+" "+e.Reason))
}

func event(id, status, reason string) types.StackEvent {
	return types.StackEvent{LogicalResourceId: &id, ResourceStatus: types.ResourceStatus(status), ResourceStatusReason: &reason}
}

func TestPlanOfANewStack(t *testing.T) {
	t.Parallel()
	c := newCloud()
	c.changeSet(types.ChangeSetStatusCreateComplete, "",
		types.ResourceChange{Action: types.ChangeActionAdd, LogicalResourceId: aws.String("AuditRole"), ResourceType: aws.String("AWS::IAM::Role")},
		types.ResourceChange{Action: types.ChangeActionAdd, LogicalResourceId: aws.String("Read1"), ResourceType: aws.String("AWS::IAM::ManagedPolicy")},
	)
	var asked *cloudformation.CreateChangeSetInput
	fake.On(c.Fake, func(in *cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
		asked = in
		return &cloudformation.CreateChangeSetOutput{Id: aws.String("arn"), StackId: aws.String(stackID)}, nil
	})
	plan, err := c.open(t).Plan(t.Context(), wanted(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []bootstrap.Change{{Action: "Add", LogicalID: "AuditRole", Type: "AWS::IAM::Role"}, {Action: "Add", LogicalID: "Read1", Type: "AWS::IAM::ManagedPolicy"}}
	if diff := cmp.Diff(want, plan.Changes); diff != "" || plan.Unchanged() || plan.StackID != stackID {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for _, p := range asked.Parameters {
		got[*p.ParameterKey] = *p.ParameterValue
	}
	parameters := map[string]string{"ExternalId": "the-external-id", "CheckerRoleArn": "arn:aws:iam::444455556666:user/auditor", "RoleName": "CloudArqAuditRole"}
	if diff := cmp.Diff(parameters, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if asked.ChangeSetType != types.ChangeSetTypeCreate || asked.OnStackFailure != types.OnStackFailureDelete || !slices.Equal(asked.Capabilities, []types.Capability{types.CapabilityCapabilityNamedIam}) || *asked.ClientToken != *asked.ChangeSetName {
		t.Errorf("asked for %+v", asked)
	}
}

func TestPlanOfAStackThatThereIs(t *testing.T) {
	t.Parallel()
	unchanged := "The submitted information didn't contain changes. Submit different information to create a change set."
	for name, c := range map[string]struct {
		status    types.StackStatus
		outputs   bool
		set       types.ChangeSetStatus
		reason    string
		unchanged bool
		says      []string
		withdrawn bool
	}{
		"changed":                         {types.StackStatusCreateComplete, true, types.ChangeSetStatusCreateComplete, "", false, nil, false},
		"changed after a failure":         {types.StackStatusUpdateRollbackComplete, true, types.ChangeSetStatusCreateComplete, "", false, nil, false},
		"as it should be":                 {types.StackStatusUpdateComplete, true, types.ChangeSetStatusFailed, unchanged, true, nil, true},
		"as it should be, in other words": {types.StackStatusUpdateComplete, true, types.ChangeSetStatusFailed, "No updates are to be performed.", true, nil, true},
		"a change set that failed":        {types.StackStatusUpdateComplete, true, types.ChangeSetStatusFailed, "Template format error", false, []string{"Template format error"}, true},
		"another's":                       {types.StackStatusCreateComplete, false, "", "", false, []string{"not one of the audit role's template", "--stack-name"}, false},
		"rolled back":                     {types.StackStatusRollbackComplete, false, "", "", false, []string{"ROLLBACK_COMPLETE", "aws cloudformation delete-stack --stack-name CloudArq --region eu-west-1"}, false},
		"half deleted":                    {types.StackStatusDeleteFailed, true, "", "", false, []string{"DELETE_FAILED", "delete-stack"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(c.status)
			if !c.outputs {
				cloud.outputs = nil
			}
			cloud.changeSet(c.set, c.reason)
			plan, err := cloud.open(t).Plan(t.Context(), wanted(), nil)
			if (err == nil) != (c.says == nil) || err == nil && plan.Unchanged() != c.unchanged {
				t.Fatalf("unchanged: want %v; %v", c.unchanged, err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if withdrawn := slices.Contains(cloud.called, "DeleteChangeSet"); withdrawn != c.withdrawn || slices.Contains(cloud.called, "DeleteStack") {
				t.Errorf("called %v", cloud.called)
			}
		})
	}
}

// Another's deployment, or that of a process that died, is waited for.
func TestPlanWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE")
		c.events = [][]types.StackEvent{{event("AuditRole", "CREATE_IN_PROGRESS", "")}, {event("AuditRole", "CREATE_COMPLETE", "")}, nil, {event("CloudArq", "CREATE_COMPLETE", "")}}
		began := time.Now()
		var said heard
		if _, err := c.open(t).Plan(t.Context(), wanted(), said.say); err != nil {
			t.Fatal(err)
		}
		if want := (heard{"AuditRole CREATE_COMPLETE", "CloudArq CREATE_COMPLETE"}); !slices.Equal(said, want) {
			t.Errorf("said %q, want what happened since it began to look: %q", said, want)
		}
		if waited := time.Since(began); waited < 2*time.Second || waited > time.Minute {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestExecute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE")
		c.events = [][]types.StackEvent{{event("old", "CREATE_COMPLETE", "")}, nil, {event("AuditRole", "UPDATE_IN_PROGRESS", ""), event("AuditRole", "UPDATE_COMPLETE", "")}, nil, {event("CloudArq", "UPDATE_COMPLETE", "")}}
		var token string
		fake.On(c.Fake, func(in *cloudformation.ExecuteChangeSetInput) (*cloudformation.ExecuteChangeSetOutput, error) {
			token = *in.ClientRequestToken
			return &cloudformation.ExecuteChangeSetOutput{}, nil
		})
		admin := c.open(t)
		plan, err := admin.Plan(t.Context(), wanted(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var said heard
		made, err := admin.Execute(t.Context(), plan, said.say)
		if err != nil || made != roleARN || !strings.HasPrefix(token, "cloudarq-") {
			t.Errorf("made %q, with the token %q, %v", made, token, err)
		}
		if want := (heard{"AuditRole UPDATE_IN_PROGRESS", "AuditRole UPDATE_COMPLETE", "CloudArq UPDATE_COMPLETE"}); !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

func TestExecuteFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status types.StackStatus
		events []types.StackEvent
		denied bool
		says   []string
	}{
		"denied": {"DELETE_COMPLETE", []types.StackEvent{
			event("AuditRole", "CREATE_FAILED", "Resource handler returned message: \"User: arn:aws:iam::111122223333:user/alice is not authorized to perform: iam:CreateRole on resource: x\""),
			event("CloudArq", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [AuditRole]."),
			event("CloudArq", "DELETE_FAILED", "later"),
		}, true, []string{"CloudArq", "DELETE_COMPLETE", "AuditRole (CREATE_FAILED)", "iam:CreateRole", "--show-policy"}},
		"in the way": {
			"DELETE_COMPLETE",
			[]types.StackEvent{event("AuditRole", "CREATE_FAILED", "CloudArqAuditRole already exists in stack arn")},
			false,
			[]string{"already exists", "--role-name", "--region"},
		},
		"something else": {"UPDATE_ROLLBACK_COMPLETE", []types.StackEvent{event("Read1", "UPDATE_FAILED", "Policy is too large")}, false, []string{"UPDATE_ROLLBACK_COMPLETE", "Read1", "too large", "run this again"}},
		"nobody knows":   {"ROLLBACK_FAILED", nil, false, []string{"ROLLBACK_FAILED", "run this again"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud("REVIEW_IN_PROGRESS", c.status)
			cloud.events = [][]types.StackEvent{nil, c.events}
			admin := cloud.open(t)
			plan, err := admin.Plan(t.Context(), wanted(), nil)
			if err != nil {
				t.Fatal(err)
			}
			var said heard
			_, err = admin.Execute(t.Context(), plan, said.say)
			var failed *bootstrap.StackError
			if !errors.As(err, &failed) || failed.Denied() != c.denied || strings.Contains(err.Error(), "later") {
				t.Fatalf("%v", err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

// Whoever waits is not kept from leaving.
func TestWaitingIsCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
		admin := c.open(t)
		plan, err := admin.Plan(t.Context(), wanted(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := admin.Execute(ctx, plan, nil); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "CloudArq") {
			t.Errorf("out of time: %v", err)
		}
	})
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after types.StackStatus // no stack before, if empty
		deletesStack  bool
	}{
		"the empty stack goes, too":          {"", types.StackStatusReviewInProgress, true},
		"of a run that died, as well":        {types.StackStatusReviewInProgress, types.StackStatusReviewInProgress, true},
		"somebody made the stack meanwhile":  {"", types.StackStatusCreateInProgress, false},
		"a stack that there was is not gone": {types.StackStatusCreateComplete, types.StackStatusCreateComplete, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud()
			if c.before != "" {
				cloud.statuses = []types.StackStatus{c.before}
			}
			admin := cloud.open(t)
			plan, err := admin.Plan(t.Context(), wanted(), nil)
			if err != nil {
				t.Fatal(err)
			}
			cloud.statuses, cloud.asked = []types.StackStatus{c.after}, 0
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // who presses Ctrl-C leaves nothing either
			if err := admin.Withdraw(ctx, plan); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(cloud.called, "DeleteChangeSet") || slices.Contains(cloud.called, "DeleteStack") != c.deletesStack {
				t.Errorf("called %v", cloud.called)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code, message string
		access        bool
		says          []string
	}{
		"denied":          {"AccessDenied", "User is not authorized", true, []string{"user/alice may not call cloudformation:CreateChangeSet", "--show-policy"}},
		"by a policy":     {"AccessDenied", "with an explicit deny in a service control policy", true, []string{"a policy of the organization", "cloudformation:CreateChangeSet"}},
		"region is off":   {"InvalidClientTokenId", "The security token included in the request is invalid", true, []string{"eu-west-1", "enabled", account}},
		"something wrong": {"LimitExceededException", "too many stacks", false, []string{"change set of the stack CloudArq", "LimitExceededException", "too many stacks"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud()
			fake.On(cloud.Fake, func(*cloudformation.CreateChangeSetInput) (*cloudformation.CreateChangeSetOutput, error) {
				return nil, &smithy.GenericAPIError{Code: c.code, Message: c.message}
			})
			_, err := cloud.open(t).Plan(t.Context(), wanted(), nil)
			var access *client.AccessError
			if err == nil || errors.As(err, &access) != c.access {
				t.Fatalf("%v", err)
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}
