package collect

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// Pager is any paginator of the SDK.
type Pager[Out, Opt any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Opt)) (*Out, error)
}

// Call is any operation of an SDK client, as a method value.
type Call[In, Out, Opt any] func(context.Context, *In, ...func(*Opt)) (*Out, error)

// Listing is the Pager of a listing for which the SDK has none. next has what is asked ask
// for the page after an answer, and returns the token of that page, which is nil or empty
// if there is none. A nil next is of a listing that is one page.
func Listing[In, Out, Opt any](call Call[In, Out, Opt], in *In, next func(*In, *Out) *string) Pager[Out, Opt] {
	return &listing[In, Out, Opt]{call: call, in: in, next: next, more: true}
}

type listing[In, Out, Opt any] struct {
	call Call[In, Out, Opt]
	in   *In
	next func(*In, *Out) *string
	more bool
}

func (l *listing[In, Out, Opt]) HasMorePages() bool { return l.more }

func (l *listing[In, Out, Opt]) NextPage(ctx context.Context, options ...func(*Opt)) (*Out, error) {
	out, err := l.call(ctx, l.in, options...)
	if err != nil {
		return nil, err
	}
	l.more = false
	if l.next != nil {
		token := l.next(l.in, out)
		l.more = token != nil && *token != ""
	}
	return out, nil
}

// Each walks the pages of a listing and builds one resource per item, several
// at a time, emitting each when its facts are read. Only one page is held. An
// error of any page ends the walk after the resources begun. build returns nil
// for what is not a resource of its own. One that AWS, asked for more, says is gone was
// deleted after it was listed: it is no resource of the account any more.
func Each[Out, Opt, Item any, R check.Resource](
	ctx context.Context, s *Session, pages Pager[Out, Opt],
	items func(*Out) []Item, build func(*Reading, Item) *R,
) error {
	var group errgroup.Group // without a context: one resource that fails does not stop the others
	for pages.HasMorePages() {
		found, err := recovering(func() ([]Item, error) {
			if s.part.stopped() {
				return nil, ErrStopped
			}
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			return pickFrom(page, items)
		})
		if err == nil {
			err = send(ctx, &group, s, found, build)
		}
		if err != nil && ctx.Err() != nil && s.part.stopped() {
			err = ErrStopped
		}
		if err != nil {
			return errors.Join(err, group.Wait())
		}
	}
	return group.Wait()
}

// EachOf is Each over items that are at hand already.
func EachOf[Item any, R check.Resource](ctx context.Context, s *Session, items []Item, build func(*Reading, Item) *R) error {
	var group errgroup.Group
	return errors.Join(send(ctx, &group, s, items, build), group.Wait())
}

func send[Item any, R check.Resource](ctx context.Context, group *errgroup.Group, s *Session, items []Item, build func(*Reading, Item) *R) error {
	for _, item := range items {
		digest := s.part.digest(s.walk, item)
		if s.part.has(digest) {
			continue
		}
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			if s.part.stopped() { // the time that was left for what is under way is over, too
				return ErrStopped
			}
			return context.Cause(ctx)
		case <-s.part.stopping():
			return ErrStopped
		}
		group.Go(func() error {
			defer func() { <-s.slots }()
			reading := NewReading(ctx, s)
			resource, err := recovering(func() (*R, error) { return build(reading, item), nil })
			if err := errors.Join(err, reading.Wait()); err != nil {
				return err
			}
			if ctx.Err() != nil && s.part.stopped() { // read in part: another task reads all of it
				return ErrStopped
			}
			if resource != nil && !reading.gone.Load() {
				s.Emit(*resource)
				// What came to nothing is asked again by a later part: whether it failed, only
				// its walk knows.
				s.part.add(digest)
			}
			return nil
		})
	}
	return nil
}

// Reading is one resource whose facts are being read, side by side.
type Reading struct {
	ctx    context.Context
	region string
	steps  errgroup.Group
	gone   atomic.Bool // AWS said that there is no such resource any more
}

// NewReading starts a resource that stands outside of a listing, such as an
// account's settings. Wait before the resource is emitted.
func NewReading(ctx context.Context, s *Session) *Reading {
	return &Reading{ctx: ctx, region: s.Region}
}

// Wait returns when all facts begun are read. An error means that a step did
// not understand an answer; what it should have set is not set.
func (r *Reading) Wait() error { return r.steps.Wait() }

// Into reads one fact by one call, beside the resource's other facts. pick
// takes what is kept from the answer. The error codes listed as absent mean
// that AWS knows there is no such thing ("NoSuchBucketPolicy"): the fact is then
// known, as T's zero value.
func Into[In, Out, Opt, T any](r *Reading, to *fact.Of[T], call Call[In, Out, Opt], in *In, pick func(*Out) T, absent ...string) {
	r.Do(func(context.Context) { *to = Get(r, call, in, pick, absent...) })
}

// Get is Into for a fact that further calls depend on: it waits for the answer.
func Get[In, Out, Opt, T any](r *Reading, call Call[In, Out, Opt], in *In, pick func(*Out) T, absent ...string) fact.Of[T] {
	return Ask(r, func(ctx context.Context) (T, error) {
		out, err := call(ctx, in)
		if err != nil {
			var none T
			return none, err
		}
		return pickFrom(out, pick)
	}, absent...)
}

// Ask reads one fact by any number of calls; the first error is its gap, and so
// is an answer that lacks what AWS promises.
func Ask[T any](r *Reading, read func(context.Context) (T, error), absent ...string) fact.Of[T] {
	value, err := recovering(func() (T, error) { return read(r.ctx) })
	switch {
	case err == nil:
		return fact.Known(value)
	case HasCode(err, absent...):
		var none T
		return fact.Known(none)
	default:
		if Gone(err) {
			r.gone.Store(true)
		}
		gap := GapOf(err)
		gap.Region = r.region
		return fact.Unknown[T](gap)
	}
}

// ErrGarbled says that an answer of AWS lacked a part that it always has, or had one
// that cannot be understood.
var ErrGarbled = errors.New("the answer is not as AWS's are")

// pickFrom takes what is wanted from an answer, and names the answer when it
// cannot.
func pickFrom[Out, T any](out *Out, pick func(*Out) T) (T, error) {
	value, err := recovering(func() (T, error) { return pick(out), nil })
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.TrimSuffix(reflect.TypeFor[Out]().String(), "Output"), err)
	}
	return value, err
}

// recovering turns the panic of code that met such an answer into an error: an
// endpoint that answers nonsense must not end the process.
func recovering[T any](read func() (T, error)) (value T, err error) {
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case lack:
			err = stop.err
		default:
			err = ErrGarbled
		}
	}()
	return read()
}

// Understood reads outside of a walk: what Garbled ends is an error.
func Understood[T any](read func() (T, error)) (T, error) { return recovering(read) }

// Do runs a step of the reading beside the others, for facts that depend on one
// another.
func (r *Reading) Do(step func(context.Context)) {
	r.steps.Go(func() error {
		_, err := recovering(func() (struct{}, error) { step(r.ctx); return struct{}{}, nil })
		return err
	})
}

// Pages gathers all items of a listing that belongs to one resource.
func Pages[Out, Opt, Item any](ctx context.Context, pages Pager[Out, Opt], items func(*Out) []Item) ([]Item, error) {
	var all []Item
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, items(page)...)
	}
	return all, nil
}

// HasCode reports whether AWS answered with one of the error codes.
func HasCode(err error, codes ...string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(codes, api.ErrorCode())
}
