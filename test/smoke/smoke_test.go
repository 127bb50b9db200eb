package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

const prefix = "smoke-test"

// account is an account of the emulator's, with a user who may do what policy.json says,
// and nothing else.
type account struct {
	*emulator.Server
	t           *testing.T
	key, secret string
}

func newAccount(t *testing.T) *account {
	t.Helper()
	root, err := emulator.Root()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	a := &account{Server: emulator.ForTest(t, emulator.Options{Enforce: true}), t: t}
	if err := a.Answer(emulator.Answer{Service: "lambda", Operation: "GetAccountSettings", Body: `{"AccountLimit":{"UnreservedConcurrentExecutions":10}}`}); err != nil {
		t.Fatal(err)
	}
	users, name := iam.NewFromConfig(a.owner()), aws.String("ann")
	if _, err := users.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := users.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("smoke"), PolicyDocument: aws.String(own(t))}); err != nil {
		t.Fatal(err)
	}
	made, err := users.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	a.key, a.secret = *made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey
	for name, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": a.key, "AWS_SECRET_ACCESS_KEY": a.secret, "AWS_SESSION_TOKEN": "", "AWS_REGION": stack.Region,
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, v)
	}
	return a
}

func (a *account) owner() aws.Config { return estate.Owner(a.URL, stack.Account) }

// document is policy.json for the tests' installation.
type document struct {
	Version   string
	Statement []map[string]any
}

func read(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal([]byte(policyFor(prefix)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// own is the policy without what CloudFormation does for somebody, which the emulator does
// above all control.
func own(t *testing.T) string {
	t.Helper()
	d, rest := read(t), []map[string]any{}
	for _, s := range d.Statement {
		if s["Sid"] != "CloudFormation" {
			rest = append(rest, s)
		}
	}
	if len(rest) != len(d.Statement)-1 {
		t.Fatal("policy.json has no statement CloudFormation")
	}
	d.Statement = rest
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run is a run of somebody's, whose steps are quick.
func (a *account) run(o options, out io.Writer) (*run, *emulated) {
	o.prefix, o.yes = prefix, true
	if o.services == nil {
		o.services = []string{"kms", "cloudtrail"}
	}
	r := newRun(o, configured(a.URL, a.key, a.secret), out)
	r.pause = 200 * time.Millisecond
	e := &emulated{run: r, logs: io.Discard, keys: map[string]lambdahost.Key{a.key: {Secret: a.secret, ARN: "arn:aws:iam::" + stack.Account + ":user/ann"}}}
	if testing.Verbose() {
		e.logs = a.t.Output()
	}
	r.platform = e
	return r, e
}

// do runs it all.
func (a *account) do(ctx context.Context, r *run, e *emulated) error {
	return r.command(ctx, strings.NewReader(""), func(context.Context) (string, error) {
		dir, err := tree()
		if err != nil {
			return "", err
		}
		e.binaries = map[string]string{}
		for id, name := range sources {
			e.binaries[id] = filepath.Join(dir, "bin", "functions", name, "bootstrap")
		}
		return filepath.Join(dir, "template.yaml"), nil
	})
}

// there is all that is in the account, as its owner sees it, but for keys that are going to
// be deleted.
func (a *account) there() map[string][]string {
	a.t.Helper()
	ctx, cfg, all := a.t.Context(), a.owner(), map[string][]string{}
	must := func(err error) {
		a.t.Helper()
		if err != nil {
			a.t.Fatal(err)
		}
	}
	add := func(kind string, name *string) { all[kind] = append(all[kind], aws.ToString(name)) }
	stacks, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	must(err)
	for _, s := range stacks.Stacks {
		add("stacks", s.StackName)
	}
	db := dynamodb.NewFromConfig(cfg)
	tables, err := db.ListTables(ctx, &dynamodb.ListTablesInput{})
	must(err)
	all["tables"] = tables.TableNames
	backups, err := db.ListBackups(ctx, &dynamodb.ListBackupsInput{})
	must(err)
	for _, b := range backups.BackupSummaries {
		add("backups", b.BackupName)
	}
	buckets, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).ListBuckets(ctx, &s3.ListBucketsInput{})
	must(err)
	for _, b := range buckets.Buckets {
		add("buckets", b.Name)
	}
	queues, err := sqs.NewFromConfig(cfg).ListQueues(ctx, &sqs.ListQueuesInput{})
	must(err)
	all["queues"] = queues.QueueUrls
	topics, err := sns.NewFromConfig(cfg).ListTopics(ctx, &sns.ListTopicsInput{})
	must(err)
	for _, t := range topics.Topics {
		add("topics", t.TopicArn)
	}
	roles, err := iam.NewFromConfig(cfg).ListRoles(ctx, &iam.ListRolesInput{})
	must(err)
	for _, r := range roles.Roles {
		add("roles", r.RoleName)
	}
	policies, err := iam.NewFromConfig(cfg).ListPolicies(ctx, &iam.ListPoliciesInput{Scope: "Local"})
	must(err)
	for _, p := range policies.Policies {
		add("policies", p.PolicyName)
	}
	programs, err := lambda.NewFromConfig(cfg).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	must(err)
	for _, f := range programs.Functions {
		add("functions", f.FunctionName)
	}
	groups, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	must(err)
	for _, g := range groups.LogGroups {
		add("log groups", g.LogGroupName)
	}
	keys := kms.NewFromConfig(cfg)
	aliases, err := keys.ListAliases(ctx, &kms.ListAliasesInput{})
	must(err)
	for _, k := range aliases.Aliases {
		add("aliases", k.AliasName)
	}
	listed, err := keys.ListKeys(ctx, &kms.ListKeysInput{})
	must(err)
	for _, k := range listed.Keys {
		is, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: k.KeyId})
		must(err)
		if is.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
			add("keys", k.KeyId)
		}
	}
	return all
}

// TestRun runs all steps, and leaves nothing.
func TestRun(t *testing.T) {
	a := newAccount(t)
	// A key that is not rotated, so that there is a finding.
	if _, err := kms.NewFromConfig(a.owner()).CreateKey(t.Context(), &kms.CreateKeyInput{}); err != nil {
		t.Fatal(err)
	}
	before := a.there()
	var out bytes.Buffer
	r, e := a.run(options{}, &out)
	err := a.do(t.Context(), r, e)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, a.there()); d != "" {
		t.Errorf("what was there, and is now (-before +after):\n%s", d)
	}
	for _, line := range []string{"as arn:aws:iam::" + stack.Account + ":user/ann", "no drift, and the alert came", "objects brought back", "done: the same 1 findings", "left: the key ", "less than $0.0"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not said", line)
		}
	}
	for _, secret := range []string{a.secret, r.connection.ExternalID} {
		if secret == "" || strings.Contains(out.String(), secret) {
			t.Error("a secret is printed")
		}
	}
}
