package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/oklog/ulid/v2"
)

// stackSpec is a stack as it should be.
type stackSpec struct {
	name       string
	body, url  string // one of them: a template of up to 51,200 bytes, or where it lies in S3
	parameters map[string]string
}

// cloudFormation is the platform that AWS is.
type cloudFormation struct{ *run }

func (c cloudFormation) deploy(ctx context.Context, _ []byte, url string, parameters map[string]string) (map[string]string, error) {
	return c.deployStack(ctx, stackSpec{name: c.prefix, url: url, parameters: parameters})
}

func (c cloudFormation) remove(ctx context.Context) error { return c.deleteStack(ctx, c.prefix) }

// capabilities are what our templates take: roles with names, and SAM's transform.
var capabilities = []types.Capability{types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand}

func (r *run) stack(name string, remove func(context.Context) error) thing {
	return thing{"the stack", name, func(ctx context.Context) (map[string]string, error) {
		s, err := r.describeStack(ctx, name)
		if err != nil {
			return nil, err
		}
		tags := map[string]string{}
		for _, t := range s.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if s.StackStatus == types.StackStatusReviewInProgress && len(tags) == 0 {
			return r.proposer(ctx, name)
		}
		return tags, nil
	}, remove}
}

// changeSets is how the names of a run's change sets begin.
const changeSets = "smoke-"

// proposer is the tag of a run for a stack that has nothing but its change sets, if they are
// a run's: its tags are theirs until one is carried out.
func (r *run) proposer(ctx context.Context, stack string) (map[string]string, error) {
	tags := map[string]string{tag: r.prefix}
	pages := cloudformation.NewListChangeSetsPaginator(r.stacks, &cloudformation.ListChangeSetsInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Summaries {
			if !strings.HasPrefix(aws.ToString(s.ChangeSetName), changeSets) {
				return map[string]string{}, nil
			}
		}
	}
	return tags, nil
}

// describeStack is the stack of a name or an ARN, or errAbsent. CloudFormation has no code
// for that; of the ARN of one that was deleted it tells for 90 days.
func (r *run) describeStack(ctx context.Context, stack string) (*types.Stack, error) {
	out, err := r.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if hasCode(err, "ValidationError") && strings.Contains(err.Error(), "does not exist") {
		return nil, errAbsent
	}
	if err != nil {
		return nil, err
	}
	if len(out.Stacks) != 1 || out.Stacks[0].StackStatus == types.StackStatusDeleteComplete {
		return nil, errAbsent
	}
	return &out.Stacks[0], nil
}

// deployStack makes a stack, or changes it, by a change set, and gives its outputs.
func (r *run) deployStack(ctx context.Context, s stackSpec) (map[string]string, error) {
	kind := types.ChangeSetTypeUpdate
	was, err := r.describeStack(ctx, s.name)
	if errors.Is(err, errAbsent) || err == nil && was.StackStatus == types.StackStatusReviewInProgress {
		kind = types.ChangeSetTypeCreate
	} else if err != nil {
		return nil, err
	}
	name := changeSets + strings.ToLower(ulid.Make().String())
	in := &cloudformation.CreateChangeSetInput{
		StackName: &s.name, ChangeSetName: &name, ClientToken: &name, ChangeSetType: kind, Capabilities: capabilities,
		Tags: []types.Tag{{Key: aws.String(tag), Value: &r.prefix}}, // also on what it makes
	}
	if s.url != "" {
		in.TemplateURL = &s.url
	} else {
		in.TemplateBody = &s.body
	}
	for _, key := range slices.Sorted(maps.Keys(s.parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(s.parameters[key])})
	}
	set, err := r.stacks.CreateChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := r.proposed(ctx, s.name, set.Id); err != nil {
		return nil, err
	}
	if err := r.execute(ctx, s.name, set); err != nil {
		return nil, err
	}
	made, err := r.describeStack(ctx, s.name)
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, o := range made.Outputs {
		outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return outputs, nil
}

// proposed waits until CloudFormation knows what a change set changes.
func (r *run) proposed(ctx context.Context, stack string, set *string) error {
	return r.until(ctx, "a change set of the stack "+stack, settling, func(ctx context.Context) (bool, error) {
		out, err := r.stacks.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: set, StackName: &stack})
		if err != nil {
			return false, err
		}
		if out.Status == types.ChangeSetStatusFailed {
			return false, fmt.Errorf("CloudFormation makes no change set of the stack %s: %s", stack, aws.ToString(out.StatusReason)) //nolint:staticcheck // a name
		}
		return out.Status == types.ChangeSetStatusCreateComplete, nil
	})
}

// execute carries a change set out, and waits for the stack.
func (r *run) execute(ctx context.Context, name string, set *cloudformation.CreateChangeSetOutput) error {
	after, err := r.latest(ctx, *set.StackId)
	if err != nil {
		return err
	}
	if _, err := r.stacks.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: set.Id, StackName: set.StackId}); err != nil {
		return err
	}
	status, err := r.follow(ctx, name, *set.StackId, after)
	if err != nil {
		return err
	}
	if status == types.StackStatusCreateComplete || status == types.StackStatusUpdateComplete {
		return nil
	}
	return r.failed(ctx, name, *set.StackId, after, status)
}

// follow waits until nothing is under way with a stack, and tells how far it is.
func (r *run) follow(ctx context.Context, name, id, after string) (status types.StackStatus, err error) {
	told := time.Now()
	err = r.until(ctx, "the stack "+name, 15*time.Minute, func(ctx context.Context) (bool, error) {
		s, err := r.describeStack(ctx, id)
		if errors.Is(err, errAbsent) {
			status = types.StackStatusDeleteComplete
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if status = s.StackStatus; !strings.HasSuffix(string(status), "_IN_PROGRESS") {
			return true, nil
		}
		if time.Since(told) > 20*time.Second {
			told = time.Now()
			events, err := r.events(ctx, id, after)
			if err != nil {
				return false, err
			}
			r.sayf("  the stack %s is %s: %d resources done", name, status, done(events))
		}
		return false, nil
	})
	return status, err
}

// done counts the resources that events say are finished.
func done(events []types.StackEvent) int {
	ids := map[string]bool{}
	for _, e := range events {
		if strings.HasSuffix(string(e.ResourceStatus), "_COMPLETE") {
			ids[aws.ToString(e.LogicalResourceId)] = true
		}
	}
	return len(ids)
}

// failed is why a stack failed: what failed first, since the rest follows from it.
func (r *run) failed(ctx context.Context, name, id, after string, status types.StackStatus) error {
	events, err := r.events(ctx, id, after)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(events) {
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			return fmt.Errorf("the stack %s is %s: %s: %s", name, status, aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceStatusReason))
		}
	}
	return fmt.Errorf("the stack %s is %s", name, status)
}

// latest is the id of a stack's newest event; empty if there is none.
func (r *run) latest(ctx context.Context, id string) (string, error) {
	out, err := r.stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id})
	if err != nil || len(out.StackEvents) == 0 {
		return "", err
	}
	return aws.ToString(out.StackEvents[0].EventId), nil
}

// events are a stack's after one, the newest first.
func (r *run) events(ctx context.Context, id, after string) ([]types.StackEvent, error) {
	var all []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(r.stacks, &cloudformation.DescribeStackEventsInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.StackEvents {
			if aws.ToString(e.EventId) == after {
				return all, nil
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// deleteStack deletes a stack, what is under way with it first. A vault that has a daily
// backup by now cannot be deleted, and is left.
func (r *run) deleteStack(ctx context.Context, name string) error {
	s, err := r.describeStack(ctx, name)
	if err != nil {
		return err
	}
	id := aws.ToString(s.StackId)
	switch s.StackStatus {
	case types.StackStatusCreateInProgress, types.StackStatusReviewInProgress: // which can be deleted at once
	default:
		if _, err := r.follow(ctx, name, id, ""); err != nil {
			return err
		}
	}
	var keep []string
	for range 2 {
		after, err := r.latest(ctx, id)
		if err != nil {
			return err
		}
		if _, err := r.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id, RetainResources: keep}); err != nil {
			return err
		}
		status, err := r.follow(ctx, name, id, after)
		if err != nil {
			return err
		}
		if status == types.StackStatusDeleteComplete {
			return nil
		}
		if status != types.StackStatusDeleteFailed || keep != nil {
			return r.failed(ctx, name, id, after, status)
		}
		if keep, err = r.undeleted(ctx, id); err != nil {
			return err
		}
		if !slices.Equal(keep, []string{"BackupVault"}) {
			return r.failed(ctx, name, id, after, status)
		}
		r.left = append(r.left, fmt.Sprintf("the backup vault %s-backups, with what the daily plan put there; delete its recovery points and then it, in AWS Backup", r.prefix))
	}
	return nil
}

// undeleted are the resources that a stack's deletion failed for, by their logical ids.
func (r *run) undeleted(ctx context.Context, id string) (all []string, err error) {
	pages := cloudformation.NewListStackResourcesPaginator(r.stacks, &cloudformation.ListStackResourcesInput{StackName: &id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.StackResourceSummaries {
			if s.ResourceStatus == types.ResourceStatusDeleteFailed {
				all = append(all, aws.ToString(s.LogicalResourceId))
			}
		}
	}
	return all, nil
}
