package iampolicy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
)

// question is one request to the simulator, and what is thought of it here.
type question struct {
	Policy    json.RawMessage   `json:"policy"`
	Principal string            `json:"principal"`
	Action    string            `json:"action"`
	Resource  string            `json:"resource"`
	Owner     string            `json:"owner"`
	Context   map[string]string `json:"context"`

	name  string // of the request
	least iampolicy.Level
	level iampolicy.Level // that the evaluator gives
	mine  bool            // what the reference in this package says
}

// decisions is how many random decisions are compared.
const decisions = 100_000

// spelt are the context keys as they are written: the simulator wants them so.
var spelt = map[string]string{
	"aws:principalaccount": "aws:PrincipalAccount", "aws:principalorgid": "aws:PrincipalOrgID", "aws:principalarn": "aws:PrincipalArn",
	"aws:userid": "aws:userid", "aws:principalisawsservice": "aws:PrincipalIsAWSService", "aws:securetransport": "aws:SecureTransport",
	"aws:principalservicename": "aws:PrincipalServiceName", "aws:sourceaccount": "aws:SourceAccount", "aws:sourcearn": "aws:SourceArn",
	"aws:sourceorgid": "aws:SourceOrgID", "aws:sourceip": "aws:SourceIp", "aws:sourcevpce": "aws:SourceVpce", "aws:username": "aws:username",
	"aws:resourceaccount": "aws:ResourceAccount", "aws:resourceorgid": "aws:ResourceOrgID", "s3:dataaccesspointarn": "s3:DataAccessPointArn",
}

func randomQuestions(t *testing.T, r *rand.Rand) []question {
	var all []question
	for len(all) < decisions {
		drafts := make([]draft, 1+r.IntN(3))
		for i := range drafts {
			drafts[i] = randomDraft(r)
		}
		text := join(drafts)
		// Providers' tokens and canonical users are nothing that the simulator knows.
		if strings.Contains(text, "Federated") || strings.Contains(text, "gitlab.com:") || strings.Contains(text, "CanonicalUser") {
			continue
		}
		doc := `{"Version": "2012-10-17", "Statement": [` + text + `]}`
		in := pick(r, settings())
		p := parse(t, text)
		requests := outsiders(in.organization)
		for _, name := range slices.Sorted(maps.Keys(requests)) {
			q := requests[name]
			if r.IntN(8) > 0 || strings.Contains(name, "GitLab") || strings.Contains(name, "Facebook") || strings.Contains(name, "canonical") {
				continue
			}
			action := pick(r, []string{"s3:GetObject", "s3:PutObject"})
			place := pick(r, []string{"arn:aws:s3:::b/x", "arn:aws:s3:::b/home/x"})
			one := question{
				Policy: json.RawMessage(doc), Principal: q.principal, Action: action, Resource: place, Owner: owner, Context: map[string]string{},
				name: name, least: q.least, level: widest(p.Evaluate(in.zone, action)), mine: permits(p, q, action, place),
			}
			for key, value := range q.context {
				one.Context[spelt[key]] = value
			}
			if arn := q.context["aws:principalarn"]; arn != "" {
				one.Principal = arn
			}
			all = append(all, one)
		}
	}
	return all[:decisions]
}

// simulate asks the simulator, a process of its own.
func simulate(t *testing.T, at string, questions []question) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "../../../tools/oracle/simulate.mjs", at)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer in.Close()
		lines := json.NewEncoder(in)
		for i := range questions {
			if lines.Encode(questions[i]) != nil {
				return // the process has ended, and says why by itself
			}
		}
	}()
	var answers []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		answers = append(answers, lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers
}

// explained is why the simulator and the reference may disagree about a request, by what
// AWS's documentation says; empty if there is no reason. docs/correctness-oracle.md says
// it at length.
func explained(q question) string {
	var p iampolicy.Policy
	if parsed, err := iampolicy.Parse(string(q.Policy)); err == nil {
		p = parsed
	}
	unresolved := func(v string) bool {
		folded := map[string]string{}
		for key, value := range q.Context {
			folded[strings.ToLower(key)] = value
		}
		_, ok := resolve(v, folded)
		return !ok
	}
	for _, s := range p.Statements {
		if slices.ContainsFunc(s.NotResources, unresolved) {
			return "a variable without a value in NotResource matches nothing, so that the statement applies; the simulator lets it not apply"
		}
		for _, c := range s.Conditions {
			switch {
			case c.Is("s3:DataAccessPointArn"):
				return "requests by an access point carry s3:DataAccessPointArn; the simulator does not know it of requests for objects"
			case c.Operator.Negated() && slices.ContainsFunc(c.Values, unresolved):
				return "a negated operator holds against a variable without a value; the simulator says that it never does"
			case c.Operator.Name == "IpAddress" && slices.Contains(c.Values, "0.0.0.0/0"):
				return "0.0.0.0/0 is every IPv4 address; the simulator matches none with it"
			}
		}
	}
	return ""
}

// TestAgainstSimulator compares with a public IAM simulator, where CLOUDARQ_SIMULATOR
// says where it is installed: make oracle does. Whom the simulator lets in must not get
// past the evaluator's level, and it must agree with the reference of TestAgainstRequests,
// but for classes of disagreement that are explained.
func TestAgainstSimulator(t *testing.T) {
	at := os.Getenv("CLOUDARQ_SIMULATOR")
	if at == "" {
		t.Skip("make oracle installs the simulator")
	}
	questions := randomQuestions(t, rand.New(rand.NewPCG(5, 6)))
	classes, examples := map[string]int{}, map[string]string{}
	allowed := 0
	for i, answer := range simulate(t, at, questions) {
		q := questions[i]
		yes := answer == "allowed"
		if yes {
			allowed++
		}
		class := "agree"
		switch {
		case strings.HasPrefix(answer, "refused"):
			class = "refused: " + answer
		case yes && q.level < q.least && (q.mine || explained(q) == ""):
			class = "UNSAFE: the simulator lets somebody in whom the evaluator keeps out"
		case yes != q.mine:
			if class = explained(q); class == "" {
				class = fmt.Sprintf("UNEXPLAINED: the simulator says %s, the reference %t", answer, q.mine)
			}
		}
		classes[class]++
		if examples[class] == "" {
			examples[class] = fmt.Sprintf("%s, %s %s, level %s\n%s", q.name, q.Action, q.Resource, q.level, q.Policy)
		}
	}
	t.Logf("%d decisions, %d allowed", len(questions), allowed)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		t.Logf("%7d %s", classes[class], class)
		if class != "agree" {
			t.Logf("        for example: %s", examples[class])
		}
		if strings.HasPrefix(class, "UN") || strings.HasPrefix(class, "refused") {
			t.Errorf("%d times %s", classes[class], class)
		}
	}
	if allowed < decisions/20 {
		t.Errorf("%d of %d allowed: the comparison says little", allowed, decisions)
	}
}
