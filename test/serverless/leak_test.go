package serverless_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// TestNothingLeaks audits two accounts, one through a role and one by an access key,
// while each kind of call fails in turn, and then looks for the External ID, the keys
// and signed links in everything that is left: records, objects, messages, logs, and
// answers to who gives a key. They are sealed where they are kept, and told nobody but
// AWS; the External ID and the links also to who registers the account.
func TestNothingLeaks(t *testing.T) {
	var mu sync.Mutex
	var logs strings.Builder
	failing, giving := lambdahost.Call{}, false // while a key is given the API's calls fail, and otherwise the others'
	h := start(t, "leak", func(o *lambdahost.Options) {
		o.Logs = func(_, line string) {
			mu.Lock()
			defer mu.Unlock()
			logs.WriteString(line + "\n")
		}
		o.Intercept = func(c lambdahost.Call, phase lambdahost.Phase) lambdahost.Verdict {
			mu.Lock()
			defer mu.Unlock()
			if phase == lambdahost.BeforeSend && failing.Service != "" && (c.Function == "ApiFunction") == giving && c.Is(failing.Service, failing.Operation) {
				return lambdahost.Fail(400, "ValidationException")
			}
			return lambdahost.Continue()
		}
	})
	account := newSmall(t, h.install, "777777777721")
	c := h.connect(account.Account, scope())
	if len(c.ExternalID) < 32 || !strings.Contains(c.Links.QuickCreate, "X-Amz-Signature") {
		t.Fatalf("External ID %q, link %q", c.ExternalID, c.Links.QuickCreate)
	}
	byKey := newSmall(t, h.install, "777777777722")
	keys := []accessKey{h.newUser(byKey.ID, "first"), h.newUser(byKey.ID, "second"), {"AKIASENTINEL00000000", "sentinel/of+a/key/that/is/refused/0000", nil}}
	h.allowKeys(true)
	k := h.connectByKey("by key", keys[0])
	var said strings.Builder
	mu.Lock()
	giving = true
	mu.Unlock()
	for _, step := range []lambdahost.Call{
		{Service: "kms", Operation: "GenerateDataKey"},
		{Service: "kms", Operation: "Decrypt"},
		{Service: "dynamodb", Operation: "GetItem"},
		{Service: "dynamodb", Operation: "PutItem"},
		{Service: "dynamodb", Operation: "Query"},
		{Service: "dynamodb", Operation: "DeleteItem"},
		{},
	} {
		tag := h.tag(k)
		mu.Lock()
		failing = step
		mu.Unlock()
		for _, key := range keys {
			_, answer, err := h.request("PUT", "/v1/connections/"+k.ID+"/access-key", map[string]string{"If-Match": tag},
				map[string]any{"access_key_id": key.id, "secret_access_key": key.secret})
			if err != nil {
				t.Fatal(err)
			}
			said.Write(answer)
		}
		mu.Lock()
		failing = lambdahost.Call{}
		mu.Unlock()
	}
	if answers := said.String(); !strings.Contains(answers, `"internal"`) || !strings.Contains(answers, `"stale"`) {
		t.Errorf("no step of giving a key failed: %s", answers)
	}
	h.giveKey(k, keys[1])
	mu.Lock()
	giving = false
	mu.Unlock()
	steps := []lambdahost.Call{
		{},
		{Service: "sts", Operation: "AssumeRole"},
		{Service: "sts", Operation: "GetCallerIdentity"},
		{Service: "kms", Operation: "Decrypt"},
		{Service: "s3", Operation: "PutObject"},
		{Service: "s3", Operation: "GetObject"},
		{Service: "sqs", Operation: "ListQueues"},
		{Service: "sns", Operation: "PublishBatch"},
	}
	for i, step := range steps {
		mu.Lock()
		failing = step
		mu.Unlock()
		account.rotate(t, i%2 == 0)
		byKey.rotate(t, i%2 == 0)
		both := []connection{c, k}
		for _, c := range both {
			h.begin(c, "step "+c.ID+step.Service+step.Operation)
		}
		for _, c := range both {
			a := h.wait(c, h.latest(c).ID)
			if !a.ended() { // what is a dead letter now waits for its bound
				h.call("POST", "/v1/connections/"+c.ID+"/audits/"+a.ID+"/cancel", nil, nil, nil)
			}
			if step == (lambdahost.Call{}) && a.State != "done" {
				t.Errorf("without a fault the audit is %s: %v", a.State, a.Problems)
			}
		}
	}
	mu.Lock()
	failing = lambdahost.Call{}
	text := logs.String()
	mu.Unlock()
	if !strings.Contains(text, "message failed and comes again") {
		t.Error("no step failed")
	}
	places := map[string]string{"the logs": text, "the answers": said.String(), "the table": h.dumpTable(), "the bucket": h.dumpBucket()}
	for _, name := range []string{"TasksQueue", "TasksDeadQueue", "UrgentTasksQueue", "UrgentTasksDeadQueue", "ResultsQueue", "ResultsDeadQueue", "JobsQueue", "JobsDeadQueue"} {
		places[name] = strings.Join(h.queue(name).take(), "\n")
	}
	for place, content := range places {
		if strings.Contains(content, c.ExternalID) && place != "the answers" { // to the customer, who needs it
			at := strings.Index(content, c.ExternalID)
			t.Errorf("the External ID is in %s: …%s…", place, content[max(0, at-200):at])
		}
		if strings.Contains(content, "X-Amz-Signature") {
			t.Errorf("a signed link is in %s", place)
		}
		for _, key := range keys {
			for _, part := range []string{key.id, key.secret, base64.StdEncoding.EncodeToString([]byte(key.secret))} {
				if at := strings.Index(content, part); at >= 0 {
					t.Errorf("an access key is in %s: …%s…", place, content[max(0, at-200):at])
				}
			}
		}
		if strings.Contains(content, operatorSecret) {
			t.Errorf("an operator's secret key is in %s", place)
		}
	}
	if len(places["the table"]) < 1000 || len(places["the bucket"]) < 1000 {
		t.Errorf("the dumps have %d and %d bytes", len(places["the table"]), len(places["the bucket"]))
	}
}

// dumpTable is all that the table says.
func (h *house) dumpTable() string {
	h.t.Helper()
	var all strings.Builder
	table := h.stack.Resources["Table"].ID
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account)), &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, item := range page.Items {
			all.WriteString(text(item))
		}
	}
	return all.String()
}

// dumpBucket is all that the evidence bucket holds, unpacked.
func (h *house) dumpBucket() string {
	h.t.Helper()
	client := s3.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account), func(o *s3.Options) { o.UsePathStyle = true })
	bucket := h.stack.Resources["EvidenceBucket"].ID
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer unpack.Close()
	var all bytes.Buffer
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, o := range page.Contents {
			all.WriteString(aws.ToString(o.Key) + "\n")
			object, err := client.GetObject(h.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				h.t.Fatal(err)
			}
			packed, err := io.ReadAll(object.Body)
			_ = object.Body.Close()
			if err != nil {
				h.t.Fatal(err)
			}
			content := packed
			if strings.HasSuffix(aws.ToString(o.Key), ".zst") {
				if content, err = unpack.DecodeAll(packed, nil); err != nil {
					h.t.Fatalf("unpack %s: %v", aws.ToString(o.Key), err)
				}
			}
			all.Write(content)
		}
	}
	return all.String()
}
