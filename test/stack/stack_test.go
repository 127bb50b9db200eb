package stack_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/stack"
)

func TestFacts(t *testing.T) {
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	s, err := stack.Deploy(t.Context(), server.URL, "testdata/template.yaml", "sample", map[string]string{"AlertEmail": "ann@example.org"})
	must(t, err)
	jobs, dead, table := resource(t, s, "Jobs"), resource(t, s, "Dead"), resource(t, s, "Table")
	key, topic, bucket := resource(t, s, "Key"), resource(t, s, "Alerts"), resource(t, s, "Bucket")

	t.Run("functions", func(t *testing.T) {
		want := []stack.Function{
			{LogicalID: "Clock", Code: "clock/", Retries: 1, DeadLetterARN: dead.ARN},
			{LogicalID: "Front", Code: "front/", Retries: 2, Environment: map[string]string{"URL": "https://api.execute-api.eu-west-1.amazonaws.com"}},
			{LogicalID: "Worker", Code: "worker/", Retries: 2, Concurrency: 5, Environment: map[string]string{"TOPIC": topic.ID, "KEY": key.ARN}},
		}
		for i, f := range want {
			made := resource(t, s, f.LogicalID)
			f.Name, f.ARN, f.RoleARN = made.ID, made.ARN, resource(t, s, f.LogicalID+"Role").ARN
			f.Handler, f.Runtime, f.Architectures, f.Timeout, f.Memory = "bootstrap", "provided.al2023", []string{"arm64"}, 10, 256
			env := map[string]string{"TABLE": table.ID, "BUCKET": bucket.ID, "QUEUE": jobs.ID}
			for name, value := range f.Environment {
				env[name] = value
			}
			f.Environment = env
			want[i] = f
		}
		if diff := cmp.Diff(want, s.Functions); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("triggers", func(t *testing.T) {
		want := stack.Stack{
			Mappings: []stack.Mapping{{
				LogicalID: "WorkerJobs", Function: "Worker", QueueARN: jobs.ARN, QueueURL: jobs.ID,
				BatchSize: 5, BatchingWindow: 1, PartialFailures: true, MaxConcurrency: 3,
			}},
			Schedules: []stack.Schedule{
				{
					LogicalID: "ClockMinute", Name: resource(t, s, "ClockMinute").ID, ARN: resource(t, s, "ClockMinute").ARN,
					Kind: stack.Rule, Expression: "rate(1 minute)", Function: "Clock", Enabled: true,
				},
				{
					LogicalID: "ClockNightly", Name: "ClockNightly", ARN: "arn:aws:scheduler:eu-west-1:999999999999:schedule/default/ClockNightly",
					Kind: stack.Scheduler, Expression: "cron(0 3 * * ? *)", Input: `{"kind":"nightly"}`, Function: "Clock", Enabled: true,
				},
			},
			Routes: []stack.Route{
				{API: "Api", Method: "ANY", Path: "$default", Function: "Front", Auth: stack.IAMAuth},
				{API: "Api", Method: "GET", Path: "/health", Function: "Front", Auth: stack.NoAuth},
				{API: "Api", Method: "ANY", Path: "/things/{id}", Function: "Front", Auth: stack.IAMAuth},
			},
		}
		got := stack.Stack{Mappings: s.Mappings, Schedules: s.Schedules, Routes: s.Routes}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("queues and outputs", func(t *testing.T) {
		q, _ := s.Queue("Jobs")
		want := stack.Queue{
			LogicalID: "Jobs", Name: q.Name, URL: jobs.ID, ARN: jobs.ARN, VisibilityTimeout: 60, MaxReceiveCount: 3,
			DeadLetterARN: dead.ARN, DeadLetterURL: dead.ID,
		}
		if diff := cmp.Diff(want, q); diff != "" || !strings.HasSuffix(q.URL, "/"+q.Name) {
			t.Errorf("(-want +got):\n%s", diff)
		}
		outputs := map[string]string{
			"Endpoint": "https://api.execute-api.eu-west-1.amazonaws.com", "Table": table.ID, "Name": "sample-dev-mail", "Mail": "ann@example.org",
		}
		if diff := cmp.Diff(outputs, s.Outputs); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("what moto's CloudFormation drops is there", func(t *testing.T) {
		dropped(t, accountConfig(server.URL), s)
	})
}

// dropped looks at what was made through the API.
func dropped(t *testing.T, cfg aws.Config, s *stack.Stack) {
	ctx, table, bucket := context.Background(), resource(t, s, "Table").ID, resource(t, s, "Bucket").ID
	db := dynamodb.NewFromConfig(cfg)
	ttl, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	must(t, err)
	backups, err := db.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &table})
	must(t, err)
	described, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	must(t, err)
	objects := s3.NewFromConfig(cfg)
	versioning, err := objects.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket})
	must(t, err)
	lifecycle, err := objects.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &bucket})
	must(t, err)
	policy, err := objects.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	must(t, err)
	queue, err := sqs.NewFromConfig(cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(resource(t, s, "Dead").ID), AttributeNames: []sqstypes.QueueAttributeName{"Policy"},
	})
	must(t, err)
	subscriptions, err := sns.NewFromConfig(cfg).ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(resource(t, s, "Alerts").ID)})
	must(t, err)
	attached, err := iam.NewFromConfig(cfg).ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String(resource(t, s, "WorkerRole").ID)})
	must(t, err)
	mappings, err := lambda.NewFromConfig(cfg).ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{})
	must(t, err)
	for what, is := range map[string]bool{
		"the table's TTL":             ttl.TimeToLiveDescription.TimeToLiveStatus == "ENABLED",
		"its point-in-time recovery":  backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == "ENABLED",
		"its encryption":              described.Table.SSEDescription != nil && strings.Contains(aws.ToString(described.Table.SSEDescription.KMSMasterKeyArn), resource(t, s, "Key").ID),
		"the bucket's versioning":     versioning.Status == "Enabled",
		"its lifecycle":               len(lifecycle.Rules) == 1 && aws.ToInt32(lifecycle.Rules[0].NoncurrentVersionExpiration.NoncurrentDays) == 30,
		"its policy":                  strings.Contains(aws.ToString(policy.Policy), "arn:aws:s3:::"+bucket+"/*"),
		"the queue's policy":          strings.Contains(queue.Attributes["Policy"], "SecureTransport"),
		"the topic's subscriptions":   len(subscriptions.Subscriptions) == 2,
		"the role's managed policies": len(attached.AttachedPolicies) == 3,
		"no event source mapping":     len(mappings.EventSourceMappings) == 0,
	} {
		if !is {
			t.Errorf("%s is missing", what)
		}
	}
}

// TestTheProductsTemplate deploys what customers deploy.
func TestTheProductsTemplate(t *testing.T) {
	root, err := emulator.Root()
	must(t, err)
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	s, err := stack.Deploy(t.Context(), server.URL, filepath.Join(root, "template.yaml"), "cloudarq", nil)
	must(t, err)
	if len(s.Functions) != 5 || len(s.Mappings) != 4 || len(s.Schedules) != 1 || len(s.Routes) == 0 {
		t.Errorf("%d functions, %d mappings, %d schedules, %d routes", len(s.Functions), len(s.Mappings), len(s.Schedules), len(s.Routes))
	}
	if !s.Schedules[0].Enabled {
		t.Error("nothing is due")
	}
	for _, m := range s.Mappings {
		f, _ := s.Function(m.Function)
		if q, _ := s.QueueByARN(m.QueueARN); q.VisibilityTimeout < 6*f.Timeout || !m.PartialFailures || q.MaxReceiveCount == 0 {
			t.Errorf("%s: visible again after %d s, the function may take %d s; partial failures %t; %d receives",
				m.LogicalID, q.VisibilityTimeout, f.Timeout, m.PartialFailures, q.MaxReceiveCount)
		}
	}
}

// TestOtherPartitions deploys where ARNs and domains are others.
func TestOtherPartitions(t *testing.T) {
	root, err := emulator.Root()
	must(t, err)
	server := emulator.ForTest(t, emulator.Options{})
	for _, name := range []string{"aws-cn", "aws-us-gov", "aws-eusc", "aws-iso"} {
		p, _ := model.PartitionNamed(name)
		s, err := stack.Deployment{Endpoint: server.URL, Region: p.Home, Template: filepath.Join(root, "template.yaml"), Name: "cloudarq"}.Deploy(t.Context())
		must(t, err)
		arns := 0
		for id, r := range s.Resources {
			if strings.HasPrefix(r.ID, "arn:") {
				arns++
				if !strings.HasPrefix(r.ID, "arn:"+name+":") {
					t.Errorf("%s in %s: %s", id, p.Home, r.ID)
				}
			}
		}
		for output, value := range s.Outputs {
			if strings.HasPrefix(value, "arn:") && !strings.HasPrefix(value, "arn:"+name+":") || output == "ApiUrl" && !strings.Contains(value, p.Domains[0]+"/") {
				t.Errorf("the output %s in %s: %s", output, p.Home, value)
			}
		}
		if arns == 0 {
			t.Errorf("no ARN in %s", p.Home)
		}
	}
}

// TestLongNames deploys under the longest names that there may be: a stack's has 128
// characters, that of a nested stack among them, an installation's 20, a table's 255.
func TestLongNames(t *testing.T) {
	root, err := emulator.Root()
	must(t, err)
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	for i, name := range []string{strings.Repeat("c", 128), strings.Repeat("parent-", 13) + "TheNestedCloudArqStack-1A2B3C4D5E6F7"} {
		if len(name) > 128 {
			t.Fatalf("the stack's name has %d characters", len(name))
		}
		installation := "an-installation-of-" + string(rune('a'+i))
		s, err := stack.Deploy(t.Context(), server.URL, filepath.Join(root, "template.yaml"), name, map[string]string{
			"Installation": installation, "TableName": strings.Repeat(string(rune('s'+i)), 255), "AuditRoleName": strings.Repeat("r", 64), "Paused": "true",
		})
		must(t, err)
		if s.Schedules[0].Enabled {
			t.Error("something is due in a deployment that is paused")
		}
		roles := iam.NewFromConfig(accountConfig(server.URL))
		for id, r := range s.Resources {
			most := map[string]int{"AWS::IAM::Role": 64, "AWS::Lambda::Function": 64, "AWS::SQS::Queue": 80, "AWS::SNS::Topic": 256, "AWS::Events::Rule": 64, "AWS::S3::Bucket": 63}[r.Type]
			if short := r.ID[strings.LastIndexAny(r.ID, "/:")+1:]; most > 0 && len(short) > most {
				t.Errorf("the name of %s has %d characters, and %s may have %d: %s", id, len(short), r.Type, most, short)
			}
			if r.Type != "AWS::IAM::Role" || id == "BackupRole" {
				continue
			}
			// All policies of a role together: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (2026-11-30)
			listed, err := roles.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &r.ID})
			must(t, err)
			size := 0
			for _, policy := range listed.PolicyNames {
				p, err := roles.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &r.ID, PolicyName: &policy})
				must(t, err)
				document, err := url.QueryUnescape(aws.ToString(p.PolicyDocument))
				must(t, err)
				size += len(strings.Join(strings.Fields(document), ""))
			}
			if size == 0 || size > 10240 {
				t.Errorf("the policies of %s have %d characters, of 10,240", id, size)
			}
			t.Logf("%s: %d characters of policies", id, size)
		}
	}
}

func TestRefusesWhatWouldBeMissing(t *testing.T) {
	server := emulator.ForTest(t, emulator.Options{Enforce: true})
	for name, c := range map[string]struct{ resource, want string }{
		"a type that the emulator skips": {"{Type: AWS::SecretsManager::RotationSchedule}", "Thing (AWS::SecretsManager::RotationSchedule)"},
		"a REST API":                     {"{Type: AWS::ApiGateway::RestApi, Properties: {Name: x}}", "only HTTP APIs"},
		"a function behind a topic":      {function("Events: {A: {Type: SNS, Properties: {Topic: 'arn:aws:sns:eu-west-1:999999999999:t'}}}"), "invokes a function"},
		"a function behind events":       {function("Events: {A: {Type: EventBridgeRule, Properties: {Pattern: {source: [aws.health]}}}}"), "otherwise than by the clock"},
		"a queue of another stack":       {function("Events: {A: {Type: SQS, Properties: {Queue: 'arn:aws:sqs:eu-west-1:999999999999:q'}}}"), "no queue of the stack"},
		"a variable that is Lambda's":    {function("Environment: {Variables: {AWS_REGION: x}}"), "AWS_REGION"},
		"an unknown policy":              {function("Policies: [arn:aws:iam::aws:policy/NoSuchPolicy]"), "NoSuchPolicy"},
		"what SAM does not understand":   {"{Type: AWS::Serverless::Function, Properties: {CodeUri: x/}}", "Thing"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "template.yaml")
			text := "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nResources:\n  Thing: " + c.resource + "\n"
			must(t, os.WriteFile(path, []byte(text), 0o600))
			stackName := strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", "")
			_, err := stack.Deploy(t.Context(), server.URL, path, stackName, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "Traceback") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	t.Run("a parameter that is not allowed", func(t *testing.T) {
		_, err := stack.Deploy(t.Context(), server.URL, "testdata/template.yaml", "sample", map[string]string{"Stage": "test"})
		if err == nil || !strings.Contains(err.Error(), "allowed are dev, prod") {
			t.Errorf("%v", err)
		}
	})
}

func function(more string) string {
	return "{Type: AWS::Serverless::Function, Properties: {CodeUri: x/, Handler: bootstrap, Runtime: provided.al2023, " + more + "}}"
}

func resource(t *testing.T, s *stack.Stack, logicalID string) stack.Resource {
	t.Helper()
	r, ok := s.Resources[logicalID]
	if !ok {
		t.Fatalf("the stack has no %s", logicalID)
	}
	return r
}

// accountConfig is for clients that act as the stack's account itself.
func accountConfig(url string) aws.Config {
	return aws.Config{
		Region: stack.Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: &http.Client{Transport: asAccount{}},
	}
}

type asAccount struct{}

func (asAccount) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Moto-Account-Id", stack.Account)
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
