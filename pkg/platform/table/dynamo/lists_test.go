package dynamo_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/google/go-cmp/cmp"
)

// What the fake has under the index: keys, and the items as they are now.
func listing(f *fake.Fake, keys []attributes, perCall int) {
	fake.On(f, func(in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
		from := 0
		if last := content(in.ExclusiveStartKey, "sk"); last != "" {
			from = 1 + slices.IndexFunc(keys, func(k attributes) bool { return content(k, "sk") == last })
		}
		to := min(from+min(perCall, int(aws.ToInt32(in.Limit))), len(keys))
		out := &dynamodb.QueryOutput{Items: keys[from:to], ScannedCount: int32(to - from)}
		if to < len(keys) && to > from {
			out.LastEvaluatedKey = keys[to-1]
		}
		return out, nil
	})
}

func listed(n int) (keys []attributes) {
	for i := range n {
		keys = append(keys, attributes{"pk": text("a"), "sk": text(fmt.Sprintf("%03d", i)), "ipk": text("i"), "isk": text("x")})
	}
	return keys
}

func sks(t *testing.T, tb table.Table, q table.Query) (out []string, pages int) {
	t.Helper()
	for {
		p, err := tb.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Items) == 0 && p.Cursor != "" {
			t.Fatal("an empty page has a cursor")
		}
		for _, it := range p.Items {
			out = append(out, it.SK)
		}
		if pages++; p.Cursor == "" {
			return out, pages
		}
		q.Cursor = p.Cursor
	}
}

func TestIndexReadsWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New()
		keys := listed(120)
		listing(f, keys, 1000)
		calls := 0
		fake.On(f, func(in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
			calls++
			asked := in.RequestItems["t"]
			if len(asked.Keys) > 100 || !aws.ToBool(asked.ConsistentRead) {
				t.Errorf("%d keys, consistent %v", len(asked.Keys), aws.ToBool(asked.ConsistentRead))
			}
			done := min(len(asked.Keys), calls%3*20) // every third call nothing
			out := &dynamodb.BatchGetItemOutput{Responses: map[string][]attributes{"t": nil}}
			for _, k := range slices.Backward(asked.Keys[:done]) { // in no order
				now := attributes{"pk": k["pk"], "sk": k["sk"], "ipk": text("i"), "isk": text("x")}
				switch content(k, "sk") {
				case "003": // moved since the index was written
					now["isk"] = text("y")
				case "005": // gone
					continue
				}
				out.Responses["t"] = append(out.Responses["t"], now)
			}
			if done < len(asked.Keys) {
				out.UnprocessedKeys = map[string]types.KeysAndAttributes{"t": {Keys: asked.Keys[done:]}}
			}
			return out, nil
		})
		got, _ := sks(t, on(t, f), table.Query{Index: true, PK: "i", Limit: 1000})
		var want []string
		for _, k := range keys {
			if sk := content(k, "sk"); sk != "003" && sk != "005" {
				want = append(want, sk)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// An item that moves may stand in the index twice for a moment; a call must not
// name it twice, and it is found where it is now.
func TestIndexNamesAnItemTwice(t *testing.T) {
	f := fake.New()
	keys := listed(2)
	keys[1]["sk"], keys[1]["isk"] = keys[0]["sk"], text("y")
	listing(f, keys, 10)
	fake.On(f, func(in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
		if n := len(in.RequestItems["t"].Keys); n != 1 {
			t.Errorf("%d keys, want 1", n)
		}
		return &dynamodb.BatchGetItemOutput{Responses: map[string][]attributes{"t": {keys[1]}}}, nil
	})
	p, err := on(t, f).Query(t.Context(), table.Query{Index: true, PK: "i"})
	if err != nil || len(p.Items) != 1 || p.Items[0].Index.SK != "y" {
		t.Errorf("%v, %v; want the item at y alone", p.Items, err)
	}
}

// DynamoDB may end a list anywhere, and a page may hold nothing that lives.
func TestTruncatedLists(t *testing.T) {
	for name, c := range map[string]struct{ perCall, expired, limit, want int }{
		"one item a list":              {1, 0, 10, 40},
		"lists shorter than the page":  {7, 0, 10, 40},
		"most of them expired":         {4, 33, 10, 7},
		"all of them expired":          {4, 40, 10, 0},
		"expired at the page's border": {100, 11, 10, 29},
		"page of one":                  {3, 20, 1, 20},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake.New()
			keys := listed(40)
			for i, k := range keys {
				delete(k, "ipk")
				delete(k, "isk")
				if i < c.expired {
					k["exp"] = &types.AttributeValueMemberN{Value: "1"}
				}
			}
			listing(f, keys, c.perCall)
			got, _ := sks(t, on(t, f), table.Query{PK: "a", Limit: c.limit})
			if len(got) != c.want || !slices.IsSorted(got) {
				t.Errorf("%d items, want %d: %v", len(got), c.want, got)
			}
		})
	}
}

// A page of the index ends early where its items are large, as on the other path.
func TestIndexPageIsBounded(t *testing.T) {
	f := fake.New()
	listing(f, listed(50), 100)
	fake.On(f, func(in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
		out := &dynamodb.BatchGetItemOutput{Responses: map[string][]attributes{}}
		for _, k := range in.RequestItems["t"].Keys {
			out.Responses["t"] = append(out.Responses["t"], attributes{
				"pk": k["pk"], "sk": k["sk"], "ipk": text("i"), "isk": text("x"),
				"body": &types.AttributeValueMemberB{Value: make([]byte, 300_000)},
			})
		}
		return out, nil
	})
	got, pages := sks(t, on(t, f), table.Query{Index: true, PK: "i"})
	if len(got) != 50 || pages != 13 {
		t.Errorf("%d items on %d pages, want 50 on 13", len(got), pages)
	}
}

func TestForeignItemsAreErrors(t *testing.T) {
	for name, item := range map[string]attributes{
		"version is text":    {"pk": text("a"), "sk": text("1"), "v": text("1")},
		"key is a number":    {"pk": text("a"), "sk": &types.AttributeValueMemberN{Value: "1"}},
		"body is text":       {"pk": text("a"), "sk": text("1"), "body": text("{}")},
		"expiry is no whole": {"pk": text("a"), "sk": text("1"), "exp": &types.AttributeValueMemberN{Value: "1.5"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fake.New()
			fake.On(f, func(*dynamodb.GetItemInput) (*dynamodb.GetItemOutput, error) {
				return &dynamodb.GetItemOutput{Item: item}, nil
			})
			if it, err := on(t, f).Get(t.Context(), table.Key{PK: "a", SK: "1"}); err == nil || errors.Is(err, table.ErrNotFound) {
				t.Errorf("%v, %v; want an error", it, err)
			}
		})
	}
}
