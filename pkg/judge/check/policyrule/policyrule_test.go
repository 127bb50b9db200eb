package policyrule_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// box is a resource of no service, with a policy.
type box struct {
	model.Resource
	Policy fact.Of[string] `json:"policy"`
}

func (box) Kind() string { return "Test::House::Box" }

func withPolicy(document string) box {
	return box{Resource: checktest.Ref("box", "b"), Policy: fact.Known(document)}
}

// allow is a policy of one statement that lets a principal open boxes.
func allow(principal, more string) box {
	return withPolicy(`{"Version": "2012-10-17", "Statement": [{"Sid": "Visitors", "Effect": "Allow", "Action": ["box:Open", "box:Shake"], "Resource": "*", "Principal": ` + principal + more + `}]}`)
}

var boxes = policyrule.Source[box]{
	Operation: "box:GetPolicy",
	Policy:    func(e *check.Evidence, b box) string { return check.Read(e, b.Policy) },
}

func judge(rule func(*check.Evidence, box) check.Verdict, b box) check.Verdict {
	return check.NewJudge(checktest.Now, nil).Judge(check.For("box-checked", model.Low, rule), b)
}

// Each question is asked of each policy; what is not named is PASS.
func TestQuestions(t *testing.T) {
	t.Parallel()
	const (
		public   = "not public"
		accounts = "no other accounts"
		services = "services scoped"
	)
	questions := map[string]policyrule.Question{
		public: policyrule.NotPublic, accounts: policyrule.NoOtherAccounts, services: policyrule.ServicesScoped,
	}
	denied := box{Resource: checktest.Ref("box", "b"), Policy: fact.Missing[string](fact.Denied, "box:GetPolicy")}
	china := allow(`{"AWS": "arn:aws-cn:iam::111122223333:root"}`, "")
	for name, c := range map[string]struct {
		box    box
		fails  map[string]string // what the reason says, by question
		status check.Status      // of all questions, unless they fail
	}{
		"no policy":                       {withPolicy(""), nil, check.Pass},
		"the owner":                       {allow(`{"AWS": "111122223333"}`, ""), nil, check.Pass},
		"everybody":                       {allow(`"*"`, ""), map[string]string{public: "Visitors of the policy allows everybody box:Open, box:Shake"}, check.Pass},
		"an account":                      {allow(`{"AWS": "arn:aws:iam::444455556666:root"}`, ""), map[string]string{accounts: "444455556666"}, check.Pass},
		"two accounts":                    {allow(`{"AWS": ["444455556666", "777788889999"]}`, ""), map[string]string{accounts: "777788889999"}, check.Pass},
		"an org":                          {allow(`"*"`, `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`), map[string]string{accounts: "o-abcde12345"}, check.Pass},
		"a network":                       {allow(`"*"`, `, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}`), nil, check.Pass},
		"any service":                     {allow(`{"Service": "sns.amazonaws.com"}`, ""), map[string]string{services: "sns.amazonaws.com on behalf of any account"}, check.Pass},
		"own service":                     {allow(`{"Service": "sns.amazonaws.com"}`, `, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}`), nil, check.Pass},
		"its number in another partition": {china, map[string]string{accounts: "aws-cn"}, check.Pass},
		"not a policy":                    {withPolicy("[]"), nil, check.NotAssessed},
		"cannot be read":                  {denied, nil, check.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for question, ask := range questions {
				got := judge(boxes.Asking(ask), c.box)
				want, says := c.status, ""
				if reason, fails := c.fails[question]; fails {
					want, says = check.Fail, reason
				}
				if got.Status != want || !strings.Contains(got.Reason, says) {
					t.Errorf("%s: %s (%s), want %s saying %q", question, got.Status, got.Reason, want, says)
				}
			}
		})
	}
}

func TestRequiringTLS(t *testing.T) {
	t.Parallel()
	deny := func(action, resource string) box {
		return withPolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "` + action + `", "Resource": "` + resource + `",
			"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}`)
	}
	own := checktest.Ref("box", "b").ARN
	for name, c := range map[string]struct {
		box  box
		want check.Status
	}{
		"denies all":               {deny("*", "*"), check.Pass},
		"denies what is asked":     {deny("box:Open", own), check.Pass},
		"denies another action":    {deny("box:Shake", own), check.Fail},
		"denies of another box":    {deny("box:Open", own+"2"), check.Fail},
		"allows, and denies not":   {allow(`"*"`, ""), check.Fail},
		"no policy denies nothing": {withPolicy(""), check.Fail},
		"not a policy":             {withPolicy("{"), check.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := judge(boxes.RequiringTLS("box:Open"), c.box); got.Status != c.want {
				t.Errorf("%s (%s), want %s", got.Status, got.Reason, c.want)
			}
		})
	}
}

// A policy that we do not understand is a gap of the operation that read it, and
// says what was not understood.
func TestParseStops(t *testing.T) {
	t.Parallel()
	got := judge(boxes.Asking(policyrule.NotPublic), withPolicy(`{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}`))
	if len(got.Gaps) != 1 || got.Gaps[0].Operation != "box:GetPolicy" || got.Gaps[0].Reason != fact.Failed || got.Gaps[0].Detail == "" {
		t.Errorf("%s with gaps %+v", got.Status, got.Gaps)
	}
}
