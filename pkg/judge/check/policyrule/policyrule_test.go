package policyrule_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
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

func judge(rule func(*check.Evidence, box) check.Verdict, b box, others ...check.Resource) check.Verdict {
	zone := check.Using[policyrule.Zone]()
	world := check.NewWorld((policyrule.Zone{}).Kind())
	for _, other := range others {
		world.Add(other)
	}
	return check.NewJudge(checktest.Now, world).Judge(check.Across("box-checked", model.Low, rule, zone), b)
}

// The questions, by what they are called here.
const (
	public   = "not public"
	accounts = "no other accounts"
	services = "services scoped"
)

// ask asks all questions in the light of the account's zone of trust.
func ask(b box, zone ...check.Resource) map[string]check.Verdict {
	return map[string]check.Verdict{
		public:   judge(boxes.Asking(policyrule.NotPublic), b, zone...),
		accounts: judge(boxes.AskingZone(policyrule.NoOtherAccounts), b, zone...),
		services: judge(boxes.Asking(policyrule.ServicesScoped), b, zone...),
	}
}

// Each question is asked of each policy; what is not named is PASS.
func TestQuestions(t *testing.T) {
	t.Parallel()
	denied := box{Resource: checktest.Ref("box", "b"), Policy: fact.Missing[string](fact.Denied, "box:GetPolicy")}
	china := allow(`{"AWS": "arn:aws-cn:iam::111122223333:root"}`, "")
	event := func(arn string) box {
		return allow(`{"Service": "s3.amazonaws.com"}`, `, "Condition": {"ArnLike": {"aws:SourceArn": "`+arn+`"}}`)
	}
	for name, c := range map[string]struct {
		box    box
		fails  map[string]string // what the reason says, by question
		status check.Status      // of all questions, unless they fail
	}{
		"no policy":                     {withPolicy(""), nil, check.Pass},
		"the owner":                     {allow(`{"AWS": "111122223333"}`, ""), nil, check.Pass},
		"everybody":                     {allow(`"*"`, ""), map[string]string{public: "Visitors of the policy allows everybody box:Open, box:Shake"}, check.Pass},
		"an account":                    {allow(`{"AWS": "arn:aws:iam::444455556666:root"}`, ""), map[string]string{accounts: "444455556666:root to box:Open, box:Shake"}, check.Pass},
		"two accounts":                  {allow(`{"AWS": ["444455556666", "999900001111"]}`, ""), map[string]string{accounts: "444455556666, 999900001111"}, check.Pass},
		"a trusted account and another": {allow(`{"AWS": ["777788889999", "999900001111"]}`, ""), map[string]string{accounts: "lets in 999900001111"}, check.Pass},
		"a trusted account":             {allow(`{"AWS": "777788889999"}`, ""), nil, check.Pass},
		"another org": {
			allow(`"*"`, `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-zyxwv98765"}}`),
			map[string]string{accounts: "lets in another organization, o-zyxwv98765"},
			check.Pass,
		},
		"its org":               {allow(`"*"`, `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`), nil, check.Pass},
		"an account of its org": {allow(`{"AWS": "444455556666"}`, `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}`), nil, check.Pass},
		"a network": {
			allow(`"*"`, `, "Condition": {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}`),
			map[string]string{accounts: "to whoever fits aws:SourceIp 198.51.100.0/24, of any account"},
			check.Pass,
		},
		"a header": {
			allow(`"*"`, `, "Condition": {"StringLike": {"aws:Referer": "https://example.com/*"}}`),
			map[string]string{public: "its condition aws:Referer is a text that anybody may send"},
			check.Pass,
		},
		"four conditions that do not bound": {
			allow(`"*"`, `, "Condition": {"StringLike": {"aws:Referer": "x", "aws:UserAgent": "y", "aws:PrincipalType": "User"}, "Bool": {"aws:SecureTransport": "true"}}`),
			map[string]string{public: "and 2 more"},
			check.Pass,
		},
		"any service":                     {allow(`{"Service": "sns.amazonaws.com"}`, ""), map[string]string{services: "sns.amazonaws.com on behalf of any account"}, check.Pass},
		"own service":                     {allow(`{"Service": "sns.amazonaws.com"}`, `, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}`), nil, check.Pass},
		"an own bucket":                   {event("arn:aws:s3:::own-bucket"), nil, check.Pass},
		"another's bucket":                {event("arn:aws:s3:::strange-bucket"), map[string]string{accounts: "arn:aws:s3:::strange-bucket"}, check.Pass},
		"its number in another partition": {china, map[string]string{accounts: "aws-cn"}, check.Pass},
		"not a policy":                    {withPolicy("[]"), nil, check.NotAssessed},
		"cannot be read":                  {denied, nil, check.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for question, got := range ask(c.box, policytest.Zone()) {
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

// A gap of the zone matters to policies that name something of the kind, and to no
// others.
func TestGapsOfTheZone(t *testing.T) {
	t.Parallel()
	missing := fact.Gap{Reason: fact.Denied, Action: "some:Action"}
	whole := policytest.Zone()
	blind := policytest.Blind(func(z *policyrule.Zone) {
		*z = policyrule.Zone{
			Resource: z.Resource, Organization: fact.Unknown[string](missing), Buckets: fact.Unknown[[]string](missing),
			OriginAccessIdentities: fact.Unknown[[]policyrule.OriginAccessIdentity](missing), Trusted: fact.Unknown[[]string](missing),
		}
	})
	organization := func(id string) string {
		return `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "` + id + `"}}`
	}
	for name, c := range map[string]struct {
		box  box
		zone []check.Resource
		want check.Status
	}{
		"the owner":                          {allow(`{"AWS": "111122223333"}`, ""), []check.Resource{blind}, check.Pass},
		"a service for the owner":            {allow(`{"Service": "sns.amazonaws.com"}`, `, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}`), []check.Resource{blind}, check.Pass},
		"the organization, whatever its id":  {allow(`"*"`, organization("${aws:ResourceOrgID}")), []check.Resource{blind}, check.Pass},
		"an organization":                    {allow(`"*"`, organization("o-abcde12345")), []check.Resource{blind}, check.NotAssessed},
		"an account":                         {allow(`{"AWS": "444455556666"}`, ""), []check.Resource{blind}, check.NotAssessed},
		"an account of an organization":      {allow(`{"AWS": "444455556666"}`, organization("o-abcde12345")), []check.Resource{blind}, check.NotAssessed},
		"a bucket":                           {allow(`{"Service": "s3.amazonaws.com"}`, `, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}}`), []check.Resource{blind}, check.NotAssessed},
		"a network":                          {allow(`"*"`, `, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}`), []check.Resource{blind}, check.Fail},
		"no zone at all":                     {allow(`{"AWS": "444455556666"}`, ""), nil, check.NotAssessed},
		"a name that tells nobody's account": {allow(`{"Service": "waf.amazonaws.com"}`, `, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:route53:::hostedzone/Z1"}}`), []check.Resource{whole}, check.NotAssessed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(c.box, c.zone...)
			if v := got[accounts]; v.Status != c.want || v.Status == check.NotAssessed && len(v.Gaps) == 0 {
				t.Errorf("%s (%s), want %s", v.Status, v.Reason, c.want)
			}
			for _, question := range []string{public, services} {
				if v := got[question]; v.Status != check.Pass {
					t.Errorf("%s: %s (%s): it does not depend on the zone", question, v.Status, v.Reason)
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
