package main

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/s3"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

const (
	connections = 50
	findings    = 3
)

// onDrivers reads by the drivers, and counts what they ask for.
func onDrivers(t *testing.T) []page {
	t.Helper()
	var requests, gets, puts atomic.Int64
	config := emulated.Config(t)
	config.APIOptions = append(config.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("counted", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			switch operation := awsmiddleware.GetOperationName(ctx); {
			case awsmiddleware.GetServiceID(ctx) == dynamodb.ServiceID:
				requests.Add(1)
			case strings.HasPrefix(operation, "Get"):
				gets.Add(1)
			default:
				puts.Add(1)
			}
			return next.HandleInitialize(ctx, in)
		}), middleware.After)
	})
	client, name := dynamodb.NewFromConfig(config), emulated.Name("table")
	key := func(name string, kind types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: []types.AttributeDefinition{text("pk"), text("sk")},
		KeySchema: []types.KeySchemaElement{key("pk", types.KeyTypeHash), key("sk", types.KeyTypeRange)},
	})
	if err != nil {
		t.Fatal(err)
	}
	objects, bucket := awss3.NewFromConfig(config, func(o *awss3.Options) { o.UsePathStyle = true }), emulated.Name("bucket")
	if _, err := objects.CreateBucket(t.Context(), &awss3.CreateBucketInput{
		Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(config.Region)},
	}); err != nil {
		t.Fatal(err)
	}
	records := dynamo.New(client, name, dynamo.Options{})
	e := estate{filled: records, table: records, blobs: s3.New(objects, bucket), took: func() cost {
		return cost{requests: float64(requests.Swap(0)), gets: float64(gets.Swap(0)), puts: float64(puts.Swap(0))}
	}}
	pages, err := e.pages(t.Context(), connections, findings)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// TestReads holds what is printed to what the drivers ask for, and that to its bounds: one
// query if nothing changed, and a read for each shard at most where nothing is stale.
func TestReads(t *testing.T) {
	t.Parallel()
	bill := &meter.Bill{}
	file := memtable.New(time.Now)
	e := estate{filled: file, table: meter.NewTable(file, bill), blobs: meter.NewBlobs(memblob.New(), bill), took: func() (c cost) {
		units := bill.Take()
		c.gets, c.puts = units[meter.ObjectGets], units[meter.ObjectPuts]
		c.requests = units[meter.OwnCalls.Of(function)] - c.gets - c.puts
		return c
	}}
	metered, err := e.pages(meter.In(t.Context(), function), connections, findings)
	if err != nil {
		t.Fatal(err)
	}
	driven := onDrivers(t)
	for i, bound := range []cost{
		{requests: 1000, gets: 2 * connections, puts: 2 * connections},
		{requests: 1, gets: connections},
		{requests: 1},
		{requests: 2, gets: 2, puts: 1},
		{requests: 1, gets: 1},
	} {
		got := driven[i].cost
		t.Logf("%s: %+v", driven[i].what, got)
		if m := metered[i].cost; m != got {
			t.Errorf("%s: the drivers ask for %+v, and %+v is printed", driven[i].what, got, m)
		}
		if got.requests > bound.requests || got.gets > bound.gets || got.puts > bound.puts {
			t.Errorf("%s: %+v, at most %+v", driven[i].what, got, bound)
		}
	}
}
