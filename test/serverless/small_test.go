package serverless_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// small is an account with one key and one queue, of which little is to be
// audited, and which a test can change.
type small struct {
	estate.Account
	keys *kms.Client
	key  string
}

func newSmall(t testing.TB, in *install, id string) *small {
	t.Helper()
	ctx := t.Context()
	cfg := estate.Owner(in.emulator.URL, id)
	s := &small{Account: estate.Account{Name: "small-" + id, ID: id, RoleARN: "arn:aws:iam::" + id + ":role/CloudArqAuditRole"}, keys: kms.NewFromConfig(cfg)}
	roles := iam.NewFromConfig(cfg)
	nobody := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`
	if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("CloudArqAuditRole"), AssumeRolePolicyDocument: &nobody}); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, op := range policy.Operations() {
		if !strings.HasPrefix(op.Action, "sts:") && !slices.Contains(actions, op.Action) {
			actions = append(actions, op.Action)
		}
	}
	document, err := json.Marshal(map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("CloudArqAuditRole"), PolicyName: aws.String("audit"), PolicyDocument: aws.String(string(document)),
	}); err != nil {
		t.Fatal(err)
	}
	key, err := s.keys.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	s.key = aws.ToString(key.KeyMetadata.KeyId)
	if _, err := sqs.NewFromConfig(cfg).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("work")}); err != nil {
		t.Fatal(err)
	}
	return s
}

// rotate turns the rotation of the account's key on or off.
func (s *small) rotate(t testing.TB, on bool) {
	t.Helper()
	var err error
	if on {
		_, err = s.keys.EnableKeyRotation(t.Context(), &kms.EnableKeyRotationInput{KeyId: &s.key})
	} else {
		_, err = s.keys.DisableKeyRotation(t.Context(), &kms.DisableKeyRotationInput{KeyId: &s.key})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// scope is what a connection to a small account audits.
func scope() map[string]any {
	return map[string]any{"regions": []string{stack.Region}, "services": []string{"kms", "sqs"}, "project": "tests"}
}

// mailbox is a queue that is subscribed to the alerts.
type mailbox struct {
	client *sqs.Client
	url    string
}

// subscribe subscribes a queue to the alerts that pass a filter, which must name
// the organization.
func subscribe(t testing.TB, in *install, name, filter string) *mailbox {
	t.Helper()
	return subscribeTo(t, in, "AlertTopic", name, filter)
}

// subscribeTo subscribes a queue to a topic, by its logical id.
func subscribeTo(t testing.TB, in *install, topicID, name, filter string) *mailbox {
	t.Helper()
	ctx := t.Context()
	cfg := estate.Owner(in.emulator.URL, stack.Account)
	m := &mailbox{client: sqs.NewFromConfig(cfg)}
	q, err := m.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	m.url = aws.ToString(q.QueueUrl)
	topic := in.stack.Resources[topicID].ID
	if _, err := sns.NewFromConfig(cfg).Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:" + stack.Region + ":" + stack.Account + ":" + name),
		Attributes: map[string]string{"FilterPolicy": filter, "RawMessageDelivery": "true"},
	}); err != nil {
		t.Fatal(err)
	}
	return m
}

// letter is an alert as a subscriber gets it.
type letter struct {
	ID           string `json:"id"`
	Kind         string `json:"kind"`
	Change       string `json:"change"`
	Organization string `json:"organization"`
	Audit        string `json:"audit"`
	Finding      *struct {
		Check    string `json:"check"`
		Severity string `json:"severity"`
	} `json:"finding"`
}

func (l letter) words() string {
	if l.Finding != nil {
		return l.Kind + " " + l.Change + " " + l.Finding.Check
	}
	return l.Kind + " " + l.Change
}

// empty takes everything out of the mailbox.
func (m *mailbox) empty(t testing.TB) []letter {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all []letter
	for {
		out, err := m.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &m.url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, message := range out.Messages {
			var l letter
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &l); err != nil {
				t.Fatalf("alert %q: %v", aws.ToString(message.Body), err)
			}
			all = append(all, l)
			if _, err := m.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &m.url, ReceiptHandle: message.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// words are alerts in a few words each, sorted.
func words(letters []letter) []string {
	out := []string{}
	for _, l := range letters {
		out = append(out, l.words())
	}
	slices.Sort(out)
	return out
}

// found is what a test compares of a finding.
type found struct {
	ID, Check, State, Reason string
	Resource, Part, Region   string
}

// list is all findings of a connection over HTTP, by id, resolved ones too.
func (h *house) list(c connection) map[string]found {
	h.t.Helper()
	all := map[string]found{}
	h.persist("GET", "/v1/connections/"+c.ID+"/findings?limit=1", nil, nil) // who reads first makes what lists are answered from, and may die over it
	for cursor := ""; ; {
		var page struct {
			Findings []found
			Cursor   string
		}
		if status := h.call("GET", "/v1/connections/"+c.ID+"/findings?all=true&limit=200&cursor="+cursor, nil, nil, &page); status != 200 {
			h.t.Fatalf("list findings: status %d", status)
		}
		for _, f := range page.Findings {
			if _, twice := all[f.ID]; twice {
				h.t.Errorf("finding %s is on two pages", f.ID)
			}
			all[f.ID] = f
		}
		if cursor = page.Cursor; cursor == "" {
			return all
		}
	}
}

func contextWithin(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
