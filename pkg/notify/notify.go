// Package notify tells people what changed.
package notify

import "context"

// Message is one announcement.
type Message struct {
	ID         string
	Subject    string
	Attributes map[string]string
	Body       []byte
}

// Notifier publishes messages.
type Notifier interface {
	Publish(ctx context.Context, messages ...Message) error
}
