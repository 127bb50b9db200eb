package api

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/index"
)

// Words of filters are query parameters, as the command has them: ?severity=high,critical
// &region!=us-east-1&first_seen>=2026-05-01&tag:env=prod. So whatever parameter a list does
// not have otherwise is a word, read from the address as it stands.

type wordsKey struct{}

// wordsOf are the words of a request's filter.
func wordsOf(ctx context.Context) []string {
	words, _ := ctx.Value(wordsKey{}).([]string)
	return words
}

// unfiltered is a request without the words of its filter, which are no parameters to huma.
type unfiltered struct {
	humaContext
	address url.URL
}

// humaContext has a method Context, for which it cannot be embedded by its own name.
type humaContext huma.Context

func (u unfiltered) URL() url.URL { return u.address }

// filtered makes an operation one of a list that takes filters.
func filtered(op huma.Operation, v filter.Vocabulary, parameters ...string) huma.Operation {
	for _, f := range v {
		if strings.HasSuffix(f.Name, ":") {
			continue // of which OpenAPI cannot tell the names
		}
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: f.Name, In: "query", Description: described(f), Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(int(maxWord - len(f.Name) - 1))},
			Extensions: map[string]any{filterExtension: true},
		})
	}
	op.Middlewares = append(op.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		address := ctx.URL()
		words, rest := split(address.RawQuery, parameters)
		address.RawQuery = rest
		if slices.ContainsFunc(words, func(w string) bool { return utf8.RuneCountInString(w) > maxWord }) {
			_, w := humago.Unwrap(ctx)
			writeProblem(w, invalid(ctx.Context(), "query", fmt.Sprintf("a filter has more than %d characters", maxWord)))
			return
		}
		next(unfiltered{huma.WithValue(ctx, wordsKey{}, words), address})
	})
	return op
}

// filterExtension marks the parameters in the document that are words of a filter: they may be
// there more than once, and all of them have to fit.
const filterExtension = "x-filter"

// maxWord is the most characters of a value that a filter asks for.
const maxWord = 4096

// described is what the document says of a field.
func described(f filter.Field) string {
	text := strings.ToUpper(f.Doc[:1]) + f.Doc[1:] + ". Values are joined by commas, and may hold * and ?; " + f.Name + "!= is all but those"
	switch {
	case f.Dates:
		text = strings.ToUpper(f.Doc[:1]) + f.Doc[1:] + ", as 2026-05-01 or in RFC 3339. " + f.Name + ">=, >, <= and < are parameters, too"
	case f.Ordered:
		text += ", and " + f.Name + ">=, >, <= and < compare"
	}
	return text + "."
}

// split parts a query into the words of a filter and the parameters that there are.
func split(query string, parameters []string) (words []string, rest string) {
	var others []string
	for _, part := range strings.Split(query, "&") {
		word, err := url.QueryUnescape(part)
		name, _, _ := strings.Cut(part, "=")
		if name, unescaped := url.QueryUnescape(name); part == "" || err != nil || unescaped != nil || slices.Contains(parameters, name) {
			others = append(others, part)
			continue
		}
		words = append(words, word)
	}
	return words, strings.Join(others, "&")
}

// asked is the problem of who asks what cannot be asked, or another.
func (a *API) asked(ctx context.Context, err error) error {
	switch {
	case findings.Asked(err):
		return invalid(ctx, "query", err.Error())
	case errors.Is(err, index.ErrCursor):
		return invalid(ctx, "query.cursor", "the cursor does not belong to this list")
	}
	return a.answer(ctx, err)
}

// sealer seals the cursors of lists for who reads them.
type sealer struct{ a *API }

// Seal implements index.Sealer.
func (s sealer) Seal(ctx context.Context, purpose, plain string) (string, error) {
	return s.a.Sessions.Tokens.SealCursor(ctx, about(ctx, purpose), plain)
}

// Open implements index.Sealer.
func (s sealer) Open(ctx context.Context, purpose, sealed string) (string, error) {
	plain, err := s.a.Sessions.Tokens.OpenCursor(ctx, about(ctx, purpose), sealed)
	if err != nil && s.a.foreign(err) {
		err = fmt.Errorf("%w: %w", index.ErrCursor, err)
	}
	return plain, err
}

// viewer is the caller as the index knows one.
func viewer(ctx context.Context) index.Caller {
	c := callerOf(ctx)
	projects := slices.Clone(c.Projects)
	slices.Sort(projects)
	return index.Caller{Sees: c.Sees, Grants: fmt.Sprintf("%t %q", c.AllProjects, projects)}
}

// list parts a parameter that is a list.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
