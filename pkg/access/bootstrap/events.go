package bootstrap

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Event is something that happened to a resource of a stack, or to the stack.
type Event struct {
	LogicalID string
	Type      string
	Status    string // CREATE_IN_PROGRESS, CREATE_FAILED…
	Reason    string
}

// follow waits until nothing is under way with a stack, and says the events after
// one. It gives what became of the stack, and those events in their order.
func (a *Administrator) follow(ctx context.Context, name, stackID, after string, say func(Event)) (types.StackStatus, []Event, error) {
	var all []Event
	waiter := cloudformation.NewStackCreateCompleteWaiter(a.client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = firstPoll, longestPoll
		o.Retryable = func(ctx context.Context, _ *cloudformation.DescribeStacksInput, out *cloudformation.DescribeStacksOutput, err error) (bool, error) {
			if err != nil || len(out.Stacks) == 0 {
				return false, err
			}
			fresh, latest, err := a.eventsAfter(ctx, stackID, after)
			if err != nil {
				return false, err
			}
			after = latest
			for _, e := range fresh {
				say(e)
			}
			all = append(all, fresh...)
			// A stack whose first change set was just executed is still under review.
			return strings.HasSuffix(string(out.Stacks[0].StackStatus), "_IN_PROGRESS"), nil
		}
	})
	out, err := waiter.WaitForOutput(ctx, &cloudformation.DescribeStacksInput{StackName: &stackID}, untilDone)
	if err != nil {
		return "", all, a.failed("wait for the stack "+name, err)
	}
	if len(out.Stacks) == 0 {
		return types.StackStatusDeleteComplete, all, nil
	}
	return out.Stacks[0].StackStatus, all, nil
}

// latestEvent is the id of a stack's newest event; empty if there is none.
func (a *Administrator) latestEvent(ctx context.Context, stackID string) (string, error) {
	out, err := a.client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &stackID})
	if err != nil {
		return "", a.failed("read the stack's events", err)
	}
	if len(out.StackEvents) == 0 {
		return "", nil
	}
	return aws.ToString(out.StackEvents[0].EventId), nil
}

// eventsAfter are a stack's events after one, the oldest first, with the id of the
// newest. CloudFormation lists the newest first.
func (a *Administrator) eventsAfter(ctx context.Context, stackID, after string) (events []Event, latest string, err error) {
	latest = after
	pages := cloudformation.NewDescribeStackEventsPaginator(a.client, &cloudformation.DescribeStackEventsInput{StackName: &stackID})
	for known := false; pages.HasMorePages() && !known; {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, after, a.failed("read the stack's events", err)
		}
		for _, e := range page.StackEvents {
			if known = aws.ToString(e.EventId) == after; known {
				break
			}
			if len(events) == 0 {
				latest = aws.ToString(e.EventId)
			}
			events = append(events, Event{aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), string(e.ResourceStatus), aws.ToString(e.ResourceStatusReason)})
		}
	}
	slices.Reverse(events)
	return events, latest, nil
}
