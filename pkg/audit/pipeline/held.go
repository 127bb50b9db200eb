package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/event"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// errHeld says that somebody else works on a scope right now, or took it over. The
// message comes again, and finds the work done, or its worker dead.
var errHeld = errors.New("somebody else works on it")

// held is the record of a scope that this process alone may change for a while. Each
// write of the record lengthens that. Whoever dies loses it when the time is over, and
// whoever comes next goes on where the record says.
type held struct {
	p          *Pipeline
	org        *store.Organization
	connection model.ConnectionID
	scope      string
	record     store.Scope
	noted      progress // what was last put of it
}

// progress is what of a record tells those who come next how far the work is.
type progress struct {
	audit     model.AuditID
	try       int
	cursor    model.FindingID
	announced int
	owes      bool
}

func progressOf(r store.Scope) progress {
	return progress{r.Audit, r.Try, r.Cursor, r.Announced, r.Owed != nil}
}

// hold works on a scope from what was read of its record. Nothing is written yet.
func (p *Pipeline) hold(org *store.Organization, connection model.ConnectionID, scope string, read store.Scope) (*held, error) {
	if p.LeaseFor > 0 && read.Holder != "" && p.Now().Before(read.HeldUntil) {
		return nil, fmt.Errorf("scope %s of %s: %w", scope, connection, errHeld)
	}
	// Somebody else's time is over: ours begins when the record is put.
	read.Holder, read.HeldUntil = ulid.Make().String(), time.Time{}
	return &held{p: p, org: org, connection: connection, scope: scope, record: read, noted: progressOf(read)}, nil
}

// put writes the record, and with that begins, or goes on, to hold it.
func (h *held) put(ctx context.Context) error {
	if h.record.Done {
		h.record.Holder, h.record.HeldUntil = "", time.Time{}
	} else {
		h.record.HeldUntil = h.p.Now().UTC().Add(h.p.LeaseFor)
	}
	h.noted = progressOf(h.record)
	err := h.org.PutScope(ctx, h.connection, h.scope, &h.record)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("scope %s of %s: %w", h.scope, h.connection, errHeld)
	}
	return err
}

// renew writes the record where that tells others something: that it is held, and for
// long enough to do a part of the work, and how far the work is.
func (h *held) renew(ctx context.Context) error {
	fresh := h.p.LeaseFor == 0 || h.record.HeldUntil.Sub(h.p.Now()) > h.p.LeaseFor/2
	if fresh && !h.record.IsNew() && progressOf(h.record) == h.noted {
		return nil
	}
	return h.put(ctx)
}

// while does a part of the work, which must not outlive the hold.
func (h *held) while(ctx context.Context, do func(context.Context) error) error {
	if h.p.LeaseFor == 0 {
		return do(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, h.p.LeaseFor)
	defer cancel()
	return do(ctx)
}

// release lets others go on at once after an error: nobody has to wait for one who is
// not dead but failed. That it fails is no further trouble: the time will be over.
func (h *held) release(ctx context.Context) {
	if h.record.Done || h.p.LeaseFor == 0 && progressOf(h.record) == h.noted || h.record.IsNew() {
		return
	}
	h.record.Holder, h.record.HeldUntil = "", time.Time{}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = h.org.PutScope(ctx, h.connection, h.scope, &h.record)
}

// announces reports whether this process tells people of an audit, which takes the right
// to note what was told. A bus alone hears of no alerts.
func (p *Pipeline) announces() bool { return p.Alerts != nil || p.Chat != nil }

// announce sends alerts to all who hear of them, each in its form.
func (p *Pipeline) announce(ctx context.Context, alerts []alert.Alert) error {
	var messages, chats []notify.Message
	var events []bus.Event
	for _, a := range alerts {
		m, err := a.Message()
		if err != nil {
			return err
		}
		c, err := a.Chat()
		if err != nil {
			return err
		}
		messages, chats, events = append(messages, m), append(chats, c), append(events, event.OfAlert(a, m.Body))
	}
	if p.Alerts != nil {
		if err := p.Alerts.Publish(ctx, messages...); err != nil {
			return err
		}
	}
	if p.Chat != nil {
		if err := p.Chat.Publish(ctx, chats...); err != nil {
			return err
		}
	}
	if p.Events != nil {
		return p.Events.Publish(ctx, events...)
	}
	return nil
}

// alertsAtOnce is how many alerts are published before that is noted; SNS takes
// as many in one call.
const alertsAtOnce = 10

// publish sends alerts, whose number and order stay the same whoever works them out,
// each once: after each batch the record says how many are out. Who dies between the
// two leaves one batch of which nobody knows whether it went out; it goes out again,
// with the same ids. The last batch is noted by whoever puts the record next.
func (h *held) publish(ctx context.Context, alerts []alert.Alert) error {
	if !h.p.announces() {
		return nil
	}
	for h.record.Announced < len(alerts) {
		batch := alerts[h.record.Announced:min(h.record.Announced+alertsAtOnce, len(alerts))]
		err := h.while(ctx, func(ctx context.Context) error { return h.p.announce(ctx, batch) })
		if err != nil {
			return fmt.Errorf("publish %d alerts of %s: %w", len(batch), h.connection, err)
		}
		h.p.meter(metrics.AlertsPublished, len(batch))
		h.record.Announced += len(batch)
		if h.record.Announced < len(alerts) {
			if err := h.put(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
