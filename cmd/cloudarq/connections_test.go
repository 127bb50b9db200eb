package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// add keeps an account of the estate, with its External ID on stdin.
func add(t *testing.T, data string, a estate.Account, more ...string) result {
	t.Helper()
	return cloudarqIn(t.Context(), data, a.ExternalID+"\n", append([]string{
		"connections", "add",
		"--name", a.Name, "--role-arn", a.RoleARN, "--external-id", "-",
	}, more...)...)
}

func TestConnectionFromBeginningToEnd(t *testing.T) {
	e, _ := sample(t)
	neglected, kept := e.Account("neglected"), e.Account("well-kept")
	data := t.TempDir()
	for _, a := range []estate.Account{neglected, kept} {
		r := add(t, data, a, "--services", "kms", "--regions", "eu-west-1,us-east-1", "-o", "json")
		if r.code != exitOK {
			t.Fatalf("add: %d %s", r.code, r.stderr)
		}
		if added := decode[report.Connection](t, r); added.State != model.ConnectionActive || added.AccountID != a.ID || added.ExternalID != "" {
			t.Errorf("added %+v, want it active and its External ID not shown", added)
		}
	}
	add(t, data, neglected).sentence(t, exitUsage, "kept already", "connections remove")

	listed := decode[[]report.Connection](t, cloudarq(t, data, "connections", "list", "-o", "json"))
	if len(listed) != 2 || listed[0].Name != "neglected" || listed[1].Name != "well-kept" {
		t.Errorf("listed %+v", listed)
	}
	for name, c := range map[string]struct {
		args  []string
		shows bool
	}{
		"shown":             {nil, false},
		"shown as JSON":     {[]string{"-o", "json"}, false},
		"shown as CSV":      {[]string{"-o", "csv"}, false},
		"revealed":          {[]string{"--reveal-external-id"}, true},
		"revealed as JSON":  {[]string{"--reveal-external-id", "-o", "json"}, true},
		"revealed as CSV":   {[]string{"--reveal-external-id", "-o", "csv"}, true},
		"by account":        {[]string{"--quiet"}, false},
		"revealed, account": {[]string{"--reveal-external-id", "-q"}, true},
	} {
		word := neglected.Name
		if strings.Contains(name, "account") {
			word = neglected.ID
		}
		r := cloudarq(t, data, append([]string{"connections", "show", word}, c.args...)...)
		if shows := strings.Contains(r.stdout, neglected.ExternalID); r.code != exitOK || shows != c.shows || !strings.Contains(r.stdout, neglected.RoleARN) {
			t.Errorf("%s (%d): External ID shown %v, want %v\n%s%s", name, r.code, shows, c.shows, r.stdout, r.stderr)
		}
	}

	probes := decode[[]model.Probe](t, cloudarq(t, data, "connections", "test", "neglected", "-o", "json"))
	want := []model.Probe{
		{Tried: "assume the role with its External ID", Want: "allowed", Answer: "allowed"},
		{Tried: "assume the role without an External ID", Want: "denied", Answer: "denied"},
		{Tried: "assume the role with a wrong External ID", Want: "denied", Answer: "denied"},
		{Tried: "ask whose account it is", Want: neglected.ID, Answer: neglected.ID},
		{Tried: "call ec2:DescribeRegions", Want: "allowed", Answer: "allowed"},
	}
	if diff := cmp.Diff(want, probes); diff != "" {
		t.Errorf("probes (-want +got):\n%s", diff)
	}
	if ledgers, _ := filepath.Glob(filepath.Join(data, "blobs", "ledger", "*", "connection="+neglected.ID, "*", "*", "service=verify.*")); len(ledgers) != 2 {
		t.Errorf("the calls of two verifications are in %v", ledgers)
	}

	for _, word := range []string{neglected.Name, neglected.ID} {
		if r := cloudarq(t, data, "audit", "run", "--connection", word, "--quiet"); r.code != exitOK {
			t.Fatalf("audit of %s: %d %s", word, r.code, r.stderr)
		}
	}
	cloudarq(t, data, "audit", "run", "--connection", "well-kept", "--regions", "eu-west-1", "--quiet")
	byName(t, data, neglected)
	audits := wholeAudits(t, data)
	if len(audits) != 3 || !slices.Equal(audits[0].Regions, []string{"eu-west-1"}) || !slices.Equal(audits[2].Regions, []string{"eu-west-1", "us-east-1"}) ||
		!slices.Equal(audits[2].Services, []string{"cloudarq", "kms"}) || !strings.Contains(audits[2].CallerARN, "/cloudarq-") {
		t.Errorf("audits %+v, want the connections' regions and services, and the zone of trust, unless flags say otherwise", audits)
	}

	changed := decode[report.Connection](t, cloudarq(t, data, "connections", "update", "well-kept", "--trusted-accounts", "444455556666,777788889999", "-o", "json"))
	if c := changed; !slices.Equal(c.TrustedAccounts, []string{"444455556666", "777788889999"}) || c.Name != "well-kept" || !slices.Equal(c.Services, []string{"kms"}) {
		t.Errorf("updated to %+v", c)
	}
	cloudarq(t, data, "connections", "update", "well-kept", "--trusted-accounts", "me").sentence(t, exitUsage, "12 digits")
	cloudarq(t, data, "audit", "run", "--trusted-accounts", "me").sentence(t, exitUsage, "12 digits")
	cloudarq(t, data, "audit", "run", "--connection", "well-kept", "--regions", "eu-west-1", "--quiet")
	cloudarq(t, data, "audit", "run", "--connection", "well-kept", "--regions", "eu-west-1", "--trusted-accounts", "444455556666", "--quiet")
	audits = wholeAudits(t, data)
	if !slices.Equal(audits[0].TrustedAccounts, []string{"444455556666"}) || !slices.Equal(audits[1].TrustedAccounts, changed.TrustedAccounts) {
		t.Errorf("audits trust %v and %v, want what the flag says, and what the connection does", audits[0].TrustedAccounts, audits[1].TrustedAccounts)
	}

	cloudarq(t, data, "connections", "remove", "neglected").sentence(t, exitUsage, "--yes")
	r := cloudarq(t, data, "connections", "remove", "neglected", "--yes", "-o", "json")
	receipt := decode[model.Receipt](t, r)
	if receipt.Records < 10 || receipt.Objects < 4 || receipt.PurgedAt.IsZero() {
		t.Errorf("receipt %+v, want what two audits left", receipt)
	}
	if left, _ := filepath.Glob(filepath.Join(data, "blobs", "*", "*", "connection="+neglected.ID, "*", "*", "*")); len(left) != 0 {
		t.Errorf("left of the removed connection: %v", left)
	}
	if n := len(wholeAudits(t, data)); n != 3 {
		t.Errorf("%d audits are left, want the three of the other account", n)
	}
	cloudarq(t, data, "connections", "show", "neglected").sentence(t, exitUsage, "no connection")
	if r := add(t, data, neglected); r.code != exitOK {
		t.Errorf("added again: %d %s", r.code, r.stderr)
	}
	if r := cloudarq(t, data, "connections", "remove", neglected.ID, "--yes"); r.code != exitOK || !strings.Contains(r.stdout, "is forgotten") || !strings.Contains(r.stdout, neglected.RoleARN) {
		t.Errorf("removed again: %d %s", r.code, r.stdout)
	}
}

// An account that is kept to be audited once says after its audit that its role can
// go, and stays until somebody removes it.
func TestConnectionForOneAudit(t *testing.T) {
	e, _ := sample(t)
	account := e.Account("well-kept")
	data := t.TempDir()
	if r := add(t, data, account, "--once", "--services", "kms", "--regions", "eu-west-1"); r.code != exitOK || !strings.Contains(r.stdout, "once") || strings.Contains(r.stdout, "Reminder") {
		t.Fatalf("add: %d %s%s", r.code, r.stdout, r.stderr)
	}
	said := []string{"aws cloudformation delete-stack --stack-name CloudArq", "cloudarq connections remove " + account.ID}
	reminds := func(text string) bool {
		return !slices.ContainsFunc(said, func(words string) bool { return !strings.Contains(text, words) })
	}
	r := cloudarq(t, data, "audit", "run", "--connection", account.Name, "-o", "csv")
	if r.code != exitOK || !reminds(r.stderr) || reminds(r.stdout) {
		t.Errorf("audit: %d, %s", r.code, r.stderr)
	}
	for name, c := range map[string]struct {
		args    []string
		reminds bool
	}{
		"shown":          {[]string{"show", account.Name}, true},
		"shown as CSV":   {[]string{"show", account.Name, "-o", "csv"}, true},
		"listed":         {[]string{"list"}, false}, // a table has no room for it, but says that it was audited
		"listed as CSV":  {[]string{"list", "-o", "csv"}, true},
		"listed as JSON": {[]string{"list", "-o", "json"}, true},
	} {
		if r := cloudarq(t, data, append([]string{"connections"}, c.args...)...); r.code != exitOK || !strings.Contains(r.stdout, "once") || reminds(r.stdout) != c.reminds {
			t.Errorf("%s: %d\n%s", name, r.code, r.stdout)
		}
	}
	if r := cloudarq(t, data, "connections", "list"); !strings.Contains(r.stdout, "once (done)") {
		t.Errorf("listed: %s", r.stdout)
	}
	if n := len(wholeAudits(t, data)); n != 1 {
		t.Errorf("%d audits are left", n)
	}
	often := t.TempDir()
	if r := add(t, often, account, "--services", "kms", "--regions", "eu-west-1"); r.code != exitOK || !strings.Contains(r.stdout, "on demand") {
		t.Fatalf("add: %d %s%s", r.code, r.stdout, r.stderr)
	}
	if r := cloudarq(t, often, "audit", "run", "--connection", account.Name); r.code != exitOK || strings.Contains(r.stderr, "delete-stack") {
		t.Errorf("audit of one that is audited more than once: %d, %s", r.code, r.stderr)
	}
}

func TestConnectionThatIsNotRight(t *testing.T) {
	e, server := sample(t)
	const id = "the-external-id-of-a-role"
	arn := "arn:aws:iam::" + theirs + ":role/"
	open := makeRole(t, server, e.Auditor, "Open", "", "*")
	strict := makeRole(t, server, e.Auditor, "Strict", id, "*")
	blind := makeRole(t, server, e.Auditor, "Blind", id, "kms:ListKeys")
	for name, c := range map[string]struct {
		role, id string
		more     []string
		code     int
		says     []string
	}{
		"trust without the condition": {open, id, nil, exitAccess, []string{"trust_missing_external_id", "sts:ExternalId", "trust policy", "connections test"}},
		"wrong External ID":           {strict, "another-external-id", nil, exitAccess, []string{"role_denied", "External ID is wrong"}},
		"no such role":                {arn + "Missing", id, nil, exitAccess, []string{"role_denied", "Missing"}},
		"regions denied":              {blind, id, nil, exitAccess, []string{"policy_minimum_missing", "ec2:DescribeRegions"}},
		"not an ARN":                  {"CloudArqAuditRole", id, nil, exitUsage, []string{"ARN of an IAM role"}},
		"a user's ARN":                {"arn:aws:iam::" + theirs + ":user/me", id, nil, exitUsage, []string{"ARN of an IAM role"}},
		"no role":                     {"", id, nil, exitUsage, []string{"--role-arn"}},
		"External ID syntax":          {strict, "with spaces in it", nil, exitUsage, []string{"AWS accepts"}},
		"unknown service":             {strict, id, []string{"--services", "kmss"}, exitUsage, []string{"did you mean", "kms"}},
		"unknown check":               {strict, id, []string{"--checks", "kms-key-rotatoin"}, exitUsage, []string{"did you mean"}},
		"unknown region":              {strict, id, []string{"--regions", "eu-wset-1"}, exitUsage, []string{"did you mean"}},
		"wait for what is off":        {strict, id, []string{"--wait", "--no-verify"}, exitUsage, []string{"--wait"}},
		"out of time":                 {open, id, []string{"--wait", "--timeout", "1s", "--quiet"}, exitCancelled, []string{"out of time", "trust_missing_external_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			cloudarqIn(t.Context(), data, c.id, append([]string{"connections", "add", "--role-arn", c.role, "--external-id", "-"}, c.more...)...).sentence(t, c.code, c.says...)
			listed := decode[[]report.Connection](t, cloudarq(t, data, "connections", "list", "-o", "json"))
			if c.code == exitUsage && len(listed) != 0 {
				t.Errorf("kept all the same: %+v", listed)
			}
			if c.code != exitUsage && (len(listed) != 1 || listed[0].State != model.ConnectionPending || !strings.Contains(listed[0].Reason, c.says[0]) && c.code == exitAccess) {
				t.Errorf("kept as %+v, want pending and why", listed)
			}
		})
	}
	t.Run("the audit verifies what was not", func(t *testing.T) {
		data := t.TempDir()
		r := cloudarqIn(t.Context(), data, id, "connections", "add", "--role-arn", open, "--external-id", "-", "--no-verify")
		if r.code != exitOK {
			t.Fatal(r.stderr)
		}
		cloudarq(t, data, "audit", "run", "--connection", theirs).sentence(t, exitAccess, "trust_missing_external_id")
		r = cloudarq(t, data, "connections", "test", theirs)
		if r.code != exitAccess || !strings.Contains(r.stdout, "NO") || !strings.Contains(r.stderr, "trust_missing_external_id") {
			t.Errorf("test of an open role: %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
	t.Run("revoked", func(t *testing.T) {
		data := t.TempDir()
		r := cloudarqIn(t.Context(), data, id, "connections", "add", "--role-arn", strict, "--external-id", "-")
		if r.code != exitOK {
			t.Fatal(r.stderr)
		}
		deleteRole(t, server, "Strict")
		cloudarq(t, data, "audit", "run", "--connection", theirs).sentence(t, exitAccess, "cannot assume")
		if c := decode[report.Connection](t, cloudarq(t, data, "connections", "show", theirs, "-o", "json")); c.State != model.ConnectionRevoked || c.Reason == "" {
			t.Errorf("after its role was deleted: %+v", c)
		}
		t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
		cloudarq(t, data, "connections", "test", theirs).sentence(t, exitAccess, "credentials")
	})
}

// While the External ID is replaced, either is good; when the role asks for the new
// one, the old one is forgotten.
func TestExternalIDIsRotated(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	arn := makeRole(t, server, e.Auditor, "Rotating", "the-first-id", "*")
	if r := cloudarqIn(t.Context(), data, "the-first-id", "connections", "add", "--name", "r", "--role-arn", arn, "--external-id", "-", "--services", "kms", "--regions", "eu-west-1"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	owner := iam.NewFromConfig(estate.Owner(server.URL, theirs))
	asksFor := func(id string) {
		t.Helper()
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"},"Condition":{"StringEquals":{"sts:ExternalId":%q}}}]}`, e.Auditor.ID, id)
		if _, err := owner.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Rotating"), PolicyDocument: &trust}); err != nil {
			t.Fatal(err)
		}
	}
	works := func(when string, replaced bool) {
		t.Helper()
		if r := cloudarq(t, data, "audit", "run", "--connection", "r", "-q"); r.code != exitOK {
			t.Errorf("%s: audit: %d %s", when, r.code, r.stderr)
		}
		if r := cloudarq(t, data, "connections", "test", "r", "-q"); r.code != exitOK {
			t.Errorf("%s: test: %d %s", when, r.code, r.stderr)
		}
		if c := shown(t, data, "r"); c.State != model.ConnectionActive || c.Replaced != replaced {
			t.Errorf("%s: %+v", when, c)
		}
	}
	cloudarqIn(t.Context(), data, "the-first-id", "connections", "rotate-external-id", "r", "--external-id", "-").sentence(t, exitUsage, "already")
	var newest string
	for i := range 2 { // the second time changes nothing: the role may ask for it already
		r := cloudarq(t, data, "connections", "rotate-external-id", "r", "-o", "json")
		rotated := decode[report.Connection](t, r)
		if i > 0 && rotated.ExternalID != newest {
			t.Error("a second one took the place of the first")
		}
		if newest = rotated.ExternalID; r.code != exitOK || len(newest) < 32 || !rotated.Replaced || rotated.Generation != 2 || rotated.Replacing.IsZero() ||
			!strings.Contains(r.stderr, newest) || !strings.Contains(r.stderr, `"sts:ExternalId"`) {
			t.Fatalf("rotate: %d %+v\n%s", r.code, rotated, r.stderr)
		}
		works("the role asks for the first", true)
	}
	cloudarqIn(t.Context(), data, "a-third-id", "connections", "rotate-external-id", "r", "--external-id", "-").sentence(t, exitUsage, "being replaced", "connections test")
	if r := cloudarqIn(t.Context(), data, "the-first-id", "connections", "rotate-external-id", "r", "--external-id", "-", "-q"); r.code != exitOK {
		t.Errorf("taken back: %d %s", r.code, r.stderr)
	}
	works("the change was taken back", false)
	r := cloudarq(t, data, "connections", "rotate-external-id", "r", "-o", "json", "-q")
	newest = decode[report.Connection](t, r).ExternalID
	asksFor(newest)
	works("the role asks for the newest", false)
	asksFor("the-first-id")
	cloudarq(t, data, "connections", "test", "r", "-q").failsWith(t, exitAccess, "role_denied")
	if c := shown(t, data, "r"); c.State != model.ConnectionRevoked {
		t.Errorf("the role asks for the one that was forgotten: %s", c.State)
	}
}

// A role whose trust policy was loosened is refused by the next audit, which leaves a
// finding; the finding goes when the role is mended.
func TestTrustThatIsLoosenedLater(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	arn := makeRole(t, server, e.Auditor, "Loosened", "the-external-id", "*")
	if r := cloudarqIn(t.Context(), data, "the-external-id", "connections", "add", "--name", "l", "--role-arn", arn, "--external-id", "-", "--services", "cloudarq,kms", "--regions", "eu-west-1"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	owner := iam.NewFromConfig(estate.Owner(server.URL, theirs))
	trust := func(condition string) {
		t.Helper()
		text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"}%s}]}`, e.Auditor.ID, condition)
		if _, err := owner.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("Loosened"), PolicyDocument: &text}); err != nil {
			t.Fatal(err)
		}
	}
	audit := func(more ...string) result {
		t.Helper()
		return cloudarq(t, data, append([]string{"audit", "run", "--connection", "l", "-q"}, more...)...)
	}
	open := func() bool {
		t.Helper()
		r := cloudarq(t, data, "findings", "list", "-o", "csv")
		if r.code != exitOK {
			t.Fatal(r.stderr)
		}
		return strings.Contains(r.stdout, "cloudarq-access-external-id")
	}
	if r := audit("-o", "csv"); r.code != exitOK || !strings.Contains(r.stdout, "cloudarq-access-external-id") {
		t.Fatalf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	trust("")
	audit("--dry-run")
	audit().sentence(t, exitAccess, "trust_missing_external_id", "sts:ExternalId")
	if c := shown(t, data, "l"); c.State != model.ConnectionPending || !open() {
		t.Errorf("loosened, the connection is %s, and the finding is open: %v", c.State, open())
	}
	audit("--services", "kms").sentence(t, exitAccess, "trust_missing_external_id") // which has no such finding
	trust(`,"Condition":{"StringEquals":{"sts:ExternalId":"the-external-id"}}`)
	if r := audit(); r.code != exitOK || open() {
		t.Errorf("mended: %d %s, and the finding is open: %v", r.code, r.stderr, open())
	}
	if c := shown(t, data, "l"); c.State == model.ConnectionPending {
		t.Errorf("mended, the connection is %s", c.State)
	}
}

func TestConnectionWithANewExternalID(t *testing.T) {
	e, server := sample(t)
	data := t.TempDir()
	arn := "arn:aws:iam::" + theirs + ":role/Later"
	r := cloudarq(t, data, "connections", "add", "--name", "later", "--role-arn", arn, "-o", "json")
	added := decode[report.Connection](t, r)
	if r.code != exitOK || added.State != model.ConnectionPending || len(added.ExternalID) < 32 ||
		!strings.Contains(r.stderr, added.ExternalID) || !strings.Contains(r.stderr, `"sts:ExternalId"`) || !strings.Contains(r.stderr, e.Auditor.ID) {
		t.Fatalf("added %+v (%d), want it pending with a long External ID and its policy:\n%s", added, r.code, r.stderr)
	}
	cloudarq(t, data, "connections", "test", "later", "-q").failsWith(t, exitAccess, "role_denied")
	again := cloudarq(t, data, "connections", "add", "--name", "later", "--role-arn", arn, "-o", "json")
	if next := decode[report.Connection](t, again); next.ExternalID == added.ExternalID || next.ExternalID == "" {
		t.Errorf("added again: %+v, want a new External ID", next)
	}

	ended := make(chan result)
	go func() {
		ended <- cloudarqIn(t.Context(), data, "the-id", "connections", "add", "--name", "later", "--role-arn", arn, "--external-id", "-", "--wait", "--timeout", "60s")
	}()
	time.Sleep(500 * time.Millisecond)
	makeRole(t, server, e.Auditor, "Later", "the-id", "*")
	if r := <-ended; r.code != exitOK || !strings.Contains(r.stdout, "active") {
		t.Errorf("waited for the role: %d %s%s", r.code, r.stdout, r.stderr)
	}
}

// failsWith is for commands that say more than a sentence.
func (r result) failsWith(t *testing.T, code int, words ...string) {
	t.Helper()
	for _, w := range words {
		if r.code != code || !strings.Contains(r.stderr, w) {
			t.Errorf("exit code %d, want %d and %q: %s", r.code, code, w, r.stderr)
		}
	}
}

func TestConnectionIsNotRemovedUnderAnAudit(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if r := add(t, data, neglected, "--services", "kms", "--regions", "eu-west-1"); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	if err := server.Fault(emulator.Fault{Service: "kms", Kind: emulator.Delay, Seconds: 8}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan result)
	go func() { ended <- cloudarq(t, data, "audit", "run", "--connection", "neglected", "--quiet") }()
	var running result
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if running = cloudarq(t, data, "audit", "list", "-o", "csv"); strings.Contains(running.stdout, "running") {
			break
		}
	}
	cloudarq(t, data, "connections", "remove", "neglected", "--yes").sentence(t, exitUsage, "is running", "audit cancel")
	if r := cloudarq(t, data, "audit", "cancel", "latest"); r.code != exitOK {
		t.Fatalf("%s, running: %s", r.stderr, running.stdout)
	}
	<-ended
	if r := cloudarq(t, data, "connections", "remove", "neglected", "--yes"); r.code != exitOK {
		t.Errorf("after its end: %d %s", r.code, r.stderr)
	}
}

func TestConnectionExcludesOtherWaysIn(t *testing.T) {
	environment(t, nil)
	for _, more := range [][]string{{"--role-arn", "arn"}, {"--external-id", "-"}, {"--profile", "p"}} {
		cloudarq(t, t.TempDir(), append([]string{"audit", "run", "--connection", "x"}, more...)...).sentence(t, exitUsage, "--connection", more[0])
	}
	cloudarq(t, t.TempDir(), "audit", "run", "--connection", "x").sentence(t, exitUsage, "no connection", "connections list")
}

// byName holds each command that takes an account to the name of its connection.
func byName(t *testing.T, data string, a estate.Account) {
	t.Helper()
	all := decode[[]struct {
		ID      string
		Account string
	}](t, cloudarq(t, data, "audit", "list", a.Name, "-o", "json"))
	if len(all) != 2 || all[0].Account != a.ID || all[1].Account != a.ID {
		t.Errorf("audits of %s: %+v", a.Name, all)
	}
	for _, words := range []string{"audit show", "audit diff", "audit verify", "audit calls", "audit watch", "report html", "policy drift", "connections show"} {
		if r := cloudarq(t, data, append(strings.Fields(words), a.Name)...); r.code != exitOK {
			t.Errorf("%s %s: %d %s", words, a.Name, r.code, r.stderr)
		}
	}
	if r := cloudarq(t, data, "audit", "show", a.Name); !strings.Contains(r.stdout, all[0].ID) {
		t.Errorf("the newest audit is not the one of\n%s", r.stdout)
	}
	named := cloudarq(t, data, "findings", "list", "account="+a.Name, "-o", "json").stdout
	if numbered := cloudarq(t, data, "findings", "list", "account="+a.ID, "-o", "json").stdout; named != numbered || len(named) < 10 {
		t.Errorf("by its name it has the findings %.100s, by its number %.100s", named, numbered)
	}
	cloudarq(t, data, "audit", "list", "negelcted").sentence(t, exitUsage, `did you mean "neglected"?`)
}
