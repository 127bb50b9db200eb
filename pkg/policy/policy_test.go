package policy

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The data on actions holds what is needed and what is denied, and nothing else.
func TestDataIsWhatIsNeededAndDenied(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for _, op := range Operations() {
		want[op.Action] = true
	}
	for _, action := range Denied() {
		want[action] = true
	}
	have := slices.Sorted(maps.Keys(Accesses()))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), have); diff != "" {
		t.Errorf("pkg/policy/actions.tsv is not what the operations need; run make generate (-needed +there):\n%s", diff)
	}
}

// exact is an IAM action without a wildcard.
var exact = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9]+$`)

// What the role allows changes nothing, shows no data and no credentials, and
// has no wildcard; what is not granted is granted for a reason elsewhere.
func TestOnlyHarmlessReadsAreNeeded(t *testing.T) {
	t.Parallel()
	known := Accesses()
	for _, op := range Operations() {
		access := known[op.Action]
		switch {
		case !exact.MatchString(op.Action):
			t.Errorf("%s has the action %q", op.ID, op.Action)
		case op.ID == "STS.AssumeRole": // the checker's own, see ungranted
		case !access.ReadOnly():
			t.Errorf("%s needs %+v, which is no harmless read", op.ID, access)
		case slices.Contains(Denied(), op.Action):
			t.Errorf("%s needs %s, which is denied", op.ID, op.Action)
		}
		if ungranted[op.ID] == "" && len(op.Kinds) == 0 && !slices.Contains(Connect(), op.ID) {
			t.Errorf("%s is called for no resource type", op.ID)
		}
	}
	for _, action := range Denied() {
		if !exact.MatchString(action) {
			t.Errorf("the role denies %q by no exact name", action)
		}
	}
	if !slices.IsSorted(Denied()) {
		t.Error("the denied actions are not sorted")
	}
}

func TestNamingsHaveReasonsAndUses(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, op := range Operations() {
		used[op.ID] = true
		used[op.Action] = true
	}
	for id, n := range exceptions {
		service, operation, _ := strings.Cut(id, ".")
		if n.reason == "" || n.action == Name(service, operation) || !exact.MatchString(n.action) {
			t.Errorf("%s is %+v: want another name than the operation's, and a reason", id, n)
		}
		if !used[id] {
			t.Errorf("%s is never called", id)
		}
	}
	for _, op := range Operations() {
		if (op.Action == "apigateway:GET") != (len(Resources(op.ID)) > 0) {
			t.Errorf("%s is narrowed to %v", op.ID, Resources(op.ID))
		}
	}
	for id := range paths {
		if !slices.ContainsFunc(Operations(), func(op Operation) bool { return op.ID == id }) {
			t.Errorf("%s is narrowed and never called", id)
		}
	}
	for id, reason := range ungranted {
		if !used[id] || reason == "" {
			t.Errorf("%s is not granted: never called, or no reason", id)
		}
	}
}

// A service that nobody has called yet has IAM's prefix, too: who adds it need not know it.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	reference, err := os.ReadFile("grant/universe.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(reference)) {
		prefix, _, _ := strings.Cut(line, "\t")
		known[prefix] = true
	}
	for service, special := range prefixes() {
		if special == strings.ToLower(strings.ReplaceAll(service, " ", "")) {
			t.Errorf("%s has its prefix without saying so", service)
		}
		if !known[special] {
			t.Errorf("%s has the prefix %s, which the reference does not have", service, special)
		}
	}
	for service, want := range map[string]string{
		"Athena": "athena", "CloudWatch": "cloudwatch", "CloudWatch Logs": "logs", "Cognito Identity Provider": "cognito-idp", "EFS": "elasticfilesystem",
		"EMR": "elasticmapreduce", "OpenSearch": "es", "Resource Groups Tagging API": "tag", "S3 Control": "s3", "SFN": "states",
	} {
		if got, _, _ := strings.Cut(Name(service, "Get"), ":"); got != want {
			t.Errorf("the prefix of %s is %s, want %s", service, got, want)
		}
	}
}

func TestRefusedOperations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ id, action, want string }{
		"unknown action": {"KMS.Frobnicate", "kms:Frobnicate", "no action of AWS's reference"},
		"wildcard":       {"KMS.All", "kms:*", "no action of AWS's reference"},
		"no action":      {"Nothing.Get", "", "no action of AWS's reference"},
		"write":          {"S3.PutObject", "s3:PutObject", "no harmless read"},
		"data":           {"S3.GetObject", "s3:GetObject", "no harmless read"},
		"credentials":    {"EC2.GetPasswordData", "ec2:GetPasswordData", "no harmless read"},
		"denied read":    {"S3.GetObjectAttributes", "s3:GetObjectAttributes", "which the role denies"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewRole(append(Operations(), Operation{ID: c.id, Action: c.action}))
			if err == nil || !strings.Contains(err.Error(), c.id) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q and %q", err, c.id, c.want)
			}
		})
	}
}

// What the role allows or denies has a version of its own: customers see by it that
// their role is older.
func TestVersionIsOfTheActions(t *testing.T) {
	t.Parallel()
	if whole(t).Hash != RecordedHash {
		t.Errorf("the actions have changed since version %s: run make generate", VersionDate)
	}
}

func TestRaised(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 29, 23, 59, 0, 0, time.UTC)
	for name, c := range map[string]struct{ version, want string }{
		"an older one":               {"20261128c", "20261129a"},
		"of this day":                {"20261129a", "20261129b"},
		"of a clock that goes ahead": {"20261201b", "20261201c"},
		"no letter is left":          {"20261129z", ""},
		"not one of ours":            {"7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Raised(c.version, day)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func whole(t *testing.T) Role {
	t.Helper()
	role, err := NewRole(Operations())
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// The seeds of the product and their kin are denied whatever else is attached.
func TestPromisedDenials(t *testing.T) {
	t.Parallel()
	never := whole(t).Policies[len(whole(t).Policies)-1].Document.Statement
	if len(never) != 1 || never[0].Effect != "Deny" || !slices.Equal(never[0].Resource, []string{"*"}) {
		t.Fatalf("the last policy is %+v", never)
	}
	for _, action := range []string{
		"s3:PutObject", "s3:DeleteObject", "ec2:RunInstances", "iam:CreateRole", "secretsmanager:GetSecretValue",
		"s3:GetObject", "s3:GetObjectVersion", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory",
		"logs:GetLogEvents", "logs:FilterLogEvents", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan",
		"kms:Decrypt", "lambda:GetFunction",
	} {
		if !slices.Contains(never[0].Action, action) {
			t.Errorf("%s is not denied", action)
		}
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	role := whole(t)
	sids := map[string]bool{}
	var allowed []string
	for _, m := range role.Policies {
		for _, s := range m.Document.Statement {
			if sids[s.Sid] || !regexp.MustCompile(`^CloudArq`+VersionDate+`[A-Za-z0-9]+$`).MatchString(s.Sid) {
				t.Errorf("the Sid %q is used twice, or not of letters and digits after the version", s.Sid)
			}
			sids[s.Sid] = true
			if s.Effect == "Allow" {
				allowed = append(allowed, s.Action...)
			}
			if slices.Contains(s.Action, "apigateway:GET") != strings.Contains(strings.Join(s.Resource, " "), "/restapis") || slices.Contains(s.Resource, "/apikeys") {
				t.Errorf("%v on %v", s.Action, s.Resource)
			}
		}
		if size := m.Document.Size(); size > MaxPolicySize {
			t.Errorf("%s has %d characters", m.Name, size)
		}
		t.Logf("%s: %d characters", m.Name, m.Document.Size())
	}
	slices.Sort(allowed)
	var granted []string
	for _, g := range role.Grants {
		granted = append(granted, g.Action)
	}
	if diff := cmp.Diff(granted, allowed); diff != "" {
		t.Errorf("grants and statements differ:\n%s", diff)
	}
	services := map[string]bool{}
	for _, action := range granted {
		service, _, _ := strings.Cut(action, ":")
		services[service] = true
	}
	if len(services) < 30 {
		t.Errorf("the role is for %d services, want at least 30", len(services))
	}
}

// More than fits into one policy goes into several, each within the limit, none
// lost, always the same; more than fits into a role is an error.
func TestSplit(t *testing.T) {
	t.Parallel()
	many := func(n int) []Statement {
		var grants []Grant
		for i := range n {
			grants = append(grants, Grant{Action: "service" + string(rune('a'+i/30%26)) + string(rune('a'+i/780)) + ":DescribeSomethingWithAQuiteLongName" + strings.Repeat("x", i%30)})
		}
		return statements(VersionDate, grants)
	}
	deny := Statement{Sid: "Never", Effect: "Deny", Action: Denied(), Resource: []string{"*"}}
	split1, err := split(many(600), deny)
	if err != nil {
		t.Fatal(err)
	}
	split2, _ := split(many(600), deny)
	if diff := cmp.Diff(split1, split2); diff != "" {
		t.Errorf("two splits differ:\n%s", diff)
	}
	n := 0
	for _, m := range split1 {
		if m.Document.Size() > MaxPolicySize {
			t.Errorf("%s has %d characters", m.Name, m.Document.Size())
		}
		for _, s := range m.Document.Statement {
			n += len(s.Action)
		}
	}
	if len(split1) < 4 || n != 600+len(Denied()) {
		t.Errorf("%d policies with %d actions", len(split1), n)
	}
	if _, err := split(many(2000), deny); err == nil || !strings.Contains(err.Error(), "managed policies") {
		t.Errorf("%v, want an error about the number of policies", err)
	}
}

func TestQuickCreateEscapes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		q    QuickCreate
		want string
	}{
		"all there is": {
			QuickCreate{"eu-west-1", "https://b.s3.eu-west-1.amazonaws.com/audit-role.yaml?v=1&x=2", "a+b=c,d@e:f/g#h i", "arn:aws:iam::111122223333:role/x", "My Role"},
			"https://console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/quickcreate" +
				"?templateURL=https%3A%2F%2Fb.s3.eu-west-1.amazonaws.com%2Faudit-role.yaml%3Fv%3D1%26x%3D2&stackName=CloudArq" +
				"&param_ExternalId=a%2Bb%3Dc%2Cd%40e%3Af%2Fg%23h%20i&param_CheckerRoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx&param_RoleName=My%20Role",
		},
		"GovCloud": {
			QuickCreate{Region: "us-gov-west-1", TemplateURL: "u", ExternalID: "i", CheckerRoleARN: "a"},
			"https://console.amazonaws-us-gov.com/cloudformation/home?region=us-gov-west-1#/stacks/quickcreate?templateURL=u&stackName=CloudArq&param_ExternalId=i&param_CheckerRoleArn=a",
		},
		"China": {
			QuickCreate{Region: "cn-north-1", TemplateURL: "u", ExternalID: "i", CheckerRoleARN: "a"},
			"https://console.amazonaws.cn/cloudformation/home?region=cn-north-1#/stacks/quickcreate?templateURL=u&stackName=CloudArq&param_ExternalId=i&param_CheckerRoleArn=a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, c.q.URL()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The templates name the same actions as the JSON, and nothing is left to fill in.
func TestTemplatesSayTheSame(t *testing.T) {
	t.Parallel()
	role := whole(t)
	for name, text := range map[string]string{
		"CloudFormation": role.CloudFormation(), "StackSet": role.StackSet(), "Terraform": role.Terraform(), "page": role.Page(), "JSON": role.JSON(),
	} {
		for _, action := range role.Denied {
			if !strings.Contains(text, action) {
				t.Errorf("%s lacks %s", name, action)
			}
		}
		for _, g := range role.Grants {
			if !strings.Contains(text, g.Action) {
				t.Errorf("%s lacks %s", name, g.Action)
			}
		}
		if !strings.Contains(text, role.Hash) || !strings.Contains(text, role.Version) || regexp.MustCompile(`@[A-Z]+@`).MatchString(text) {
			t.Errorf("%s lacks the hash or the version, or something was not filled in", name)
		}
	}
}

// The role may trust a role, a user or an account, each by its exact ARN: nothing
// that stands for others.
func TestTemplatesTakePrincipals(t *testing.T) {
	t.Parallel()
	role, err := NewRole(Operations())
	if err != nil {
		t.Fatal(err)
	}
	patterns := []*regexp.Regexp{}
	for _, text := range []string{role.CloudFormation(), role.StackSet(), role.Terraform()} {
		found := regexp.MustCompile(`"(\^arn:aws\[a-z-\]\*:iam::[^"]+\$)"`).FindStringSubmatch(text)
		if found == nil {
			t.Fatal("a template takes any principal")
		}
		patterns = append(patterns, regexp.MustCompile(found[1]))
	}
	for arn, want := range map[string]bool{
		"arn:aws:iam::111122223333:role/service/Checker":     true,
		"arn:aws-cn:iam::111122223333:user/staff/alice@x.y":  true,
		"arn:aws-us-gov:iam::111122223333:root":              true,
		"*":                                                  false,
		"111122223333":                                       false,
		"arn:aws:iam::111122223333:*":                        false,
		"arn:aws:iam::111122223333:role/*":                   false,
		"arn:aws:iam::111122223333:rooted":                   false,
		"arn:aws:iam::*:root":                                false,
		"arn:aws:iam::111122223333:group/all":                false,
		"arn:aws:sts::111122223333:assumed-role/Checker/one": false,
	} {
		for i, p := range patterns {
			if p.MatchString(arn) != want {
				t.Errorf("template %d takes %s: %v, want %v", i, arn, !want, want)
			}
		}
	}
}
