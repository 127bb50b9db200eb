package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	gocmp "github.com/google/go-cmp/cmp"

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
	if _, err := users.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("smoke"), PolicyDocument: aws.String(ownStatements(t))}); err != nil {
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
	if err := json.Unmarshal([]byte(policyFor(prefix, stack.Region)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// ownStatements are the policy without what CloudFormation does for somebody, which the emulator does
// above all control.
func ownStatements(t *testing.T) string {
	t.Helper()
	d, rest := read(t), []map[string]any{}
	for _, s := range d.Statement {
		if sid, _ := s["Sid"].(string); !strings.HasPrefix(sid, "CloudFormation") {
			rest = append(rest, s)
		}
	}
	if len(rest) != len(d.Statement)-3 {
		t.Fatalf("policy.json has %d statements, and %d of them are no CloudFormation's", len(d.Statement), len(rest))
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
	e := &emulated{run: r, logs: io.Discard, temp: a.t.TempDir(), keys: map[string]lambdahost.Key{a.key: {Secret: a.secret, ARN: "arn:aws:iam::" + stack.Account + ":user/ann"}}}
	if testing.Verbose() {
		e.logs = a.t.Output()
	}
	r.platform = e
	return r, e
}

// do runs it all.
func (a *account) do(ctx context.Context, r *run, e *emulated) error {
	template := a.built(e)
	return r.command(ctx, strings.NewReader(""), func(context.Context) (string, error) { return template, nil })
}

// built builds the functions, and gives the template beside them.
func (a *account) built(e *emulated) string {
	a.t.Helper()
	dir, err := tree()
	if err != nil {
		a.t.Fatal(err)
	}
	e.binaries = map[string]string{}
	for id, name := range sources {
		e.binaries[id] = filepath.Join(dir, "bin", "functions", name, "bootstrap")
	}
	return filepath.Join(dir, "template.yaml")
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
	if d := gocmp.Diff(before, a.there()); d != "" {
		t.Errorf("what was there, and is now (-before +after):\n%s", d)
	}
	for _, line := range []string{"as arn:aws:iam::" + stack.Account + ":user/ann", "no drift, and the alert came", "objects brought back", "done: the same 1 findings", "left: the key ", "less than $0.05"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%q is not said", line)
		}
	}
	a.needed()
	for _, secret := range []string{a.secret, r.connection.ExternalID} {
		if secret == "" || strings.Contains(out.String(), secret) {
			t.Error("a secret is printed")
		}
	}
}

// unseen are the actions that a run takes in AWS alone, or when something goes wrong, and why.
var unseen = map[string]string{
	"cloudformation:ListChangeSets":     "of a stack that was never made",
	"cloudformation:ListStackResources": "of a stack that cannot be deleted",
	"cloudformation:TagResource":        "change sets have tags",
	"dynamodb:DescribeBackup":           "of the table of a run that was killed, and to wait for a backup",
	"execute-api:Invoke":                "the host is the API",
	"s3:DeleteObjectVersion":            "the emulator calls it DeleteObject",
	"s3:GetObject":                      "CloudFormation reads the template, and Lambda the code, as who deploys",
	"sqs:TagQueue":                      "a queue is made with its tags",
}

// needed wants each action of the policy to have been used, so that it allows no more than
// a run takes.
func (a *account) needed() {
	a.t.Helper()
	calls, err := a.Calls()
	if err != nil {
		a.t.Fatal(err)
	}
	called := map[string]bool{}
	for _, c := range calls {
		called[strings.ToLower(c.Service+":"+c.Operation)] = true
	}
	operations := map[string]string{"s3:ListBucketVersions": "s3:ListObjectVersions", "s3:PutBucketPublicAccessBlock": "s3:PutPublicAccessBlock", "s3:DeleteObject": "s3:DeleteObjects"}
	var own document
	if err := json.Unmarshal([]byte(ownStatements(a.t)), &own); err != nil {
		a.t.Fatal(err)
	}
	for _, s := range own.Statement {
		actions, several := s["Action"].([]any)
		if !several {
			actions = []any{s["Action"]}
		}
		for _, each := range actions {
			action := each.(string)
			if _, known := unseen[action]; !known && !called[strings.ToLower(cmp.Or(operations[action], action))] {
				a.t.Errorf("policy.json allows %s, which nothing took", action)
			}
		}
	}
}

// begun does the first steps of a run.
func (a *account) begun(r *run, e *emulated) {
	a.t.Helper()
	ctx := a.t.Context()
	if err := r.identify(ctx); err != nil {
		a.t.Fatal(err)
	}
	if err := r.look(ctx); err != nil {
		a.t.Fatal(err)
	}
	template := a.built(e)
	if err := r.do(ctx, step{"package", time.Minute, func(ctx context.Context) (string, error) { return r.pack(ctx, template) }}, step{"deploy", time.Minute, r.deploy}); err != nil {
		a.t.Fatal(err)
	}
}

// interrupter interrupts when a line is printed.
type interrupter struct {
	bytes.Buffer
	at        string
	interrupt context.CancelFunc
}

func (i *interrupter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(i.at)) {
		i.interrupt()
	}
	return i.Buffer.Write(p)
}

// TestDestroyed: whatever becomes of a run, what it made is gone in the end, and what
// others made is left.
func TestDestroyed(t *testing.T) {
	a := newAccount(t)
	before := a.there()
	same := func(t *testing.T, out string) {
		t.Helper()
		if d := gocmp.Diff(before, a.there()); d != "" {
			t.Errorf("what was there, and is now (-before +after):\n%s\n%s", d, out)
		}
	}
	destroy := func(t *testing.T) (string, error) {
		t.Helper()
		var out bytes.Buffer
		r, e := a.run(options{destroy: true}, &out)
		err := a.do(t.Context(), r, e)
		return out.String(), err
	}

	t.Run("after a step that failed", func(t *testing.T) {
		var out bytes.Buffer
		r, e := a.run(options{}, &out)
		e.fail = errors.New("nothing answers")
		if err := a.do(t.Context(), r, e); err == nil || !strings.Contains(err.Error(), "deploy: nothing answers") {
			t.Errorf("%v\n%s", err, out.String())
		}
		same(t, out.String())
	})
	t.Run("when it is told to, of a run that was told to keep it", func(t *testing.T) {
		var out bytes.Buffer
		r, e := a.run(options{keep: true}, &out)
		e.fail = errors.New("nothing answers")
		if err := a.do(t.Context(), r, e); err == nil || !strings.Contains(out.String(), "delete it with: make smoke DESTROY=1 PREFIX=smoke-test\n") {
			t.Errorf("%v\n%s", err, out.String())
		}
		if gocmp.Equal(before, a.there()) {
			t.Error("nothing was kept")
		}
		said, err := destroy(t)
		if err != nil {
			t.Error(err)
		}
		same(t, said)
	})
	t.Run("after an interruption", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		out := &interrupter{at: "deploy ", interrupt: cancel}
		r, e := a.run(options{}, out)
		if err := a.do(ctx, r, e); !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "interrupted\n") {
			t.Errorf("%v\n%s", err, out.String())
		}
		same(t, out.String())
	})
	t.Run("after a run that was killed while a table was restored", func(t *testing.T) {
		r, e := a.run(options{}, io.Discard)
		a.begun(r, e)
		db := dynamodb.NewFromConfig(a.owner())
		backup, err := db.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: &r.prefix, BackupName: aws.String(r.backup())})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{BackupArn: backup.BackupDetails.BackupArn, TargetTableName: aws.String(r.restoredTable())}); err != nil {
			t.Fatal(err)
		}
		if err := e.host.Close(); err != nil {
			t.Fatal(err)
		}

		again, emulated := a.run(options{}, io.Discard)
		if err := a.do(t.Context(), again, emulated); err == nil || !strings.Contains(err.Error(), "the stack smoke-test is of an earlier smoke run; delete it with: make smoke DESTROY=1 PREFIX=smoke-test") {
			t.Errorf("another run: %v", err)
		}
		if err := a.SCP(stack.Account, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"kms:ScheduleKeyDeletion","Resource":"*"}]}`); err != nil {
			t.Fatal(err)
		}
		out, err := destroy(t)
		if err == nil || !strings.Contains(err.Error(), "denies kms:ScheduleKeyDeletion; delete the rest with: make smoke DESTROY=1 PREFIX=smoke-test") {
			t.Errorf("without a permission: %v\n%s", err, out)
		}
		if err := a.SCP(stack.Account, ""); err != nil {
			t.Fatal(err)
		}
		out, err = destroy(t)
		if err != nil || !strings.Contains(out, "left: the key ") {
			t.Errorf("%v\n%s", err, out)
		}
		same(t, out)
	})
	t.Run("but not what others made", func(t *testing.T) {
		db := dynamodb.NewFromConfig(a.owner())
		if _, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String(prefix), BillingMode: dynamotypes.BillingModePayPerRequest,
			AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
			KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: dynamotypes.KeyTypeHash}},
		}); err != nil {
			t.Fatal(err)
		}
		before := a.there()
		r, e := a.run(options{}, io.Discard)
		if err := a.do(t.Context(), r, e); err == nil || err.Error() != "the table smoke-test exists already, and no smoke run made it; say another PREFIX" {
			t.Errorf("a run: %v", err)
		}
		if out, err := destroy(t); err != nil || !strings.Contains(out, "left: the table smoke-test, which no smoke run made\n") {
			t.Errorf("%v\n%s", err, out)
		}
		if d := gocmp.Diff(before, a.there()); d != "" {
			t.Errorf("what was there, and is now (-before +after):\n%s", d)
		}
	})
}
