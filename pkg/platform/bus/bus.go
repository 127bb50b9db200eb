// Package bus tells programs of what happened, as events on a bus that rules of theirs
// look at. An event may come twice and out of order; its ID says which one it is. The
// driver lives in a sub-package.
package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits that every driver enforces.
const (
	// MaxDetail is the bytes of a detail: much less than the 256 KB that EventBridge takes
	// of an entry, since targets take less, and get the event with more around it.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html (29 November 2026)
	MaxDetail = 64 << 10
	// MaxType is the bytes of a type, EventBridge's own limit of a detail-type.
	MaxType = 128
)

// Sentinels; compare with errors.Is.
var (
	// ErrInvalid says that an event can never be accepted.
	ErrInvalid = errors.New("invalid event")
	// ErrRefused says that a bus refuses what no repetition would change: it is not there,
	// or whoever publishes may not.
	ErrRefused = errors.New("refused by the bus")
)

// Event is something that happened.
type Event struct {
	// ID follows from what happened, so that the same event published twice has the same
	// ID. Its detail has it, too.
	ID string
	// Type is what rules mostly look at, "audit finished".
	Type string
	// At is when it happened.
	At time.Time
	// Detail is a JSON object.
	Detail []byte
}

// Publisher publishes events. All methods are safe for concurrent use.
type Publisher interface {
	// Publish hands over all events, in batches as the driver needs, or returns an error.
	// Events are checked before any is sent (Check); after another error some may be
	// sent, and publishing all again does no harm. Publishing none is no error.
	Publish(ctx context.Context, events ...Event) error
}

// Check is the check that Publish makes first: it returns ErrInvalid with the number of
// the first bad event.
func Check(events ...Event) error {
	for i, e := range events {
		if err := e.check(); err != nil {
			return fmt.Errorf("event %d of %d: %w", i+1, len(events), err)
		}
	}
	return nil
}

func (e Event) check() error {
	switch {
	case e.ID == "":
		return fmt.Errorf("%w: no id", ErrInvalid)
	case e.Type == "" || len(e.Type) > MaxType || !utf8.ValidString(e.Type):
		return fmt.Errorf("%w: type %.200q", ErrInvalid, e.Type)
	case e.At.IsZero():
		return fmt.Errorf("%w: %s has no time", ErrInvalid, e.Type)
	case len(e.Detail) > MaxDetail:
		return fmt.Errorf("%w: detail of %d bytes, at most %d", ErrInvalid, len(e.Detail), MaxDetail)
	case !utf8.Valid(e.Detail) || !json.Valid(e.Detail) || !bytes.HasPrefix(bytes.TrimSpace(e.Detail), []byte("{")):
		return fmt.Errorf("%w: detail is no JSON object", ErrInvalid)
	}
	return nil
}

// Lenient says what it cannot publish to Lost, where an error would do harm and no good:
// of what a bus refuses for good, so that one that is gone, or that nobody may tell
// anything, stops no audit; and of everything, where what happened is done and whoever
// publishes could not do it again.
type Lenient struct {
	Publisher
	// Always is for whoever could not do it again. They wait no longer than Within.
	Always bool
	Within time.Duration
	Lost   func(ctx context.Context, events int, err error)
}

// Publish implements Publisher.
func (l Lenient) Publish(ctx context.Context, events ...Event) error {
	within, cancel := ctx, context.CancelFunc(func() {})
	if l.Always {
		within, cancel = context.WithTimeout(ctx, l.Within)
	}
	defer cancel()
	err := l.Publisher.Publish(within, events...)
	if err == nil || !l.Always && !errors.Is(err, ErrRefused) {
		return err
	}
	l.Lost(ctx, len(events), err)
	return nil
}
