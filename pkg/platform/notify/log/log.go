// Package log writes notifications to a stream, one line of JSON each, where no
// service is there to carry them.
package log

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// Notifier is a notify.Notifier on a stream. Make one with New.
type Notifier struct {
	mu sync.Mutex
	w  io.Writer
}

var _ notify.Notifier = (*Notifier)(nil)

// New makes a notifier that writes to w, one call of Write for each of Publish.
func New(w io.Writer) *Notifier { return &Notifier{w: w} }

// Line is what is written of a message.
type Line struct {
	ID         string            `json:"id"`
	Subject    string            `json:"subject,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Body       json.RawMessage   `json:"body"`
}

// Publish implements notify.Notifier.
func (n *Notifier) Publish(ctx context.Context, messages ...notify.Message) error {
	if err := n.publish(ctx, messages); err != nil {
		return fmt.Errorf("write %d notifications: %w", len(messages), err)
	}
	return nil
}

func (n *Notifier) publish(ctx context.Context, messages []notify.Message) error {
	if err := notify.Check(messages...); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false) // it is read by people
	for _, m := range messages {
		if err := encoder.Encode(Line{ID: m.ID, Subject: m.Subject, Attributes: m.Attributes, Body: m.Body}); err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
	}
	if lines.Len() == 0 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	_, err := n.w.Write(lines.Bytes())
	return err
}
