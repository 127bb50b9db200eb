package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// showPolicy is how to find out what bootstrapping needs.
const showPolicy = "cloudarq connections bootstrap --show-policy"

// failed says what could not be done. A refusal is an *client.AccessError that names
// the IAM action.
func (a *Administrator) failed(doing string, err error) error {
	var access *client.AccessError
	var call *smithy.OperationError
	var api smithy.APIError
	switch gap := collect.GapOf(err); {
	case errors.As(err, &access): // said already
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", doing, err)
	case gap.Reason == fact.Denied && errors.As(err, &call):
		return &client.AccessError{Cause: err, Message: fmt.Sprintf("%s may not call cloudformation:%s, which it takes to %s; %s has all that bootstrapping needs",
			a.identity.CallerARN, call.Operation(), doing, showPolicy)}
	case gap.Reason == fact.SCPDenied && errors.As(err, &call):
		return &client.AccessError{Cause: err, Message: fmt.Sprintf("a policy of the organization denies cloudformation:%s, which it takes to %s", call.Operation(), doing)}
	case gap.Reason == fact.RegionDisabled:
		return &client.AccessError{Cause: err, Message: fmt.Sprintf("AWS does not accept the credentials in %s; is the region enabled in account %s?", a.region, a.identity.Account)}
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s", doing, collect.Brief(err))
	default:
		return fmt.Errorf("%s: %w", doing, err)
	}
}

// StackError says that a deployment failed, and was rolled back.
type StackError struct {
	Stack  string
	Status string // what became of the stack: ROLLBACK_COMPLETE, DELETE_COMPLETE…
	First  Event  // that failed; the zero value if CloudFormation names none
	denied bool
}

// Denied reports whether it failed because the administrator lacks a permission.
func (e *StackError) Denied() bool { return e.denied }

func (e *StackError) Error() string {
	text := fmt.Sprintf("the stack %s failed and is %s", e.Stack, e.Status)
	if e.First.LogicalID != "" {
		text += fmt.Sprintf(": %s (%s): %s", e.First.LogicalID, e.First.Status, strings.TrimRight(strings.Join(strings.Fields(e.First.Reason), " "), ". "))
	}
	what := "mend that and run this again"
	switch {
	case e.denied:
		what = showPolicy + " has all that bootstrapping needs"
	case strings.Contains(e.First.Reason, "already exists"):
		what = "name another role with --role-name, or with --region the region that has its stack, and run this again"
	}
	return text + "; " + what
}

// stackError finds what failed first: the rest follows from it.
func (a *Administrator) stackError(name string, status types.StackStatus, events []Event) *StackError {
	e := &StackError{Stack: name, Status: string(status)}
	for _, event := range events {
		if strings.HasSuffix(event.Status, "_FAILED") {
			e.First = event
			break
		}
	}
	reason := strings.ToLower(e.First.Reason)
	e.denied = strings.Contains(reason, "not authorized to perform") || strings.Contains(reason, "accessdenied")
	return e
}
