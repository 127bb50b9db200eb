package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"github.com/cloudarq/cloudarq/test/estate"
)

// TestBootstrapKilled kills the command at each of its calls to AWS, before and
// after AWS hears of it, and runs it again: that makes one stack, with the External
// ID that is kept. Once the role may be there, that never changes.
func TestBootstrapKilled(t *testing.T) {
	n := newNewcomer(t, "555500000012", everything)
	w := tap(t, n.server)
	// What an undisturbed run asks, in its order.
	var calls []string
	w.on(func(operation string, answered bool) bool {
		if !answered {
			calls = append(calls, operation)
		}
		return false
	})
	args := bootstrapArgs("--yes", "--region", "eu-west-1", "-q")
	if r := cloudarq(t, t.TempDir(), args...); r.code != exitOK {
		t.Fatalf("undisturbed: %d %s", r.code, r.stderr)
	}
	w.on(nil)
	executed := strings.Index(strings.Join(calls, " "), "ExecuteChangeSet")
	if executed < 0 || len(calls) < 12 {
		t.Fatalf("calls %v", calls)
	}
	n.clear(t)
	for at, operation := range calls {
		for _, after := range []bool{false, true} {
			name := fmt.Sprintf("%d %s", at, operation)
			if after {
				name += ", answered"
			}
			t.Run(name, func(t *testing.T) {
				data := t.TempDir()
				killed := other(t, plainly, append(args, "--data-dir", data)...)
				var seen atomic.Int32
				w.on(func(_ string, answered bool) bool {
					if !answered {
						seen.Add(1)
					}
					if seen.Load() != int32(at+1) || answered != after {
						return false
					}
					_ = killed.Process.Kill()
					return true
				})
				if err := killed.Run(); err == nil || killed.ProcessState.ExitCode() >= 0 {
					t.Fatalf("it was not killed: %v", err)
				}
				w.on(nil)
				before := ""
				if n.trust(t, "CloudArqAuditRole") != "" {
					before = externalID(t, data, n.account)
				}
				if r := cloudarq(t, data, args...); r.code != exitOK || !strings.Contains(r.stdout, "active") {
					t.Fatalf("run again: %d %s", r.code, r.stderr)
				}
				id := externalID(t, data, n.account)
				if before != "" && id != before {
					t.Error("the role was there, and its External ID was changed")
				}
				if n.stack(t, "eu-west-1") == nil || !strings.Contains(n.trust(t, "CloudArqAuditRole"), id) {
					t.Error("the role does not ask for the External ID that is kept")
				}
				n.clear(t)
			})
		}
	}
}

// clear deletes the account's stack.
func (n newcomer) clear(t *testing.T) {
	t.Helper()
	if _, err := cloudformation.NewFromConfig(estate.Owner(n.server.URL, n.account)).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String("CloudArq")}); err != nil {
		t.Fatal(err)
	}
	if n.stack(t, "eu-west-1") != nil || n.trust(t, "CloudArqAuditRole") != "" {
		t.Fatal("the stack is still there")
	}
}
