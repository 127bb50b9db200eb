// Package evidence is what an audit keeps of each task: the resources as they
// were read and what every rule said of them, one resource a line. It is enough
// to show why, to judge again without AWS, and to compare two audits.
package evidence

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Entry is one line: a resource with its verdicts, or how a listing ended with
// the verdicts that follow from that alone.
type Entry struct {
	Kind     string          `json:"kind"`
	Ref      model.Ref       `json:"ref"`
	Resource json.RawMessage `json:"resource,omitempty"` // empty for a listing
	Listing  *Listing        `json:"listing,omitempty"`  // empty for a resource
	Verdicts []Verdict       `json:"verdicts,omitempty"`
}

// Listing is how the listing of one type in one region ended.
type Listing struct {
	Region string    `json:"region"`
	Count  int       `json:"count"`         // resources found
	Gap    *fact.Gap `json:"gap,omitempty"` // why it is incomplete
	// Elsewhere says that resources of regions that the audit does not look at are left
	// out.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// Verdict is what one rule said of the entry's resource.
type Verdict struct {
	Check model.CheckID `json:"check"`
	check.Verdict
	// Cause is the check of the same resource of which the failure is why this one fails.
	Cause  model.CheckID `json:"cause,omitempty"`
	Read   []string      `json:"read,omitempty"`   // facts of the resource that decided
	Others []Exhibit     `json:"others,omitempty"` // facts of other resources that decided, and sets of them
}

// Exhibit is one fact that decided a verdict, or a set of resources that the rule
// looked through.
type Exhibit struct {
	Resource string          `json:"resource,omitempty"` // empty for the judged resource
	Fact     string          `json:"fact"`
	Content  json.RawMessage `json:"content"` // {"value": …}, {"gap": …}, {"set": …}, or {"cut": …} of a long one
}

// Fold names the causes of failures: of each the first of its possible causes that
// failed for the same resource, in the same audit.
func Fold(catalog *check.Catalog, verdicts []Verdict, failed func(model.CheckID) bool) {
	for i, v := range verdicts {
		if v.Status != check.Fail {
			continue
		}
		c, _ := catalog.Check(v.Check)
		if at := slices.IndexFunc(c.Causes, failed); at >= 0 {
			verdicts[i].Cause = c.Causes[at]
		}
	}
}

// Failed reports which checks fail among verdicts.
func Failed(verdicts []Verdict) func(model.CheckID) bool {
	return func(id model.CheckID) bool {
		return slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.Check == id && v.Status == check.Fail })
	}
}

// Of is the verdict with the evidence that the judge has at hand, for a line that
// holds the judged resource.
func Of(rule model.CheckID, v check.Verdict, exhibits []check.Exhibit) (Verdict, error) {
	out := Verdict{Check: rule, Verdict: v}
	var others []check.Exhibit
	for _, x := range exhibits {
		if x.Resource == "" {
			out.Read = append(out.Read, x.Fact)
		} else {
			others = append(others, x)
		}
	}
	var err error
	out.Others, err = written(rule, others)
	return out, err
}

// Apart is Of for a line without the judged resource, whose facts stand with the
// others' then.
func Apart(rule model.CheckID, v check.Verdict, exhibits []check.Exhibit) (Verdict, error) {
	all, err := written(rule, exhibits)
	return Verdict{Check: rule, Verdict: v, Others: all}, err
}

func written(rule model.CheckID, exhibits []check.Exhibit) ([]Exhibit, error) {
	var all []Exhibit
	for _, x := range exhibits {
		content, err := json.Marshal(x.Content)
		if err != nil {
			return nil, fmt.Errorf("evidence of %s: %w", rule, err)
		}
		all = append(all, Exhibit{x.Resource, x.Fact, content})
	}
	return bounded(rule, all)
}

// bounded cuts what is too long to be kept with a finding. Each exhibit has its
// share: one long policy leaves room for what comes after it.
func bounded(rule model.CheckID, all []Exhibit) ([]Exhibit, error) {
	total, fit := 0, 0
	for i := range all {
		all[i].Resource, all[i].Fact = model.Cut(all[i].Resource, model.MaxARN+model.MaxPart+1), model.Cut(all[i].Fact, model.MaxName)
		all[i].Content = check.Excerpt(all[i].Content, check.MaxContent)
		if total += len(all[i].Content); total <= check.MaxEvidence-roomForRest && i < check.MaxExhibits-1 {
			fit++
		}
	}
	if total <= check.MaxEvidence && len(all) <= check.MaxExhibits {
		return all, nil
	}
	rest := check.Rest(len(all) - fit)
	content, err := json.Marshal(rest.Content)
	if err != nil {
		return nil, fmt.Errorf("evidence of %s: %w", rule, err)
	}
	return append(slices.Clip(all[:fit]), Exhibit{rest.Resource, rest.Fact, content}), nil
}

// roomForRest is the bytes of the exhibit that counts what is left out.
const roomForRest = 100

// Exhibits are the facts that decided a verdict of this entry, with their
// content. They are an excerpt: the lines of the evidence file hold them whole.
func (e Entry) Exhibits(v Verdict) ([]Exhibit, error) {
	all := make([]Exhibit, 0, len(v.Read)+len(v.Others))
	if len(v.Read) > 0 {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(e.Resource, &fields); err != nil {
			return nil, fmt.Errorf("evidence of %s: %w", e.Ref, err)
		}
		for _, name := range v.Read {
			all = append(all, Exhibit{Fact: name, Content: fields[name]})
		}
	}
	return bounded(v.Check, append(all, v.Others...))
}
