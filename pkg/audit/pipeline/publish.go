package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// alertsAtOnce is how many alerts are published before that is noted; SNS takes
// as many in one call.
const alertsAtOnce = 10

// errPublishing says that somebody else publishes these alerts right now; the
// message comes again and finds them published, or their publisher dead.
var errPublishing = errors.New("its alerts are being published")

// part names what an outbox is of: a scope, or the end, of one of an audit's
// tries.
func part(name string, retry int) string {
	if retry == 0 {
		return name
	}
	return fmt.Sprintf("%s~%d", name, retry)
}

// publish sends the alerts of a part of an audit, each once. It is noted that
// somebody publishes, and after each batch how far they came. Who dies in
// between leaves one batch of which nobody knows whether it went out: it goes
// out again, with the same ids, and no other alert does.
func (p *Pipeline) publish(ctx context.Context, orgID model.OrganizationID, audit model.AuditID, part string, alerts []alert.Alert) error {
	if p.Alerts == nil || len(alerts) == 0 {
		return nil
	}
	org := p.Store.For(orgID)
	box, err := org.Outbox(ctx, audit, part)
	if err != nil || box.Published >= len(alerts) {
		return err
	}
	if !box.Claimed.IsZero() && p.Now().Sub(box.Claimed) < p.PublishWithin {
		return fmt.Errorf("%s of audit %s: %w", part, audit, errPublishing)
	}
	box.Claimed = p.Now().UTC()
	if err := org.PutOutbox(ctx, audit, part, &box); errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%s of audit %s: %w", part, audit, errPublishing)
	} else if err != nil {
		return err
	}
	for box.Published < len(alerts) {
		batch := alerts[box.Published:min(box.Published+alertsAtOnce, len(alerts))]
		messages := make([]notify.Message, 0, len(batch))
		for _, a := range batch {
			m, err := a.Message()
			if err != nil {
				return err
			}
			messages = append(messages, m)
		}
		if err := p.Alerts.Publish(ctx, messages...); err != nil {
			// Nobody has to wait for one who is not dead but failed.
			box.Claimed = time.Time{}
			return errors.Join(fmt.Errorf("publish %d alerts of audit %s: %w", len(batch), audit, err), org.PutOutbox(ctx, audit, part, &box))
		}
		p.meter(metrics.AlertsPublished, len(batch))
		box.Published += len(batch)
		if err := org.PutOutbox(ctx, audit, part, &box); err != nil {
			return err
		}
	}
	return nil
}
