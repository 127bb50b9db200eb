package serve

import (
	"context"
	"log/slog"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// spoken writes alerts to the log, where a deployment has a topic: whoever watches the log
// can hand them on.
type spoken struct{ log *slog.Logger }

// Publish implements notify.Notifier.
func (s spoken) Publish(ctx context.Context, messages ...notify.Message) error {
	if err := notify.Check(messages...); err != nil {
		return err
	}
	for _, m := range messages {
		fields := []any{slog.String("id", m.ID), slog.String("subject", m.Subject)}
		for name, value := range m.Attributes {
			fields = append(fields, slog.String(name, value))
		}
		s.log.InfoContext(ctx, "alert", fields...)
	}
	return nil
}
