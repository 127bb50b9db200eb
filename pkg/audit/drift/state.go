package drift

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// State is what a connection becomes by an audit or a verification of it, and the
// reason in a sentence. A connection that never worked stays pending until
// something was let in.
func State(was model.ConnectionState, a model.Audit) (state model.ConnectionState, reason string) {
	if a.Refused != "" {
		return refused(was, a.RefusedCode), a.Refused
	}
	if lost := Of([]model.Audit{a}).Lost(); len(lost) > 0 {
		return model.ConnectionDegraded, reasonOf(lost)
	}
	return model.ConnectionActive, ""
}

func refused(was model.ConnectionState, code string) model.ConnectionState {
	never := was == "" || was == model.ConnectionPending
	switch {
	case never || code == model.CodeMissingExternalID || code == model.CodeAccountMismatch:
		return model.ConnectionPending // to be set up, or again
	case code == model.CodeRoleDenied || code == model.CodeKeyRefused:
		return model.ConnectionRevoked
	default:
		return model.ConnectionDegraded
	}
}

// reasonOf says what is lost. It names the actions of some, so that nobody has to
// ask further for one that was forgotten.
func reasonOf(lost []Missing) string {
	const named = 3
	var actions []string
	var blind []model.CheckID
	for _, m := range lost {
		blind = append(blind, m.Checks...)
		actions = append(actions, m.Action)
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	slices.Sort(blind)
	blind = slices.Compact(blind)
	text, verb := actions[0], "is"
	for i, action := range actions[1:] {
		if verb = "are"; i+1 == named {
			text += fmt.Sprintf(" and %d more", len(actions)-named)
			break
		}
		text += ", " + action
	}
	return fmt.Sprintf("%s %s not allowed, which blinds %d checks", text, verb, len(blind))
}

// Preview is how much of each service an audit of some checks could assess, as far
// as the policies tell.
func Preview(checks []check.Check, p model.Permissions) []model.ServiceCoverage {
	blind := map[model.CheckID]bool{}
	for _, m := range p.Missing {
		for _, id := range m.Checks {
			blind[id] = true
		}
	}
	by := map[string]*model.ServiceCoverage{}
	for _, k := range checks {
		c := by[k.Service]
		if c == nil {
			c = &model.ServiceCoverage{Service: k.Service, Blind: []model.CheckID{}}
			by[k.Service] = c
		}
		c.Checks++
		if blind[k.ID] {
			c.Blind = append(c.Blind, k.ID)
		}
	}
	all := []model.ServiceCoverage{}
	for _, service := range slices.Sorted(maps.Keys(by)) {
		slices.Sort(by[service].Blind)
		all = append(all, *by[service])
	}
	return all
}
