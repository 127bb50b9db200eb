package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
)

// These tests run on a clock that leaps over waits (testing/synctest), so the
// back-off between tries costs nothing.

type attributes = map[string]types.AttributeValue

func on(t *testing.T, f *fake.Fake) *dynamo.Table {
	return dynamo.New(dynamodb.NewFromConfig(f.Config(t)), "t", dynamo.Options{})
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func content(item attributes, name string) string {
	switch v := item[name].(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	}
	return ""
}

func some(n int) []table.Item {
	its := make([]table.Item, n)
	for i := range its {
		its[i] = table.Item{Key: table.Key{PK: "a", SK: fmt.Sprintf("%03d", i)}}
	}
	return its
}

// batches answers BatchWriteItem and keeps what was written.
type batches struct {
	mu      sync.Mutex
	written map[string]int // by sort key
	sizes   []int
}

func (b *batches) serve(f *fake.Fake, unprocessed func(call int, requests []types.WriteRequest) int) {
	b.written = map[string]int{}
	fake.On(f, func(in *dynamodb.BatchWriteItemInput) (*dynamodb.BatchWriteItemOutput, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		requests := in.RequestItems["t"]
		b.sizes = append(b.sizes, len(requests))
		done := len(requests) - unprocessed(len(b.sizes), requests)
		for _, r := range requests[:done] {
			b.written[content(sought(r), "sk")]++
		}
		out := &dynamodb.BatchWriteItemOutput{}
		if done < len(requests) {
			out.UnprocessedItems = map[string][]types.WriteRequest{"t": slices.Clone(requests[done:])}
		}
		return out, nil
	})
}

// sought is what a request puts, or the key of what it deletes.
func sought(r types.WriteRequest) attributes {
	if r.DeleteRequest != nil {
		return r.DeleteRequest.Key
	}
	return r.PutRequest.Item
}

func keysOf(its []table.Item) (ks []table.Key) {
	for _, it := range its {
		ks = append(ks, it.Key)
	}
	return ks
}

func TestPutManyWritesWhatWasLeft(t *testing.T) {
	for name, unprocessed := range map[string]func(int, []types.WriteRequest) int{
		"nothing is left":            func(int, []types.WriteRequest) int { return 0 },
		"one of each call":           func(int, []types.WriteRequest) int { return 1 },
		"most of each call":          func(_ int, r []types.WriteRequest) int { return len(r) * 9 / 10 },
		"all of three calls in four": func(call int, r []types.WriteRequest) int { return min(call%4, 1) * len(r) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := fake.New()
				var b batches
				shrinks := unprocessed
				if name == "one of each call" { // until that one is alone
					shrinks = func(call int, r []types.WriteRequest) int { return min(unprocessed(call, r), len(r)-1) }
				}
				b.serve(f, shrinks)
				its := some(60)
				if err := on(t, f).PutMany(t.Context(), its); err != nil {
					t.Fatal(err)
				}
				for _, it := range its {
					if b.written[it.SK] != 1 {
						t.Errorf("%s was written %d times", it.SK, b.written[it.SK])
					}
				}
				if slices.Max(b.sizes) > 25 {
					t.Errorf("batches of %v items, at most 25 are allowed", b.sizes)
				}
			})
		})
	}
}

func TestPutManyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New()
		var b batches
		b.serve(f, func(_ int, r []types.WriteRequest) int {
			if slices.ContainsFunc(r, func(r types.WriteRequest) bool { return content(r.PutRequest.Item, "sk") == "007" }) {
				return 3 // the last three never get through
			}
			return 0
		})
		its := some(10)
		began := time.Now()
		err := on(t, f).PutMany(t.Context(), its)
		if err == nil || !strings.Contains(err.Error(), "put 10 items, 7 done") {
			t.Fatalf("error %v, want one that says how many are missing", err)
		}
		if d := time.Since(began); d < 5*time.Second || d > time.Minute {
			t.Errorf("it gave up after %s", d)
		}
	})
}

func TestThrottlingErrorsThatStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New()
		var b batches
		b.serve(f, func(int, []types.WriteRequest) int { return 0 })
		f.Meddle = func(_ string, call int) error {
			if call%13 != 0 { // more often than the SDK repeats a call
				return fake.Error("ProvisionedThroughputExceededException")
			}
			return nil
		}
		if err := on(t, f).PutMany(t.Context(), some(30)); err != nil {
			t.Fatal(err)
		}
		if len(b.written) != 30 {
			t.Errorf("%d items were written, want 30", len(b.written))
		}
	})
}

func TestErrorsThatDoNotStop(t *testing.T) {
	for code, calls := range map[string]int{"AccessDeniedException": 1, "ThrottlingException": 30} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := fake.New()
				fake.Fail[dynamodb.BatchWriteItemInput](f, code)
				err := on(t, f).PutMany(t.Context(), some(2))
				if err == nil || !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), "0 done") {
					t.Fatalf("error %v, want %s and that 0 are done", err, code)
				}
				if n := f.Calls("DynamoDB.BatchWriteItem"); n != calls {
					t.Errorf("%d calls, want %d", n, calls)
				}
			})
		})
	}
}

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New()
		var b batches
		b.serve(f, func(_ int, r []types.WriteRequest) int { return len(r) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := on(t, f).PutMany(ctx, some(200))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Fatalf("%v after %s, want context.DeadlineExceeded after 1s", err, time.Since(began))
		}
	})
}

// The answer to a write gets lost, the client writes again, and DynamoDB refuses
// the second because of the first: that is no conflict.
func TestLostAnswerIsNoConflict(t *testing.T) {
	f := fake.New()
	var stored attributes
	var rival bool
	fake.On(f, func(in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
		if stored == nil {
			stored = in.Item
			return nil, fake.Error("RequestTimeout")
		}
		item := stored
		if rival { // the same content, written by somebody else
			item = attributes{"pk": stored["pk"], "sk": stored["sk"], "v": stored["v"], "w": &types.AttributeValueMemberB{Value: []byte("12345678")}}
		}
		return nil, &types.ConditionalCheckFailedException{Item: item}
	})
	it := some(1)[0]
	if err := on(t, f).Put(t.Context(), it); err != nil {
		t.Errorf("own write: %v, want none", err)
	}
	if n := f.Calls("DynamoDB.PutItem"); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
	stored, rival = nil, true
	if err := on(t, f).Put(t.Context(), it); !errors.Is(err, table.ErrConflict) {
		t.Errorf("a rival's write: %v, want ErrConflict", err)
	}
}

// A batch of deletions of which DynamoDB leaves some undone is sent on, 25 at a
// time; what never gets through is an error that says how much is done, and
// repeating the call does the rest.
func TestDeleteManyDeletesWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fake.New()
		var b batches
		stuck := true
		b.serve(f, func(call int, r []types.WriteRequest) int {
			at := slices.IndexFunc(r, func(r types.WriteRequest) bool { return content(sought(r), "sk") == "007" })
			if stuck && at >= 0 {
				return len(r) - at
			}
			return min(call%2, len(r)-1)
		})
		ks := keysOf(some(60))
		err := on(t, f).DeleteMany(t.Context(), ks)
		if err == nil || !strings.Contains(err.Error(), "delete 60 items") || !strings.Contains(err.Error(), "done") {
			t.Fatalf("error %v, want one that says how many are done", err)
		}
		stuck = false
		if err := on(t, f).DeleteMany(t.Context(), ks); err != nil {
			t.Fatal(err)
		}
		for _, k := range ks {
			if b.written[k.SK] == 0 {
				t.Errorf("%s was not deleted", k.SK)
			}
		}
		if slices.Max(b.sizes) > 25 {
			t.Errorf("batches of %v items, at most 25 are allowed", b.sizes)
		}
	})
}
