package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// TestSessionsAreNarrow: whatever the role may, each session by which the command audits
// can do what its part of the audit needs, in the regions audited, for a quarter of an
// hour, and bears the audit's id.
func TestSessionsAreNarrow(t *testing.T) {
	e, server := sample(t)
	account := e.Account("neglected")
	data := t.TempDir()
	add := cloudarqIn(t.Context(), data, account.ExternalID+"\n", "connections", "add", "--role-arn", account.RoleARN, "--external-id", "-")
	if add.code != exitOK {
		t.Fatal(add.stderr)
	}
	for name, args := range map[string][]string{"by a role": {"--role-arn", account.RoleARN, "--external-id", "-"}, "by a connection": {"--connection", account.ID}} {
		w := tap(t, server)
		r := cloudarqIn(t.Context(), data, account.ExternalID+"\n", append([]string{"audit", "run", "-o", "json", "--services", "ec2,iam,s3,kms", "--regions", "eu-west-1,us-east-1", "--incomplete-ok"}, args...)...)
		if r.code != exitOK {
			t.Fatal(r.stderr)
		}
		newest := wholeAudits(t, data)
		audit := newest[0].ID
		var actions [][]string
		for _, request := range w.sent() {
			form, err := url.ParseQuery(string(request[bytes.LastIndexByte(request, '\n')+1:]))
			if err != nil || form.Get("Action") != "AssumeRole" || form.Get("RoleArn") != account.RoleARN {
				continue
			}
			var document struct {
				Statement []struct {
					Effect    string
					Action    []string
					Condition map[string]map[string][]string
				}
			}
			if err := json.Unmarshal([]byte(form.Get("Policy")), &document); err != nil || len(document.Statement) != 1 || len(form.Get("Policy")) > policy.MaxSession {
				t.Errorf("%s: a session with the policy %q: %v", name, form.Get("Policy"), err)
				continue
			}
			s := document.Statement[0]
			actions = append(actions, s.Action)
			if form.Get("DurationSeconds") != "900" || form.Get("RoleSessionName") != "cloudarq-"+string(audit) {
				t.Errorf("%s: session %s of %s seconds, want one of audit %s", name, form.Get("RoleSessionName"), form.Get("DurationSeconds"), audit)
			}
			regional := slices.Contains(s.Action, "kms:ListKeys") || slices.Contains(s.Action, "ec2:DescribeVpcs")
			if got := s.Condition["StringEquals"]["aws:RequestedRegion"]; regional != slices.Equal(got, []string{"eu-west-1", "us-east-1"}) {
				t.Errorf("%s: the session that may %s… is for %q", name, s.Action[0], got)
			}
			for _, action := range s.Action {
				if strings.Contains(action, "*") {
					t.Errorf("%s: a session may %s", name, action)
				}
			}
		}
		if len(actions) < 5 {
			t.Errorf("%s: %d sessions, want one to connect and one for each service", name, len(actions))
		}
	}
}
