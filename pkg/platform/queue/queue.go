// Package queue carries small messages at least once: a message may come twice,
// late, or after its successors, and its handler must not mind. Messages hold
// ids, never secrets or results.
//
// Deployed, the sending half is SQS and the receiving half is Lambda's own, so a
// driver for that needs Sender only; a process that does all by itself uses the
// memory driver, which has both. queuetest holds the suite that drivers pass.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// MaxBody is the most bytes of one message, which every driver enforces.
const MaxBody = 64 << 10

// Sentinels; compare with errors.Is.
var (
	// ErrTooLarge says that a body has more than MaxBody bytes. What is that
	// large travels by reference.
	ErrTooLarge = errors.New("message too large")
	// ErrInvalid says that a body is empty or not plain text (JSON always is).
	ErrInvalid = errors.New("invalid message")
	// ErrPoison, wrapped by a handler's error, says that no repetition can help
	// (an unknown kind, a version from the future): the message becomes a dead
	// letter at once.
	ErrPoison = errors.New("message can never be handled")
)

// Later says of a handler's error that the message shall not come again sooner than
// after wait: too soon, and the answer would be the same. Where deployed, that is so;
// the memory driver keeps to its own backoff unless it is told otherwise: to somebody at a
// prompt minutes are long.
func Later(err error, wait time.Duration) error { return &later{err, wait} }

type later struct {
	err  error
	wait time.Duration
}

func (l *later) Error() string { return l.err.Error() }

func (l *later) Unwrap() error { return l.err }

// WaitOf is how long an error asks for; zero if it does not.
func WaitOf(err error) time.Duration {
	var l *later
	if errors.As(err, &l) {
		return l.wait
	}
	return 0
}

// Backoff is how long a message waits after its attempt failed, 1 the first, where nobody
// waits for it.
func Backoff(attempt int) time.Duration {
	return min(time.Duration(attempt*attempt)*5*time.Second, 5*time.Minute)
}

// Sender is the half of a queue that the pipeline needs.
type Sender interface {
	// Send stores all messages, in batches as the driver needs, or returns an
	// error. Bodies are checked before anything is sent (Check); after another
	// error some may be sent, and sending all again does no harm. Bodies are
	// not retained. Sending none is no error.
	Send(ctx context.Context, bodies ...[]byte) error
}

// Receiver is the other half.
type Receiver interface {
	// Receive gives messages to handle, several at once if the options say so,
	// until the context ends; then it waits for the handlers that run and
	// returns the context's error. Their contexts end with it too.
	//
	// A nil answer removes the message. After an error it comes again, after
	// ErrPoison or the last delivery it becomes a dead letter; an error after the
	// context's end does not count, as the message was not given its chance.
	Receive(ctx context.Context, handle Handler, o Options) error
}

// Queue is both halves.
type Queue interface {
	Sender
	Receiver
}

// Handler handles one delivery.
type Handler func(ctx context.Context, m Message) error

// Options of Receiver.Receive; the zero value is good.
type Options struct {
	// Concurrency is how many messages are handled at once; 0 means 1.
	Concurrency int
}

// Message is one delivery of a message. Body is the handler's own.
type Message struct {
	ID      string // the same for every delivery; unique in its queue
	Body    []byte
	Attempt int // 1 for the first delivery; an estimate where several receive
	Max     int // deliveries before it is a dead letter; 0 means not known
}

// Last says whether this is the last delivery, so that a handler can settle for
// what it has instead of failing.
func (m Message) Last() bool { return m.Max > 0 && m.Attempt >= m.Max }

// Check is the check that Send makes first: it returns ErrTooLarge or ErrInvalid
// with the number of the first bad body.
func Check(bodies ...[]byte) error {
	for i, b := range bodies {
		switch {
		case len(b) > MaxBody:
			return fmt.Errorf("message %d of %d: %w: %d bytes, at most %d", i+1, len(bodies), ErrTooLarge, len(b), MaxBody)
		case len(b) == 0:
			return fmt.Errorf("message %d of %d: %w: empty", i+1, len(bodies), ErrInvalid)
		case !plain(b):
			return fmt.Errorf("message %d of %d: %w: not plain text", i+1, len(bodies), ErrInvalid)
		}
	}
	return nil
}

// plain says whether SQS would take the text: the characters that XML allows.
func plain(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return false
		}
	}
	return true
}
