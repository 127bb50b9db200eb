package lambdahost_test

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cloudarq/cloudarq/internal/buffered"
	"github.com/cloudarq/cloudarq/test/stack"
)

const region = "eu-west-1"

// seeder makes by hand what package stack makes of a template.
type seeder struct {
	t       *testing.T
	url     string
	account string
	config  aws.Config
}

func newSeeder(t *testing.T, url, account string) *seeder {
	return &seeder{t: t, url: url, account: account, config: aws.Config{
		Region:       region,
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   &http.Client{Transport: asAccount{account, buffered.Transport(&http.Transport{DisableKeepAlives: true})}},
	}}
}

type asAccount struct {
	id   string
	next http.RoundTripper
}

func (a asAccount) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Moto-Account-Id", a.id)
	return a.next.RoundTrip(r)
}

func (s *seeder) seed() *stack.Stack {
	dead := s.queue("dead", nil)
	jobs := s.queue("jobs", map[string]string{
		"VisibilityTimeout": "3600",
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, dead.ARN),
	})
	jobs.LogicalID, jobs.DeadLetterARN, jobs.DeadLetterURL, jobs.MaxReceiveCount = "Jobs", dead.ARN, dead.URL, 2
	dead.LogicalID = "Dead"
	s.table()
	role := s.role("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", "sqs:SendMessage", "dynamodb:PutItem")
	return &stack.Stack{
		Name: "probe", Account: s.account, Region: region, Endpoint: s.url,
		Functions: []stack.Function{{
			LogicalID: "Probe", Name: "probe-function", ARN: "arn:aws:lambda:" + region + ":" + s.account + ":function:probe-function",
			RoleARN: role, Handler: "bootstrap", Runtime: "provided.al2023", Timeout: 3, Memory: 128, Concurrency: 4, Retries: 2,
			DeadLetterARN: dead.ARN, Environment: map[string]string{"TABLE": "probe", "QUEUE": jobs.URL},
		}},
		Queues: []stack.Queue{dead, jobs},
		Mappings: []stack.Mapping{{
			LogicalID: "ProbeJobs", Function: "Probe", QueueARN: jobs.ARN, QueueURL: jobs.URL, BatchSize: 10, PartialFailures: true, MaxConcurrency: 2,
		}},
		Routes: []stack.Route{
			{API: "Api", Method: "ANY", Path: "/open/{proxy+}", Function: "Probe", Auth: stack.NoAuth},
			{API: "Api", Method: "GET", Path: "/open/things/{id}", Function: "Probe", Auth: stack.NoAuth},
			{API: "Api", Method: "ANY", Path: "/do/{word}", Function: "Probe", Auth: stack.NoAuth, Timeout: 1000},
			{API: "Api", Method: "GET", Path: "/picture", Function: "Probe", Auth: stack.NoAuth},
			{API: "Api", Method: "GET", Path: "/nonsense", Function: "Probe", Auth: stack.NoAuth},
			{API: "Api", Method: "POST", Path: "/closed", Function: "Probe", Auth: stack.IAMAuth},
		},
		Schedules: []stack.Schedule{
			{LogicalID: "Tick", Name: "probe-tick", ARN: "arn:aws:events:" + region + ":" + s.account + ":rule/probe-tick", Kind: stack.Rule, Function: "Probe"},
			{LogicalID: "Told", Name: "told", ARN: "arn:told", Kind: stack.Scheduler, Function: "Probe", Input: `{"do":"say <aws.scheduler.scheduled-time>"}`},
		},
	}
}

func (s *seeder) queue(name string, attributes map[string]string) stack.Queue {
	s.t.Helper()
	out, err := sqs.NewFromConfig(s.config).CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(s.t, err)
	return stack.Queue{Name: name, URL: *out.QueueUrl, ARN: "arn:aws:sqs:" + region + ":" + s.account + ":" + name}
}

func (s *seeder) table() {
	s.t.Helper()
	_, err := dynamodb.NewFromConfig(s.config).CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName:            aws.String("probe"),
		BillingMode:          dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
	})
	must(s.t, err)
}

// role makes a role that may do these things. Its name is that of the first.
func (s *seeder) role(actions ...string) string {
	s.t.Helper()
	name := aws.String(strings.ReplaceAll(actions[0], ":", "-"))
	client := iam.NewFromConfig(s.config)
	out, err := client.CreateRole(context.Background(), &iam.CreateRoleInput{
		RoleName:                 name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	must(s.t, err)
	for i, action := range actions {
		_, err := client.PutRolePolicy(context.Background(), &iam.PutRolePolicyInput{
			RoleName: name, PolicyName: aws.String(fmt.Sprintf("p%d", i)),
			PolicyDocument: aws.String(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)),
		})
		must(s.t, err)
	}
	return *out.Role.Arn
}

// send puts messages into Jobs.
func (s *seeder) send(bodies ...string) {
	s.t.Helper()
	for _, body := range bodies {
		_, err := sqs.NewFromConfig(s.config).SendMessage(context.Background(), &sqs.SendMessageInput{
			QueueUrl: aws.String(s.url + "/" + s.account + "/jobs"), MessageBody: &body,
			MessageAttributes: map[string]sqstypes.MessageAttributeValue{"Kind": {DataType: aws.String("String"), StringValue: aws.String("test")}},
		})
		must(s.t, err)
	}
}

// dead lists the bodies in the dead-letter queue.
func (s *seeder) dead() []string {
	s.t.Helper()
	var bodies []string
	for {
		out, err := sqs.NewFromConfig(s.config).ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.url + "/" + s.account + "/dead"), MaxNumberOfMessages: 10,
		})
		must(s.t, err)
		if len(out.Messages) == 0 {
			sort.Strings(bodies)
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
	}
}

// items lists what is in the table.
func (s *seeder) items() []string {
	s.t.Helper()
	out, err := dynamodb.NewFromConfig(s.config).Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String("probe")})
	must(s.t, err)
	var ids []string
	for _, item := range out.Items {
		ids = append(ids, item["id"].(*dynamotypes.AttributeValueMemberS).Value)
	}
	sort.Strings(ids)
	return ids
}
