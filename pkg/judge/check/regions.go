package check

import (
	"fmt"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// InEveryRegion is the rule that another one, over what each region has once, passes in
// every region that was audited. It is judged on the one resource of type A that an
// account has. To switch something on everywhere is one decision, and so its absence is
// one failure, under which those of the regions fold.
func InEveryRegion[A Resource](id model.CheckID, regional Rule) Rule {
	rule := For(id, regional.Severity, func(e *Evidence, _ A) Verdict {
		p := e.world.listed(regional.Kind)
		e.lookAt(regional.Kind)
		gaps := slices.DeleteFunc(slices.Clone(p.gaps), notOffered)
		e.looks = append(e.looks, look{kind: regional.Kind, count: len(p.resources)})
		var failing []string
		passing := 0
		for _, r := range p.resources {
			e.cost++
			switch v := regional.attempt(e, r); v.Status {
			case Pass:
				passing++
			case Fail:
				failing = append(failing, r.Reference().Region)
			case NotAssessed:
				gaps = append(gaps, slices.DeleteFunc(v.Gaps, notOffered)...)
			case NotApplicable:
			}
		}
		slices.Sort(failing)
		switch {
		case len(failing) > 0:
			return Failed(fmt.Sprintf("not so in %d of %d regions: %s", len(failing), len(failing)+passing, List(failing)))
		case len(gaps) > 0:
			return Unassessed(gaps...)
		case passing == 0:
			return Inapplicable("no region that was audited has anything to ask it of")
		default:
			return Passed(fmt.Sprintf("so in all regions that were audited, which are %d", passing))
		}
	})
	rule.Uses = []string{regional.Kind}
	return rule
}

// notOffered reports whether a gap is of a region that has no such thing.
func notOffered(g fact.Gap) bool {
	return g.Reason == fact.Unsupported || g.Reason == fact.RegionDisabled
}

// attempt is the rule's verdict, whatever it meets.
func (r Rule) attempt(e *Evidence, resource Resource) (v Verdict) {
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case gapMet:
			v = Unassessed(stop.gaps...)
		default:
			panic(stop)
		}
	}()
	return r.verdict(e, resource)
}
