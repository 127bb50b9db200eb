package cloudarq_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudarq"
)

func access(documents ...string) cloudarq.Access {
	p := cloudarq.Policies{Entrusted: true}
	for _, text := range documents {
		p.Documents = append(p.Documents, cloudarq.Document{Name: "audit", Document: text})
	}
	return cloudarq.Access{Resource: checktest.Ref("iam", "role/CloudArqAuditRole"), Policies: fact.Known(p)}
}

func tried(trust cloudarq.Trust) cloudarq.Access {
	a := access()
	a.Trust = fact.Known(trust)
	return a
}

func within(a cloudarq.Access, boundary string) cloudarq.Access {
	a.Policies = fact.Map(a.Policies, func(p cloudarq.Policies) cloudarq.Policies {
		p.Boundary = &cloudarq.Document{Name: "boundary", Document: boundary}
		return p
	})
	return a
}

func allow(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.ReplaceAll(actions, ",", `","`) + `"],"Resource":"*"}]}`
}

// published is the documents of the published role.
func published(t *testing.T) (all []string) {
	t.Helper()
	role, err := policy.NewRole(policy.Operations())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range role.Policies {
		data, err := json.Marshal(m.Document)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}

func TestChecks(t *testing.T) {
	t.Parallel()
	own := access(allow("*"))
	own.Policies = fact.Known(cloudarq.Policies{})
	never := published(t)[len(published(t))-1]
	checktest.Run(t, cloudarq.Service(), checktest.Table{
		"cloudarq-access-read-only": {
			{Name: "as published", Resource: access(published(t)...), Want: check.Pass},
			{Name: "nothing at all", Resource: access(), Want: check.Pass},
			{Name: "administrator", Resource: access(allow("*")), Want: check.Fail},
			{Name: "one write beside", Resource: access(append(published(t), allow("ec2:StopInstances"))...), Want: check.Fail},
			{Name: "tagging", Resource: access(allow("s3:PutBucketTagging")), Want: check.Fail},
			{Name: "permissions", Resource: access(allow("iam:PutRolePolicy")), Want: check.Fail},
			{Name: "data is another matter", Resource: access(allow("s3:GetObject")), Want: check.Pass},
			{Name: "a read that nobody knows", Resource: access(allow("neptune-next:DescribeGraphs")), Want: check.Pass},
			{Name: "an action that nobody knows", Resource: access(allow("neptune-next:Frobnicate")), Want: check.Fail},
			{Name: "administrator behind a boundary", Resource: within(access(allow("*")), allow("ec2:DescribeRegions,s3:GetBucketAcl")), Want: check.Pass},
			{Name: "a boundary that lets writes through", Resource: within(access(allow("*")), allow("ec2:DescribeRegions,ec2:RunInstances")), Want: check.Fail},
			{Name: "whoever runs the command", Resource: own, Want: check.NotApplicable},
		},
		"cloudarq-access-external-id": {
			{Name: "closed", Resource: tried(cloudarq.Trust{By: "role", TriedAt: checktest.Now}), Want: check.Pass},
			{Name: "open", Resource: tried(cloudarq.Trust{By: "role", TriedAt: checktest.Now, Open: "with a wrong External ID"}), Want: check.Fail},
			{Name: "access key", Resource: tried(cloudarq.Trust{By: "user"}), Want: check.NotApplicable},
			{Name: "whoever runs the command", Resource: tried(cloudarq.Trust{}), Want: check.NotApplicable},
		},
		"cloudarq-access-no-data": {
			{Name: "as published", Resource: access(published(t)...), Want: check.Pass},
			{Name: "objects", Resource: access(allow("s3:GetObject")), Want: check.Fail},
			{Name: "secrets", Resource: access(allow("secretsmanager:GetSecretValue")), Want: check.Fail},
			{Name: "objects, but never", Resource: access(allow("s3:GetObject"), never), Want: check.Pass},
			{Name: "writes are another matter", Resource: access(allow("ec2:StopInstances")), Want: check.Pass},
			{Name: "whoever runs the command", Resource: own, Want: check.NotApplicable},
		},
	})
}

// AWS's own policy for auditors is accepted as one that changes nothing, and is
// told from the published one for the data that it shows.
func TestSecurityAudit(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../policy/grant/managed/SecurityAudit.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Document json.RawMessage `json:"document"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	want := map[model.CheckID]check.Status{"cloudarq-access-read-only": check.Pass, "cloudarq-access-no-data": check.Fail}
	for _, rule := range cloudarq.Service().Rules[:2] {
		if v := check.NewJudge(checktest.Now, nil).Judge(rule, access(string(m.Document))); v.Status != want[rule.ID] {
			t.Errorf("%s: %+v, want %s", rule.ID, v, want[rule.ID])
		}
	}
}

// A policy that cannot be understood is not judged by the half of it that can.
func TestMalformedPolicy(t *testing.T) {
	t.Parallel()
	for _, rule := range cloudarq.Service().Rules[:2] {
		v := check.NewJudge(checktest.Now, nil).Judge(rule, access(allow("*"), `{"Statement":[{"Effect":"Perhaps"}]}`))
		if v.Status != check.NotAssessed {
			t.Errorf("%s: %+v", rule.ID, v)
		}
	}
}

// The reason names some of the actions, and how many there are.
func TestReason(t *testing.T) {
	t.Parallel()
	v := check.NewJudge(checktest.Now, nil).Judge(cloudarq.Service().Rules[0], access(allow("ec2:StopInstances,ec2:StartInstances,ec2:RebootInstances,ec2:RunInstances")))
	if want := "4 of the actions"; !strings.HasPrefix(v.Reason, want) || !strings.HasSuffix(v.Reason, "and 1 more") {
		t.Errorf("%q", v.Reason)
	}
}
