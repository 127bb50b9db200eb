package dynamo

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Query implements table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := q.Check(); err != nil {
		return table.Page{}, fmt.Errorf("query %s: %w", q, err)
	}
	after, more, err := q.Position()
	if err != nil {
		return table.Page{}, err
	}
	var from attributes
	if more {
		from = placeOf(after.Key, after.Index)
	}
	page, err := t.page(ctx, q, from)
	if err != nil {
		return table.Page{}, fmt.Errorf("query %s: %w", q, err)
	}
	return page, nil
}

// page lists until the page is full, the partition ends, or another list might
// bring more bytes than a page has. Lists in which nothing lives are passed over.
func (t *Table) page(ctx context.Context, q table.Query, from attributes) (table.Page, error) {
	p := pageInMaking{limit: q.PageSize()}
	for {
		// One more than the page takes, to know whether anything follows.
		want := p.limit - len(p.items)
		listed, next, err := t.list(ctx, q, from, want+1)
		if err != nil {
			return table.Page{}, err
		}
		if len(listed) > want {
			listed = listed[:want]
			last := listed[want-1]
			next = placeOf(last.Key, last.Index)
			if !q.Index {
				next = keyOf(last.Key)
			}
		}
		if err := t.add(ctx, q, &p, listed); err != nil {
			return table.Page{}, err
		}
		switch {
		case p.cut, len(next) > 0 && p.enough():
			return table.Page{Items: p.items, Cursor: q.CursorAfter(p.items[len(p.items)-1])}, nil
		case len(next) == 0:
			return table.Page{Items: p.items}, nil
		}
		from = next
	}
}

// pageInMaking is a page that grows.
type pageInMaking struct {
	limit int
	items []table.Item
	bytes int
	cut   bool // an item did not fit any more
}

// enough says that the page should take nothing more: it is full, or one more
// item could be too large for it.
func (p *pageInMaking) enough() bool {
	return len(p.items) == p.limit || len(p.items) > 0 && p.bytes > table.MaxPage-table.MaxItem
}

// add takes what lives of the listed items, as long as it fits. Of the index
// they are read first, a call's worth at a time.
func (t *Table) add(ctx context.Context, q table.Query, p *pageInMaking, listed []table.Item) error {
	for part := range slices.Chunk(listed, readItems) {
		if p.bytes >= table.MaxPage {
			p.cut = true
			return nil
		}
		if q.Index {
			var err error
			if part, err = t.fetch(ctx, part); err != nil {
				return err
			}
		}
		for _, it := range part {
			if !t.live(it) {
				continue
			}
			if p.bytes >= table.MaxPage {
				p.cut = true
				return nil
			}
			p.items = append(p.items, it)
			p.bytes += it.Size()
		}
	}
	return nil
}

// list asks DynamoDB once: for whole items, or for keys alone on the index path.
// It returns where to go on, or nothing at the end.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
func (t *Table) list(ctx context.Context, q table.Query, from attributes, limit int) (listed []table.Item, next attributes, err error) {
	pk, sk := attrPK, attrSK
	in := &dynamodb.QueryInput{
		TableName:                 aws.String(t.name),
		ExpressionAttributeValues: attributes{":pk": text(q.PK)},
		ExclusiveStartKey:         from,
		Limit:                     aws.Int32(int32(limit)),
		ScanIndexForward:          aws.Bool(!q.Desc),
	}
	if q.Index {
		pk, sk = attrIndexPK, attrIndexSK
		in.IndexName = aws.String(IndexName)
	} else {
		in.ConsistentRead = aws.Bool(true)
	}
	condition := pk + " = :pk"
	if q.Prefix != "" {
		condition += " AND begins_with(" + sk + ", :prefix)"
		in.ExpressionAttributeValues[":prefix"] = text(q.Prefix)
	}
	if q.Before != "" {
		condition += " AND " + sk + " < :before"
		in.ExpressionAttributeValues[":before"] = text(q.Before)
	}
	in.KeyConditionExpression = aws.String(condition)
	out, err := t.client.Query(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	listed = make([]table.Item, len(out.Items))
	for i, raw := range out.Items {
		if listed[i], err = decode(raw); err != nil {
			return nil, nil, err
		}
	}
	return listed, out.LastEvaluatedKey, nil
}
