package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Limits counts tries. Make it with Store.Limits or Organization.Limits.
type Limits struct {
	table table.Table
	key   func(limit, subject string) string // the partition of their counters
}

// Limits counts what belongs to no organization; Organization.Limits what does.
func (s *Store) Limits() *Limits {
	return &Limits{s.table, func(limit, subject string) string { return table.Path(limitPart, limit, subject) }}
}

// Limits is Store.Limits for what belongs to the organization.
func (o *Organization) Limits() *Limits {
	return &Limits{o.table, func(limit, subject string) string { return o.key("LIMIT", limit, subject) }}
}

// CountTry counts a try of a subject's under a limit in a window, which is named by its
// start, and gives how many there are, this one included. They are forgotten at a moment
// after the window.
func (l *Limits) CountTry(ctx context.Context, limit, subject string, window, forget time.Time) (int64, error) {
	n, err := l.table.Add(ctx, l.counter(limit, subject, window, ""), 1, forget)
	if err != nil {
		return 0, fmt.Errorf("count a try: %w", err)
	}
	return n, nil
}

// givenBack ends the key of the counter of tries that were given back: counters only grow.
const givenBack = "#GIVEN_BACK"

// GiveBack counts that a try which CountTry counted is not held against the subject.
func (l *Limits) GiveBack(ctx context.Context, limit, subject string, window, forget time.Time) error {
	if _, err := l.table.Add(ctx, l.counter(limit, subject, window, givenBack), 1, forget); err != nil {
		return fmt.Errorf("give a try back: %w", err)
	}
	return nil
}

// GivenBack is how many of the tries in a window GiveBack counted.
func (l *Limits) GivenBack(ctx context.Context, limit, subject string, window time.Time) (int64, error) {
	it, err := l.table.Get(ctx, l.counter(limit, subject, window, givenBack))
	switch {
	case errors.Is(err, table.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("tries that were given back: %w", err)
	}
	return it.Version, nil
}

func (l *Limits) counter(limit, subject string, window time.Time, of string) table.Key {
	return table.Key{PK: l.key(limit, digest(subject)), SK: window.UTC().Format(time.RFC3339) + of}
}

// UseOnce counts a use of what is good for one, such as a challenge, and reports whether
// this is the first. It is forgotten at a moment after which nobody may use it.
func (l *Limits) UseOnce(ctx context.Context, what, id string, forget time.Time) (first bool, err error) {
	n, err := l.CountTry(ctx, what, id, forget, forget)
	return n == 1, err
}

// digest stands for a subject, which may be an address or a person's: a key is no place
// for either, and has a length.
func digest(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:])
}
