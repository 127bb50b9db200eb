// Package evidence is what an audit keeps of each task: the resources as they
// were read and what every rule said of them, one resource a line. It is enough
// to show why, to judge again without AWS, and to compare two audits.
package evidence

import (
	"encoding/json"
	"fmt"

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
}

// Verdict is what one rule said of the entry's resource.
type Verdict struct {
	Check model.CheckID `json:"check"`
	check.Verdict
	Read   []string  `json:"read,omitempty"`   // facts of the resource that decided
	Others []Exhibit `json:"others,omitempty"` // facts of other resources that decided
}

// Exhibit is one fact that decided a verdict.
type Exhibit struct {
	Resource string          `json:"resource,omitempty"` // empty for the judged resource
	Fact     string          `json:"fact"`
	Content  json.RawMessage `json:"content"` // {"value": …} or {"gap": …}
}

// Of is the verdict with the evidence that the judge has at hand.
func Of(rule model.CheckID, v check.Verdict, exhibits []check.Exhibit) (Verdict, error) {
	out := Verdict{Check: rule, Verdict: v}
	for _, x := range exhibits {
		if x.Resource == "" {
			out.Read = append(out.Read, x.Fact)
			continue
		}
		content, err := json.Marshal(x.Content)
		if err != nil {
			return Verdict{}, fmt.Errorf("evidence of %s: %w", rule, err)
		}
		out.Others = append(out.Others, Exhibit{x.Resource, x.Fact, content})
	}
	return out, nil
}

// Exhibits are the facts that decided a verdict of this entry, with their
// content.
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
	return append(all, v.Others...), nil
}
