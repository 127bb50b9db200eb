package services_test

import (
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// TestFrameworks: what a framework names of ours is there, and as many frameworks as were
// counted have something looked at of nine tenths of what a program can look at.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	frameworks, err := catalog.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	touched := 0
	for _, f := range frameworks {
		automatable, checked := 0, 0
		for _, r := range f.Requirements {
			if r.Automatable() {
				automatable++
			}
			if len(r.Checks()) > 0 {
				checked++
			}
			for _, p := range r.Parts {
				if len(p.Options) > 0 && !slices.Equal(p.Counted, []model.CheckID{model.CheckID(p.String())}) {
					t.Errorf("requirement %s of %s asks for %s, which is no value that the check may have", r.ID, f.ID, p)
				}
				if p.Tool == "" && len(p.Checks) == 0 {
					t.Errorf("requirement %s of %s asks for %s, which is no check", r.ID, f.ID, p.ID)
				}
			}
		}
		if 10*checked >= 9*automatable {
			touched++
		}
	}
	if touched < 34 {
		t.Errorf("of %d frameworks nine tenths are looked at, want 34", touched)
	}
}

// TestCIS: all that can be automated of the newest versions of the benchmark is looked at.
func TestCIS(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for id, open := range map[string][]string{
		"cis-aws-5.0": nil, "cis-aws-6.0": nil,
		"cis-aws-7.0": {"2.1.1", "2.1.5", "2.1.6", "2.21", "4.10"}, // until their checks are there
	} {
		f, err := catalog.Framework(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Requirements {
			if r.Automatable() && !r.Covered() && !slices.Contains(open, r.ID) {
				t.Errorf("%s %s is not wholly looked at: %+v", id, r.ID, r.Parts)
			}
		}
	}
}

// TestSelectByRequirement: checks are chosen by what a requirement asks for.
func TestSelectByRequirement(t *testing.T) {
	t.Parallel()
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string][]string{
		"cis-aws-5.0:1.3":   {"iam-root-no-access-keys"},
		"CIS-AWS-7.0:2.4":   {"iam-root-no-access-keys"},
		"cis-aws-5.0:1.[3]": {"iam-root-no-access-keys"},
	} {
		if found, err := catalog.Select([]string{word}); err != nil || !slices.Equal(names(found), want) {
			t.Errorf("%s: %v, %v", word, names(found), err)
		}
	}
	for word, want := range map[string]string{
		"cis-aws-5.0:1.33": `unknown requirement of cis-aws-5.0 "1.33"; did you mean "1.13"?`,
		"cis-aws-7.0:6.8":  "requirement 6.8 of cis-aws-7.0 has no automated check",
		"cis-aws-5:1.3":    `unknown check "cis-aws-5:1.3"`,
	} {
		if _, err := catalog.Select([]string{word}); err == nil || err.Error()[:min(len(want), len(err.Error()))] != want {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
}

func names(checks []check.Check) []string {
	all := make([]string, len(checks))
	for i, k := range checks {
		all[i] = string(k.ID)
	}
	return all
}
