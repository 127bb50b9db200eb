// Package check judges resources. A rule is metadata and a pure function of a
// typed resource; it reads the resource's facts through Read or Try, which
// makes evidence and NOT_ASSESSED free of care. It knows neither AWS's SDK nor
// storage, so every rule can run again on a stored snapshot.
package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Resource is a typed AWS thing: a struct that embeds model.Resource, whose
// other exported fields are facts, one per API call.
type Resource interface {
	Reference() model.Ref
	// Kind is CloudFormation's name of the type, "AWS::KMS::Key", or one in
	// that style where CloudFormation has none.
	Kind() string
}

// Rule is one check: what it judges and how. The texts for people live in the
// service's checks.yaml under the same id.
type Rule struct {
	ID       model.CheckID
	Severity model.Severity
	Kind     string // the resource type it judges

	// Uses lists further resource types of the account that the rule looks at.
	// A rule that uses any runs when all snapshots of the account are complete.
	Uses []string

	// Former lists ids that the rule had before, so that findings made under them
	// keep their history.
	Former []model.CheckID

	// Optional says why the rule runs only for who asks for it; empty for the others.
	Optional string

	// Causes are the checks of which a failure, of the same resource, is why this one
	// fails as well: mending that mends this, or has to come first.
	Causes []model.CheckID

	// Options are the thresholds and lists that whoever audits may set.
	Options []*Option

	// Exclusions are where AWS makes the rule impossible to meet.
	Exclusions []Exclusion

	anyState, evenManaged, withAccount bool

	decide func(*Evidence, Resource) Verdict
}

// Formerly is the rule, renamed from the ids given.
func (r Rule) Formerly(ids ...model.CheckID) Rule {
	r.Former = ids
	return r
}

// OnlyIfAsked is the rule, which audits leave out unless it is named: what it wants is a
// matter of taste, or AWS's default that nobody chose.
func (r Rule) OnlyIfAsked(why string) Rule {
	r.Optional = why
	return r
}

// CausedBy is the rule, of which a failure only follows from that of another check of
// the same resource: what lets in all traffic opens each port. Such a failure is folded
// under its cause where people look.
func (r Rule) CausedBy(ids ...model.CheckID) Rule {
	r.Causes = append(slices.Clone(r.Causes), ids...)
	return r
}

// For is a rule that judges one resource by itself.
func For[R Resource](id model.CheckID, severity model.Severity, decide func(*Evidence, R) Verdict) Rule {
	var zero R
	return Rule{
		ID:       id,
		Severity: severity,
		Kind:     zero.Kind(),
		decide: func(e *Evidence, r Resource) Verdict {
			return decide(e, r.(R))
		},
	}
}

// Across is a rule that judges one resource in the light of others of the same
// account, which it looks at by All and Some. Every type it looks at is
// declared by Using.
func Across[R Resource](id model.CheckID, severity model.Severity, decide func(*Evidence, R) Verdict, uses ...Use) Rule {
	rule := For(id, severity, decide)
	for _, use := range uses {
		rule.Uses = append(rule.Uses, use.kind)
	}
	return rule
}

// Use names a resource type that an Across rule looks at.
type Use struct{ kind string }

// Using declares that a rule looks at all resources of type R.
func Using[R Resource]() Use {
	var zero R
	return Use{zero.Kind()}
}

// WithAccount is the rule, judged when all of the account is known because its cause is.
func (r Rule) WithAccount() Rule {
	r.withAccount = true
	return r
}

// NeedsAccount reports whether the rule is judged when all of the account is known: it
// looks at more than its own resource, or follows from what does.
func (r Rule) NeedsAccount() bool { return len(r.Uses) > 0 || r.withAccount }

// Judge runs the rule on one resource; world is nil unless the rule needs the
// account. The Judge's evidence is valid until its next call.
type Judge struct {
	evidence Evidence
	options  model.CheckOptions
}

// NewJudge makes a judge. Ages are reckoned at now, the time of collecting, so
// that a stored snapshot is judged as of its day. For rules that need the
// account, world holds its resources; for others it may be nil. A judge is not
// safe for concurrent use.
func NewJudge(now time.Time, world *World) *Judge {
	return &Judge{evidence: Evidence{now: now, world: world, reads: make([]fact.Any, 0, 8)}}
}

// WithOptions has the judge run rules by what their options are set to.
func (j *Judge) WithOptions(options model.CheckOptions) *Judge {
	j.options = options
	return j
}

// WithUnused has the judge judge also what AWS makes by default and nothing uses.
func (j *Judge) WithUnused(unused bool) *Judge {
	j.evidence.unused = unused
	return j
}

// Judge is the rule's verdict on the resource. A gap that the rule met through
// Read is a verdict of NOT_ASSESSED; a panic of the rule is one, too, since a
// faulty rule must not end an audit or call anything fine. Whatever the rule says,
// the verdict is short and printable.
func (j *Judge) Judge(rule Rule, resource Resource) (verdict Verdict) {
	j.evidence.reset()
	j.evidence.declared, j.evidence.options = rule.Options, j.options[rule.ID]
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case gapMet:
			verdict = Unassessed(stop.gaps...)
		default:
			verdict = Unassessed(fact.Gap{Reason: fact.Failed, Detail: fmt.Sprintf("rule %s: %v", rule.ID, stop)})
		}
	}()
	return rule.verdict(&j.evidence, resource).naming(j.evidence.used).bounded()
}

// JudgeBy is Judge with other values of options, for who wants to know what the rule says by
// both. What the verdict was made of is forgotten: it is no evidence of the audit's.
func (j *Judge) JudgeBy(rule Rule, resource Resource, options map[string]model.OptionValue) Verdict {
	set := j.options
	defer func() { j.options = set }()
	j.options = model.CheckOptions{rule.ID: options}.Or(set)
	return j.Judge(rule, resource)
}

// Evidence is what the last call of Judge read.
func (j *Judge) Evidence() *Evidence { return &j.evidence }

// Stop ends a rule that cannot decide because of the gaps, as Read does for a
// fact that is one.
func Stop(gaps ...fact.Gap) { panic(gapMet{gaps}) }

// gapMet ends a rule that cannot decide without a fact.
type gapMet struct{ gaps []fact.Gap }
