package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestCallsReconcileWithATrail: every call of an audit is in its ledger, and an
// event that is not is told.
func TestCallsReconcileWithATrail(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	audit(t, data, e.Account("well-kept"), "--services", "kms,sqs", "--regions", "eu-west-1")
	made, err := server.Calls()
	if err != nil {
		t.Fatal(err)
	}
	calls := decode[[]ledger.Entry](t, cloudarq(t, data, "audit", "calls", "-o", "json"))
	if len(calls) != len(made) {
		t.Errorf("%d calls in the ledger, the emulator saw %d", len(calls), len(made))
	}
	if r := cloudarq(t, data, "audit", "calls"); r.code != exitOK || strings.Count(r.stdout, "\n") != len(made)+1 || !strings.Contains(r.stdout, "ListKeys") {
		t.Errorf("as a table: %d, %s%s", r.code, r.stdout, r.stderr)
	}
	caller := decode[[]model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json"))[0].CallerARN

	type identity struct {
		ARN string `json:"arn"`
	}
	var events []map[string]any
	for _, c := range calls {
		events = append(events, map[string]any{
			"eventName": c.Operation, "eventSource": "x.amazonaws.com", "awsRegion": c.Region, "requestID": c.RequestID,
			"eventTime": c.At, "userIdentity": identity{caller},
		})
	}
	trail := func(events []map[string]any) string {
		content, err := json.Marshal(map[string]any{"Records": events})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "trail.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if r := cloudarq(t, data, "audit", "reconcile", "--trail", trail(events)); r.code != exitOK || !strings.Contains(r.stderr, "0 are not explained") {
		t.Errorf("reconcile: %d\n%s", r.code, r.stderr)
	}
	stranger := append(events, map[string]any{
		"eventName": "PutObject", "eventSource": "s3.amazonaws.com", "awsRegion": "eu-west-1", "requestID": "STRANGER",
		"eventTime": "2026-11-25T06:00:00Z", "userIdentity": identity{caller},
	})
	if r := cloudarq(t, data, "audit", "reconcile", "--trail", trail(stranger)); r.code != exitFindings || !strings.Contains(r.stdout, "STRANGER") {
		t.Errorf("reconcile with a stranger: %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	cloudarq(t, data, "audit", "reconcile").sentence(t, exitUsage, "--trail")
	cloudarq(t, data, "audit", "reconcile", "--trail", filepath.Join(data, "missing")).sentence(t, exitUsage, "missing")
}
