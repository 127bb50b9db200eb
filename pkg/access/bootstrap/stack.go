package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// What the template calls its outputs. A stack without them is somebody else's.
const (
	outputRole    = "RoleArn"
	outputVersion = "PolicyVersion"
)

// Stack is the audit role's stack as it should be.
type Stack struct {
	Name       string
	Template   string        // the published one, in YAML
	ExternalID secret.String // that the role asks for
	Principal  string        // ARN of who will assume the role
	Role       string        // its name
}

func (s Stack) parameters() []types.Parameter {
	var all []types.Parameter
	for _, p := range [][2]string{{"ExternalId", s.ExternalID.Reveal()}, {"CheckerRoleArn", s.Principal}, {"RoleName", s.Role}} {
		all = append(all, types.Parameter{ParameterKey: aws.String(p[0]), ParameterValue: aws.String(p[1])})
	}
	return all
}

// Change is what a deployment does to one resource of the stack.
type Change struct {
	Action      string `json:"action"` // Add, Modify, Remove
	LogicalID   string `json:"logical_id"`
	Type        string `json:"type"`
	PhysicalID  string `json:"physical_id,omitempty"` // unknown before it is made
	Replacement string `json:"replacement,omitempty"` // True, False, Conditional: whether it is made anew
}

// Plan is a change set: what would become of the stack. It waits in CloudFormation
// until it is executed or withdrawn.
type Plan struct {
	StackID string   // the stack's ARN
	Changes []Change // of resources; also none if only outputs change

	name      string // of the stack
	token     string // of the requests, so that none counts twice; also the change set's name
	changeSet string // its ARN; empty without changes
	creates   bool
}

// Unchanged reports whether the stack is as it should be.
func (p *Plan) Unchanged() bool { return p.changeSet == "" }

// Plan lays down what it takes to make the stack, or to change the one that there
// is. Somebody's deployment that is under way is waited for; say hears of its
// events. A stack that was left half made, or is not the audit role's, is an error.
func (a *Administrator) Plan(ctx context.Context, s Stack, say func(Event)) (*Plan, error) {
	found, err := a.settled(ctx, s.Name, say)
	if err != nil {
		return nil, err
	}
	p := &Plan{name: s.Name, creates: found == nil || found.StackStatus == types.StackStatusReviewInProgress}
	if !p.creates {
		if err := a.updatable(found); err != nil {
			return nil, err
		}
		p.StackID = aws.ToString(found.StackId)
	}
	if err := a.propose(ctx, s, p); err != nil || p.Unchanged() {
		return p, err
	}
	return p, a.review(ctx, p)
}

// settled is the stack, once nothing is under way with it; nil if there is none.
func (a *Administrator) settled(ctx context.Context, name string, say func(Event)) (*types.Stack, error) {
	for {
		found, err := a.describe(ctx, name)
		if err != nil || found == nil || !underWay(found.StackStatus) {
			return found, err
		}
		latest, err := a.latestEvent(ctx, aws.ToString(found.StackId))
		if err != nil {
			return nil, err
		}
		if _, _, err := a.follow(ctx, name, aws.ToString(found.StackId), latest, say); err != nil {
			return nil, err
		}
	}
}

func underWay(status types.StackStatus) bool {
	return strings.HasSuffix(string(status), "_IN_PROGRESS") && status != types.StackStatusReviewInProgress
}

// describe is the stack of a name or an ARN; nil if there is none.
func (a *Administrator) describe(ctx context.Context, stack string) (*types.Stack, error) {
	out, err := a.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist") {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	if err != nil {
		return nil, a.failed("look for the stack "+stack, err)
	}
	if len(out.Stacks) != 1 {
		return nil, fmt.Errorf("look for the stack %s: CloudFormation gave %d", stack, len(out.Stacks))
	}
	return &out.Stacks[0], nil
}

// updatable refuses a stack that a change set cannot or must not change.
func (a *Administrator) updatable(s *types.Stack) error {
	name := aws.ToString(s.StackName)
	switch s.StackStatus {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete,
		types.StackStatusImportComplete, types.StackStatusImportRollbackComplete:
	default:
		return fmt.Errorf("the stack %s in %s is %s and cannot be changed; delete it with: %s; then run this again",
			name, a.region, s.StackStatus, line([]string{"aws", "cloudformation", "delete-stack", "--stack-name", name, "--region", a.region}))
	}
	// To replace another's template would delete what it made.
	if output(s, outputRole) == "" || output(s, outputVersion) == "" {
		return fmt.Errorf("the stack %s in %s is not one of the audit role's template; name another with --stack-name", name, a.region)
	}
	return nil
}

func output(s *types.Stack, key string) string {
	at := slices.IndexFunc(s.Outputs, func(o types.Output) bool { return aws.ToString(o.OutputKey) == key })
	if at < 0 {
		return ""
	}
	return aws.ToString(s.Outputs[at].OutputValue)
}

// propose makes the change set, unless nothing would change.
func (a *Administrator) propose(ctx context.Context, s Stack, p *Plan) error {
	p.token = "cloudarq-" + strings.ToLower(ulid.Make().String())
	in := &cloudformation.CreateChangeSetInput{
		StackName: &s.Name, ChangeSetName: &p.token, ClientToken: &p.token, ChangeSetType: types.ChangeSetTypeUpdate,
		TemplateBody: &s.Template, Parameters: s.parameters(), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam},
		Description: aws.String("CloudArq's audit role"),
	}
	if p.creates {
		// A stack that fails leaves nothing that would be in the way the next time.
		in.ChangeSetType, in.OnStackFailure = types.ChangeSetTypeCreate, types.OnStackFailureDelete
	}
	out, err := a.client.CreateChangeSet(ctx, in)
	if unchanged(err) {
		return nil
	}
	if err != nil {
		return a.failed(fmt.Sprintf("make a change set of the stack %s", s.Name), err)
	}
	p.StackID, p.changeSet = aws.ToString(out.StackId), aws.ToString(out.Id)
	return nil
}

// How often CloudFormation is asked for what it works on.
const (
	firstPoll   = time.Second
	longestPoll = 5 * time.Second
	// untilDone bounds a waiter, which insists on a bound; it is the context that ends it.
	untilDone = 24 * time.Hour
)

// review waits until CloudFormation knows what would change. A change set that
// failed is withdrawn.
func (a *Administrator) review(ctx context.Context, p *Plan) error {
	in := &cloudformation.DescribeChangeSetInput{ChangeSetName: &p.changeSet, StackName: &p.StackID}
	waiter := cloudformation.NewChangeSetCreateCompleteWaiter(a.client, func(o *cloudformation.ChangeSetCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = firstPoll, longestPoll
		o.Retryable = func(_ context.Context, _ *cloudformation.DescribeChangeSetInput, out *cloudformation.DescribeChangeSetOutput, err error) (bool, error) {
			return err == nil && (out.Status == types.ChangeSetStatusCreatePending || out.Status == types.ChangeSetStatusCreateInProgress), err
		}
	})
	out, err := waiter.WaitForOutput(ctx, in, untilDone)
	if err != nil {
		return errors.Join(a.failed("read the change set of the stack "+p.name, err), a.Withdraw(ctx, p))
	}
	if out.Status != types.ChangeSetStatusCreateComplete {
		if err := a.Withdraw(ctx, p); err != nil {
			return err
		}
		reason := aws.ToString(out.StatusReason)
		if p.changeSet = ""; isUnchanged(reason) {
			return nil
		}
		return fmt.Errorf("CloudFormation cannot make a change set of the stack %s: %s", p.name, reason)
	}
	for {
		for _, c := range out.Changes {
			if r := c.ResourceChange; r != nil {
				p.Changes = append(p.Changes, Change{
					Action: string(r.Action), LogicalID: aws.ToString(r.LogicalResourceId), Type: aws.ToString(r.ResourceType),
					PhysicalID: aws.ToString(r.PhysicalResourceId), Replacement: string(r.Replacement),
				})
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return nil
		}
		if out, err = a.client.DescribeChangeSet(ctx, in); err != nil {
			return errors.Join(a.failed("read the change set of the stack "+p.name, err), a.Withdraw(ctx, p))
		}
	}
}

// unchanged reports whether a change set was refused because nothing would change.
func unchanged(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && isUnchanged(api.ErrorMessage())
}

// isUnchanged knows CloudFormation's words: there is no code.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-no-updates-to-perform
func isUnchanged(reason string) bool {
	return strings.Contains(reason, "didn't contain changes") || strings.Contains(reason, "No updates are to be performed")
}

// cleanUp is how long Withdraw may take after ctx is over.
const cleanUp = 30 * time.Second

// Withdraw deletes the change set, and the empty stack that a first one makes, also
// when ctx is over.
func (a *Administrator) Withdraw(ctx context.Context, p *Plan) error {
	if p.Unchanged() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	if _, err := a.client.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: &p.changeSet, StackName: &p.StackID}); err != nil {
		return a.failed("delete the change set of the stack "+p.name, err)
	}
	if !p.creates {
		return nil
	}
	// Somebody else may have made the stack meanwhile.
	found, err := a.describe(ctx, p.StackID)
	if err != nil || found == nil || found.StackStatus != types.StackStatusReviewInProgress {
		return err
	}
	if _, err := a.client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &p.StackID}); err != nil {
		return a.failed("delete the empty stack "+p.name, err)
	}
	return nil
}

// Execute carries out a plan and waits for its end; say hears of the stack's
// events. It gives the ARN of the role. That the stack failed is a *StackError.
func (a *Administrator) Execute(ctx context.Context, p *Plan, say func(Event)) (roleARN string, err error) {
	if !p.Unchanged() {
		latest, err := a.latestEvent(ctx, p.StackID)
		if err != nil {
			return "", err
		}
		if _, err := a.client.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{
			ChangeSetName: &p.changeSet, StackName: &p.StackID, ClientRequestToken: &p.token,
		}); err != nil {
			return "", a.failed("execute the change set of the stack "+p.name, err)
		}
		status, events, err := a.follow(ctx, p.name, p.StackID, latest, say)
		if err != nil {
			return "", err
		}
		if status != types.StackStatusCreateComplete && status != types.StackStatusUpdateComplete {
			return "", a.stackError(p.name, status, events)
		}
	}
	made, err := a.describe(ctx, p.StackID)
	if err != nil {
		return "", err
	}
	if made == nil {
		return "", fmt.Errorf("the stack %s is gone", p.name)
	}
	return output(made, outputRole), nil
}
