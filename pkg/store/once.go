package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// idempotencyAge is how long a repeated request is recognised.
const idempotencyAge = 24 * time.Hour

// idempotent is what a request with a key made.
type idempotent struct {
	Request string `json:"request"` // what was asked for
	Value   string `json:"value"`
	// Until is when who works on it is given up; zero when nobody does.
	Until time.Time `json:"until,omitzero"`
}

// Errors of requests with a key.
var (
	ErrKeyReused = errors.New("the key was used for another request")
	ErrInFlight  = fmt.Errorf("the same request is being worked on: %w", ErrConflict)
)

func (o *Organization) onceKey(what, key string) table.Key {
	return table.Key{PK: o.key("ONCE", what), SK: strings.ToValidUTF8(key, "?")}
}

// Idempotent remembers for a day, under a key, what was made for a request: the first
// caller's value is what every later one gets. A key that was used for another
// request is ErrKeyReused. Keys are the caller's own words and are kept as they
// are, within the organization.
func (o *Organization) Idempotent(ctx context.Context, what, key, request, value string, now time.Time) (string, error) {
	_, before, err := o.remember(ctx, what, key, idempotent{Request: request, Value: value}, now)
	if err != nil || before == nil {
		return value, err
	}
	return before.Value, nil
}

// remember writes what is remembered under a key, or gives what was there before, and the
// record as it is.
func (o *Organization) remember(ctx context.Context, what, key string, wanted idempotent, now time.Time) (table.Item, *idempotent, error) {
	item, err := encode(o.onceKey(what, key), table.Key{}, 0, wanted)
	if err != nil {
		return item, nil, err
	}
	item.Expires = now.Add(idempotencyAge)
	err = o.table.Put(ctx, item)
	if err == nil {
		item.Version++
		return item, nil, nil
	}
	if !isConflict(err) {
		return item, nil, fmt.Errorf("remember %s: %w", what, err)
	}
	var before idempotent
	if item, err = o.get(ctx, item.Key, &before); err != nil {
		return item, nil, fmt.Errorf("recall %s: %w", what, err)
	}
	if before.Request != wanted.Request {
		return item, nil, fmt.Errorf("%s with key %q: %w", what, key, ErrKeyReused)
	}
	return item, &before, nil
}

// Attempt is one of the times that a request with a key is made.
type Attempt struct {
	What, Key string
	Value     string // of the first one
	made      idempotent
	expires   time.Time
	version   int64
}

// Once is Idempotent for what one at a time may work on: until Done is called with what it
// gives, or the time for it is over, who asks again gets ErrInFlight. Who comes after
// somebody who died is to go on with what that one began, under the same value.
func (o *Organization) Once(ctx context.Context, what, key, request, value string, now time.Time, work time.Duration) (Attempt, error) {
	mine := idempotent{Request: request, Value: value, Until: now.Add(work).UTC()}
	item, before, err := o.remember(ctx, what, key, mine, now)
	if err != nil || before == nil {
		return Attempt{What: what, Key: key, Value: value, made: mine, expires: item.Expires, version: item.Version}, err
	}
	if before.Until.After(now) {
		return Attempt{}, fmt.Errorf("%s with key %q: %w", what, key, ErrInFlight)
	}
	mine.Value = before.Value
	a := Attempt{What: what, Key: key, Value: before.Value, made: mine, expires: item.Expires, version: item.Version}
	switch err := o.putAttempt(ctx, &a); {
	case isConflict(err):
		return a, fmt.Errorf("%s with key %q: %w", what, key, ErrInFlight)
	case err != nil:
		return a, fmt.Errorf("remember %s again: %w", what, err)
	}
	return a, nil
}

// Done says that nobody works any more on what an attempt was for. Another attempt that
// took its place does.
func (o *Organization) Done(ctx context.Context, a Attempt) error {
	a.made.Until = time.Time{}
	if err := o.putAttempt(ctx, &a); err != nil && !isConflict(err) {
		return fmt.Errorf("note that a request is done: %w", err)
	}
	return nil
}

func (o *Organization) putAttempt(ctx context.Context, a *Attempt) error {
	item, err := encode(o.onceKey(a.What, a.Key), table.Key{}, a.version, a.made)
	if err != nil {
		return err
	}
	item.Expires = a.expires
	if err := o.table.Put(ctx, item); err != nil {
		return err
	}
	a.version++
	return nil
}

// Made is what is remembered under a key; empty if nothing.
func (o *Organization) Made(ctx context.Context, what, key string) (string, error) {
	var first idempotent
	if _, err := o.get(ctx, o.onceKey(what, key), &first); err != nil && !isMissing(err) {
		return "", fmt.Errorf("recall %s: %w", what, err)
	}
	return first.Value, nil
}
