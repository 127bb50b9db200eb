package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// template is template.yaml as it is written: intrinsic functions are maps with
// their tag as the one key.
func template(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(data, &node); err != nil {
		t.Fatal(err)
	}
	document, ok := plain(node.Content[0]).(map[string]any)
	if !ok {
		t.Fatal("template.yaml is no map")
	}
	return document
}

func plain(n *yaml.Node) any {
	var value any
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		value = m
	case yaml.SequenceNode:
		all := []any{}
		for _, c := range n.Content {
			all = append(all, plain(c))
		}
		value = all
	default:
		value = n.Value
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return map[string]any{n.Tag: value}
	}
	return value
}

func dig(v any, path ...string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

// resources are those of a type, by logical id: their properties.
func resources(t *testing.T, kind string) map[string]any {
	t.Helper()
	found := map[string]any{}
	all, _ := dig(template(t), "Resources").(map[string]any)
	for id, r := range all {
		if dig(r, "Type") == kind {
			found[id] = dig(r, "Properties")
		}
	}
	if len(found) == 0 {
		t.Fatalf("the template has no %s", kind)
	}
	return found
}

func list1(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, x := range v {
			all = append(all, fmt.Sprint(x))
		}
		return all
	default:
		return []string{fmt.Sprint(v)}
	}
}

var functionNames = map[string]string{
	"ApiFunction": "api", "SchedulerFunction": "scheduler", "CheckerFunction": "checker", "AggregatorFunction": "aggregator", "WorkerFunction": "worker",
}

// TestTemplateFunctions holds each function to the settings that its main and the
// wiring that all share read, and to the rules of the house.
func TestTemplateFunctions(t *testing.T) {
	t.Parallel()
	global := dig(template(t), "Globals", "Function")
	if dig(global, "Runtime") != "provided.al2023" || !reflect.DeepEqual(dig(global, "Architectures"), []any{"arm64"}) || dig(global, "Handler") != "bootstrap" {
		t.Errorf("functions are %v", global)
	}
	functions := resources(t, "AWS::Serverless::Function")
	if len(functions) != len(functionNames) {
		t.Errorf("%d functions, want %d", len(functions), len(functionNames))
	}
	for id, f := range functions {
		name := functionNames[id]
		given := map[string]bool{}
		for _, from := range []any{dig(global, "Environment", "Variables"), dig(f, "Environment", "Variables")} {
			variables, _ := from.(map[string]any)
			for v := range variables {
				given[v] = true
			}
		}
		source := []byte{}
		for _, file := range []string{"internal/wiring/wiring.go", name + "/main.go"} { // what all share, and its own
			read, err := os.ReadFile(filepath.Join(root, "functions", file))
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, read...)
		}
		for _, m := range regexp.MustCompile("`env:\"([A-Z_]+)(,required)?\"`").FindAllStringSubmatch(string(source), -1) {
			if m[2] != "" && !given[m[1]] && !strings.HasPrefix(m[1], "AWS_LAMBDA_") { // those Lambda sets itself
				t.Errorf("%s reads %s, which the template does not set", name, m[1])
			}
			delete(given, m[1])
		}
		for v := range given {
			t.Errorf("the template sets %s, which %s does not read", v, name)
		}
		if want := "bin/functions/" + name + "/"; dig(f, "CodeUri") != want {
			t.Errorf("%s: code is %v, want %s", id, dig(f, "CodeUri"), want)
		}
		role, _ := list1(dig(f, "Role", "!GetAtt")), ""
		if role[0] != strings.TrimSuffix(id, "Function")+"Role.Arn" {
			t.Errorf("%s has the role %v, want one of its own", id, role)
		}
		if dig(f, "FunctionUrlConfig") != nil {
			t.Errorf("%s has an address of its own", id)
		}
	}
}

// TestTemplateQueues holds event sources and queues to what Lambda wants of them.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
func TestTemplateQueues(t *testing.T) {
	t.Parallel()
	queues := resources(t, "AWS::SQS::Queue")
	sources := 0
	for id, f := range resources(t, "AWS::Serverless::Function") {
		events, _ := dig(f, "Events").(map[string]any)
		for _, e := range events {
			if dig(e, "Type") != "SQS" {
				continue
			}
			sources++
			p := dig(e, "Properties")
			if !slices.Contains(list1(dig(p, "FunctionResponseTypes")), "ReportBatchItemFailures") {
				t.Errorf("%s does not report which messages failed", id)
			}
			name := strings.TrimSuffix(fmt.Sprint(dig(p, "Queue", "!GetAtt")), ".Arn")
			concurrency := dig(p, "ScalingConfig", "MaximumConcurrency")
			if name == "JobsQueue" { // so few that results never wait for a place
				if concurrency != "2" {
					t.Errorf("%s: %v jobs at once, want 2", id, concurrency)
				}
			} else if dig(concurrency, "!Ref") == nil {
				t.Errorf("%s: the concurrency is no parameter", id)
			}
			q := queues[name]
			var timeout, visibility, most int
			_, _ = fmt.Sscan(fmt.Sprint(dig(f, "Timeout")), &timeout)
			_, _ = fmt.Sscan(fmt.Sprint(dig(q, "VisibilityTimeout")), &visibility)
			_, _ = fmt.Sscan(fmt.Sprint(dig(q, "RedrivePolicy", "maxReceiveCount")), &most)
			if visibility < 6*timeout || timeout == 0 {
				t.Errorf("%s: visibility %d s is less than six times the timeout of %d s", name, visibility, timeout)
			}
			if dig(f, "Environment", "Variables", "MAX_RECEIVES") != fmt.Sprint(most) {
				t.Errorf("%s: MAX_RECEIVES is not the %d of its queue", id, most)
			}
			if !mayHide(t, list1(dig(f, "Role", "!GetAtt"))[0], name) {
				t.Errorf("%s may not hide the messages of %s while it works on them", id, name)
			}
			dead := strings.TrimSuffix(fmt.Sprint(dig(q, "RedrivePolicy", "deadLetterTargetArn", "!GetAtt")), ".Arn")
			if queues[dead] == nil {
				t.Errorf("%s has no dead-letter queue", name)
			}
		}
	}
	if sources != 4 {
		t.Errorf("%d queues invoke functions, want 4", sources)
	}
	for id, q := range queues {
		if dig(q, "SqsManagedSseEnabled") != "true" {
			t.Errorf("%s is not encrypted", id)
		}
	}
}

// mayHide says whether a role lets a function hide the messages of a queue: without it
// one that dies costs the queue's whole visibility timeout, and nothing else would tell.
func mayHide(t *testing.T, role, queue string) bool {
	t.Helper()
	policies, _ := dig(resources(t, "AWS::IAM::Role")[strings.TrimSuffix(role, ".Arn")], "Policies").([]any)
	for _, p := range policies {
		statements, _ := dig(p, "PolicyDocument", "Statement").([]any)
		for _, s := range statements {
			if slices.Contains(list1(dig(s, "Action")), "sqs:ChangeMessageVisibility") && strings.Contains(fmt.Sprint(dig(s, "Resource")), ":"+queue+".Arn") {
				return true
			}
		}
	}
	return false
}

// TestTemplatePermissions: exact actions, exact resources, and only the checker
// reaches into accounts.
func TestTemplatePermissions(t *testing.T) {
	t.Parallel()
	statements := map[string][]any{}
	for id, r := range resources(t, "AWS::IAM::Role") {
		if dig(r, "ManagedPolicyArns") != nil {
			t.Errorf("%s has managed policies, whose content is not ours", id)
		}
		policies, _ := dig(r, "Policies").([]any)
		for _, p := range policies {
			all, _ := dig(p, "PolicyDocument", "Statement").([]any)
			statements[id] = append(statements[id], all...)
		}
	}
	for id, p := range resources(t, "AWS::IAM::Policy") {
		all, _ := dig(p, "PolicyDocument", "Statement").([]any)
		statements[id] = append(statements[id], all...)
	}
	for id, k := range resources(t, "AWS::KMS::Key") {
		all, _ := dig(k, "KeyPolicy", "Statement").([]any)
		statements[id] = append(statements[id], all...)
		if dig(k, "EnableKeyRotation") != "true" {
			t.Errorf("%s does not rotate", id)
		}
	}
	for _, s := range statements["AggregatorRole"] {
		if fmt.Sprint(dig(s, "Action")) == "[kms:Decrypt kms:GenerateDataKey]" && dig(s, "Condition", "StringNotLike", "kms:EncryptionContext:organization") != "*" {
			t.Errorf("the aggregator can open secrets: %v", s)
		}
	}
	assumes := []string{}
	rekeys := map[string]string{}
	for id, all := range statements {
		for _, s := range all {
			for _, action := range list1(dig(s, "Action")) {
				if strings.HasPrefix(action, "kms:ReEncrypt") {
					rekeys[id+" "+action] = fmt.Sprint(dig(s, "Resource"), dig(s, "Condition"))
				}
				if strings.Contains(action, "*") {
					t.Errorf("%s: wildcard action %s", id, action)
				}
				if action == "sts:AssumeRole" {
					assumes = append(assumes, id)
					if !strings.HasSuffix(fmt.Sprint(dig(s, "Resource", "!Sub")), ":role/${AuditRoleName}") {
						t.Errorf("%s assumes %v", id, dig(s, "Resource"))
					}
				}
			}
			if dig(s, "Resource") == "*" && id != "TracePolicy" && !strings.HasSuffix(id, "Key") {
				t.Errorf("%s: wildcard resource in %v", id, s)
			}
		}
	}
	if !slices.Equal(assumes, []string{"CheckerRole"}) {
		t.Errorf("roles that assume roles: %v", assumes)
	}
	// Data keys are wrapped anew by the worker alone, from CloudArq's key to itself.
	for _, action := range []string{"kms:ReEncryptFrom", "kms:ReEncryptTo"} {
		if of := rekeys["WorkerRole "+action]; !strings.Contains(of, "Key.Arn") {
			t.Errorf("the worker may call %s on %q, want the key", action, of)
		}
		if of := rekeys["Key "+action]; !strings.Contains(of, "${Installation}-worker") || strings.Count(of, "${Installation}") != 1 {
			t.Errorf("the key's policy lets call %s: %s, want the API's role alone", action, of)
		}
	}
	if len(rekeys) != 4 {
		t.Errorf("who may wrap data keys anew: %v", rekeys)
	}
	// Whatever is a wildcard says why, on its own line.
	data, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, `Resource: "*"`) && !strings.Contains(line, "#") {
			t.Errorf("template.yaml:%d: a wildcard without its reason", i+1)
		}
	}
}

// TestTemplateStorage holds what is kept to its protections.
func TestTemplateStorage(t *testing.T) {
	t.Parallel()
	table := resources(t, "AWS::DynamoDB::Table")["Table"]
	for _, want := range [][]string{
		{"DeletionProtectionEnabled", "true"}, {"BillingMode", "PAY_PER_REQUEST"},
	} {
		if dig(table, want[0]) != want[1] {
			t.Errorf("table: %s is %v, want %s", want[0], dig(table, want[0]), want[1])
		}
	}
	if dig(table, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") != "true" || dig(table, "TimeToLiveSpecification", "AttributeName") != "exp" {
		t.Errorf("table: no recovery or no expiry: %v", table)
	}
	if most := dig(template(t), "Parameters", "BackupRetentionDays", "MaxValue"); most != "28" {
		t.Errorf("backups may reach back %v days, want 28, with which what is deleted is gone after 30", most)
	}
	rule, _ := dig(resources(t, "AWS::Backup::BackupPlan")["BackupPlan"], "BackupPlan", "BackupPlanRule").([]any)
	if len(rule) != 1 || dig(rule[0], "Lifecycle", "DeleteAfterDays", "!Ref") != "BackupRetentionDays" || dig(table, "PointInTimeRecoverySpecification", "RecoveryPeriodInDays", "!Ref") != "BackupRetentionDays" {
		t.Errorf("backups are kept otherwise than the parameter says: %v", rule)
	}
	bucket := resources(t, "AWS::S3::Bucket")["EvidenceBucket"]
	for _, flag := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if dig(bucket, "PublicAccessBlockConfiguration", flag) != "true" {
			t.Errorf("bucket: %s is not set", flag)
		}
	}
	if dig(bucket, "VersioningConfiguration", "Status") != "Enabled" || dig(bucket, "BucketEncryption") == nil || dig(bucket, "LifecycleConfiguration") == nil {
		t.Errorf("bucket %v", bucket)
	}
	for id, topic := range resources(t, "AWS::SNS::Topic") {
		if dig(topic, "KmsMasterKeyId") == nil {
			t.Errorf("%s is not encrypted", id)
		}
	}
	auth := dig(resources(t, "AWS::Serverless::HttpApi")["HttpApi"], "Auth")
	if dig(auth, "DefaultAuthorizer") != "AWS_IAM" || dig(auth, "EnableIamAuthorizer") != "true" {
		t.Errorf("the API is open: %v", auth)
	}
	for id, f := range resources(t, "AWS::Serverless::Function") {
		events, _ := dig(f, "Events").(map[string]any)
		for name, e := range events {
			if dig(e, "Type") != "HttpApi" {
				continue
			}
			own := dig(e, "Properties", "Auth")
			path, _ := dig(e, "Properties", "Path").(string)
			switch operators := strings.HasPrefix(path, "/operator/"); {
			case operators && own != nil:
				t.Errorf("%s: %s has an authorizer of its own: %v", id, name, own)
			case !operators && !reflect.DeepEqual(own, map[string]any{"Authorizer": "NONE"}): // the handler knows its callers
				t.Errorf("%s: the gateway asks for %v on %s", id, own, name)
			}
		}
	}
}

// TestFloodsLockNobodyOut: what anybody may call to come in has a throttle of its own, by the
// API and by pages, so that who is signed in goes on while somebody floods it.
func TestFloodsLockNobodyOut(t *testing.T) {
	t.Parallel()
	settings, _ := dig(resources(t, "AWS::Serverless::HttpApi")["HttpApi"], "RouteSettings").(map[string]any)
	events, _ := dig(resources(t, "AWS::Serverless::Function")["ApiFunction"], "Events").(map[string]any)
	routes := map[string]bool{}
	for _, e := range events {
		method, _ := dig(e, "Properties", "Method").(string)
		path, _ := dig(e, "Properties", "Path").(string)
		routes[method+" "+path] = true
	}
	for _, start := range []string{"/v1/sign-in", "/v1/recovery", "/sign-in", "/invitation", "/recovery"} {
		for _, route := range []string{"POST " + start, "POST " + start + "/{proxy+}"} {
			if !routes[route] || dig(settings[route], "ThrottlingRateLimit", "!Ref") != "SignInRateLimit" {
				t.Errorf("%s has no throttle of its own", route)
			}
		}
	}
	for _, route := range []string{"POST /v1/invitations/{proxy+}", "GET /v1/sso/{proxy+}"} {
		if settings[route] == nil {
			t.Errorf("%s has no throttle of its own", route)
		}
	}
	for route := range settings { // CloudFormation refuses settings of no route
		if !routes[route] {
			t.Errorf("%s is no route", route)
		}
	}
}

// TestEveryAlarmHasItsRunbook: each alarm is a heading of the manual, and rings
// for the operators.
func TestEveryAlarmHasItsRunbook(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	alarms := resources(t, "AWS::CloudWatch::Alarm")
	for id, a := range alarms {
		if !strings.Contains(string(manual), "### "+id+"\n") {
			t.Errorf("docs/operations.md has no runbook for %s", id)
		}
		if !reflect.DeepEqual(dig(a, "AlarmActions"), []any{map[string]any{"!Ref": "OperationsTopic"}}) {
			t.Errorf("%s rings nowhere", id)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (\w+Alarm)$`).FindAllStringSubmatch(string(manual), -1) {
		if alarms[m[1]] == nil {
			t.Errorf("docs/operations.md has a runbook for %s, which is no alarm", m[1])
		}
	}
}

// TestEveryParameterIsExplained: people who deploy see what they choose.
func TestEveryParameterIsExplained(t *testing.T) {
	t.Parallel()
	document := template(t)
	for _, section := range []string{"Parameters", "Outputs"} {
		all, _ := dig(document, section).(map[string]any)
		for name, p := range all {
			if text, _ := dig(p, "Description").(string); len(text) < 10 {
				t.Errorf("%s %s is not explained", section, name)
			}
		}
	}
}

// longestNames are the most characters of each property by which the template names
// something, from the services' own references (2026-11-30); of what it does not name,
// CloudFormation cuts the name that it makes.
var longestNames = map[string]int{
	"AWS::Backup::BackupPlan BackupPlanName":     50, // https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupPlan.html
	"AWS::Backup::BackupSelection SelectionName": 50,
	"AWS::Backup::BackupVault BackupVaultName":   50,  // https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html
	"AWS::DynamoDB::Table IndexName":             255, // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	"AWS::DynamoDB::Table TableName":             255,
	"AWS::IAM::Policy PolicyName":                128, // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	"AWS::IAM::Role PolicyName":                  128,
	"AWS::IAM::Role RoleName":                    64,
	"AWS::KMS::Alias AliasName":                  256, // https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
	"AWS::S3::Bucket BucketName":                 63,  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	"AWS::SNS::Topic DisplayName":                100, // https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
	"AWS::Backup::BackupPlan RuleName":           50,
}

// notNames end with "Name" and name nothing that the template makes.
var notNames = []string{"AttributeName", "MetricName"}

// TestTemplateNames computes all names for every region that AWS has, of the installation
// with the longest name: none is too long. Nothing is named after the stack, whose name may
// have 128 characters, also as a nested one.
func TestTemplateNames(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "AWS::StackName") {
		t.Error("something is named after the stack")
	}
	pattern := fmt.Sprint(dig(template(t), "Parameters", "Installation", "AllowedPattern"))
	bounds := regexp.MustCompile(`\[a-z\]\[a-z0-9-\]\{1,(\d+)\}\$$`).FindStringSubmatch(pattern)
	if bounds == nil {
		t.Fatalf("the pattern of Installation is not understood: %s", pattern)
	}
	most, _ := strconv.Atoi(bounds[1])
	regions := append(model.KnownRegions(), "us-iso-west-1", "us-isob-west-1", "us-isof-east-1", "eu-isoe-west-1")
	for _, p := range model.Partitions() {
		regions = append(regions, p.Home)
	}
	names, longest := 0, ""
	all, _ := dig(template(t), "Resources").(map[string]any)
	for id, r := range all {
		kind := fmt.Sprint(dig(r, "Type"))
		eachName(dig(r, "Properties"), func(property string, value any) {
			limit, known := longestNames[kind+" "+property]
			if !known {
				t.Errorf("%s has a %s, and nobody knows how long that may be", id, property)
				return
			}
			names++
			for _, region := range regions {
				name := filled(value, strings.Repeat("i", most+1), region)
				if len(name) > limit || strings.Contains(name, "$") {
					t.Errorf("%s of %s has %d characters in %s, of %d: %s", property, id, len(name), region, limit, name)
				}
				if property == "BucketName" && len(name) > len(longest) {
					longest = name
				}
			}
		})
	}
	if names < 15 || longest == "" {
		t.Errorf("%d names, and %q is the longest of a bucket", names, longest)
	}
	t.Logf("%d names in %d regions; the longest of a bucket has %d characters", names, len(regions), len(longest))
}

// eachName gives the properties that name something, at any depth.
func eachName(value any, see func(property string, value any)) {
	switch v := value.(type) {
	case map[string]any:
		for name, part := range v {
			if name == "PolicyDocument" || name == "KeyPolicy" || name == "Dimensions" || name == "Environment" {
				continue
			}
			if strings.HasSuffix(name, "Name") && !slices.Contains(notNames, name) {
				see(name, part)
				continue
			}
			eachName(part, see)
		}
	case []any:
		for _, part := range v {
			eachName(part, see)
		}
	}
}

// filled is a name with everything in it that CloudFormation puts there.
func filled(value any, installation, region string) string {
	if m, ok := value.(map[string]any); ok {
		if text, ok := m["!Sub"].(string); ok {
			return strings.NewReplacer("${Installation}", installation, "${AWS::AccountId}", "111122223333", "${AWS::Region}", region).Replace(text)
		}
		if m["!Ref"] == "TableName" {
			return strings.Repeat("t", 255)
		}
		return fmt.Sprint("$", m)
	}
	return fmt.Sprint(value)
}
