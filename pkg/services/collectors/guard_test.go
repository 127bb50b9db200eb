package collectors_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// wire is an HTTP client through which only operations of the table may go; it
// sends nothing.
type wire struct {
	t     *testing.T
	guard *client.Guard
}

func (w wire) Do(r *http.Request) (*http.Response, error) {
	operation := awsmiddleware.GetServiceID(r.Context()) + "." + awsmiddleware.GetOperationName(r.Context())
	if !w.guard.Allows(operation) {
		w.t.Errorf("%s reached the wire: %s %s", operation, r.Method, r.URL)
	}
	return nil, errors.New("the test sends nothing")
}

// call is what came of calling one operation of one SDK client.
type call struct {
	client  reflect.Type
	name    string               // "ListKeys"
	answer  reflect.Type         // *kms.ListKeysOutput
	refusal *client.RefusedError // nil where the guard let it through
}

// calls calls every operation of every SDK client in use, through the guard; nothing is
// sent.
func calls(t *testing.T, guard *client.Guard) []call {
	t.Helper()
	cfg := aws.Config{
		Region: "eu-west-1", HTTPClient: wire{t, guard},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	guard.Protect(&cfg)
	var all []call
	for _, entrance := range clients(cfg) {
		value := reflect.ValueOf(entrance)
		for i := range value.NumMethod() {
			in, isOperation := input(value.Method(i).Type())
			if !isOperation {
				continue
			}
			results := value.Method(i).Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.New(in)})
			made := call{client: value.Type(), name: value.Type().Method(i).Name, answer: results[0].Type()}
			err, _ := results[1].Interface().(error)
			errors.As(err, &made.refusal)
			all = append(all, made)
		}
	}
	return all
}

// TestGuardRefusesEveryOtherOperation calls every operation of every SDK client
// in use: those that are not in the published table are refused before a byte is
// sent. The table itself is small.
func TestGuardRefusesEveryOtherOperation(t *testing.T) {
	t.Parallel()
	guard := client.NewGuard()
	refused := map[string]bool{}
	allowed := 0
	for _, c := range calls(t, guard) {
		if c.refusal == nil {
			allowed++
			continue
		}
		if service, operation, _ := strings.Cut(c.refusal.Operation, "."); service == "" || operation != c.name {
			t.Errorf("%s of %s was refused as %q", c.name, c.client, c.refusal.Operation)
		}
		refused[c.refusal.Operation] = true
		if guard.Allows(c.refusal.Operation) {
			t.Errorf("%s is in the table and was refused", c.name)
		}
	}
	t.Logf("%d operations refused, %d allowed", len(refused), allowed)
	if allowed != len(policy.Operations()) {
		t.Errorf("%d operations were let through, the table has %d", allowed, len(policy.Operations()))
	}
	for _, never := range []string{
		"S3.PutObject", "S3.GetObject", "S3.DeleteObject", "Secrets Manager.GetSecretValue", "IAM.CreateRole", "EC2.RunInstances",
		"KMS.Decrypt", "Lambda.GetFunction", "DynamoDB.GetItem", "DynamoDB.Scan", "CloudWatch Logs.FilterLogEvents", "STS.GetSessionToken",
	} {
		if !refused[never] {
			t.Errorf("%s was not refused", never)
		}
	}
	// Parameter Store has no client here; its operations are refused by name.
	if guard.Allows("SSM.GetParameter") {
		t.Error("SSM.GetParameter is allowed")
	}
}

// input is the type of an operation's input: the methods of the form
// (context, *Input, ...func(*Options)) (*Output, error).
func input(method reflect.Type) (reflect.Type, bool) {
	if method.NumIn() != 3 || !method.IsVariadic() || method.NumOut() != 2 ||
		method.In(0) != reflect.TypeFor[context.Context]() || method.In(1).Kind() != reflect.Pointer {
		return nil, false
	}
	return method.In(1).Elem(), true
}
