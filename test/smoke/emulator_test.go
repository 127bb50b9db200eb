package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// emulated is the platform of the tests: the stack is made by test/stack, of the packaged
// template, and its functions run in test/lambdahost.
type emulated struct {
	*run
	binaries map[string]string
	keys     map[string]lambdahost.Key
	logs     io.Writer
	temp     string

	host *lambdahost.Host
	key  string // ARN of the key that the first stack made
	fail error  // what a deployment fails with, when all is made
}

func (e *emulated) deploy(ctx context.Context, template []byte, _ string, parameters map[string]string) (map[string]string, error) {
	parameters = maps.Clone(parameters)
	updates := e.key != ""
	if updates {
		// A stack that is made anew with what the one before has left.
		parameters["AdoptTable"], parameters["AdoptBucket"], parameters["KeyArn"] = "true", "true", e.key
		if err := e.remove(ctx); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(e.temp, "packaged.yaml")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		return nil, err
	}
	made, err := stack.Deployment{
		Endpoint: *e.BaseEndpoint, Region: e.Region, Template: path, Name: e.prefix, Parameters: parameters, Tags: map[string]string{tag: e.prefix},
	}.Deploy(ctx)
	if err != nil {
		return nil, err
	}
	if updates {
		if err := e.resubscribe(ctx, made.Resources["AlertTopic"].ID); err != nil {
			return nil, err
		}
	} else {
		e.key = made.Resources["Key"].ARN
	}
	if e.fail != nil {
		return nil, e.fail
	}
	if e.host, err = lambdahost.Start(ctx, made, lambdahost.Options{
		Binaries: e.binaries, Keys: e.keys, VisibilityOverride: time.Second, MaxEnvironments: 2,
		Environ: map[string]map[string]string{"AggregatorFunction": {"LEASE_FOR": "2s"}, "CheckerFunction": {"WATCH_EVERY": "200ms"}},
		Logs:    func(function, line string) { _, _ = fmt.Fprintf(e.logs, "%s %s\n", function, line) },
	}); err != nil {
		return nil, err
	}
	outputs := maps.Clone(made.Outputs)
	outputs["ApiUrl"] = e.host.URL() + "/v1"
	return outputs, nil
}

// resubscribe does for the topic of a stack that was made anew what in AWS, where the topic
// stays, nobody has to.
func (e *emulated) resubscribe(ctx context.Context, topic string) error {
	_, err := sns.NewFromConfig(estate.Owner(*e.BaseEndpoint, e.account)).Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Attributes: map[string]string{"RawMessageDelivery": "true"},
		Endpoint: aws.String(fmt.Sprintf("arn:aws:sqs:%s:%s:%s", e.Region, e.account, e.queue())),
	})
	return err
}

func (e *emulated) remove(ctx context.Context) error {
	var closed error
	if e.host != nil {
		closed = e.host.Close()
		e.host = nil
	}
	s := &stack.Stack{Name: e.prefix, Endpoint: *e.BaseEndpoint, Region: e.Region, Account: e.account}
	return errors.Join(closed, s.Delete(ctx))
}

// tree is a folder with the template and the functions that it names, built for this
// machine.
var tree = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cloudarq-smoke-")
	if err != nil {
		return "", err
	}
	made = dir
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), template, 0o600); err != nil {
		return "", err
	}
	for _, name := range sources {
		at := filepath.Join(dir, "bin", "functions", name)
		if err := os.MkdirAll(at, 0o700); err != nil {
			return "", err
		}
		if _, err := lambdahost.Build(context.Background(), "./functions/"+name, at); err != nil {
			return "", err
		}
	}
	return dir, nil
})

// sources are the folders of the functions, by their logical ids in the template.
var sources = map[string]string{
	"ApiFunction": "api", "SchedulerFunction": "scheduler", "CheckerFunction": "checker", "AggregatorFunction": "aggregator", "WorkerFunction": "worker",
}

var made string // the folder of tree; empty if no test built it

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		_ = os.RemoveAll(made)
	}
	os.Exit(code)
}

// configured is what load gives, for a user of the emulator's.
func configured(endpoint, key, secret string) aws.Config {
	return aws.Config{
		Region: stack.Region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), RetryMaxAttempts: 3,
	}
}
