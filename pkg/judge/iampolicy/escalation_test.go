package iampolicy_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

const (
	alice  = "arn:aws:iam::111122223333:user/alice"
	worker = "arn:aws:iam::111122223333:role/worker"
)

var today = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// holding is an identity with the policies given by their statements.
func holding(t *testing.T, arn string, policies ...string) iampolicy.Holder {
	t.Helper()
	h := iampolicy.Holder{ARN: arn, Account: "111122223333", Partition: "aws", Now: today}
	for i, p := range policies {
		h.Policies = append(h.Policies, iampolicy.Held{Name: fmt.Sprintf("p%d", i+1), Rights: iampolicy.RightsOf(parse(t, p))})
	}
	return h
}

func ways(h iampolicy.Holder) string {
	var ids []string
	found, complete := h.Escalations()
	if !complete {
		return "too much"
	}
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return strings.Join(ids, " ")
}

func allow(actions, resource string) string {
	return `{"Effect": "Allow", "Action": ["` + strings.ReplaceAll(actions, "+", `", "`) + `"], "Resource": "` + resource + `"}`
}

func when(statement, condition string) string {
	return strings.TrimSuffix(statement, "}") + `, "Condition": ` + condition + "}"
}

type row struct{ id, category, actions, passTo string }

func rows(t *testing.T) []row {
	t.Helper()
	data, err := os.ReadFile("escalations.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(c) != 6 || c[0] == "" || c[5] == "" {
			t.Fatalf("a row has six columns, the first and the last not empty: %q", line)
		}
		all = append(all, row{c[0], c[1], c[2], c[3]})
	}
	return all
}

// TestPaths: every path is seen where its actions are allowed on everything, and not
// where one of them is missing, or the rest is there without it.
func TestPaths(t *testing.T) {
	ids := map[string]bool{}
	published := 0
	for _, r := range rows(t) {
		for id := range strings.SplitSeq(r.id, ",") {
			if ids[id] {
				t.Errorf("%s is there twice", id)
			}
			ids[id] = true
			if !strings.HasPrefix(id, "cloudarq:") {
				published++
			}
		}
		if !slices.Contains([]string{"self-escalation", "principal-access", "new-passrole", "existing-passrole"}, r.category) {
			t.Errorf("%s is of the category %q", r.id, r.category)
		}
		if passes := strings.Contains(r.actions, "iam:PassRole"); passes != (r.passTo != "") {
			t.Errorf("%s passes a role, or names who takes it; not the other", r.id)
		}
		found, _ := holding(t, worker, allow(r.actions, "*")).Escalations()
		if len(found) == 0 {
			t.Errorf("%s (%s) is not seen", r.id, r.actions)
			continue
		}
		// Each action in a policy of its own is the same.
		var apart []string
		for action := range strings.SplitSeq(r.actions, "+") {
			apart = append(apart, allow(action, "*"))
		}
		if got := ways(holding(t, worker, apart...)); got != ways(holding(t, worker, allow(r.actions, "*"))) {
			t.Errorf("%s in several policies: %s", r.id, got)
		}
		// Without one of them it is another path, or none.
		for i := range apart {
			id, _, _ := strings.Cut(r.id, ",")
			if got := ways(holding(t, worker, slices.Delete(slices.Clone(apart), i, i+1)...)); slices.Contains(strings.Fields(got), id) {
				t.Errorf("%s is seen without the %d. of %s", id, i+1, r.actions)
			}
		}
		// A Deny in another policy takes it away, and so does a boundary without it.
		if got := ways(holding(t, worker, allow(r.actions, "*"), `{"Effect": "Deny", "Action": "*", "Resource": "*"}`)); got != "" {
			t.Errorf("%s, denied: %s", r.id, got)
		}
		bounded := holding(t, worker, allow(r.actions, "*"))
		bounded.Boundary = iampolicy.RightsOf(parse(t, allow("s3:*", "*")))
		if got := ways(bounded); got != "" {
			t.Errorf("%s, bounded: %s", r.id, got)
		}
		bounded.Boundary = iampolicy.RightsOf(parse(t, allow("*", "*")))
		if ways(bounded) == "" {
			t.Errorf("%s within a boundary that allows all is not seen", r.id)
		}
	}
	if published != 166 {
		t.Errorf("%d published paths, want 166", published)
	}
}

// TestActionsOfPathsExist holds the data to AWS's list of actions.
func TestActionsOfPathsExist(t *testing.T) {
	data, err := os.ReadFile("../../policy/grant/universe.tsv")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if c := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(c) == 3 {
			for action := range strings.FieldsSeq(c[2]) {
				known[strings.ToLower(c[0]+":"+strings.TrimRight(action, "!$"))] = true
			}
		}
	}
	// What AWS's list no longer has, or has not under this name, and the sets of paths do.
	missing := []string{
		"gamelift:CreateBuild", "gamelift:CreateFleet", "gamelift:RequestUploadCredentials",
		"codestar:CreateProjectFromTemplate", "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
	}
	for _, r := range rows(t) {
		for action := range strings.SplitSeq(r.actions, "+") {
			if !known[strings.ToLower(action)] && !strings.Contains(action, "*") && !slices.Contains(missing, action) {
				t.Errorf("AWS has no action %s (%s)", action, r.id)
			}
		}
	}
}

func TestEscalations(t *testing.T) {
	const (
		self = "arn:aws:iam::*:user/${aws:username}"
		box  = `{"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/box"}}`
	)
	lambda := allow("lambda:CreateFunction+lambda:InvokeFunction", "*")
	for name, c := range map[string]struct {
		arn      string
		policies []string
		want     string
	}{
		"read only":            {alice, []string{allow("iam:Get*+iam:List*+s3:Get*", "*")}, ""},
		"half of two":          {alice, []string{allow("iam:PassRole", "*")}, ""},
		"two policies":         {alice, []string{allow("iam:PassRole", "*"), allow("ec2:RunInstances", "*")}, "ec2-001"},
		"attached to itself":   {worker, []string{allow("iam:AttachRolePolicy", worker)}, "iam-009"},
		"written into itself":  {worker, []string{allow("iam:PutRolePolicy", worker)}, "iam-005"},
		"all of IAM":           {alice, []string{allow("iam:*", "*")}, "prowler:OverPermissiveIAM"},
		"wildcard actions":     {alice, []string{allow("iam:Create?olicyVersion", "*")}, "iam-001"},
		"but some":             {alice, []string{`{"Effect": "Allow", "NotAction": ["s3:*", "iam:PassRole"], "Resource": "arn:aws:iam::111122223333:policy/*"}`}, "iam-001 prowler:SetDefaultPolicyVersion"},
		"all but users":        {alice, []string{`{"Effect": "Allow", "Action": "iam:CreateAccessKey", "NotResource": "arn:aws:iam::*:user/*"}`}, ""},
		"all but oneself":      {alice, []string{`{"Effect": "Allow", "Action": "iam:CreateAccessKey", "NotResource": "` + alice + `"}`}, "iam-002"},
		"denied in the other":  {alice, []string{allow("iam:PassRole+ec2:RunInstances", "*"), `{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`}, ""},
		"denied where it can":  {alice, []string{allow("iam:CreateAccessKey", "*"), `{"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/*"}`}, ""},
		"denied elsewhere":     {alice, []string{allow("iam:CreateAccessKey", "*"), `{"Effect": "Deny", "Action": "iam:*", "Resource": "arn:aws:iam::*:role/*"}`}, "iam-002"},
		"denied but oneself":   {alice, []string{allow("iam:CreateAccessKey", "*"), `{"Effect": "Deny", "Action": "iam:*", "NotResource": "` + self + `"}`}, ""},
		"denied but one role":  {alice, []string{allow("iam:PassRole", "*") + "," + lambda, `{"Effect": "Deny", "Action": "iam:PassRole", "NotResource": "` + worker + `"}`}, ""},
		"denied without MFA":   {alice, []string{allow("iam:CreateAccessKey", "*"), when(`{"Effect": "Deny", "Action": "*", "Resource": "*"}`, `{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}`)}, "iam-002"},
		"denied without a box": {alice, []string{allow("iam:PutUserPolicy", "*"), when(`{"Effect": "Deny", "Action": "iam:PutUserPolicy", "Resource": "*"}`, strings.Replace(box, "Equals", "NotEquals", 1))}, ""},
		"denied to pass to it": {alice, []string{allow("iam:PassRole", "*") + "," + lambda, when(`{"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}`, `{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`)}, "lambda-001"},

		"self-service":                   {alice, []string{allow("iam:CreateAccessKey+iam:DeleteAccessKey+iam:CreateLoginProfile+iam:UpdateLoginProfile+iam:CreateServiceSpecificCredential+iam:UploadSSHPublicKey", self)}, ""},
		"self-service with a path":       {alice, []string{allow("iam:CreateAccessKey", "arn:aws:iam::*:user/*/${aws:username}")}, ""},
		"self-service by name":           {alice, []string{allow("iam:CreateAccessKey", alice)}, ""},
		"self-service in a policy alone": {"", []string{allow("iam:CreateAccessKey+iam:UpdateLoginProfile", self)}, ""},
		"somebody else's key":            {alice, []string{allow("iam:CreateAccessKey", "arn:aws:iam::111122223333:user/bob")}, "iam-002"},
		"a key of a path":                {alice, []string{allow("iam:CreateAccessKey", "arn:aws:iam::*:user/people/*")}, "iam-002"},
		"writes its own rights":          {alice, []string{allow("iam:PutUserPolicy", self)}, "iam-007"},
		"a role has no user name":        {worker, []string{allow("iam:PutUserPolicy+iam:CreateAccessKey", self)}, ""},

		"passes one role":                {alice, []string{allow("iam:PassRole", worker) + "," + lambda}, ""},
		"passes roles of a name":         {alice, []string{allow("iam:PassRole", "arn:aws:iam::111122223333:role/app-*") + "," + lambda}, ""},
		"passes all roles":               {alice, []string{allow("iam:PassRole", "arn:aws:iam::111122223333:role/*") + "," + lambda}, "lambda-001"},
		"passes all roles of all":        {alice, []string{allow("iam:PassRole", "arn:aws:iam::*:role/*") + "," + lambda}, "lambda-001"},
		"passes what ends so":            {alice, []string{allow("iam:PassRole", "arn:aws:iam::*:role/*-admin") + "," + lambda}, "lambda-001"},
		"passes roles of another":        {alice, []string{allow("iam:PassRole", "arn:aws:iam::999988887777:role/*") + "," + lambda}, ""},
		"passes all but one":             {alice, []string{`{"Effect": "Allow", "Action": "iam:PassRole", "NotResource": "` + worker + `"}, ` + lambda}, "lambda-001"},
		"passes to one service":          {alice, []string{when(allow("iam:PassRole", "*"), `{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}`) + "," + allow("ec2:RunInstances", "*") + "," + lambda}, "lambda-001"},
		"passes to another service":      {alice, []string{when(allow("iam:PassRole", "*"), `{"StringEqualsIfExists": {"iam:PassedToService": ["ecs.amazonaws.com"]}}`) + "," + lambda}, ""},
		"passes to all but it":           {alice, []string{when(allow("iam:PassRole", "*"), `{"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}`) + "," + lambda}, ""},
		"passes to services of a name":   {alice, []string{when(allow("iam:PassRole", "*"), `{"StringLike": {"iam:PassedToService": "lambda.*"}}`) + "," + lambda}, "lambda-001"},
		"a wildcard that is none":        {alice, []string{when(allow("iam:PassRole", "*"), `{"StringEquals": {"iam:PassedToService": "*"}}`) + "," + lambda}, ""},
		"changes one function":           {alice, []string{allow("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:111122223333:function:shop")}, ""},
		"changes all functions":          {alice, []string{allow("lambda:UpdateFunctionCode", "arn:aws:lambda:*:111122223333:function:*")}, "lambda-003"},
		"opens a shell where tagged":     {alice, []string{when(allow("ssm:StartSession", "*"), `{"StringEquals": {"ssm:resourceTag/team": "web"}}`)}, ""},
		"opens a shell on all instances": {alice, []string{allow("ssm:StartSession", "arn:aws:ec2:*:*:instance/i-*")}, "ssm-001"},
		"assumes one role":               {alice, []string{allow("sts:AssumeRole", worker)}, ""},
		"assumes one role of all":        {alice, []string{allow("sts:AssumeRole", "arn:aws:iam::*:role/deploy")}, ""},
		"assumes all roles":              {alice, []string{allow("sts:AssumeRole", "arn:aws:iam::*:role/*")}, "sts-001"},
		"assumes all roles of another":   {alice, []string{allow("sts:AssumeRole", "arn:aws:iam::999988887777:role/*")}, ""},

		"with a boundary":            {alice, []string{when(allow("iam:PutUserPolicy+iam:AttachUserPolicy+iam:PutRolePolicy+iam:AttachRolePolicy+iam:CreateUser+iam:CreateRole", "*"), box)}, ""},
		"a boundary taken away":      {alice, []string{when(allow("iam:DeleteUserPermissionsBoundary", "*"), box)}, "prowler:iam:DeleteUserPermissionsBoundary"},
		"any boundary":               {alice, []string{when(allow("iam:PutUserPolicy", "*"), `{"StringLike": {"iam:PermissionsBoundary": "*"}}`)}, "iam-007"},
		"all of IAM with a boundary": {alice, []string{when(allow("iam:*", "*"), box)}, "prowler:iam:DeleteUserPermissionsBoundary cloudarq:iam-delete-role-boundary"},
		"a key that is never there":  {alice, []string{when(allow("iam:CreateAccessKey", "*"), box)}, ""},
		"attaches some policies":     {alice, []string{when(allow("iam:AttachUserPolicy", "*"), `{"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}`)}, ""},
		"attaches AWS's policies":    {alice, []string{when(allow("iam:AttachUserPolicy", "*"), `{"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}}`)}, "iam-008"},

		"for somebody else": {alice, []string{when(allow("iam:CreatePolicyVersion", "*"), `{"StringEquals": {"aws:username": "bob"}}`)}, ""},
		"for another role":  {worker, []string{when(allow("iam:CreatePolicyVersion", "*"), `{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/work*"}}`)}, ""},

		// BishopFox/iam-vulnerable, modules/free-resources/tool-testing.
		"iam-vulnerable fn1": {alice, []string{allow("iam:PassRole", "*"), allow("ec2:RunInstances+ec2:Describe*", "*")}, "ec2-001"},
		"iam-vulnerable fn2": {alice, []string{allow("iam:CreatePolicyVersion", "arn:aws:iam::*:policy/fn2-*")}, "iam-001"},
		"iam-vulnerable fn3": {alice, []string{when(allow("iam:CreatePolicyVersion", "*"), `{"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}`)}, "iam-001"},
		"iam-vulnerable fn4": {alice, []string{`{"Effect": "Allow", "NotAction": ["ec2:*", "s3:*", "iam:Put*", "iam:Add*"], "Resource": "arn:aws:iam::111122223333:policy/*"}`}, "iam-001 prowler:SetDefaultPolicyVersion"},
		"iam-vulnerable fp1": {alice, []string{allow("iam:*", "*") + `, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`}, ""},
		"iam-vulnerable fp2": {alice, []string{allow("*", "*"), `{"Effect": "Deny", "Action": "*", "Resource": "*"}`}, ""},
		"iam-vulnerable fp3": {alice, []string{`{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}`}, ""},
		"iam-vulnerable fp4": {alice, []string{allow("iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/fp4-*")}, ""},
		"iam-vulnerable fp5": {alice, []string{when(allow("iam:CreatePolicyVersion", "*"), `{"DateLessThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}`)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ways(holding(t, c.arn, c.policies...)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestEscalationsAreBounded: policies as large as AWS takes them, written so that each
// resource is compared with each Deny, are too much, and that is said.
func TestEscalationsAreBounded(t *testing.T) {
	list := func(element, pattern string) string {
		var all []string
		for i := range 700 {
			all = append(all, fmt.Sprintf(pattern, i))
		}
		return `{"Effect": "` + element + `", "Action": "*", "Resource": ["` + strings.Join(all, `", "`) + `"]}`
	}
	var policies []string
	for range 20 {
		policies = append(policies, list("Allow", "*%d"), list("Deny", "?*%d"))
	}
	begin := time.Now()
	if _, complete := holding(t, alice, policies...).Escalations(); complete {
		t.Error("not said to be too much")
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestEscalationNamesItsPolicies(t *testing.T) {
	h := holding(t, alice, allow("iam:PassRole", "*"), allow("s3:*", "*"), allow("ec2:RunInstances", "*"))
	got, _ := h.Escalations()
	if len(got) != 1 || got[0].String() != "ec2-001 by iam:PassRole and ec2:RunInstances" || strings.Join(got[0].Policies, " ") != "p1 p3" {
		t.Errorf("%+v", got)
	}
}

// TestMoreIsMore: another Allow takes no way to more rights away, and neither a Deny
// nor a boundary opens one.
func TestMoreIsMore(t *testing.T) {
	var actions []string
	for _, r := range rows(t) {
		actions = append(actions, strings.Split(r.actions, "+")...)
	}
	action := rapid.OneOf(rapid.SampledFrom(actions), rapid.SampledFrom([]string{"*", "iam:*", "iam:Create*", "iam:?ut*", "lambda:*", "ec2:*", "*:Pass*", "sts:*"}))
	resource := rapid.SampledFrom([]string{
		"*", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:role/*", worker, alice, "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*",
		"arn:aws:iam::aws:policy/*", "arn:aws:iam::*:policy/a*", "arn:aws:lambda:*:*:function:*", "arn:aws:s3:::b",
	})
	condition := rapid.SampledFrom([]string{
		`{}`, `{}`, `{}`, `{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}`, `{"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}`,
		`{"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/box"}}`, `{"StringNotEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/box"}}`,
		`{"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Read*"}}`, `{"StringEquals": {"aws:username": "alice"}}`, `{"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}`,
		`{"Bool": {"aws:MultiFactorAuthPresent": "true"}}`, `{"StringEquals": {"aws:ResourceTag/team": "a"}}`,
	})
	statement := rapid.Custom(func(t *rapid.T) string {
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "effect")
		element := rapid.SampledFrom([]string{"Action", "Action", "Action", "NotAction"}).Draw(t, "element")
		on := rapid.SampledFrom([]string{"Resource", "Resource", "Resource", "NotResource"}).Draw(t, "on")
		return fmt.Sprintf(`{"Effect": %q, %q: ["%s"], %q: %q, "Condition": %s}`, effect, element,
			strings.Join(rapid.SliceOfN(action, 1, 4).Draw(t, "actions"), `", "`), on, resource.Draw(t, "resource"), condition.Draw(t, "condition"))
	})
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		policies := rapid.SliceOfN(statement, 1, 4).Draw(t, "policies")
		more := statement.Draw(t, "more")
		h := holding(outer, rapid.SampledFrom([]string{alice, worker, ""}).Draw(t, "who"), policies...)
		before := actionsOf(h)
		bounded := h
		bounded.Boundary = iampolicy.RightsOf(parse(outer, more))
		if opened := within(before, actionsOf(bounded)); opened != "" {
			t.Fatalf("%v bounded by %s makes %s possible", policies, more, opened)
		}
		h.Policies = append(h.Policies, iampolicy.Held{Name: "more", Rights: iampolicy.RightsOf(parse(outer, more))})
		after := actionsOf(h)
		if strings.Contains(more, `"Deny"`) {
			before, after = after, before
		}
		if lost := within(after, before); lost != "" {
			t.Fatalf("%v and %s: %s", policies, more, lost)
		}
	})
}

// actionsOf are the ways of a holder by the actions that they take.
func actionsOf(h iampolicy.Holder) [][]string {
	var all [][]string
	found, _ := h.Escalations()
	for _, e := range found {
		all = append(all, e.Actions)
	}
	return all
}

// within is a way of some that none of the others says in as few words or fewer.
func within(others, some [][]string) string {
	for _, way := range some {
		if !slices.ContainsFunc(others, func(o []string) bool {
			return !slices.ContainsFunc(o, func(a string) bool { return !slices.Contains(way, a) }) || strings.HasPrefix(strings.Join(o, ""), "iam:*") || o[0] == "iam:Put*"
		}) {
			return strings.Join(way, "+")
		}
	}
	return ""
}

func TestAdministrator(t *testing.T) {
	power, iam := `{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"}`, allow("iam:*", "*")
	deny := `{"Effect": "Deny", "Action": "*", "Resource": "*"}`
	for name, c := range map[string]struct {
		policies []string
		boundary string
		want     string
	}{
		"everything":               {[]string{allow("s3:*", "*"), allow("*", "*")}, "", "p2"},
		"PowerUser and IAMFull":    {[]string{power, iam}, "", "p1 p2"},
		"PowerUser":                {[]string{power}, "", ""},
		"IAMFull":                  {[]string{iam}, "", ""},
		"quarantined":              {[]string{allow("*", "*"), deny}, "", ""},
		"quarantined without MFA":  {[]string{allow("*", "*"), when(deny, `{"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}`)}, "", "p1"},
		"one service denied":       {[]string{allow("*", "*"), `{"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}`}, "", "p1"},
		"bounded":                  {[]string{allow("*", "*")}, allow("s3:*", "*"), ""},
		"bounded by everything":    {[]string{allow("*", "*")}, allow("*", "*"), "p1"},
		"bounded to power":         {[]string{allow("*", "*")}, power, ""},
		"the boundary denies":      {[]string{allow("*", "*")}, allow("*", "*") + "," + deny, ""},
		"until long ago":           {[]string{when(allow("*", "*"), `{"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}`)}, "", ""},
		"since long ago":           {[]string{when(allow("*", "*"), `{"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}`)}, "", "p1"},
		"with MFA":                 {[]string{when(allow("*", "*"), `{"Bool": {"aws:MultiFactorAuthPresent": "true"}}`)}, "", "p1"},
		"within boundaries alone":  {[]string{when(allow("*", "*"), `{"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/box"}}`)}, "", ""},
		"everything that has ARNs": {[]string{allow("*", "arn:aws:*")}, "", "p1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := holding(t, alice, c.policies...)
			if c.boundary != "" {
				h.Boundary = iampolicy.RightsOf(parse(t, c.boundary))
			}
			if got := strings.Join(h.Administrator(), " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
