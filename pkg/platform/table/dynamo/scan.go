package dynamo

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Scan yields every item that DynamoDB holds, of all partitions in no order, those that
// expired too. It reads the whole table and is for whoever operates a deployment: no
// function may scan. What is written meanwhile may be seen or not. An error is yielded
// last, with a zero item.
func (t *Table) Scan(ctx context.Context) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{TableName: aws.String(t.name), ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(table.Item{}, fmt.Errorf("scan the table %s: %w", t.name, err))
				return
			}
			for _, stored := range page.Items {
				it, err := decode(stored)
				if !yield(it, err) || err != nil {
					return
				}
			}
		}
	}
}
