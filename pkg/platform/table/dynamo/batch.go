package dynamo

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/internal/backoff"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"golang.org/x/sync/errgroup"
)

// Limits of one call.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const (
	writeItems = 25
	writeBytes = 16 << 20 // of the request as it is sent, where binary is base64
	readItems  = 100

	batchesAtOnce = 4
	// idleTries is how often in a row a batch may be refused as a whole, about
	// 20 seconds, before PutMany, DeleteMany and Query give up.
	idleTries = 10
)

// The number of items alone keeps a batch of the largest ones within the bytes.
const _ = uint(writeBytes - writeItems*table.MaxItem*4/3)

// PutMany implements table.Table. Several batches are on their way at once.
func (t *Table) PutMany(ctx context.Context, its []table.Item) error {
	if err := table.CheckMany(its); err != nil {
		return fmt.Errorf("put %d items: %w", len(its), err)
	}
	requests := make([]types.WriteRequest, len(its))
	for i, it := range its {
		requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: encode(it)}}
	}
	if done, err := t.writeMany(ctx, requests); err != nil {
		return fmt.Errorf("put %d items, %d done: %w", len(its), done, err)
	}
	return nil
}

// DeleteMany implements table.Table. Several batches are on their way at once.
func (t *Table) DeleteMany(ctx context.Context, ks []table.Key) error {
	if err := table.CheckKeys(ks); err != nil {
		return fmt.Errorf("delete %d items: %w", len(ks), err)
	}
	requests := make([]types.WriteRequest, len(ks))
	for i, k := range ks {
		requests[i] = types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: keyOf(k)}}
	}
	if done, err := t.writeMany(ctx, requests); err != nil {
		return fmt.Errorf("delete %d items, %d done: %w", len(ks), done, err)
	}
	return nil
}

// writeMany sends all requests, and says how many were processed when not all were.
func (t *Table) writeMany(ctx context.Context, requests []types.WriteRequest) (done int, err error) {
	var processed atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(batchesAtOnce)
	for part := range slices.Chunk(requests, writeItems) {
		g.Go(func() error {
			left, err := t.writeBatch(gctx, part)
			processed.Add(int64(len(part) - left))
			return err
		})
	}
	err = g.Wait()
	return int(processed.Load()), err
}

func (t *Table) writeBatch(ctx context.Context, requests []types.WriteRequest) (left int, err error) {
	return drain(ctx, requests, func(waiting []types.WriteRequest) ([]types.WriteRequest, error) {
		out, err := t.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{t.name: waiting},
		})
		if err != nil {
			return nil, err
		}
		var again []types.WriteRequest
		for _, unprocessed := range out.UnprocessedItems {
			again = append(again, unprocessed...)
		}
		return again, nil
	})
}

// fetch reads the items that the index listed, in that order, as they are now.
// One that is gone, or has another index key by now, is left out: the index has
// yet to learn of it.
func (t *Table) fetch(ctx context.Context, listed []table.Item) ([]table.Item, error) {
	// A call may not name a key twice, but the index may for a moment: an item's
	// old and its new place are written one after the other.
	found := make(map[table.Key]table.Item, len(listed))
	var keys []attributes
	for _, it := range listed {
		if _, again := found[it.Key]; !again {
			found[it.Key] = table.Item{}
			keys = append(keys, keyOf(it.Key))
		}
	}
	_, err := drain(ctx, keys, func(waiting []attributes) ([]attributes, error) {
		out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			t.name: {Keys: waiting, ConsistentRead: aws.Bool(true)},
		}})
		if err != nil {
			return nil, err
		}
		for _, items := range out.Responses {
			for _, raw := range items {
				it, err := decode(raw)
				if err != nil {
					return nil, err
				}
				found[it.Key] = it
			}
		}
		var again []attributes
		for _, unprocessed := range out.UnprocessedKeys {
			again = append(again, unprocessed.Keys...)
		}
		return again, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %d items of the index: %w", len(keys), err)
	}
	var out []table.Item
	for _, it := range listed {
		if now := found[it.Key]; now.Key == it.Key && now.Index == it.Index {
			out = append(out, now)
		}
	}
	return out, nil
}

// drain repeats call, which answers what it has not processed, until nothing is
// left. It waits longer each time that nothing was processed, and gives up after
// idleTries of those in a row. It returns how many are left after an error.
//
// DynamoDB says "throttled" instead of an answer when it processed nothing of a
// batch, so that error is one more answer that leaves all undone; the client has
// repeated the call by then.
func drain[T any](ctx context.Context, waiting []T, call func([]T) ([]T, error)) (left int, err error) {
	throttled := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	for idle := 0; len(waiting) > 0; {
		again, err := call(waiting)
		switch {
		case err == nil:
		case throttled.IsErrorThrottle(err) == aws.TrueTernary:
			again = waiting
		default:
			return len(waiting), err
		}
		if idle++; len(again) < len(waiting) {
			idle = 0
		}
		waiting = again
		if idle == idleTries {
			return len(waiting), tooBusy(len(waiting), err)
		}
		if len(waiting) > 0 {
			if err := backoff.Wait(ctx, idle+1); err != nil {
				return len(waiting), err
			}
		}
	}
	return 0, nil
}

// tooBusy is the error of items that DynamoDB kept refusing; err may be nil.
func tooBusy(n int, err error) error {
	if err == nil {
		return fmt.Errorf("throttled: %d items of a batch refused %d times in a row", n, idleTries)
	}
	return fmt.Errorf("throttled: %d items of a batch refused %d times in a row: %w", n, idleTries, err)
}
