package shape

import (
	"encoding/json"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/audit/evidence"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/remedy"
)

// Shaper gives records their shape, with what this version of CloudArq says of checks. It is
// safe for concurrent use.
type Shaper struct {
	catalog *check.Catalog
	texts   map[model.CheckID]check.Text
}

// NewShaper makes a Shaper. It fails only if the catalogue's texts cannot be parsed.
func NewShaper(catalog *check.Catalog) (*Shaper, error) {
	texts, err := catalog.Texts()
	return &Shaper{catalog, texts}, err
}

// Owner is what the connection of an account adds to what is said of it.
type Owner struct {
	Connection    model.ConnectionID
	Name, Project string
}

// OwnerOf is the owner that a connection is.
func OwnerOf(c model.Connection) Owner { return Owner{c.ID, c.Name, c.Project} }

// Finding is a finding as it is stored; evidence and history are those that it has.
func (s *Shaper) Finding(f model.Finding, of Owner, tags Tags) (Finding, error) {
	of.Connection = f.Connection
	out := Finding{
		ID: f.ID, Rule: s.rule(f.Check), State: f.State, Place: place(f.Resource, f.Kind, f.Service, of),
		Tags: tags, Reason: f.Reason, Cause: f.Cause, FirstSeen: f.FirstSeen.UTC(), ResolvedAt: moment(f.ResolvedAt),
		Resolution: f.Why, BlindSince: moment(f.BlindSince), Reopened: f.Reopened, Advice: s.advice(f.Check, f.Kind, f.Resource),
		EvidenceFile: f.Source, History: f.History,
	}
	if out.Severity == "" { // of a check that is no more
		out.Severity = f.Severity
	}
	if len(f.Evidence) == 0 {
		return out, nil
	}
	var exhibits []evidence.Exhibit
	err := json.Unmarshal(f.Evidence, &exhibits)
	if err == nil {
		out.Evidence, err = NewExhibits(exhibits)
	}
	if err != nil {
		return out, fmt.Errorf("finding %s: %w", f.ID, err)
	}
	return out, nil
}

// Verdict is what a line of an audit's evidence says of its resource.
func (s *Shaper) Verdict(audit model.AuditID, e evidence.Entry, v evidence.Verdict, of Owner) (Verdict, error) {
	exhibits, err := e.Exhibits(v)
	if err != nil {
		return Verdict{}, err
	}
	c, _ := s.catalog.Check(v.Check)
	out := Verdict{
		ID: model.NewFindingID(v.Check, e.Ref), Rule: s.rule(v.Check), Status: v.Status, Place: place(e.Ref, e.Kind, c.Service, of),
		Reason: v.Reason, Gaps: v.Gaps, Cause: v.Cause, Audit: audit,
	}
	if out.Gaps == nil {
		out.Gaps = []fact.Gap{}
	}
	out.Evidence, err = NewExhibits(exhibits)
	return out, err
}

// Difference is how two audits differ.
func (s *Shaper) Difference(d diff.Difference, of Owner) Difference {
	c, _ := s.catalog.Check(d.Check)
	return Difference{
		ID: model.NewFindingID(d.Check, d.Ref), Change: d.What, Rule: s.rule(d.Check), Place: place(d.Ref, d.Kind, c.Service, of),
		Before: d.Before, After: d.After, Reason: d.Reason, Rules: d.Rules,
	}
}

// NewResource is what an audit saw. Its tags are not known here.
func NewResource(audit model.Audit, service string, e evidence.Entry, of Owner) Resource {
	return Resource{Place: place(e.Ref, e.Kind, service, of), Audit: audit.ID, AsOf: audit.StartedAt.UTC(), Facts: e.Resource}
}

func place(r model.Ref, kind, service string, of Owner) Place {
	return Place{of.Connection, r.Account, of.Name, of.Project, r.Region, service, r.ARN, r.Sub, r.Name, kind}
}

func (s *Shaper) rule(id model.CheckID) Rule {
	c, _ := s.catalog.Check(id)
	text := s.texts[id]
	if text.Title == "" { // there is no such check any more
		text.Title = string(id)
	}
	return Rule{id, text.Title, c.Severity, text.Pillar}
}

// advice is that of a check, filled in with a resource.
func (s *Shaper) advice(id model.CheckID, kind string, r model.Ref) Advice {
	a := adviceOf(s.texts[id])
	a.Remediation.CLI = remedy.Fill(a.Remediation.CLI, kind, r)
	return a
}

func adviceOf(t check.Text) Advice {
	a := Advice{t.Risk, NewRemediation(t.Remediation), t.References, t.Controls}
	if a.References == nil {
		a.References = []string{}
	}
	if a.Controls == nil {
		a.Controls = map[string][]string{}
	}
	return a
}
