package collect_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
)

type (
	shelf  struct{ Token *string }
	books  struct{ Titles, Token string }
	option struct{}
)

// A listing for which the SDK has no paginator gives all pages, in their order, and ends
// where an answer names no other, or a page fails.
func TestListing(t *testing.T) {
	t.Parallel()
	next := func(in *shelf, o *books) *string {
		in.Token = &o.Token
		return in.Token
	}
	failed := errors.New("no such page")
	for name, c := range map[string]struct {
		answers map[string]books // by the token they are asked with
		next    func(*shelf, *books) *string
		want    []string
		err     error
	}{
		"two pages":        {map[string]books{"": {"Emma", "2"}, "2": {"Persuasion", ""}}, next, []string{"Emma", "Persuasion"}, nil},
		"one page":         {map[string]books{"": {"Emma", ""}}, next, []string{"Emma"}, nil},
		"one answer":       {map[string]books{"": {"Emma", "2"}}, nil, []string{"Emma"}, nil},
		"the second fails": {map[string]books{"": {"Emma", "2"}}, next, nil, failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := func(_ context.Context, in *shelf, _ ...func(*option)) (*books, error) {
				if page, ok := c.answers[aws.ToString(in.Token)]; ok {
					return &page, nil
				}
				return nil, failed
			}
			got, err := collect.Pages(t.Context(), collect.Listing(call, &shelf{}, c.next), func(o *books) []string { return []string{o.Titles} })
			if !slices.Equal(got, c.want) || !errors.Is(err, c.err) {
				t.Errorf("%v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}
