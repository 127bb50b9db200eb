package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Repeatable are requests that make or begin something, and can be sent again when an
// answer was lost: draft-ietf-httpapi-idempotency-key-header-07.
type Repeatable struct {
	Key string `header:"Idempotency-Key" maxLength:"255" pattern:"^[ -~]*$" doc:"Of the client's choice, for one request. Sent again with the same key within a day it makes nothing again; 409 request_in_flight while the first is worked on, 422 idempotency_key_reused for another request" example:"0199f4f0-nightly"`
}

// workTime is for how long a request that is repeated is refused because somebody works on
// it: longer than nearly all take, and no longer, because who died does not say so. One that
// comes after it goes on with the same id, beside who is slow, which harms nothing.
const workTime = 3 * time.Second

// once does what a request is for, under an id that stays the same however often the request
// is repeated within a day. One at a time does it; who comes after somebody who died goes on
// with what that one began, so that work has to be something that can be done again.
func once[T any](ctx context.Context, a *API, what string, r Repeatable, request any, work func(id string) (*T, error)) (*T, error) {
	return onceAs(ctx, a, what, r, request, a.newID(), work)
}

// onceAs is once with something else than an id that stays the same: what the first of the
// requests says.
func onceAs[T any](ctx context.Context, a *API, what string, r Repeatable, request any, value string, work func(value string) (*T, error)) (*T, error) {
	if r.Key == "" {
		return work(value)
	}
	caller := callerOf(ctx)
	org := a.Store.For(caller.Organization)
	if _, err := a.limiter.Take(ctx, people.Repeatables, people.Who{Organization: caller.Organization}); err != nil {
		return nil, a.answer(ctx, err)
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	sum := sha256.Sum256(body)
	attempt, err := org.Once(ctx, what, r.Key, hex.EncodeToString(sum[:]), value, a.Now(), workTime)
	if err != nil {
		return nil, a.answer(ctx, err)
	}
	defer func() {
		if err := org.Done(context.WithoutCancel(ctx), attempt); err != nil { // it is held up, and no more
			a.Log.WarnContext(ctx, "a request is taken for one that is worked on", slog.String("what", what), slog.Any("error", err))
		}
	}()
	return work(attempt.Value)
}

// shownOnce is once for what has a secret that is shown once, and kept nowhere: repeated, it
// answers where the thing is that the first request made. Another caller's key is another.
func shownOnce[T, R any](ctx context.Context, a *API, what string, r Repeatable, request any, read func(id string) (R, error), where func(id string) string, work func(id string) (*T, error)) (*T, error) {
	request = []any{callerOf(ctx).Actor.ID, request}
	return once(ctx, a, what, r, request, func(id string) (*T, error) {
		if r.Key == "" {
			return work(id)
		}
		switch _, err := read(id); {
		case err == nil:
			p := problem(ctx, http.StatusConflict, "already_made", fmt.Sprintf("an earlier request with this Idempotency-Key made %s, whose secret was in its answer and is kept nowhere: take it back and make another", where(id)))
			p.header = http.Header{"Location": {where(id)}}
			return nil, p
		case !errors.Is(err, store.ErrNotFound):
			return nil, a.answer(ctx, err)
		}
		return work(id)
	})
}

func (a *API) newID() string {
	return ulid.MustNew(ulid.Timestamp(a.Now()), ulid.DefaultEntropy()).String()
}
