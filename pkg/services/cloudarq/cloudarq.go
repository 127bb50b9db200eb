// Package cloudarq knows the way by which CloudArq itself comes into an account:
// the role or the user that was given to it, and what that allows. An audit is no
// better than the trust that it asks for, so that is audited, too. It also has the
// account's zone of trust, by which the policies of other services are judged.
package cloudarq

import (
	_ "embed"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Name is the service's name: that of its tasks and of --services.
const Name = "cloudarq"

// Service is what the catalog knows of the way in.
func Service() check.Service {
	zone := check.KindOf[policyrule.Zone]().Stateless("a setting of the audit")
	zone.Shared = true
	return check.Service{
		Name:  Name,
		Title: "CloudArq's own access",
		Kinds: []check.Kind{check.KindOf[Access]().Stateless("a setting of the audit"), zone},
		Rules: rules(),
		Texts: texts,
	}
}

// Access is the role or the user that an audit comes as. Its ARN is that of the
// user, or of the role without its path, which a session does not tell.
type Access struct {
	model.Resource
	Policies fact.Of[Policies] `json:"policies"`
	Trust    fact.Of[Trust]    `json:"trust"`
}

// Kind implements check.Resource.
func (Access) Kind() string { return "CloudArq::Access" }

// Policies are all policy documents of a role or a user, those of a user's groups
// among them.
type Policies struct {
	// Entrusted says that the role or the user was given to CloudArq for auditing,
	// and is not whoever runs the command.
	Entrusted bool       `json:"entrusted"`
	Documents []Document `json:"documents"`
	// Boundary is the permissions boundary: nothing is allowed that it does not
	// allow, too.
	Boundary *Document `json:"boundary,omitempty"`
}

// Trust is whether a role lets in who does not know its External ID. It is not read but
// tried, before the account is audited.
type Trust struct {
	// By is what the audit came by: a "role", a "user" with an access key, "root"; empty
	// if it is whoever runs the command.
	By      string    `json:"by,omitempty"`
	TriedAt time.Time `json:"tried_at,omitzero"`
	// Open is how a wrong way was let in, "without an External ID" for example; empty if
	// none was.
	Open string `json:"open,omitempty"`
}

// Document is one policy.
type Document struct {
	Name     string `json:"name"`     // its ARN; an inline policy's own name
	Document string `json:"document"` // JSON
}
