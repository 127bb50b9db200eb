package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// deniers are the words for who denies an action, as those of drift.
var deniers = map[fact.Reason]string{fact.Denied: drift.ByRole, fact.SCPDenied: drift.BySCP, fact.ResourceDenied: drift.ByResource}

// deniedAction is the IAM action that AWS's message names. Some services send no other part
// of it to those whom they do not know.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (30 November 2026)
var deniedAction = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)`)

// denied is the problem that AWS denies this installation itself a call, such as the use of
// its key; nil if that is not what went wrong. Whoever asked can do nothing about it, and
// whom they ask wants to know what to allow.
func (a *API) denied(ctx context.Context, err error) *Problem {
	gap := collect.GapOf(err)
	by, ok := deniers[gap.Reason]
	if !ok {
		return nil
	}
	a.Log.ErrorContext(ctx, "AWS denies this installation a call", slog.Any("error", err))
	what := gap.Operation
	p := problem(ctx, http.StatusInternalServerError, "installation_denied", "")
	if found := deniedAction.FindStringSubmatch(gap.Detail); found != nil {
		what, p.MissingActions = found[1], []string{found[1]}
	} else if gap.Action != "" {
		what, p.MissingActions = gap.Action, []string{gap.Action}
	}
	if what == "" {
		what = "a call"
	}
	p.DeniedBy = by
	p.Detail = fmt.Sprintf("AWS denies CloudArq itself %s; whoever operates this installation has to allow it", what)
	return p
}
