package dynamo_test

import (
	"bytes"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/platform/table/tabletest"
	"github.com/cloudarq/cloudarq/test/emulator/emulatortest"
)

var emulated emulatortest.Shared

func TestMain(m *testing.M) { os.Exit(emulated.Run(m)) }

// create makes a table of Schema's shape in the emulator.
func create(t testing.TB) (*dynamodb.Client, string) {
	t.Helper()
	client, name := dynamodb.NewFromConfig(emulated.Config(t)), emulated.Name("table")
	if _, err := client.CreateTable(t.Context(), dynamo.Schema(name)); err != nil {
		t.Fatal(err)
	}
	return client, name
}

func TestConformance(t *testing.T) {
	tabletest.Run(t, func(t testing.TB, clock func() time.Time) table.Table {
		client, name := create(t)
		return dynamo.New(client, name, dynamo.Options{Clock: clock})
	})
}

// The attribute that Schema cannot switch on is one that time to live takes.
func TestTimeToLive(t *testing.T) {
	client, name := create(t)
	_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName:               aws.String(name),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(dynamo.TTLAttribute), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	tb, k := dynamo.New(client, name, dynamo.Options{}), table.Key{PK: "a", SK: "1"}
	at := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := tb.Put(t.Context(), table.Item{Key: k, Expires: at}); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(name), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberS{Value: "1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := out.Item[dynamo.TTLAttribute].(*types.AttributeValueMemberN)
	if !ok || got.Value != strconv.FormatInt(at.Unix(), 10) {
		t.Fatalf("%s is %v, want %d as a number", dynamo.TTLAttribute, out.Item[dynamo.TTLAttribute], at.Unix())
	}
}

// A scan finds items of all partitions, and those that expired, over its pages.
func TestScan(t *testing.T) {
	client, name := create(t)
	tb := dynamo.New(client, name, dynamo.Options{})
	body := bytes.Repeat([]byte("x"), 300<<10) // three are a page
	want := map[table.Key]bool{}
	for i := range 8 {
		k := table.Key{PK: "p" + strconv.Itoa(i%3), SK: strconv.Itoa(i)}
		want[k] = true
		if err := tb.Put(t.Context(), table.Item{Key: k, Body: body, Expires: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	for it, err := range tb.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if !want[it.Key] || len(it.Body) != len(body) || it.Version != 1 {
			t.Errorf("%s, of version %d, with %d bytes", it.Key, it.Version, len(it.Body))
		}
		delete(want, it.Key)
	}
	if len(want) > 0 {
		t.Errorf("%v are missing", want)
	}
	for _, err := range dynamo.New(client, "no-such-table", dynamo.Options{}).Scan(t.Context()) {
		if err == nil {
			t.Error("a table that does not exist is scanned")
		}
	}
}
