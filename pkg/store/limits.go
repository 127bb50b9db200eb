package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Limits counts how often was tried what belongs to no organization, such as to sign in.
type Limits struct{ table table.Table }

// Limits counts what belongs to no organization; Organization.CountTry what does.
func (s *Store) Limits() *Limits { return &Limits{s.table} }

// CountTry counts a try of a subject's under a limit in a window, which is named by its
// start, and gives how many there are, this one included. They are forgotten at a moment
// after the window.
func (l *Limits) CountTry(ctx context.Context, limit, subject string, window, forget time.Time) (int64, error) {
	return countTry(ctx, l.table, table.Path(limitPart, limit, digest(subject)), window, forget)
}

// UseOnce counts a use of what is good for one, such as a challenge, and reports whether
// this is the first. It is forgotten at a moment after which nobody may use it.
func (l *Limits) UseOnce(ctx context.Context, what, id string, forget time.Time) (first bool, err error) {
	n, err := countTry(ctx, l.table, table.Path(limitPart, what, digest(id)), forget, forget)
	return n == 1, err
}

// CountTry is Limits.CountTry for what belongs to the organization.
func (o *Organization) CountTry(ctx context.Context, limit, subject string, window, forget time.Time) (int64, error) {
	n, err := countTry(ctx, o.table, o.key("LIMIT", limit, digest(subject)), window, forget)
	if err != nil {
		return 0, fmt.Errorf("organization %s: %w", o.id, err)
	}
	return n, nil
}

func countTry(ctx context.Context, t table.Table, pk string, window, forget time.Time) (int64, error) {
	n, err := t.Add(ctx, table.Key{PK: pk, SK: window.UTC().Format(time.RFC3339)}, 1, forget)
	if err != nil {
		return 0, fmt.Errorf("count a try: %w", err)
	}
	return n, nil
}

// digest stands for a subject, which may be an address or a person's: a key is no place
// for either, and has a length.
func digest(subject string) string {
	sum := sha256.Sum256([]byte(subject))
	return hex.EncodeToString(sum[:])
}
