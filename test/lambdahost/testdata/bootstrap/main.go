// Command bootstrap is a function that does what its events say, for the tests of
// lambdahost.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	if os.Getenv("INIT") == "fail" {
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		resp, err := http.Post(url, "application/json", strings.NewReader(`{"errorType":"Runtime.Settings","errorMessage":"no TABLE"}`))
		if err == nil {
			resp.Body.Close()
		}
		os.Exit(1)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var kind struct {
		Version    string          `json:"version"`
		RawPath    string          `json:"rawPath"`
		Records    json.RawMessage `json:"Records"`
		DetailType string          `json:"detail-type"`
		Do         string          `json:"do"`
	}
	if err := json.Unmarshal(event, &kind); err != nil {
		return nil, err
	}
	switch {
	case kind.Records != nil:
		var e events.SQSEvent
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		return batch(ctx, e)
	case kind.DetailType != "":
		return tick(event)
	case kind.RawPath != "":
		return serve(ctx, kind.RawPath, event)
	default:
		return do(ctx, kind.Do)
	}
}

// do carries out one word.
func do(ctx context.Context, word string) (any, error) {
	verb, rest, _ := strings.Cut(word, " ")
	switch verb {
	case "environ":
		return os.Environ(), nil
	case "pid":
		return os.Getpid(), nil
	case "say":
		fmt.Fprintln(os.Stderr, rest)
		return rest, nil
	case "fail":
		return nil, errors.New("asked to fail")
	case "panic":
		panic("asked to")
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Hour)
	case "nap":
		time.Sleep(200 * time.Millisecond)
		return os.Getpid(), nil
	case "put":
		for _, part := range []string{"first", "second"} {
			if err := put(ctx, rest+"-"+part); err != nil {
				return nil, err
			}
		}
	case "send":
		return nil, send(ctx, rest)
	}
	return word, nil
}

// batch does each message's body. "once" before a word does it the first time only,
// "report" before it hands back its answer as the whole report.
func batch(ctx context.Context, e events.SQSEvent) (any, error) {
	var report events.SQSEventResponse
	for _, m := range e.Records {
		fmt.Printf("record %s %s %s\n", m.MessageId, m.Attributes["ApproximateReceiveCount"], m.Body)
		word, once := strings.CutPrefix(m.Body, "once ")
		if once && m.Attributes["ApproximateReceiveCount"] != "1" {
			continue
		}
		if raw, ok := strings.CutPrefix(word, "report "); ok {
			return json.RawMessage(raw), nil
		}
		if word == "entry" {
			record, err := json.Marshal(m)
			fmt.Println("entry", string(record))
			if err != nil {
				return nil, err
			}
			continue
		}
		if word == "hide and die" {
			if err := hide(ctx, m.ReceiptHandle); err != nil {
				return nil, err
			}
			os.Exit(3)
		}
		if _, err := do(ctx, word); err != nil {
			report.BatchItemFailures = append(report.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return report, nil
}

// tick fails until the file FAILS is empty, and takes a byte from it each time.
func tick(event json.RawMessage) (any, error) {
	name := os.Getenv("FAILS")
	left, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		if err := os.WriteFile(name, left[1:], 0o600); err != nil {
			return nil, err
		}
		return nil, errors.New("not yet")
	}
	return event, nil
}

func serve(ctx context.Context, path string, event json.RawMessage) (any, error) {
	switch {
	case strings.HasPrefix(path, "/do/"): // any route leads here
		return do(ctx, strings.TrimPrefix(path, "/do/"))
	case path == "/picture":
		return map[string]any{"statusCode": 201, "headers": map[string]string{"Content-Type": "image/png", "X-One": "1"},
			"cookies": []string{"a=1; Secure", "b=2"}, "body": "AAEC", "isBase64Encoded": true}, nil
	case path == "/nonsense":
		return map[string]any{"statusCode": "many", "body": "x"}, nil
	default:
		return map[string]any{"statusCode": 200, "headers": map[string]string{"content-type": "application/json"}, "body": string(event)}, nil
	}
}

func put(ctx context.Context, id string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = dynamodb.NewFromConfig(cfg).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(os.Getenv("TABLE")),
		Item:      map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}},
	})
	if err != nil {
		fmt.Println("error", err)
	}
	return err
}

// hide hides a message for a second.
func hide(ctx context.Context, receipt string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = sqs.NewFromConfig(cfg).ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: aws.String(os.Getenv("QUEUE")), ReceiptHandle: &receipt, VisibilityTimeout: 1,
	})
	if err != nil {
		fmt.Println("error", err)
	}
	return err
}

func send(ctx context.Context, body string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: aws.String(os.Getenv("QUEUE")), MessageBody: aws.String(body),
	})
	if err != nil {
		fmt.Println("error", err)
	}
	return err
}
