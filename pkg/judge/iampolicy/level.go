package iampolicy

import "fmt"

// Level says how far a resource policy opens the resource to principals outside
// of the owner's account. A higher level is a wider opening.
type Level uint8

// The levels, from narrow to wide.
const (
	// None: only the zone of trust, AWS services acting for it, or nobody at all.
	None Level = iota
	// OwnOrganization: accounts of the owner's organization, whichever they are.
	OwnOrganization
	// CrossAccount: named foreign accounts or principals, or AWS services acting for
	// them; also a name of which nobody knows whose it is.
	CrossAccount
	// Organization: all accounts of another organization or of a path in it, or of one
	// of which nobody knows whether it is the owner's.
	Organization
	// ServiceUnscoped: an AWS service for whichever customer asks it to, the
	// confused deputy.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
	ServiceUnscoped
	// Restricted: anyone, if the request passes a fixed bound that is not an
	// identity: a network, a VPC endpoint, a token's subject.
	Restricted
	// Public: anyone; at least, anyone with an AWS account.
	Public
)

// String gives the level's name.
func (l Level) String() string {
	names := [...]string{"none", "own_organization", "cross_account", "organization", "service_unscoped", "restricted", "public"}
	if int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// Result is the answer of [Policy.Evaluate].
type Result struct {
	// Grants let someone outside in, in document order.
	Grants []Grant
}

// At gives the grants of some levels. A rule asks for those that it is about.
func (r Result) At(levels ...Level) []Grant {
	var out []Grant
	for _, l := range levels {
		for _, g := range r.Grants {
			if g.Level == l {
				out = append(out, g)
			}
		}
	}
	return out
}

// Grant is what one statement gives at one level.
type Grant struct {
	Statement string // Sid, or "statement 2"
	Index     int    // position in the document, from 0
	Level     Level
	// Parties who get in at this level, where they are bounded.
	Parties Parties
	// Services is set if AWS services get in.
	Services []string
	// Actions of the statement that the question is about ("not X" for NotAction).
	Actions   []string
	Resources []string
	// Why says which conditions did not bound whom the statement lets in, and why not;
	// empty if there are none. It reads on after "statement 2 lets in …: ".
	Why string
}
