package serverless_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// attempt is something that a role tries; who may are the functions that have a reason to.
type attempt struct {
	what string
	may  []string
	try  func(ctx context.Context, as aws.Config) error
}

const (
	apiRole, schedulerRole, checkerRole, aggregatorRole, workerRole = "ApiFunction", "SchedulerFunction", "CheckerFunction", "AggregatorFunction", "WorkerFunction"
)

var everyRole = []string{apiRole, schedulerRole, checkerRole, aggregatorRole, workerRole}

// TestRolesAreNarrow assumes the role of each function and tries everything that some
// function may do, on records, objects, keys, queues and topics: whoever was taken over
// can do what it has a reason to do, and nothing else.
func TestRolesAreNarrow(t *testing.T) {
	h := start(t, "roles", nil)
	sample := h.estate.Account("well-kept")
	attempts := slices.Concat(h.onRecords(), h.onObjects(), h.onKeys(t), h.onQueues(), []attempt{
		{"assume the audit role of an account", []string{checkerRole}, assume(sample.RoleARN)},
		{"assume another role of an account", nil, assume(strings.Replace(sample.RoleARN, "CloudArqAuditRole", "Administrator", 1))},
		{"assume the audit role by another name", nil, assume(sample.RoleARN + "2")},
		{"tell what happened", []string{apiRole, schedulerRole, aggregatorRole, workerRole}, putEvents("", "cloudarq", "cloudarq")},
		{"tell it in another's name", nil, putEvents("", "aws.securityhub")},
		{"tell it in another's name, too", nil, putEvents("", "cloudarq", "aws.securityhub")},
		{"tell it to another bus", nil, putEvents("another", "cloudarq")},
		{"publish an alert", []string{aggregatorRole}, publish(h.output("AlertTopicArn"))},
		{"publish an alert for chats", []string{aggregatorRole}, publish(h.output("ChatTopicArn"))},
		{"publish an alarm", nil, publish(h.output("OperationsTopicArn"))},
	})
	tried, allowed := 0, 0
	for _, role := range everyRole {
		as, err := h.As(role)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attempts {
			err := a.try(t.Context(), as)
			if may := slices.Contains(a.may, role); may && denied(err) {
				t.Errorf("%s may not %s: %v", role, a.what, err)
			} else if !may {
				if tried++; !denied(err) {
					allowed++
					t.Errorf("%s may %s (%v)", role, a.what, err)
				}
			}
		}
	}
	fmt.Printf("role matrix: %d forbidden actions tried, %d allowed\n", tried, allowed)
	if tried < 200 {
		t.Errorf("%d forbidden actions were tried", tried)
	}
}

func publish(topic *string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, as aws.Config) error {
		_, err := sns.NewFromConfig(as).Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("x")})
		return err
	}
}

// putEvents sends an event of each source to a bus.
func putEvents(name string, sources ...string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, as aws.Config) error {
		in := &eventbridge.PutEventsInput{}
		for _, source := range sources {
			entry := eventtypes.PutEventsRequestEntry{Source: &source, DetailType: aws.String("of a test"), Detail: aws.String("{}")}
			if name != "" {
				entry.EventBusName = &name
			}
			in.Entries = append(in.Entries, entry)
		}
		_, err := eventbridge.NewFromConfig(as).PutEvents(ctx, in)
		return err
	}
}

// denied reports whether AWS says that somebody may not; what does not exist, or is of
// another form, was allowed.
func denied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.Contains(api.ErrorCode(), "AccessDenied") || errors.As(err, &api) && api.ErrorCode() == "AuthorizationError"
}

func (h *house) output(name string) *string {
	value, ok := h.stack.Outputs[name]
	if !ok {
		h.t.Fatalf("the stack has no output %s", name)
	}
	return &value
}

func assume(role string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, as aws.Config) error {
		_, err := sts.NewFromConfig(as).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("taken-over"), ExternalId: aws.String("any")})
		// The account denies whoever does not know its External ID, too; what counts is
		// whether the role's own policy does.
		var api smithy.APIError
		if errors.As(err, &api) && !strings.Contains(api.ErrorMessage(), "identity-based policy") {
			return nil
		}
		return err
	}
}

// recordKind is a kind of records, and who has a reason to read, write and remove them.
type recordKind struct {
	kind, sk            string
	read, write, remove []string
}

// onRecords tries to read, write and remove a record of each kind, of another
// organization, and what holds of the whole table.
func (h *house) onRecords() []attempt {
	name := h.stack.Resources["Table"].ID
	everybody := everyRole
	except := func(who ...string) []string {
		return slices.DeleteFunc(slices.Clone(everybody), func(role string) bool { return slices.Contains(who, role) })
	}
	kinds := []recordKind{
		{"ORGANIZATION", "settings", []string{apiRole, schedulerRole, checkerRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"EXTERNAL-IDS", "external-ids", []string{apiRole, checkerRole, workerRole}, []string{apiRole, checkerRole}, []string{apiRole, checkerRole, workerRole}},
		{"KEY", "organization", []string{apiRole, checkerRole, workerRole}, []string{apiRole, workerRole}, []string{apiRole, workerRole}},
		{"ACCESS-KEY#c", "1", []string{apiRole, checkerRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"ACCESS", "c", []string{workerRole}, nil, []string{workerRole}},
		{"CONNECTION", "c", everybody, []string{apiRole}, []string{apiRole, workerRole}},
		{"STATE", "c", everybody, except(apiRole, workerRole), except(apiRole)},
		{"CALLS#c", "a", []string{checkerRole, workerRole}, []string{checkerRole}, []string{checkerRole, workerRole}},
		{"VERIFIED", "c", []string{apiRole, checkerRole, workerRole}, []string{apiRole, checkerRole}, []string{apiRole, checkerRole, workerRole}},
		{"AUDIT#c", "a", everybody, everybody, everybody},
		{"TASK#a", "t", everybody, except(workerRole), everybody},
		{"FINDING#c#s3", "f", []string{apiRole, aggregatorRole, workerRole}, []string{aggregatorRole}, []string{aggregatorRole, workerRole}},
		{"SCOPE#c", "s3", everybody, []string{aggregatorRole}, []string{aggregatorRole, workerRole}},
		{"MARK#7", "c", []string{apiRole, aggregatorRole, workerRole}, []string{apiRole, aggregatorRole}, []string{apiRole, workerRole}},
		{"MARKS", "7", []string{apiRole, aggregatorRole, workerRole}, []string{apiRole, aggregatorRole}, []string{workerRole}},
		{"TREND#c", "a", except(checkerRole), []string{apiRole, schedulerRole, aggregatorRole}, []string{workerRole}},
		{"ROLLUP", "rolling", except(checkerRole), []string{apiRole, schedulerRole, aggregatorRole}, []string{apiRole, workerRole}},
		{"CLOCK#PURGE", "c", except(checkerRole), except(checkerRole, workerRole), except(checkerRole)},
		{"RECEIPT", "c", []string{apiRole, workerRole}, []string{apiRole, workerRole}, []string{apiRole, workerRole}},
		{"SIGNING", "key", []string{apiRole, workerRole}, []string{workerRole}, []string{workerRole}},
		{"JOB", "j", []string{apiRole, workerRole}, []string{apiRole, workerRole}, []string{apiRole, workerRole}},
		{"ONCE#audit", "k", []string{apiRole, schedulerRole}, []string{apiRole, schedulerRole}, []string{apiRole, schedulerRole}},
		{"ADMINLOG", "000000000001", []string{apiRole, workerRole}, []string{apiRole, workerRole}, []string{workerRole}},
		{"LOGGING", "e", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"LIMIT#audit.person#d", "w", nil, []string{apiRole}, nil},
		{"MEMBER", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"ATTESTATION", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"PROJECT", "x", []string{apiRole, schedulerRole, aggregatorRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"INVITATION", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"RECOVERY", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"TOKEN", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"TOKEN-USED", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"REUSED", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"SSO", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"IDENTITY", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"EVENT", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"STEPPING-DOWN", "x", []string{apiRole, workerRole}, []string{apiRole}, []string{apiRole, workerRole}},
		{"ANYTHING", "x", nil, nil, nil},
	}
	for i := range kinds {
		kinds[i].kind = "O#victim#" + kinds[i].kind
	}
	both := []string{apiRole, workerRole}
	kinds = append( // of people and of the installation
		kinds,
		recordKind{"P#01", "x", both, both, both}, recordKind{"P#01#SESSION", "x", both, both, both}, recordKind{"P#01#MEMBERSHIP", "x", both, both, both},
		recordKind{"E#0f", "x", both, both, []string{apiRole}}, recordKind{"K#01", "x", both, []string{apiRole}, both},
		recordKind{"I#KEYS", "x", []string{apiRole}, []string{apiRole}, []string{apiRole}}, recordKind{"I#KEY", "x", both, both, []string{apiRole}},
	)
	kinds = append(kinds, recordKind{"Z#ANYTHING", "x", nil, nil, nil})
	var all []attempt
	for _, k := range kinds {
		pk := k.kind
		key := map[string]dynamotypes.AttributeValue{"pk": word(pk), "sk": word(k.sk + "-of-a-test")}
		all = append(
			all,
			attempt{"read " + pk + "/" + k.sk, k.read, func(ctx context.Context, as aws.Config) error {
				_, err := dynamodb.NewFromConfig(as).GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: key})
				return err
			}},
			attempt{"query " + pk, k.read, func(ctx context.Context, as aws.Config) error {
				_, err := dynamodb.NewFromConfig(as).Query(ctx, &dynamodb.QueryInput{
					TableName: &name, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":p": word(pk)},
				})
				return err
			}},
			attempt{"write " + pk + "/" + k.sk, k.write, func(ctx context.Context, as aws.Config) error {
				// Whether it may is said before the condition is looked at, which does not hold: others work on this table.
				_, err := dynamodb.NewFromConfig(as).PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: key, ConditionExpression: aws.String("attribute_exists(pk)")})
				return err
			}},
			attempt{"remove " + pk + "/" + k.sk, k.remove, func(ctx context.Context, as aws.Config) error {
				_, err := dynamodb.NewFromConfig(as).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &name, Key: key})
				return err
			}},
		)
	}
	return append(
		all,
		attempt{"note an organization", []string{apiRole, workerRole}, func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]dynamotypes.AttributeValue{"pk": word("D#ORGANIZATIONS"), "sk": word("of-a-test")}})
			return err
		}},
		attempt{"remove an organization's name", nil, func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &name, Key: map[string]dynamotypes.AttributeValue{"pk": word("D#ORGANIZATIONS"), "sk": word("of-a-test")}})
			return err
		}},
		attempt{"count a try", []string{apiRole}, count(name, "L#connection.address#d")},
		attempt{"count a try of an organization's", []string{apiRole}, count(name, "O#victim#LIMIT#audit.person#d")},
		attempt{"count a change of a mark", []string{apiRole, aggregatorRole, workerRole}, count(name, "O#victim#MARKS")},
		attempt{"count in a mark", nil, count(name, "O#victim#MARK#7")},
		attempt{"count in the admin log", nil, count(name, "O#victim#ADMINLOG")},
		attempt{"count in the settings", nil, count(name, "O#victim#ORGANIZATION")},
		attempt{"hide a write of settings behind one of an audit", []string{apiRole}, func(ctx context.Context, as aws.Config) error {
			put := func(pk string) dynamotypes.WriteRequest {
				return dynamotypes.WriteRequest{PutRequest: &dynamotypes.PutRequest{Item: map[string]dynamotypes.AttributeValue{"pk": word(pk), "sk": word("of-a-test")}}}
			}
			_, err := dynamodb.NewFromConfig(as).BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamotypes.WriteRequest{name: {put("O#victim#AUDIT#c"), put("O#victim#ORGANIZATION")}}})
			return err
		}},
		attempt{"scan the table", nil, func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).Scan(ctx, &dynamodb.ScanInput{TableName: &name})
			return err
		}},
		attempt{"delete the table", nil, func(ctx context.Context, as aws.Config) error {
			_, err := dynamodb.NewFromConfig(as).DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
			return err
		}},
	)
}

// count adds to a counter, as table.Add does.
func count(name, pk string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, as aws.Config) error {
		_, err := dynamodb.NewFromConfig(as).UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &name, Key: map[string]dynamotypes.AttributeValue{"pk": word(pk), "sk": word("of-a-test")}, UpdateExpression: aws.String("ADD v :n"),
			ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{":n": &dynamotypes.AttributeValueMemberN{Value: "1"}},
		})
		return err
	}
}

func word(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }

// onObjects tries to write, read and remove an object of each kind.
func (h *house) onObjects() []attempt {
	bucket := h.stack.Resources["EvidenceBucket"].ID
	client := func(as aws.Config) *s3.Client {
		return s3.NewFromConfig(as, func(o *s3.Options) { o.UsePathStyle = true })
	}
	var all []attempt
	for _, k := range []struct {
		prefix              string
		write, read, remove []string
	}{
		{"templates", nil, []string{apiRole}, nil},
		{"evidence", []string{checkerRole, aggregatorRole}, []string{aggregatorRole, apiRole}, []string{workerRole}},
		{"ledger", []string{checkerRole}, []string{apiRole}, []string{workerRole}},
		{"index/org=victim/connection=c", []string{apiRole, aggregatorRole}, []string{apiRole, aggregatorRole}, []string{workerRole}},
		{"index/org=victim/shard=07", []string{apiRole, aggregatorRole}, []string{apiRole, aggregatorRole}, []string{workerRole}},
		{"progress", []string{checkerRole}, []string{checkerRole}, []string{workerRole}},
		{"anything", nil, nil, nil},
	} {
		key := k.prefix + "/org=victim/of-a-test"
		all = append(
			all,
			attempt{"write " + key, k.write, func(ctx context.Context, as aws.Config) error {
				_, err := client(as).PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("evil")})
				return err
			}},
			attempt{"read " + key, k.read, func(ctx context.Context, as aws.Config) error {
				_, err := client(as).GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
				return err
			}},
			attempt{"remove " + key, k.remove, func(ctx context.Context, as aws.Config) error {
				_, err := client(as).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
				return err
			}},
			attempt{"remove " + key + " with others", k.remove, func(ctx context.Context, as aws.Config) error {
				_, err := client(as).DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{{Key: &key}}}})
				return err
			}},
		)
	}
	tags := "evidence/org=victim/connection=c/date=2026-01-01/audit=a/service=tagging.ndjson.zst"
	all = append(all, attempt{"read the tags of resources", []string{apiRole, aggregatorRole}, func(ctx context.Context, as aws.Config) error {
		_, err := client(as).GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &tags})
		return err
	}})
	once := "templates/audit-role-of-a-test.yaml"
	return append(all, attempt{"publish a template", []string{apiRole}, func(ctx context.Context, as aws.Config) error {
		_, err := client(as).PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &once, Body: strings.NewReader("a template"), IfNoneMatch: aws.String("*")})
		return err
	}})
}

// onKeys tries what can be done with the key, by whose data keys are.
func (h *house) onKeys(t *testing.T) []attempt {
	t.Helper()
	key := h.stack.Resources["Key"].ID
	wrapped := func(context map[string]string) []byte {
		for _, role := range []string{apiRole, checkerRole, aggregatorRole, workerRole} { // one that may
			as, err := h.As(role)
			if err != nil {
				t.Fatal(err)
			}
			if made, err := kms.NewFromConfig(as).GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256", EncryptionContext: context}); err == nil {
				return made.CiphertextBlob
			}
		}
		t.Fatalf("no role makes a data key for %v", context)
		return nil
	}
	external := map[string]string{"organization": "victim", "record": "organization"}
	access := map[string]string{"organization": "victim", "record": "c/01"}
	object := map[string]string{"aws:s3:arn": "arn:aws:s3:::b/k"}
	var all []attempt
	for _, k := range []struct {
		what    string
		context map[string]string
		open    []string
	}{
		{"an External ID", external, []string{apiRole, checkerRole}},
		{"an access key", access, []string{checkerRole}},
		{"the key that signs", map[string]string{"organization": "victim", "record": "signing"}, []string{workerRole}},
		{"what people sign in with", map[string]string{"organization": "#installation", "record": "people"}, []string{apiRole}},
		{"access tokens", map[string]string{"organization": "#installation", "record": "tokens"}, []string{apiRole}},
		{"single sign-on", map[string]string{"organization": "victim", "record": "sso"}, []string{apiRole}},
		{"an object", object, []string{apiRole, checkerRole, aggregatorRole}},
	} {
		blob := wrapped(k.context)
		all = append(all, attempt{"open the data key of " + k.what, k.open, func(ctx context.Context, as aws.Config) error {
			_, err := kms.NewFromConfig(as).Decrypt(ctx, &kms.DecryptInput{KeyId: &key, CiphertextBlob: blob, EncryptionContext: k.context})
			return err
		}}, attempt{"wrap the data key of " + k.what + " anew", []string{workerRole}, func(ctx context.Context, as aws.Config) error {
			_, err := kms.NewFromConfig(as).ReEncrypt(ctx, &kms.ReEncryptInput{
				SourceKeyId: &key, DestinationKeyId: &key, CiphertextBlob: blob, SourceEncryptionContext: k.context, DestinationEncryptionContext: k.context,
			})
			return err
		}})
	}
	return append(all, attempt{"let the key be deleted", nil, func(ctx context.Context, as aws.Config) error {
		_, err := kms.NewFromConfig(as).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &key})
		return err
	}})
}

// onQueues tries to send to and to receive from each queue.
func (h *house) onQueues() []attempt {
	var all []attempt
	for _, k := range []struct {
		queue         string
		send, receive []string
	}{
		{"TasksQueue", []string{schedulerRole, checkerRole}, []string{checkerRole}},
		{"UrgentTasksQueue", []string{apiRole, checkerRole}, []string{checkerRole}},
		{"ResultsQueue", []string{schedulerRole, checkerRole, aggregatorRole, workerRole}, []string{aggregatorRole}},
		{"JobsQueue", everyRole, []string{workerRole}},
		{"TasksDeadQueue", []string{checkerRole}, nil},
		{"UrgentTasksDeadQueue", []string{checkerRole}, nil},
		{"ResultsDeadQueue", []string{aggregatorRole}, nil},
		{"JobsDeadQueue", []string{workerRole}, nil},
	} {
		q, ok := h.stack.Queue(k.queue)
		if !ok {
			h.t.Fatalf("there is no queue %s", k.queue)
		}
		all = append(all, attempt{"send to " + k.queue, k.send, func(ctx context.Context, as aws.Config) error {
			// Nothing arrives: a message of this size is refused, by who is allowed to send.
			_, err := sqs.NewFromConfig(as).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.URL, MessageBody: aws.String(strings.Repeat("x", 2<<20))})
			return err
		}}, attempt{"receive from " + k.queue, k.receive, func(ctx context.Context, as aws.Config) error {
			_, err := sqs.NewFromConfig(as).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.URL, MaxNumberOfMessages: 1})
			return err
		}})
	}
	return all
}
