package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/compliance"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
)

// TestComplianceOfTheCommand: an account is audited for a framework, what nobody looks at is
// attested, here and through a server, and withdrawn.
func TestComplianceOfTheCommand(t *testing.T) {
	e, _ := sample(t)
	data := t.TempDir()
	r := audit(t, data, e.Account("neglected"), "--framework", "cis-aws-5.0", "--services", "kms,iam,account")
	if r.code != exitOK || !strings.Contains(r.stderr, "CIS Amazon Web Services Foundations Benchmark 5.0: ") || !strings.Contains(r.stderr, "compliance show cis-aws-5.0 --audit") {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	shown := decode[[]compliance.Asked](t, cloudarq(t, data, "compliance", "show", "cis-aws-5.0", "--audit", "latest", "-o", "json"))
	states := map[requirement.State]int{}
	for _, a := range shown {
		states[a.State]++
	}
	if len(shown) != 63 || states[requirement.Failing] == 0 || states[requirement.Passing] == 0 || states[requirement.NotAssessed] == 0 {
		t.Errorf("%d requirements: %v", len(shown), states)
	}
	points := decode[[]trend.Point](t, cloudarq(t, data, "trend", e.Account("neglected").ID, "--by", "audit", "--framework", "cis-aws-5.0", "-o", "json"))
	if len(points) != 1 || points[0].Requirements == nil || points[0].Requirements.Failing != states[requirement.Failing] || points[0].Requirements.Passing != states[requirement.Passing] {
		t.Errorf("points %+v, want %v", points, states)
	}
	s := serveThat(t, data)
	signIn(t, s.url, func(page url.Values) { s.allow(page) })
	attest := []string{"compliance", "attest", "cis-aws-7.0", "2.1.2", "--until", "2027-05-31", "-o", "json"}
	here := decode[compliance.Attestation](t, cloudarq(t, data, append(attest, "--why", "Reviewed in May")...))
	if here.State != model.AttestationGood || here.RequestedBy.ID == "" || here.Until.Format("2006-01-02T15:04") != "2027-06-01T00:00" {
		t.Errorf("attested %+v", here)
	}
	there := decode[compliance.Attestation](t, cloudarq(t, t.TempDir(), append(attest, "--why", "And again", "--manual", "--server", s.url)...))
	for _, where := range [][]string{{}, {"--server", s.url}} {
		whole := decode[compliance.WholeAsked](t, cloudarq(t, data, append([]string{"compliance", "show", "cis-aws-7.0:2.1.2", "-o", "json"}, where...)...))
		if whole.State != requirement.Passing || len(whole.Attestations) != 2 || whole.Attestations[0].ID != there.ID {
			t.Errorf("%v: %+v", where, whole)
		}
	}
	for _, id := range []model.AttestationID{here.ID, there.ID} {
		if gone := decode[compliance.Attestation](t, cloudarq(t, data, "compliance", "withdraw", "cis-aws-7.0", strings.ToLower(string(id)), "-o", "json", "--server", s.url)); gone.State != model.AttestationWithdrawn {
			t.Errorf("%+v", gone)
		}
	}
	cloudarq(t, data, "compliance", "approve", "cis-aws-7.0", string(here.ID)).sentence(t, exitUsage, "withdrawn, and waits for no approval")
	for says, words := range map[string][]string{
		"want a day":                           {"attest", "cis-aws-7.0", "2.1.2", "--why", "x", "--until", "soon"},
		"over already":                         {"attest", "cis-aws-7.0", "2.1.2", "--why", "x", "--until", "2020-01-01"},
		"want an https URL":                    {"attest", "cis-aws-7.0", "2.1.2", "--why", "x", "--until", "2027-05-31", "--evidence", "http://x"},
		`did you mean "cis-aws-7.0"`:           {"attest", "cis-aws-7", "2.1.2", "--why", "x", "--until", "2027-05-31"},
		"unknown requirement of cis-aws-7.0":   {"show", "cis-aws-7.0", "9.9"},
		`unknown state "fine"`:                 {"show", "cis-aws-7.0", "--state", "fine"},
		"--audit says which account":           {"list", "--audit", "latest", "--connection", "x"},
		"--connection and --project: want one": {"list", "--project", "p", "--connection", "x"},
	} {
		cloudarq(t, data, append([]string{"compliance"}, words...)...).sentence(t, exitUsage, says)
	}
}

// TestOptionsOfTheCommand: options come from flags, from the connection and from a file, the
// nearest first; what is set decides, is named, and makes differences the rules' own.
func TestOptionsOfTheCommand(t *testing.T) {
	e, _ := sample(t)
	data, config := t.TempDir(), filepath.Join(t.TempDir(), "cloudarq.yaml")
	overwrite(t, config, []byte("options:\n  iam-password-policy-minimum-length:\n    characters: 20\n  ec2-security-group-only-web-from-internet:\n    ports: [\"443\"]\n"))
	type options []report.Option
	set := decode[options](t, cloudarq(t, data, "config", "show", "--set", "--origin", "--config", config, "-o", "json"))
	if len(set) != 2 || set[1].Value.Number != 20 || set[1].Origin != config+":3" || set[0].Value.String() != "443" || set[0].Default.String() != "443,80" {
		t.Errorf("%+v", set)
	}
	if all := decode[options](t, cloudarq(t, data, "config", "show", "-o", "json")); len(all) < 20 || all[0].Origin != "default" {
		t.Errorf("%d options: %+v", len(all), all)
	}
	reason := func(words ...string) string {
		t.Helper()
		r := audit(t, data, e.Account("well-kept"), append([]string{"--quiet", "--checks", "iam-password-policy-minimum-length", "-o", "json"}, words...)...)
		verdicts := decode[[]shape.Verdict](t, r)
		if len(verdicts) != 1 {
			t.Fatalf("%+v", verdicts)
		}
		return string(verdicts[0].Status) + " " + verdicts[0].Reason
	}
	if first := reason(); !strings.HasPrefix(first, "PASS") || !strings.HasSuffix(first, "(characters: 14)") {
		t.Errorf("with the default: %s", first)
	}
	if again := reason("--config", config, "--option", "iam-password-policy-minimum-length.characters=128"); !strings.HasPrefix(again, "FAIL") || !strings.HasSuffix(again, "(characters: 128)") {
		t.Errorf("with an option before the file: %s", again)
	}
	// The benchmark asks for 14 characters, whatever the option says.
	if asked := decode[compliance.WholeAsked](t, cloudarq(t, data, "compliance", "show", "cis-aws-5.0", "1.7", "--audit", "latest", "-o", "json")); asked.State != requirement.Passing || asked.Verdicts.Pass != 1 {
		t.Errorf("by the benchmark's own value: %+v", asked)
	}
	if differences := decode[[]shape.Difference](t, cloudarq(t, data, "audit", "diff", "-o", "json")); len(differences) != 1 || !differences[0].Rules {
		t.Errorf("%+v", differences)
	}
	if byFile := reason("--config", config); !strings.HasSuffix(byFile, "(characters: 20)") {
		t.Errorf("with the file alone: %s", byFile)
	}
	for says, words := range map[string][]string{
		"may be 6 to 128 characters":  {"audit", "run", "--option", "iam-password-policy-minimum-length.characters=5"},
		`did you mean "characters"`:   {"audit", "run", "--option", "iam-password-policy-minimum-length.character=8"},
		"want CHECK.NAME=VALUE":       {"audit", "run", "--option", "characters"},
		"no whole number":             {"audit", "run", "--option", "iam-password-policy-minimum-length.characters=many"},
		`"x" is no port`:              {"connections", "add", "--option", "ec2-security-group-only-web-from-internet.ports=80,x"},
		`unknown check "iam-passwor"`: {"audit", "run", "--option", "iam-passwor.characters=8"},
	} {
		cloudarq(t, data, words...).sentence(t, exitUsage, says)
	}
	for text, says := range map[string]string{
		"option:\n  x: {}": `cloudarq.yaml:1: unknown key "option"; did you mean "options"?`, "options: [1]": "want names", "options:\n  iam-access-key-rotate:\n    days: 60": `cloudarq.yaml:3: options of iam-access-key-rotate: unknown check`,
		"options:\n  iam-access-key-rotated:\n    days: soon": "a whole number, or a list", "options:\n  iam-access-key-rotated:\n    days: 400": "may be 1 to 365 days", "{": "cloudarq.yaml",
	} {
		overwrite(t, config, []byte(text))
		cloudarq(t, data, "config", "show", "--config", config).sentence(t, exitUsage, says)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	cloudarq(t, data, "config", "show", "--config", config).sentence(t, exitUsage, "no such file")
}
