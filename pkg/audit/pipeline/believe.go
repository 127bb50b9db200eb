package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// What IAM and STS answer is eventually consistent, and roles, service control
// policies and trust policies are rolled out under us: a role that was open a minute
// ago may be denied for a moment, and to take that for its end revokes a connection
// and wakes people.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
const (
	// refusals is how often in a row AWS has to refuse before it is believed.
	refusals = 3
	// taskWait lies between two tries of a task: its account was opened by connect, so
	// two minutes of refusals mean that something changed since.
	taskWait = time.Minute
	// connectWait lies between two tries of connect, of a connection that was open
	// before: the rest of the audit waits for it.
	connectWait = 30 * time.Second
)

// believe returns nil if a refusal is final, and otherwise the error with which the
// task is tried again. People who connect an account wait for the answer, and a role
// that was never open, or not lately, wakes nobody when it is still refused: those are
// told at once.
func (p *Pipeline) believe(ctx context.Context, message queue.Message, refused *RefusedError) error {
	if refused.noted || !mayPass(refused.Code) || message.Attempt >= refusals || message.Last() {
		return nil
	}
	m, err := ParseMessage(KindTask, message.Body)
	if err != nil {
		return err
	}
	wait := taskWait
	if m.Task == connect {
		wait = connectWait
		org := p.Store.For(m.Organization)
		audit, err := org.Audit(ctx, m.Connection, m.Audit)
		if err != nil || audit.Verification {
			return err
		}
		c, err := org.AnyConnection(ctx, m.Connection)
		if err != nil || c.State != model.ConnectionActive && c.State != model.ConnectionDegraded {
			return err
		}
	}
	return queue.Later(fmt.Errorf("refused for the %d. time of %d: %w", message.Attempt, refusals, refused), wait)
}

// mayPass says of a refusal whether it is AWS's denial, which may be of the moment.
// The others follow from what is certain: a role that was assumed without its External
// ID, or whose account is another one.
func mayPass(code string) bool {
	switch code {
	case model.CodeRoleDenied, model.CodeMinimumMissing, model.CodeKeyRefused:
		return true
	}
	return false
}
