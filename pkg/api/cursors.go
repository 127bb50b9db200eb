package api

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

type listKey struct{}

// noteList notes in the request's context which list it is of, and of which filters: all of
// the address but what may differ between two pages.
func noteList(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	query := u.Query()
	query.Del("cursor")
	query.Del("limit")
	next(huma.WithValue(ctx, listKey{}, u.Path+"?"+query.Encode()))
}

// aboutCursor is what a cursor is bound to: the list with its filters, and who reads it.
func aboutCursor(ctx context.Context) string {
	list, _ := ctx.Value(listKey{}).(string)
	return about(ctx, list)
}

// about is what a cursor is bound to: a list, and who reads it.
func about(ctx context.Context, list string) string {
	c := callerOf(ctx)
	var parts []string
	for _, part := range []string{string(c.Organization), string(c.Actor.Kind), c.Actor.ID, list} {
		parts = append(parts, url.QueryEscape(part))
	}
	return strings.Join(parts, "&")
}

// after is where a list goes on, as the table has it; empty at its beginning.
func (a *API) after(ctx context.Context, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	position, err := a.Sessions.Tokens.OpenCursor(ctx, aboutCursor(ctx), cursor)
	if err != nil {
		return "", a.cursor(ctx, err)
	}
	return position, nil
}

// next is a position of the table as a client gets it. It may name what the client must not
// see.
func (a *API) next(ctx context.Context, position string) (string, error) {
	if position == "" {
		return "", nil
	}
	cursor, err := a.Sessions.Tokens.SealCursor(ctx, aboutCursor(ctx), position)
	return cursor, a.answer(ctx, err)
}

// listed reads a page of a list where a client's cursor goes on, and gives it with the cursor
// of the next one.
func listed[T any](ctx context.Context, a *API, cursor string, read func(after string) ([]T, string, error)) (page []T, next string, err error) {
	after, err := a.after(ctx, cursor)
	if err != nil {
		return nil, "", err
	}
	page, next, err = read(after)
	if err != nil {
		return nil, "", a.cursor(ctx, err)
	}
	next, err = a.next(ctx, next)
	return page, next, err
}

// cursor tells a cursor that is not ours from other trouble.
func (a *API) cursor(ctx context.Context, err error) error {
	if a.foreign(err) {
		return invalid(ctx, "query.cursor", "the cursor does not belong to this list")
	}
	return a.answer(ctx, err)
}

// foreign reports whether an error says that a cursor is none of this list's.
func (a *API) foreign(err error) bool {
	return errors.Is(err, table.ErrCursor) || errors.Is(err, people.ErrCursor)
}
