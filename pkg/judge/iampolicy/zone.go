package iampolicy

// Zone is the zone of trust: whom the owner of a resource does not call a stranger.
// The zero value trusts nobody, and knows of nothing whose it is.
type Zone struct {
	// Account owns the resource. Without it every account is foreign.
	Account string
	// Partition of the resource ("aws", "aws-cn"...); the same number in another
	// partition is another account. Empty: not compared.
	Partition string
	// Resource is the ARN of what the policy hangs on, which statements that name no
	// resource are about. Empty: not known.
	Resource string
	// Whose tells whose a thing is. It is asked only for what a policy names, once
	// for each thing; nil knows of none.
	Whose func(Thing) Standing
}

// Thing is something that policies name, and whose owner its name does not tell.
type Thing struct {
	Kind ThingKind
	Name string
}

// String names the thing for people: "bucket logs".
func (t Thing) String() string { return string(t.Kind) + " " + t.Name }

// ThingKind is a kind of thing.
type ThingKind string

// The kinds of thing that a zone can be asked for.
const (
	AnAccount      ThingKind = "account"                // its number: is it one that the owner trusts?
	AnOrganization ThingKind = "organization"           // o-…
	ABucket        ThingKind = "bucket"                 // of S3
	AnOriginAccess ThingKind = "origin access identity" // of CloudFront: its id
	ACanonicalUser ThingKind = "canonical user"         // of an account, or of an origin access identity
)

const (
	something ThingKind = "name"  // one that does not tell whose it is, and that no zone knows
	chosen    ThingKind = "token" // the owner chose it, which makes it his
)

// Standing says how something stands to the zone of trust.
type Standing uint8

// The standings.
const (
	Foreign Standing = iota // somebody else's
	Own                     // the owner's, or of whom the owner trusts
	Unknown                 // it could not be found out
)

// Party is someone whom a policy lets in.
type Party struct {
	// Name is an account number or an ARN, an organization's id or a path in it, a
	// bound such as "aws:SourceVpc vpc-1".
	Name     string
	Standing Standing
}

// Parties are those whom one statement lets in.
type Parties []Party

// Named gives the names of those with a standing.
func (p Parties) Named(s Standing) []string {
	var names []string
	for _, one := range p {
		if one.Standing == s {
			names = append(names, one.Name)
		}
	}
	return names
}
