package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/cloudarq/cloudarq/pkg/access/bootstrap"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/test/emulator"
	"github.com/cloudarq/cloudarq/test/estate"
)

// newcomer is an account of the emulator with nothing but an administrator, whose
// keys are the profile "admin". The auditor may assume its roles, if they trust
// him.
type newcomer struct {
	account string
	server  *emulator.Server
	auditor estate.Account
	admin   aws.Credentials
}

// everything is the policy of somebody who may do all there is.
const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// newNewcomer makes an account of the test's own, whose administrator has a policy.
func newNewcomer(t *testing.T, account, policy string) newcomer {
	t.Helper()
	e, server := sample(t)
	n := newcomer{account: account, server: server, auditor: e.Auditor}
	mayAssume(t, server, e.Auditor, account)
	owner, name := iam.NewFromConfig(estate.Owner(server.URL, account)), aws.String("alice")
	if _, err := owner.CreateUser(t.Context(), &iam.CreateUserInput{UserName: name, Path: aws.String("/staff/")}); err != nil {
		t.Fatal(err)
	}
	n.allow(t, policy)
	made, err := owner.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	n.admin = aws.Credentials{AccessKeyID: *made.AccessKey.AccessKeyId, SecretAccessKey: *made.AccessKey.SecretAccessKey}
	profile(t, n.admin)
	return n
}

// allow gives the administrator another policy.
func (n newcomer) allow(t *testing.T, policy string) {
	t.Helper()
	owner := iam.NewFromConfig(estate.Owner(n.server.URL, n.account))
	if _, err := owner.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("admin"), PolicyDocument: &policy}); err != nil {
		t.Fatal(err)
	}
}

// profile makes keys the profile "admin".
func profile(t *testing.T, keys aws.Credentials) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials")
	text := fmt.Sprintf("[admin]\naws_access_key_id = %s\naws_secret_access_key = %s\n", keys.AccessKeyID, keys.SecretAccessKey)
	if keys.SessionToken != "" {
		text += "aws_session_token = " + keys.SessionToken + "\n"
	}
	overwrite(t, file, []byte(text))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
}

// session is one of a role of the account that may do all there is.
func (n newcomer) session(t *testing.T) aws.Credentials {
	t.Helper()
	owner, name := estate.Owner(n.server.URL, n.account), aws.String("Admin")
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"}}]}`, n.account)
	made, err := iam.NewFromConfig(owner).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := iam.NewFromConfig(owner).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: name, PolicyDocument: aws.String(everything)}); err != nil {
		t.Fatal(err)
	}
	session, err := sts.NewFromConfig(owner).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: made.Role.Arn, RoleSessionName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	c := session.Credentials
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// bootstrapArgs are the command's, with the administrator's profile.
func bootstrapArgs(more ...string) []string {
	return append([]string{"connections", "bootstrap", "--admin-profile", "admin", "--timeout", "30s"}, more...)
}

// stack is the one of the account, if there is one.
func (n newcomer) stack(t *testing.T, region string) *cfntypes.Stack {
	t.Helper()
	cfg := estate.Owner(n.server.URL, n.account)
	cfg.Region = region
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{})
	if err != nil || len(out.Stacks) > 1 {
		t.Fatalf("stacks %v, %v", out, err)
	}
	if len(out.Stacks) == 0 {
		return nil
	}
	return &out.Stacks[0]
}

// trust is the trust policy of the account's audit role; empty if there is none.
func (n newcomer) trust(t *testing.T, role string) string {
	t.Helper()
	out, err := iam.NewFromConfig(estate.Owner(n.server.URL, n.account)).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	if err != nil {
		return ""
	}
	text, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// externalID is the one that is kept.
func externalID(t *testing.T, data, word string) string {
	t.Helper()
	return decode[report.Connection](t, cloudarq(t, data, "connections", "show", word, "--reveal-external-id", "-o", "json")).ExternalID
}

func TestBootstrap(t *testing.T) {
	n := newNewcomer(t, "555500000001", everything)
	data := t.TempDir()
	r := cloudarq(t, data, bootstrapArgs("--name", "new", "--yes", "-o", "json")...)
	if r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	done := decode[bootstrapped](t, r)
	role := "arn:aws:iam::" + n.account + ":role/CloudArqAuditRole"
	if done.State != model.ConnectionActive || done.Name != "new" || done.RoleARN != role || done.ExternalID != "" || done.StackID != *n.stack(t, "us-east-1").StackId {
		t.Errorf("made %+v, want the account active and its External ID not shown", done)
	}
	if len(done.Changes) != 3 || !slices.Contains(done.Changes, bootstrap.Change{Action: "Add", LogicalID: "AuditRole", Type: "AWS::IAM::Role"}) {
		t.Errorf("changes %+v, want the role and its two policies", done.Changes)
	}
	key := "--user-name alice --access-key-id " + n.admin.AccessKeyID
	if want := []string{"aws iam update-access-key " + key + " --status Inactive", "aws iam delete-access-key " + key}; !slices.Equal(done.Deactivate, want) {
		t.Errorf("deactivate with %q, want %q", done.Deactivate, want)
	}
	for _, shown := range []string{"AuditRole", "AWS::IAM::Role", "CREATE_COMPLETE", "alice", n.account} {
		if !strings.Contains(r.stderr, shown) {
			t.Errorf("it was not said: %s\n%s", shown, r.stderr)
		}
	}
	id := externalID(t, data, "new")
	if trust := n.trust(t, "CloudArqAuditRole"); !strings.Contains(trust, id) || !strings.Contains(trust, n.auditor.ID+":user/") {
		t.Errorf("the role trusts %s, want the auditor with the External ID that is kept", trust)
	}

	if r := cloudarq(t, data, "audit", "run", "--connection", "new", "--services", "kms,iam", "--regions", "us-east-1", "--min-coverage", "90", "-q"); r.code != exitOK {
		t.Errorf("the audit: %d %s", r.code, r.stderr)
	}

	again := cloudarq(t, data, bootstrapArgs("--yes")...)
	if again.code != exitOK || !strings.Contains(again.stderr, "as it should be") || !strings.Contains(again.stdout, "active") || !strings.Contains(again.stdout, "update-access-key") {
		t.Errorf("the second time: %d %s%s", again.code, again.stdout, again.stderr)
	}
	if externalID(t, data, "new") != id {
		t.Error("the second time made another External ID, or forgot the name")
	}

	r = cloudarq(t, data, bootstrapArgs("--yes", "--services", "kms", "-o", "json")...)
	if r.code != exitOK {
		t.Fatalf("reduced: %d %s", r.code, r.stderr)
	}
	if reduced := decode[bootstrapped](t, r); !slices.Equal(reduced.Services, []string{"kms"}) || len(reduced.Changes) == 0 || reduced.Changes[0].Action != "Modify" {
		t.Errorf("reduced to %+v", reduced)
	}
	if cloudarq(t, data, "audit", "run", "--connection", "new", "--regions", "us-east-1", "--min-coverage", "100", "-q").code != exitOK {
		t.Error("the reduced role does not suffice for what the connection audits")
	}

	// Another state knows another External ID, and the role follows.
	elsewhere := t.TempDir()
	if r := cloudarq(t, elsewhere, bootstrapArgs("--yes", "-q")...); r.code != exitOK || strings.Contains(r.stderr, "AuditRole") {
		t.Errorf("from elsewhere: %d %s", r.code, r.stderr)
	}
	if other := externalID(t, elsewhere, n.account); other == id || !strings.Contains(n.trust(t, "CloudArqAuditRole"), other) {
		t.Error("the role does not follow the External ID")
	}
	cloudarq(t, data, bootstrapArgs("--yes", "--role-name", "Another")...).sentence(t, exitUsage, "kept already", role, "connections remove")
}

func TestBootstrapElsewhereAndOtherwise(t *testing.T) {
	n := newNewcomer(t, "555500000002", everything)
	keys := n.session(t)
	profile(t, keys)
	// Whoever audits with a session of a role is trusted as its account.
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken} {
		t.Setenv(name, value)
	}
	data := t.TempDir()
	r := cloudarq(t, data, bootstrapArgs("--yes", "--region", "eu-west-1", "--stack-name", "Audit-1", "--role-name", "Second@Role", "--checks", "kms-*")...)
	if r.code != exitOK || !strings.Contains(r.stdout, "expires by itself") || strings.Contains(r.stdout, "update-access-key") || strings.Contains(r.stdout, "profile of their own") {
		t.Fatalf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	if s := n.stack(t, "eu-west-1"); s == nil || *s.StackName != "Audit-1" || s.StackStatus != cfntypes.StackStatusCreateComplete {
		t.Errorf("the stack is %+v", s)
	}
	if trust := n.trust(t, "Second@Role"); !strings.Contains(trust, `"arn:aws:iam::`+n.account+`:root"`) {
		t.Errorf("the role trusts %s", trust)
	}
	if r := cloudarq(t, data, bootstrapArgs("--yes", "--region", "eu-west-1", "--stack-name", "Audit-1", "--role-name", "Second@Role", "--profile", "admin", "--name", "x")...); r.code != exitOK {
		t.Errorf("the second time: %d %s", r.code, r.stderr)
	}
	if shown := decode[report.Connection](t, cloudarq(t, data, "connections", "show", "x", "-o", "json")); shown.Profile != "admin" {
		t.Errorf("the second time kept %+v, want the profile and the name said anew", shown)
	}
}

func TestBootstrapRefused(t *testing.T) {
	n := newNewcomer(t, "555500000003", everything)
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"nobody to ask":          {bootstrapArgs(), exitUsage, []string{"terminal", "--yes"}},
		"no such profile":        {[]string{"connections", "bootstrap", "--yes", "--admin-profile", "nobody"}, exitAccess, []string{"--admin-profile", "nobody"}},
		"no such profile audits": {bootstrapArgs("--yes", "--profile", "nobody"), exitAccess, []string{"nobody"}},
		"account without need":   {bootstrapArgs("--yes", "--account", n.account), exitUsage, []string{"--account", "--print-only"}},
		"no account":             {bootstrapArgs("--print-only", "--account", "12"), exitUsage, []string{"12 digits"}},
		"print and show":         {bootstrapArgs("--print-only", "--show-policy"), exitUsage, []string{"--print-only", "--show-policy"}},
		"yes to nothing":         {bootstrapArgs("--print-only", "--yes"), exitUsage, []string{"--yes"}},
		"stack's name":           {bootstrapArgs("--yes", "--stack-name", "1_a"), exitUsage, []string{"name of a stack"}},
		"role's name":            {bootstrapArgs("--yes", "--role-name", "a/b"), exitUsage, []string{"name of a role"}},
		"unknown service":        {bootstrapArgs("--yes", "--services", "kmss"), exitUsage, []string{"did you mean", "kms"}},
		"unknown check":          {bootstrapArgs("--yes", "--checks", "kms-key-rotatoin"), exitUsage, []string{"did you mean"}},
		"printed, unknown check": {bootstrapArgs("--print-only", "--checks", "kms-key-rotatoin"), exitUsage, []string{"did you mean"}},
		"server printed":         {bootstrapArgs("--server", "https://x.example", "--print-only"), exitUsage, []string{"--server", "--print-only"}},
		"server of nobody's":     {bootstrapArgs("--yes", "--server", "https://x.example"), exitAccess, []string{"cloudarq login --server https://x.example"}},
		"keyring for a server":   {bootstrapArgs("--yes", "--server", "https://x.example", "--keyring-passphrase", "env:X"), exitUsage, []string{"--keyring-passphrase", "--server"}},
		"server in the clear":    {bootstrapArgs("--yes", "--server", "http://x.example"), exitUsage, []string{"https://"}},
		"output":                 {bootstrapArgs("--yes", "-o", "xml"), exitUsage, []string{"xml"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			r := cloudarq(t, data, append(c.args, "-q")...)
			r.sentence(t, c.code, c.says...)
			if listed := decode[[]report.Connection](t, cloudarq(t, data, "connections", "list", "-o", "json")); len(listed) != 0 {
				t.Errorf("kept all the same: %+v", listed)
			}
		})
	}
	t.Run("the root user audits", func(t *testing.T) {
		const emulators = "123456789012" // that of keys that are no account's
		t.Setenv("AWS_ACCESS_KEY_ID", "root")
		root := emulator.Answer{Service: "sts", Operation: "GetCallerIdentity", Account: emulators, Body: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
			`<Arn>arn:aws:iam::` + emulators + `:root</Arn><Account>` + emulators + `</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`}
		if err := n.server.Answer(root); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = n.server.Retract(root) })
		cloudarq(t, t.TempDir(), bootstrapArgs("--yes", "-q")...).sentence(t, exitAccess, "root user", "cannot assume roles", "--profile")
	})
	t.Run("a key that AWS does not know", func(t *testing.T) {
		profile(t, aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "x"})
		cloudarq(t, t.TempDir(), bootstrapArgs("--yes", "-q")...).sentence(t, exitAccess, "the profile admin", "--admin-profile", "AWS does not accept")
	})
	if n.stack(t, "us-east-1") != nil {
		t.Error("a stack was made")
	}
	t.Run("another's stack", func(t *testing.T) {
		profile(t, n.admin)
		if _, err := cloudformation.NewFromConfig(estate.Owner(n.server.URL, n.account)).CreateStack(t.Context(), &cloudformation.CreateStackInput{
			StackName: aws.String("CloudArq"), TemplateBody: aws.String(`{"Resources":{"Precious":{"Type":"AWS::SNS::Topic"}}}`),
		}); err != nil {
			t.Fatal(err)
		}
		cloudarq(t, t.TempDir(), bootstrapArgs("--yes", "-q", "--region", "eu-west-1")...).sentence(t, exitFailed, "CloudArq in eu-west-1", "not one of the audit role's", "--stack-name")
	})
}

// The auditor lacks what the audited account cannot give him.
func TestBootstrapOfARoleThatTheAuditorMayNotAssume(t *testing.T) {
	n := newNewcomer(t, "555500000004", everything)
	ours := iam.NewFromConfig(estate.Owner(n.server.URL, n.auditor.ID))
	users, err := ours.ListUsers(t.Context(), &iam.ListUsersInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ours.DeleteUserPolicy(t.Context(), &iam.DeleteUserPolicyInput{UserName: users.Users[0].UserName, PolicyName: aws.String("assume-" + n.account)}); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	r := cloudarq(t, data, bootstrapArgs("--yes", "--role-name", "Other", "--timeout", "4s")...)
	r.failsWith(t, exitCancelled, "not verified", "sts:AssumeRole", n.auditor.ID+":user/", "waiting: role_denied", "run this again")
	mayAssume(t, n.server, n.auditor, n.account)
	if r := cloudarq(t, data, bootstrapArgs("--yes", "--role-name", "Other")...); r.code != exitOK || !strings.Contains(r.stdout, "active") {
		t.Errorf("with the policy: %d %s", r.code, r.stderr)
	}
}

// The administrator's own credentials audit, too.
func TestBootstrapByTheAuditor(t *testing.T) {
	n := newNewcomer(t, "555500000005", everything)
	r := cloudarq(t, t.TempDir(), bootstrapArgs("--yes", "--profile", "admin")...)
	if r.code != exitOK || !strings.Contains(r.stdout, "profile of their own") || !strings.Contains(n.trust(t, "CloudArqAuditRole"), n.account+":user/staff/alice") {
		t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
	}
}

// TestBootstrapSecretsStayInMemory bootstraps with keys whose secrets are known,
// makes each step fail as well, and looks at all that was sent, said and written.
func TestBootstrapSecretsStayInMemory(t *testing.T) {
	n := newNewcomer(t, "555500000006", everything)
	for name, keys := range map[string]aws.Credentials{"long-term keys": n.admin, "session": n.session(t)} {
		t.Run(name, func(t *testing.T) {
			profile(t, keys)
			w, data := tap(t, n.server), t.TempDir()
			hidden := []string{keys.SecretAccessKey}
			if keys.SessionToken != "" {
				hidden = append(hidden, keys.SessionToken)
			}
			h := newHunt(hidden...)
			for _, step := range []struct {
				drop string // the operation whose answer is lost
				code int
				args []string
			}{
				{"GetCallerIdentity", exitFailed, []string{"--yes"}},
				{"CreateChangeSet", exitFailed, []string{"--yes"}},
				{"ExecuteChangeSet", exitFailed, []string{"--yes"}},
				{"", exitOK, []string{"--show-policy"}},
				{"", exitOK, []string{"--print-only"}},
				{"", exitOK, []string{"--yes", "-o", "json"}},
				{"", exitOK, []string{"--yes"}},
				{"DescribeStacks", exitFailed, []string{"--yes"}},
			} {
				w.on(func(operation string, answered bool) bool { return answered && operation == step.drop })
				r := cloudarq(t, data, bootstrapArgs(step.args...)...)
				if r.code != step.code {
					t.Errorf("%v without the answer to %q: exit code %d, want %d: %s", step.args, step.drop, r.code, step.code, r.stderr)
				}
				h.in(t, "stdout", []byte(r.stdout))
				h.in(t, "stderr", []byte(r.stderr))
				h.inFiles(t, data)
			}
			tokens := 0
			for _, sent := range w.sent() {
				if keys.SessionToken != "" {
					header := []byte("\r\nX-Amz-Security-Token: " + keys.SessionToken + "\r\n")
					tokens += bytes.Count(sent, header)
					sent = bytes.ReplaceAll(sent, header, nil)
				}
				h.in(t, "a request", sent)
			}
			if made := bytes.Count(bytes.Join(w.sent(), nil), []byte("Credential="+keys.AccessKeyID)); made < 20 || keys.SessionToken != "" && tokens != made {
				t.Errorf("%d requests were signed with the keys, %d carry the token in its place", made, tokens)
			}
			if read := h.inFiles(t, data); !bytes.Contains(read, []byte(`"external_id":`)) {
				t.Error("the hunt did not look where External IDs are kept")
			}
			// The hunt finds what it is to find.
			file, err := os.ReadFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"))
			if err != nil || !bytes.Contains(file, []byte(keys.SecretAccessKey)) {
				t.Errorf("the secret is not what was used: %v", err)
			}
		})
	}
}

// Ctrl-C while CloudFormation works says what becomes of the stack, and the next run
// goes on.
func TestBootstrapIsLeft(t *testing.T) {
	n := newNewcomer(t, "555500000013", everything)
	w, data := tap(t, n.server), t.TempDir()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	w.on(func(operation string, answered bool) bool {
		if operation == "ExecuteChangeSet" && answered {
			leave()
		}
		return false
	})
	r := cloudarqIn(ctx, data, "", bootstrapArgs("--yes", "-q")...)
	r.sentence(t, exitCancelled, "may go on", "run this again")
	w.on(nil)
	if r := cloudarq(t, data, bootstrapArgs("--yes")...); r.code != exitOK || !strings.Contains(r.stderr, "as it should be") {
		t.Errorf("run again: %d %s", r.code, r.stderr)
	}
}

// Each of the permissions that --show-policy gives is needed: without it, the
// command says which is lacking.
func TestBootstrapWithTheLeastPolicy(t *testing.T) {
	n := newNewcomer(t, "555500000007", everything)
	shown := cloudarq(t, t.TempDir(), "connections", "bootstrap", "--show-policy", "--account", n.account, "--region", "eu-west-1", "--stack-name", "Least")
	var least struct {
		Version   string
		Statement []map[string]any
	}
	if shown.code != exitOK || json.Unmarshal([]byte(shown.stdout), &least) != nil {
		t.Fatalf("%d %s%s", shown.code, shown.stdout, shown.stderr)
	}
	if mine := cloudarq(t, t.TempDir(), bootstrapArgs("--show-policy", "--region", "eu-west-1", "--stack-name", "Least")...); mine.stdout != shown.stdout {
		t.Errorf("for the administrator's own account: %s%s", mine.stdout, mine.stderr)
	}
	// Only these does the administrator call by himself, and only these does the
	// emulator check: it makes a stack's resources as the account itself.
	stack := least.Statement[0]
	var actions []string
	for _, action := range stack["Action"].([]any) {
		actions = append(actions, action.(string))
	}
	args := bootstrapArgs("--region", "eu-west-1", "--stack-name", "Least")
	without := func(action string) string {
		stack["Action"] = slices.DeleteFunc(slices.Clone(actions), func(a string) bool { return a == action })
		text, err := json.Marshal(least)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	data := t.TempDir()
	for _, action := range actions {
		n.allow(t, without(action))
		var r result
		switch action {
		case "cloudformation:DeleteChangeSet", "cloudformation:DeleteStack": // only for who says no
			var said string
			r.code, said = onTerminal(t, []string{"n"}, append(args, "--data-dir", data)...)
			r.stderr = said
		default:
			r = cloudarq(t, data, append(args, "--yes", "-q")...)
		}
		r.failsWith(t, exitAccess, "user/staff/alice may not call "+action, "--show-policy")
	}
	n.allow(t, shown.stdout)
	if code, said := onTerminal(t, []string{"no"}, append(args, "--data-dir", data)...); code != exitCancelled || n.stack(t, "eu-west-1") != nil {
		t.Errorf("no with the least policy: %d %s", code, said)
	}
	for _, more := range [][]string{nil, {"--services", "kms"}, {"--services", "kms"}} { // made, changed, as it should be
		if r := cloudarq(t, data, append(append(args, "--yes"), more...)...); r.code != exitOK {
			t.Errorf("%v with the least policy: %d %s", more, r.code, r.stderr)
		}
	}
	cloudarq(t, data, bootstrapArgs("--yes", "-q", "--region", "eu-west-1", "--stack-name", "Other")...).sentence(t, exitAccess, "may not call cloudformation:DescribeStacks", "Other")
}

func TestBootstrapUnderAnOrganizationsPolicy(t *testing.T) {
	n := newNewcomer(t, "555500000008", everything)
	if err := n.server.SCP(n.account, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"cloudformation:Create*","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.server.SCP(n.account, "") })
	cloudarq(t, t.TempDir(), bootstrapArgs("--yes", "-q")...).sentence(t, exitAccess, "policy of the organization", "cloudformation:CreateChangeSet")
}

func TestBootstrapByHand(t *testing.T) {
	n := newNewcomer(t, "555500000009", everything)
	data := t.TempDir()
	if err := n.server.ResetCalls(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	args := []string{"connections", "bootstrap", "--print-only", "--account", n.account, "--name", "hand", "--region", "eu-west-1", "--services", "kms,s3", "--role-name", "By=Hand"}
	r := cloudarq(t, data, args...)
	id := externalID(t, data, "hand")
	users, err := iam.NewFromConfig(estate.Owner(n.server.URL, n.auditor.ID)).ListUsers(t.Context(), &iam.ListUsersInput{})
	if err != nil {
		t.Fatal(err)
	}
	principal := *users.Users[0].Arn
	want := strings.Join([]string{
		"cloudarq policy show --format cloudformation --services=kms,s3 > cloudarq-audit-role.yaml",
		"aws cloudformation deploy --stack-name CloudArq --region eu-west-1 --template-file cloudarq-audit-role.yaml --capabilities CAPABILITY_NAMED_IAM" +
			" --parameter-overrides CheckerRoleArn=" + principal + " ExternalId=" + id + " RoleName=By=Hand",
		"aws cloudformation describe-stacks --stack-name CloudArq --region eu-west-1 --query 'Stacks[0].Outputs[?OutputKey=='\\''RoleArn'\\''].OutputValue' --output text",
		"cloudarq connections test " + n.account + " --wait --data-dir " + data,
		"",
	}, "\n")
	if r.code != exitOK || r.stdout != want {
		t.Errorf("%d %s\n%s, want\n%s", r.code, r.stderr, r.stdout, want)
	}
	calls, err := n.server.Calls()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if c.Operation != "GetCallerIdentity" && c.Operation != "ListUsers" {
			t.Errorf("printing called %s", c.Operation)
		}
	}
	if again := cloudarq(t, data, args...); again.stdout != want {
		t.Errorf("the second time: %s%s", again.stdout, again.stderr)
	}

	template := cloudarq(t, data, "policy", "show", "--format", "cloudformation", "--services=kms,s3").stdout
	var parameters []cfntypes.Parameter
	for _, p := range [][2]string{{"CheckerRoleArn", principal}, {"ExternalId", id}, {"RoleName", "By=Hand"}} {
		parameters = append(parameters, cfntypes.Parameter{ParameterKey: &p[0], ParameterValue: &p[1]})
	}
	if _, err := cloudformation.NewFromConfig(estate.Owner(n.server.URL, n.account)).CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: aws.String("CloudArq"), TemplateBody: &template, Parameters: parameters, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam},
	}); err != nil {
		t.Fatal(err)
	}
	if r := cloudarq(t, data, "connections", "test", n.account, "--wait", "--timeout", "30s"); r.code != exitOK {
		t.Errorf("after the commands: %d %s%s", r.code, r.stdout, r.stderr)
	}
	t.Run("without credentials", func(t *testing.T) {
		t.Setenv("AWS_ACCESS_KEY_ID", "")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		r := cloudarq(t, t.TempDir(), "connections", "bootstrap", "--print-only", "--account", "555500000010", "--region", "cn-north-1", "-q")
		if r.code != exitOK || !strings.Contains(r.stdout, "'CheckerRoleArn=<the ARN of") {
			t.Errorf("%d %s%s", r.code, r.stdout, r.stderr)
		}
		cloudarq(t, t.TempDir(), "connections", "bootstrap", "--print-only", "-q").sentence(t, exitAccess, "no AWS credentials", "--admin-profile")
	})
}
