package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/test/emulator"
)

// TestInterruptedAuditKeepsItsCalls: what an audit called before Ctrl-C is in its
// ledger, and stays there when the audit is resumed.
func TestInterruptedAuditKeepsItsCalls(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	// The task cannot end before it is interrupted: each key's policy comes late.
	if err := server.Fault(emulator.Fault{Service: "kms", Operation: "GetKeyPolicy", Kind: emulator.Delay, Seconds: 5}); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	go func() { // Ctrl-C once the keys are described
		defer interrupt()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if calls, err := server.Calls(); err == nil && slices.ContainsFunc(calls, func(c emulator.Call) bool { return c.Operation == "DescribeKey" }) {
				return
			}
		}
	}()
	r := cloudarqIn(ctx, data, neglected.ExternalID, "audit", "run", "--role-arn", neglected.RoleARN, "--external-id", "-",
		"--services", "kms", "--regions", "eu-west-1", "--quiet")
	r.sentence(t, exitCancelled, "cancelled", "--resume")
	recorded := func(what string) (n int) {
		t.Helper()
		made, err := server.Calls()
		if err != nil {
			t.Fatal(err)
		}
		seen, listed := 0, 0
		for _, c := range made {
			if c.Operation == "DescribeKey" {
				seen++
			}
		}
		for _, c := range decode[[]ledger.Entry](t, cloudarq(t, data, "audit", "calls", "-o", "json")) {
			switch c.Operation {
			case "DescribeKey":
				n += c.Attempts
			case "ListKeys":
				listed++
			}
		}
		if seen == 0 || n < seen || listed == 0 { // what was given up may not have been seen
			t.Errorf("%s: %d calls of DescribeKey are recorded, the emulator saw %d; and %d of ListKeys", what, n, seen, listed)
		}
		return n
	}
	first := recorded("interrupted")
	if err := server.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	audits := wholeAudits(t, data)
	if r := audit(t, data, neglected, "--resume", string(audits[0].ID), "--quiet"); r.code != exitOK {
		t.Fatalf("resumed: %d %s", r.code, r.stderr)
	}
	if all := recorded("resumed"); all <= first {
		t.Errorf("%d calls when resumed, %d before", all, first)
	}
}

// TestCallsReconcileWithATrail: every call of an audit is in its ledger, and an
// event that is not is told.
func TestCallsReconcileWithATrail(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	if err := server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	audit(t, data, e.Account("well-kept"), "--checks", "kms-key-[^p]*,sqs-queue-encrypted", "--regions", "eu-west-1")
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
	caller := decode[model.Audit](t, cloudarq(t, data, "audit", "show", "-o", "json")).CallerARN

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
