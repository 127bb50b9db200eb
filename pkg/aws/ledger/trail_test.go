package ledger_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
)

const session = "arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/cloudarq-01M8"

func event(id, name, arn string) string {
	return `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"` + arn + `"},"eventTime":"2026-11-25T06:00:00Z",` +
		`"eventSource":"kms.amazonaws.com","eventName":"` + name + `","awsRegion":"eu-west-1","requestParameters":null,"requestID":"` + id + `"}`
}

func reconcile(t *testing.T, trail io.Reader) (ledger.Reconciliation, error) {
	t.Helper()
	r := ledger.NewReconciler(session)
	r.Call(ledger.Entry{Operation: "ListKeys", RequestID: "1"})
	r.Call(ledger.Entry{Operation: "DescribeKey", RequestID: "3", EarlierIDs: []string{"2"}})
	r.Call(ledger.Entry{Operation: "AssumeRole", RequestID: "4"})
	err := ledger.Trail(trail, func(e ledger.Event) error { r.Event(e); return nil })
	return r.Result(), err
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	assume := `{"userIdentity":{"arn":"arn:aws:iam::999999999999:role/checker"},"eventName":"AssumeRole","eventSource":"sts.amazonaws.com",` +
		`"eventTime":"2026-11-25T05:59:59Z","awsRegion":"eu-west-1","requestParameters":{"roleSessionName":"cloudarq-01M8"},"requestID":"4"}`
	document := `{"Records":[` + strings.Join([]string{
		event("1", "ListKeys", session), event("2", "DescribeKey", session), event("3", "DescribeKey", session), assume,
		event("9", "Decrypt", session),
		event("8", "PutObject", "arn:aws:sts::111122223333:assumed-role/Admin/somebody"),
		event("7", "ListKeys", session+"2"),
	}, ",") + `]}`
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(document))
	_ = w.Close()
	for name, trail := range map[string]io.Reader{"plain": strings.NewReader(document), "gzipped": &zipped} {
		got, err := reconcile(t, trail)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Unexplained) != 1 || got.Unexplained[0].EventName != "Decrypt" {
			t.Errorf("%s: unexplained %+v, want the one Decrypt", name, got.Unexplained)
		}
		got.Unexplained = nil
		if d := cmp.Diff(ledger.Reconciliation{Calls: 4, Events: 5, Matched: 4}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestNoTrail(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "not JSON": "hello", "another document": `{"a":1}`, "no list": `{"Records":{}}`, "broken off": `{"Records":[{"eventName":"x"`, "half a zip": "\x1f\x8b",
	} {
		if _, err := reconcile(t, strings.NewReader(content)); !errors.Is(err, ledger.ErrTrail) {
			t.Errorf("%s: %v, want ErrTrail", name, err)
		}
	}
}
