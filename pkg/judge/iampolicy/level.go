package iampolicy

import "fmt"

// Level says how far a resource policy opens the resource to principals outside
// of the owner's account. A higher level is a wider opening.
type Level uint8

// The levels, from narrow to wide.
const (
	// None: only the owner's and trusted accounts, AWS services acting for
	// them, or nobody at all.
	None Level = iota
	// CrossAccount: named foreign accounts or principals, or AWS services
	// acting for them. A name whose account cannot be read from the policy (a
	// canonical user, an S3 bucket ARN) counts as foreign.
	CrossAccount
	// Organization: all accounts of an organization or of a path in it.
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

// String gives the level as it is written in evidence and exports.
func (l Level) String() string {
	names := [...]string{"none", "cross_account", "organization", "service_unscoped", "restricted", "public"}
	if int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Options is what [Policy.Evaluate] must know besides the policy.
type Options struct {
	// Account owns the resource. Without it every account is foreign.
	Account string
	// Partition of the resource ("aws", "aws-cn"...); the same number in
	// another partition is another account. Empty: not compared.
	Partition string
	// OrganizationID of the owner, for ${aws:ResourceOrgID} and for telling an
	// own organization from a foreign one in reasons.
	OrganizationID string
	// CanonicalUserID of the owner, which S3 policies may name.
	CanonicalUserID string
	// TrustedAccounts count as inside: account numbers, or principals exactly
	// as policies write them (an ARN, a canonical user, a CloudFront identity).
	TrustedAccounts []string
	// Actions, if any, limits the question to statements that allow something
	// which one of these patterns matches.
	Actions []string
	// BlockPublicPolicy is S3's setting. It refuses new public policies and
	// leaves the one in force alone, so it changes no level.
	BlockPublicPolicy bool
	// RestrictPublicBuckets is S3's setting, of bucket or account. While the
	// policy is public it leaves in only the owner's account and AWS services.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
	RestrictPublicBuckets bool
}

// Result is the answer of [Policy.Evaluate].
type Result struct {
	// Level is the widest of Grants.
	Level Level
	// Grants let someone outside in, in document order.
	Grants []Grant
	// Contained are Allow statements, or parts of them, that look at
	// outsiders or services and let none in: the evidence of a pass.
	Contained []Grant
	// Notes tell what was read and not counted: a Deny that may not cover, a
	// setting without effect, a statement without principals.
	Notes []string
}

// At gives the grants of one level. A rule about one level asks this, not
// Level, which shows only the widest.
func (r Result) At(l Level) []Grant {
	var out []Grant
	for _, g := range r.Grants {
		if g.Level == l {
			out = append(out, g)
		}
	}
	return out
}

// Grant is what one statement gives at one level.
type Grant struct {
	Statement string // Sid, or "statement 2"
	Index     int    // position in the document, from 0
	Level     Level
	// Principals of the statement that this is about, as written ("not X" for NotPrincipal).
	Principals []string
	// Parties who get in, where they are bounded: account numbers or ARNs,
	// organization ids or paths, network bounds.
	Parties []string
	// Services is set if AWS services get in.
	Services []string
	// Actions of the statement that the question is about ("not X" for NotAction).
	Actions   []string
	Resources []string
	// Reasons: every condition, and whether it bounds and why.
	Reasons []string
}
