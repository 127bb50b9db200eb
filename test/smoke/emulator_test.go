package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	host *lambdahost.Host
	made *stack.Stack
	fail error // what the next deployment fails with, when all is made
}

func (e *emulated) deploy(ctx context.Context, template []byte, _ string, parameters map[string]string) (map[string]string, error) {
	with := map[string]string{}
	for name, v := range parameters {
		with[name] = v
	}
	if e.made != nil {
		// An update is a stack that is made anew with what the one before has left.
		with["AdoptTable"], with["AdoptBucket"], with["KeyArn"] = "true", "true", e.key()
		if err := e.remove(ctx); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "smoke-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		return nil, err
	}
	was := e.made
	e.made, err = stack.Deployment{
		Endpoint: *e.BaseEndpoint, Region: e.Region, Template: path, Name: e.prefix, Parameters: with, Tags: map[string]string{tag: e.prefix},
	}.Deploy(ctx)
	if err != nil {
		return nil, err
	}
	if was != nil {
		if err := e.resubscribe(ctx); err != nil {
			return nil, err
		}
		if e.made.Resources["Key"].ARN == "" {
			e.made.Resources["Key"] = was.Resources["Key"]
		}
	}
	if e.fail != nil {
		return nil, e.fail
	}
	if e.host, err = lambdahost.Start(ctx, e.made, lambdahost.Options{
		Binaries: e.binaries, Keys: e.keys, VisibilityOverride: time.Second, MaxEnvironments: 2,
		Environ: map[string]map[string]string{"AggregatorFunction": {"LEASE_FOR": "2s"}, "CheckerFunction": {"WATCH_EVERY": "200ms"}},
		Logs:    func(function, line string) { _, _ = fmt.Fprintf(e.logs, "%s %s\n", function, line) },
	}); err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for name, v := range e.made.Outputs {
		outputs[name] = v
	}
	outputs["ApiUrl"] = e.host.URL() + "/v1"
	return outputs, nil
}

func (e *emulated) key() string { return e.made.Resources["Key"].ARN }

// resubscribe does for the topic of a stack that was made anew what in AWS, where the topic
// stays, nobody has to.
func (e *emulated) resubscribe(ctx context.Context) error {
	topic := e.made.Resources["AlertTopic"].ID
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
	dir, err := os.MkdirTemp("", "smoke-tree-")
	if err != nil {
		return "", err
	}
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

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := tree(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// configured is what load gives, for a user of the emulator's.
func configured(endpoint, key, secret string) aws.Config {
	return aws.Config{
		Region: stack.Region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), RetryMaxAttempts: 3,
	}
}
