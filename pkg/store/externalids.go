package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ExternalIDs are the External IDs that roles may ask for, sealed. One is replaced in
// stages: from Rotate to Retire there are two, and both are good.
type ExternalIDs struct {
	Sealed [][]byte `json:"sealed"` // the newest first
	// Generations count the External IDs from 1 on, in the order of Sealed. A number is
	// never given twice. Records of the first versions have none.
	Generations []int     `json:"generations,omitempty"`
	Since       time.Time `json:"since,omitzero"` // when the newest was made; zero if it is not known
	// By tells the request that the newest was made for, if it can be repeated.
	By string `json:"by,omitempty"`

	Version int64 `json:"-"` // of the stored record
}

// ErrStaged says that an External ID is being replaced: it is not replaced again before
// the one before is retired.
var ErrStaged = errors.New("the External ID is being replaced already")

// Newest is the generation of the newest External ID; 0 if there is none.
func (e ExternalIDs) Newest() int {
	if len(e.Sealed) == 0 {
		return 0
	}
	return e.generation(0)
}

// generation is that of the External ID at a place.
func (e ExternalIDs) generation(at int) int {
	if len(e.Generations) == len(e.Sealed) {
		return e.Generations[at]
	}
	return len(e.Sealed) - at
}

// All gives the generations of the External IDs, and each as it is sealed, the newest
// first.
func (e ExternalIDs) All(yield func(generation int, sealed []byte) bool) {
	for at, sealed := range e.Sealed {
		if !yield(e.generation(at), sealed) {
			return
		}
	}
}

// Staged reports whether an External ID is being replaced.
func (e ExternalIDs) Staged() bool { return len(e.Sealed) > 1 }

// Rotate puts a new External ID before the one there is, which stays good; or is
// ErrStaged.
func (e *ExternalIDs) Rotate(sealed []byte, now time.Time, by string) error {
	if e.Staged() {
		return ErrStaged
	}
	next := e.Newest() + 1
	e.number()
	e.Sealed, e.Generations = slices.Insert(e.Sealed, 0, sealed), slices.Insert(e.Generations, 0, next)
	e.Since, e.By = now, by
	return nil
}

// TakeBack makes the External ID before the newest one the newest again. Both stay good.
func (e *ExternalIDs) TakeBack(now time.Time) {
	if !e.Staged() {
		return
	}
	next := e.Newest() + 1
	e.number()
	e.Sealed[0], e.Sealed[1] = e.Sealed[1], e.Sealed[0]
	e.Generations[0], e.Generations[1] = next, e.Generations[0]
	e.Since, e.By = now, ""
}

// Replace forgets all External IDs but that of a generation, if there is one to be kept,
// and puts a new one before it.
func (e *ExternalIDs) Replace(keep int, sealed []byte, now time.Time) {
	next := ExternalIDs{Sealed: [][]byte{sealed}, Generations: []int{e.Newest() + 1}, Since: now}
	for generation, kept := range e.All {
		if generation == keep {
			next.Sealed, next.Generations = append(next.Sealed, kept), append(next.Generations, generation)
		}
	}
	*e = next
}

// Retire forgets all External IDs but the newest.
func (e *ExternalIDs) Retire() {
	e.number()
	e.Sealed, e.Generations = e.Sealed[:min(1, len(e.Sealed))], e.Generations[:min(1, len(e.Generations))]
}

// Has reports whether the External ID of a generation is among them.
func (e ExternalIDs) Has(generation int) bool {
	for g := range e.All {
		if g == generation {
			return true
		}
	}
	return false
}

// number writes down the generations, which follow from the places at first.
func (e *ExternalIDs) number() {
	generations := make([]int, len(e.Sealed))
	for at := range e.Sealed {
		generations[at] = e.generation(at)
	}
	e.Sealed, e.Generations = slices.Clone(e.Sealed), generations
}

func (o *Organization) externalIDKey() table.Key {
	return table.Key{PK: o.key("EXTERNAL-IDS"), SK: "external-ids"}
}

// earlierExternalIDKey is where they were while they lay beside the settings, which
// whoever opens accounts must not write.
func (o *Organization) earlierExternalIDKey() table.Key {
	return table.Key{PK: o.key("ORGANIZATION"), SK: "external-ids"}
}

// ExternalIDs reads the organization's External IDs; none is no error.
func (o *Organization) ExternalIDs(ctx context.Context) (e ExternalIDs, err error) {
	item, err := o.get(ctx, o.externalIDKey(), &e)
	if isMissing(err) { // of a version of CloudArq before
		if _, err = o.get(ctx, o.earlierExternalIDKey(), &e); err == nil {
			return e, nil
		}
	}
	if err != nil && !isMissing(err) {
		return e, fmt.Errorf("the External IDs of organization %s: %w", o.id, err)
	}
	e.Version = item.Version
	return e, nil
}

// PutExternalIDs writes the organization's External IDs if they are unchanged since they
// were read, and moves their Version on; ErrConflict otherwise.
func (o *Organization) PutExternalIDs(ctx context.Context, by model.Change, e *ExternalIDs) error {
	item, err := encode(o.externalIDKey(), table.Key{}, e.Version, e)
	if err != nil {
		return err
	}
	if err := o.putLogged(ctx, item, by, "external-id", generationsOf); err != nil {
		return fmt.Errorf("write the External IDs of organization %s: %w", o.id, err)
	}
	e.Version++
	return nil
}

// generationsOf is what the admin log may say of External IDs: which there are.
func generationsOf(body []byte) (json.RawMessage, error) {
	var e ExternalIDs
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	generations := []int{}
	for g := range e.All {
		generations = append(generations, g)
	}
	return json.Marshal(struct {
		Generations []int     `json:"generations"`
		Since       time.Time `json:"since,omitzero"`
	}{generations, e.Since})
}
