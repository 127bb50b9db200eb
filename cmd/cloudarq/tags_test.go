package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// names lists what a filter leaves of resources or findings: the queues by name,
// the keys by how many there are.
func resourcesOf(t *testing.T, r result) (arns []string) {
	t.Helper()
	if r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	for _, x := range decode[[]shape.Resource](t, r) {
		arns = append(arns, x.Resource)
	}
	return arns
}

func findingsOf(t *testing.T, r result) (arns []string) {
	t.Helper()
	if r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	for _, f := range decode[[]shape.Finding](t, r) {
		arns = append(arns, f.Resource)
	}
	return arns
}

const someRegions = "eu-west-1,us-east-1"

func TestFilterByTag(t *testing.T) {
	e, _ := sample(t)
	data := t.TempDir()
	if r := audit(t, data, e.Account("neglected"), "--services", "kms,sqs,iam,tagging", "--regions", someRegions, "--quiet"); r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	all := resourcesOf(t, cloudarq(t, data, "resources", "list", "service=kms,sqs", "-o", "json"))
	prod := resourcesOf(t, cloudarq(t, data, "resources", "list", "tag:env=prod", "-o", "json"))
	others := resourcesOf(t, cloudarq(t, data, "resources", "list", "service=kms,sqs", "tag:env!=prod", "-o", "json"))
	// In each region a key and a queue are of production, a key is of test, and one
	// region has a key without tags.
	if len(prod) != 4 || len(all) != 7 || len(others) != 3 {
		t.Errorf("%d of production, %d others, %d in all; want 4, 3, 7", len(prod), len(others), len(all))
	}
	for _, arn := range prod {
		if slices.Contains(others, arn) || !slices.Contains(all, arn) {
			t.Errorf("%s is of production, and is not", arn)
		}
	}
	if test := resourcesOf(t, cloudarq(t, data, "resources", "list", "tag:env=te*", "-o", "json")); len(test) != 2 {
		t.Errorf("of test: %v", test)
	}
	if every := resourcesOf(t, cloudarq(t, data, "resources", "list", "tag:env=*", "-o", "json")); len(every) != 6 {
		t.Errorf("with the tag: %v", every)
	}
	if none := resourcesOf(t, cloudarq(t, data, "resources", "list", "tag:Env=prod", "-o", "json")); len(none) != 0 {
		t.Errorf("keys are not taken as they are written: %v", none)
	}
	for _, arn := range findingsOf(t, cloudarq(t, data, "findings", "list", "service=kms", "tag:env=prod", "-o", "json")) {
		if !slices.Contains(prod, arn) {
			t.Errorf("finding of %s, which is not of production", arn)
		}
	}

	t.Run("what AWS does not list matches neither", func(t *testing.T) {
		for _, word := range []string{"tag:env=prod", "tag:env!=prod"} {
			r := cloudarq(t, data, "resources", "list", "type=AWS::IAM::User", word, "-o", "json")
			if found := resourcesOf(t, r); len(found) != 0 || !strings.Contains(r.stderr, "AWS lists no tags of IAM users") || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%s: %v, and says %q", word, found, r.stderr)
			}
		}
	})
	t.Run("a password in a tag is a finding, and is not kept", func(t *testing.T) {
		r := cloudarq(t, data, "findings", "list", "check=tagging-no-secrets", "-o", "json")
		if found := findingsOf(t, r); len(found) != 2 || !strings.Contains(r.stdout, "db_password") {
			t.Errorf("findings %v", found)
		}
		listed := cloudarq(t, data, "resources", "list", "service=tagging", "-o", "json")
		if !strings.Contains(listed.stdout, "looks like a credential") || strings.Contains(r.stdout+listed.stdout, "hunter2") {
			t.Errorf("the password's tag: %s", listed.stdout)
		}
	})
	t.Run("only = and !=", func(t *testing.T) {
		cloudarq(t, data, "resources", "list", "tag:env>=2026-05-01").sentence(t, exitUsage, "tag:env>=2026-05-01", "!=")
	})
}

// Where tags could not be listed nothing is claimed, and the action is named.
func TestFilterByTagWhereTagsAreNotKnown(t *testing.T) {
	e, server := sample(t)
	neglected := e.Account("neglected")
	data := t.TempDir()
	if r := audit(t, data, neglected, "--services", "kms", "--regions", someRegions, "--quiet"); r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	for _, word := range []string{"tag:env=prod", "tag:env!=prod"} {
		r := cloudarq(t, data, "resources", "list", word, "-o", "json")
		if found := resourcesOf(t, r); len(found) != 0 || !strings.Contains(r.stderr, "no audit of account "+neglected.ID+" listed its tags") {
			t.Errorf("without tags, %s: %v, and says %q", word, found, r.stderr)
		}
	}
	err := server.SCP(neglected.ID, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Effect":"Deny","Action":"tag:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.SCP(neglected.ID, "") })
	if r := audit(t, data, neglected, "--services", "kms,tagging", "--regions", someRegions, "--quiet"); r.code != exitOK {
		t.Fatalf("%d %s", r.code, r.stderr)
	}
	for _, word := range []string{"tag:env=prod", "tag:env!=prod"} {
		r := cloudarq(t, data, "resources", "list", "service=kms", word, "-o", "json")
		found := resourcesOf(t, r)
		if len(found) != 1 || !strings.Contains(found[0], ":eu-west-1:") {
			t.Errorf("%s: %v, want one key, of eu-west-1", word, found)
		}
		for _, want := range []string{"3 resources", "us-east-1", "tag:GetResources"} {
			if strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, want) {
				t.Errorf("%s says %q, want %s in one line", word, r.stderr, want)
			}
		}
	}
}
