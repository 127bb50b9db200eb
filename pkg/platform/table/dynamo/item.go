package dynamo

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// What the template must name as Schema does.
const (
	// IndexName is the global secondary index of the index path.
	IndexName = "index"
	// TTLAttribute is what DynamoDB's time to live looks at.
	TTLAttribute = attrExpires
)

// Attributes. Their names and the numbers, and the writer's mark, take less than
// what table.Item.Size allows for them.
const (
	attrPK      = "pk"
	attrSK      = "sk"
	attrIndexPK = "ipk"
	attrIndexSK = "isk"
	attrVersion = "v"
	attrBody    = "body"
	attrExpires = "exp"
	attrWriter  = "w" // which call of Put wrote it; PutMany leaves none

	writerBytes = 8
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// keyOf is the primary key.
func keyOf(k table.Key) attributes { return attributes{attrPK: text(k.PK), attrSK: text(k.SK)} }

// placeOf is where an item stands on the path of a query.
func placeOf(k, index table.Key) attributes {
	place := keyOf(k)
	if !index.IsZero() {
		place[attrIndexPK], place[attrIndexSK] = text(index.PK), text(index.SK)
	}
	return place
}

// encode is the item as it will be stored, at the version after its own.
func encode(it table.Item) attributes {
	out := placeOf(it.Key, it.Index)
	out[attrVersion] = number(it.Version + 1)
	if len(it.Body) > 0 {
		out[attrBody] = &types.AttributeValueMemberB{Value: it.Body}
	}
	if at := it.ExpiresUnix(); at != 0 {
		out[attrExpires] = number(at)
	}
	return out
}

// decode is the inverse of encode. Only keys and what is there are filled, so
// that it also reads what the index holds.
func decode(from attributes) (table.Item, error) {
	d := decoder{from: from}
	it := table.Item{
		Key:     table.Key{PK: d.text(attrPK), SK: d.text(attrSK)},
		Index:   table.Key{PK: d.text(attrIndexPK), SK: d.text(attrIndexSK)},
		Version: d.number(attrVersion),
		Body:    d.bytes(attrBody),
		Expires: table.ExpiresAt(d.number(attrExpires)),
	}
	if d.err != nil {
		return table.Item{}, fmt.Errorf("decode item %s: %w", it.Key, d.err)
	}
	return it, nil
}

// decoder keeps the first thing that is not as encode writes it: somebody else
// wrote into our table.
type decoder struct {
	from attributes
	err  error
}

func (d *decoder) text(name string) string {
	switch v := d.from[name].(type) {
	case nil:
	case *types.AttributeValueMemberS:
		return v.Value
	default:
		d.fail(name, "text", v)
	}
	return ""
}

func (d *decoder) number(name string) int64 {
	switch v := d.from[name].(type) {
	case nil:
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil && d.err == nil {
			d.err = fmt.Errorf("attribute %s: %w", name, err)
		}
		return n
	default:
		d.fail(name, "a number", v)
	}
	return 0
}

func (d *decoder) bytes(name string) []byte {
	switch v := d.from[name].(type) {
	case nil:
	case *types.AttributeValueMemberB:
		if len(v.Value) > 0 {
			return v.Value
		}
	default:
		d.fail(name, "binary", v)
	}
	return nil
}

func (d *decoder) fail(name, want string, got types.AttributeValue) {
	if d.err == nil {
		d.err = fmt.Errorf("attribute %s is %T, not %s", name, got, want)
	}
}
