package grant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// What is different about an action.
const (
	Missing = "missing" // CloudArq needs it and does not have it, or not everywhere
	Writes  = "writes"  // it is allowed, and no read
	Reveals = "reveals" // it is allowed, and shows data or credentials
	Unknown = "unknown" // it is allowed, and AWS's reference does not have it
	Unused  = "unused"  // it is allowed, harmless, and nothing needs it
)

// Difference is one action that a policy lacks, or should not allow.
type Difference struct {
	What   string          `json:"what"`
	Action string          `json:"action"`
	Level  string          `json:"level"` // AWS's; empty if unknown
	Why    string          `json:"why"`
	Checks []model.CheckID `json:"checks"` // that may have no verdict without a missing action
}

// Comparison is how a policy differs from what is needed.
type Comparison struct {
	Needed      int
	Differences []Difference
	Blinded     []model.CheckID // all checks of missing actions
	Excess      int             // actions allowed that nothing needs, dangerous or not
	Unused      []string        // those of them that are harmless
}

// Missing are the actions that the policy lacks.
func (c Comparison) Missing() []Difference { return c.only(true) }

// Dangers are the actions that the policy should not allow.
func (c Comparison) Dangers() []Difference { return c.only(false) }

func (c Comparison) only(missing bool) []Difference {
	return slices.DeleteFunc(slices.Clone(c.Differences), func(d Difference) bool { return (d.What == Missing) != missing })
}

// Suffices tells that the policy allows all that is needed, and nothing that
// writes or reveals; harmless reads beyond it are no fault.
func (c Comparison) Suffices() bool { return len(c.Differences) == 0 }

// String sums up in one line.
func (c Comparison) String() string {
	missing := len(c.Missing())
	text := fmt.Sprintf("%d of %d actions covered", c.Needed-missing, c.Needed)
	if missing > 0 {
		text += fmt.Sprintf(", %d missing, which blinds %d checks", missing, len(c.Blinded))
	}
	return text + fmt.Sprintf("; %d actions more than needed, %d of them write, reveal or are unknown", c.Excess, len(c.Dangers()))
}

// Compare compares a policy with the role that is needed. checks are those that
// missing actions can blind.
func Compare(role policy.Role, p Policy, checks []check.Check) Comparison {
	c := Comparison{Needed: len(role.Grants), Differences: Lacking(role, p, checks)}
	for _, d := range c.Differences {
		c.Blinded = append(c.Blinded, d.Checks...)
	}
	slices.Sort(c.Blinded)
	c.Blinded = slices.Compact(c.Blinded)

	needless := p.beyond(role)
	c.Excess = len(needless)
	for _, d := range needless {
		if d.What != Unused {
			c.Differences = append(c.Differences, d)
		} else {
			c.Unused = append(c.Unused, d.Action)
		}
	}
	return c
}

// Dangers are the actions that a policy allows and should not: those that write,
// show data or credentials, or are not known at all.
func Dangers(role policy.Role, p Policy) []Difference {
	return slices.DeleteFunc(p.beyond(role), func(d Difference) bool { return d.What == Unused })
}

// beyond lists what the policy allows and the role does not need.
func (p Policy) beyond(role policy.Role) []Difference {
	var all []Difference
	about, none := p.byService(), []model.CheckID{} // a list in JSON, never null
	needed := map[string]bool{}
	for _, g := range role.Grants {
		needed[g.Action] = true
		if len(g.Resources) > 0 && about(g.Action).lacks(g.Action, nil) == "" {
			all = append(all, Difference{Reveals, g.Action, g.Level, "allowed on all resources, the values of API keys among them", none})
		}
	}
	known := Universe()
	for _, a := range known {
		if !needed[a.Action] && about(a.Action).allows(a.Action) {
			what, why := danger(role, a)
			all = append(all, Difference{what, a.Action, a.Level, why, none})
		}
	}
	for _, pattern := range p.unknown(known) {
		all = append(all, Difference{Unknown, pattern, "", "not in AWS's reference, so nobody can tell what it allows", none})
	}
	return all
}

// Lacking are the actions of the role that a policy lacks, with those of the
// checks that they blind.
func Lacking(role policy.Role, p Policy, checks []check.Check) []Difference {
	var all []Difference
	about, blinded := p.byService(), blinds(checks)
	for _, g := range role.Grants {
		p := about(g.Action)
		if why := p.lacks(g.Action, g.Resources); why != "" {
			lost := slices.DeleteFunc(slices.Clone(g.Operations), func(op string) bool { return p.lacks(g.Action, policy.Resources(op)) == "" })
			all = append(all, Difference{Missing, g.Action, g.Level, why, blinded(lost)})
		}
	}
	return all
}

func danger(role policy.Role, a policy.Access) (what, why string) {
	switch {
	case a.Credentials && a.Data:
		return Reveals, "reads data and exposes credentials"
	case a.Credentials:
		return Reveals, "exposes credentials"
	case a.Data:
		return Reveals, "reads data"
	case a.Level != "List" && a.Level != "Read":
		return Writes, "is no read"
	case slices.Contains(role.Denied, a.Action):
		return Reveals, "reads data or what belongs to it; CloudArq's own role denies it"
	default:
		return Unused, "a harmless read that nothing needs"
	}
}

// unknown lists the patterns of allowed actions that match nothing known.
func (p Policy) unknown(known []policy.Access) []string {
	services := map[string][]policy.Access{}
	for _, a := range known {
		services[prefix(a.Action)] = append(services[prefix(a.Action)], a)
	}
	var all []string
	for _, s := range p.all.Statements {
		if s.Effect != iampolicy.Allow {
			continue
		}
		for _, pattern := range s.Actions {
			candidates := services[strings.ToLower(prefix(pattern))]
			if strings.ContainsAny(prefix(pattern), "*?") {
				candidates = known
			}
			one := iampolicy.Policy{Statements: []iampolicy.Statement{{Effect: iampolicy.Allow, Actions: []string{pattern}, Resources: []string{"*"}}}}
			if !slices.ContainsFunc(candidates, func(a policy.Access) bool { return one.Allows(a.Action, "") }) {
				all = append(all, pattern)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// prefix is the service of an action.
func prefix(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return service
}
