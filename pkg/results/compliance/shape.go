package compliance

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/requirement"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// Standing is how some accounts stand by a framework, as it is written in JSON.
type Standing struct {
	Framework string         `json:"framework" doc:"Id of the framework"`
	Title     string         `json:"title"`
	Version   string         `json:"version" doc:"As the publisher calls it; empty if there is none"`
	Publisher string         `json:"publisher"`
	Source    string         `json:"source" doc:"Where the framework can be had"`
	Mapping   string         `json:"mapping" doc:"Who says which checks a requirement asks for"`
	Mapped    string         `json:"mapped" doc:"When that was last looked through"`
	Covers    Coverage       `json:"covers"`
	States    RequirementsIn `json:"states"`
	// Accounts and what follows is as in Report.
	Accounts   int        `json:"accounts" doc:"How many were audited"`
	NotAudited int        `json:"not_audited" doc:"How many never were: as long as there are any, no requirement passes in all of them"`
	Oldest     *time.Time `json:"oldest" doc:"When the oldest of the audits began; null if there is none"`
	Newest     *time.Time `json:"newest" doc:"When the newest of the audits began; null if there is none"`
}

// Coverage is how much of a framework is looked at here.
type Coverage struct {
	Requirements int `json:"requirements"`
	Automatable  int `json:"automatable" doc:"Requirements of which a program, this one or another, can look at something"`
	Checked      int `json:"checked" doc:"Those of which something is looked at here"`
	Whole        int `json:"whole" doc:"Those of which all that a program can look at is looked at here, as strictly as is asked"`
	Checks       int `json:"checks" doc:"Checks here that look at any of it"`
}

// CoverageOf counts what is looked at of a framework.
func CoverageOf(f check.Framework) Coverage {
	c := Coverage{Requirements: len(f.Requirements), Checks: len(f.Checks())}
	for _, r := range f.Requirements {
		if r.Automatable() {
			c.Automatable++
		}
		if len(r.Checks()) > 0 {
			c.Checked++
		}
		if r.Covered() {
			c.Whole++
		}
	}
	return c
}

// RequirementsIn are how many requirements are in each state.
type RequirementsIn struct {
	Failing       int `json:"failing" doc:"Some part fails"`
	NotAssessed   int `json:"not_assessed" doc:"Nothing is met, and something could not be assessed or was not"`
	PartlyChecked int `json:"partly_checked" doc:"Something is met, and something was not assessed or has no check here"`
	NoCheck       int `json:"no_automated_check" doc:"Nothing here looks at it, and nobody attests it"`
	Passing       int `json:"passing" doc:"Each part is looked at here or attested, was assessed and is met"`
	NotApplicable int `json:"not_applicable" doc:"Each part was looked at, and there is nothing that it applies to"`
}

// NewRequirementsIn writes counts.
func NewRequirementsIn(c Counts) RequirementsIn {
	return RequirementsIn{c[requirement.Failing], c[requirement.NotAssessed], c[requirement.PartlyChecked], c[requirement.NoCheck], c[requirement.Passing], c[requirement.NotApplicable]}
}

// NewStanding is how accounts stand by a framework.
func NewStanding(r Report) Standing {
	f := r.Framework
	return Standing{
		Framework: f.ID, Title: f.Title, Version: f.Version, Publisher: f.Publisher, Source: f.Source, Mapping: f.Mapping, Mapped: f.Date,
		Covers: CoverageOf(f), States: NewRequirementsIn(r.Counts()),
		Accounts: r.Accounts, NotAudited: r.NotAudited, Oldest: shape.Moment(r.Oldest), Newest: shape.Moment(r.Newest),
	}
}

// Asked is a requirement with how some accounts stand by it, as it is written in JSON.
type Asked struct {
	Framework string            `json:"framework" doc:"Id of the framework"`
	ID        string            `json:"id" doc:"Of the requirement, as the framework numbers it"`
	Section   string            `json:"section" doc:"Where it stands; empty if that is not certain"`
	State     requirement.State `json:"state" enum:"failing,not_assessed,partly_checked,no_automated_check,passing,not_applicable"`
	Parts     int               `json:"parts" doc:"How many checks it asks for, of this tool or another"`
	Mapped    int               `json:"mapped" doc:"How many of those have a counterpart here"`
	Attested  string            `json:"attested" enum:",requirement,manual" doc:"How much of it people attest today: all, or what no check looks at; empty if nobody does"`
	Checks    []model.CheckID   `json:"checks" doc:"Checks that look at it"`
	Titles    []string          `json:"titles" doc:"What those state, which says what the requirement is about"`
	Verdicts  Verdicts          `json:"verdicts" doc:"Of all those checks"`
}

// Verdicts are counts of verdicts.
type Verdicts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	Excepted      int `json:"excepted" doc:"Of the failures, those that somebody accepted"`
	NotApplicable int `json:"not_applicable"`
	NotAssessed   int `json:"not_assessed"`
	Missing       int `json:"not_run" doc:"In how many accounts a check was not run"`
}

func newVerdicts(s requirement.Seen) Verdicts {
	return Verdicts{s.Counts.Pass, s.Counts.Fail, s.Excepted, s.Counts.NotApplicable, s.Counts.NotAssessed, s.Missing}
}

func (v Verdicts) add(o Verdicts) Verdicts {
	return Verdicts{v.Pass + o.Pass, v.Fail + o.Fail, v.Excepted + o.Excepted, v.NotApplicable + o.NotApplicable, v.NotAssessed + o.NotAssessed, v.Missing + o.Missing}
}

// WholeAsked is a requirement with all that is known of it.
type WholeAsked struct {
	Asked
	// Detail are its parts one by one.
	Detail       []PartAsked   `json:"detail" doc:"Its parts one by one"`
	Attestations []Attestation `json:"attestations" doc:"What people said of it, the newest first, also what is good no more"`
}

// PartAsked is a part of a requirement.
type PartAsked struct {
	Part     string                `json:"part" doc:"A check of this tool, or another tool's with that before it, prowler:iam_root_mfa_enabled"`
	State    requirement.PartState `json:"state" enum:"failing,not_assessed,no_check,partly_checked,passing,excepted,attested,not_applicable"`
	Weaker   bool                  `json:"weaker" doc:"It asks for more than the checks here: they can find it failing, and not met"`
	Checks   []CheckSaid           `json:"checks" doc:"Checks here that look at it; none if there is no counterpart"`
	Verdicts Verdicts              `json:"verdicts"`
}

// CheckSaid is a check of a part.
type CheckSaid struct {
	Check    model.CheckID  `json:"check"`
	Title    string         `json:"title"`
	Severity model.Severity `json:"severity" enum:"critical,high,medium,low"`
	Optional string         `json:"optional,omitempty" doc:"Why it runs only if it is named, or by framework"`
}

// Attestation is one with its state.
type Attestation struct {
	model.Attestation
	State model.AttestationState `json:"state" enum:"requested,good,expired,withdrawn"`
}

// NewAttestation is an attestation as it is at a moment.
func NewAttestation(a model.Attestation, now time.Time) Attestation {
	return Attestation{a, a.State(now)}
}

// Texts is what is said of checks.
type Texts map[model.CheckID]check.Text

// NewAsked is a requirement of a framework.
func NewAsked(f check.Framework, r requirement.Judged, texts Texts) Asked {
	a := Asked{Framework: f.ID, ID: r.ID, Section: r.Section, State: r.State, Parts: len(r.Parts), Mapped: r.Mapped, Checks: r.Checks(), Titles: []string{}}
	switch {
	case r.Attested.Whole:
		a.Attested = string(model.CoversRequirement)
	case r.Attested.Manual:
		a.Attested = string(model.CoversManual)
	}
	if a.Checks == nil {
		a.Checks = []model.CheckID{}
	}
	for _, id := range a.Checks {
		a.Titles = append(a.Titles, texts[id].Title)
	}
	for _, p := range r.Parts {
		a.Verdicts = a.Verdicts.add(newVerdicts(p.Seen))
	}
	return a
}

// NewWholeAsked is a requirement of a framework with its parts, and what was said of it.
func NewWholeAsked(f check.Framework, r requirement.Judged, catalog *check.Catalog, said []model.Attestation, now time.Time) (WholeAsked, error) {
	texts, err := catalog.Texts()
	if err != nil {
		return WholeAsked{}, err
	}
	w := WholeAsked{Asked: NewAsked(f, r, texts), Detail: make([]PartAsked, len(r.Parts)), Attestations: []Attestation{}}
	for i, p := range r.Parts {
		part := PartAsked{Part: p.String(), State: p.State, Weaker: p.Weaker, Checks: []CheckSaid{}, Verdicts: newVerdicts(p.Seen)}
		for _, id := range p.Checks {
			k, _ := catalog.Check(id)
			part.Checks = append(part.Checks, CheckSaid{id, texts[id].Title, k.Severity, k.Optional})
		}
		w.Detail[i] = part
	}
	for _, a := range said {
		if a.Requirement == r.ID {
			w.Attestations = append([]Attestation{NewAttestation(a, now)}, w.Attestations...)
		}
	}
	return w, nil
}
