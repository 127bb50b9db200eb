package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// prefixLists reads the ranges behind prefix lists, each list once in a walk: those
// of the account, of others that share theirs, and of AWS.
type prefixLists struct {
	client *sdk.Client
	memo   collect.Memo[[]string]
}

// behind is the ranges of some lists, by their ids, as far as they are wanted; the gap
// of the first that cannot be read.
func (l *prefixLists) behind(r *collect.Reading, ids []string, wanted func(cidr string) bool) fact.Of[map[string][]string] {
	all := map[string][]string{}
	for _, id := range ids {
		if _, known := all[id]; known {
			continue
		}
		ranges, gap := l.memo.Once(id, func() fact.Of[[]string] { return l.read(r, id) }).Get()
		if gap != nil {
			return fact.Unknown[map[string][]string](*gap)
		}
		all[id] = slices.DeleteFunc(slices.Clone(ranges), func(cidr string) bool { return !wanted(cidr) })
	}
	return fact.Known(all)
}

func (l *prefixLists) read(r *collect.Reading, id string) fact.Of[[]string] {
	return collect.Ask(r, func(ctx context.Context) ([]string, error) {
		pages := sdk.NewGetManagedPrefixListEntriesPaginator(l.client, &sdk.GetManagedPrefixListEntriesInput{PrefixListId: &id, MaxResults: aws.Int32(100)})
		return collect.Pages(ctx, pages, func(o *sdk.GetManagedPrefixListEntriesOutput) []string {
			ranges := make([]string, len(o.Entries))
			for i, e := range o.Entries {
				ranges[i] = aws.ToString(e.Cidr)
			}
			return ranges
		})
	})
}
