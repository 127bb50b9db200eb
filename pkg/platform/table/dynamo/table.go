// Package dynamo keeps a table in DynamoDB, where CloudArq is deployed. One
// DynamoDB table holds everything; template.yaml has its shape.
//
// An item is the attributes pk and sk, ipk and isk where it has an index key, v
// (its version), body (binary) and exp (seconds since 1970, absent where it never
// expires), which is also the attribute for DynamoDB's time to live. The index
// holds keys only, because every write is paid again for each index that copies
// it: a query of the index path reads keys there and then the items themselves.
package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Options of New; the zero value is good for production.
type Options struct {
	// Clock tells which items have expired; nil means time.Now. DynamoDB removes
	// them up to days later, so readers never rely on that.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
	Clock func() time.Time
}

// Table is a table.Table in DynamoDB. Make one with New.
type Table struct {
	client *dynamodb.Client
	name   string
	clock  func() time.Time
}

var _ table.Table = (*Table)(nil)

// New makes a table of an existing DynamoDB table, of the shape that template.yaml gives it. Attempts
// of single calls are the client's to repeat; give it a retryer for that.
func New(client *dynamodb.Client, name string, o Options) *Table {
	t := &Table{client: client, name: name, clock: o.Clock}
	if t.clock == nil {
		t.clock = time.Now
	}
	return t
}

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, k table.Key) (table.Item, error) {
	it, err := t.get(ctx, k)
	if err != nil {
		return table.Item{}, fmt.Errorf("get %s: %w", k, err)
	}
	return it, nil
}

func (t *Table) get(ctx context.Context, k table.Key) (table.Item, error) {
	if err := k.Check(); err != nil {
		return table.Item{}, err
	}
	out, err := t.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(t.name),
		Key:            keyOf(k),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return table.Item{}, err
	}
	if len(out.Item) == 0 {
		return table.Item{}, table.ErrNotFound
	}
	it, err := decode(out.Item)
	if err == nil && !t.live(it) {
		err = table.ErrNotFound
	}
	return it, err
}

// The conditions of Put. An absent exp makes a comparison with it false.
const (
	ifAbsent  = attrExpires + " <= :now OR attribute_not_exists(" + attrPK + ")"
	ifVersion = attrVersion + " = :version AND (attribute_not_exists(" + attrExpires + ") OR " + attrExpires + " > :now)"
)

// Put implements table.Table.
func (t *Table) Put(ctx context.Context, it table.Item) error {
	if err := t.put(ctx, it); err != nil {
		return fmt.Errorf("put %s: %w", it.Key, err)
	}
	return nil
}

func (t *Table) put(ctx context.Context, it table.Item) error {
	if err := it.Check(); err != nil {
		return err
	}
	in := &dynamodb.PutItemInput{
		TableName:                           aws.String(t.name),
		Item:                                encode(it),
		ConditionExpression:                 aws.String(ifAbsent),
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": number(t.clock().Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if it.Version > 0 {
		in.ConditionExpression = aws.String(ifVersion)
		in.ExpressionAttributeValues[":version"] = number(it.Version)
	}
	writer := newWriter()
	in.Item[attrWriter] = writer
	_, err := t.client.PutItem(ctx, in)
	var refused *types.ConditionalCheckFailedException
	if !errors.As(err, &refused) {
		return err
	}
	// The client sends a call again when its answer got lost, and then the
	// condition fails because of our own write.
	if stored, ok := refused.Item[attrWriter].(*types.AttributeValueMemberB); ok && string(stored.Value) == string(writer.Value) {
		return nil
	}
	return fmt.Errorf("%w: not at version %d", table.ErrConflict, it.Version)
}

// newWriter is a mark that no other call of Put leaves on an item.
func newWriter() *types.AttributeValueMemberB {
	mark := make([]byte, writerBytes)
	_, _ = rand.Read(mark) // never fails
	return &types.AttributeValueMemberB{Value: mark}
}

// addTries bounds how often Add and the end of a counter can miss each other.
const addTries = 5

// Add implements table.Table.
func (t *Table) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	sum, err := t.count(ctx, k, n, expires)
	if err != nil {
		return 0, fmt.Errorf("add to %s: %w", k, err)
	}
	return sum, nil
}

func (t *Table) count(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	first, err := table.Counter(k, n, expires)
	if err != nil {
		return 0, err
	}
	in := &dynamodb.UpdateItemInput{
		TableName:                 aws.String(t.name),
		Key:                       keyOf(k),
		UpdateExpression:          aws.String("ADD " + attrVersion + " :n"),
		ConditionExpression:       aws.String("attribute_not_exists(" + attrExpires + ") OR " + attrExpires + " > :now"),
		ExpressionAttributeValues: attributes{":n": number(n), ":now": number(t.clock().Unix())},
		ReturnValues:              types.ReturnValueUpdatedNew,
	}
	if at := first.ExpiresUnix(); at != 0 {
		in.UpdateExpression = aws.String("SET " + attrExpires + " = if_not_exists(" + attrExpires + ", :exp) ADD " + attrVersion + " :n")
		in.ExpressionAttributeValues[":exp"] = number(at)
	}
	for range addTries {
		out, err := t.client.UpdateItem(ctx, in)
		var over *types.ConditionalCheckFailedException
		if err == nil {
			d := decoder{from: out.Attributes}
			return d.number(attrVersion), d.err
		}
		if !errors.As(err, &over) {
			return 0, err
		}
		// The counter's time is over, and DynamoDB has not removed it yet.
		if err := t.put(ctx, table.Item{Key: k, Expires: expires}); err == nil && n == 1 {
			return 1, nil
		} else if err != nil && !errors.Is(err, table.ErrConflict) {
			return 0, err
		} else if err == nil { // it begins with 1
			in.ExpressionAttributeValues[":n"] = number(n - 1)
		}
	}
	return 0, table.ErrConflict
}

// Delete implements table.Table.
func (t *Table) Delete(ctx context.Context, k table.Key) error {
	err := k.Check()
	if err == nil {
		_, err = t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(t.name), Key: keyOf(k)})
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", k, err)
	}
	return nil
}

// live says whether an item that DynamoDB still has exists for readers.
func (t *Table) live(it table.Item) bool {
	return it.Expires.IsZero() || it.ExpiresUnix() > t.clock().Unix()
}
