package policy

import (
	_ "embed"
	"strings"
)

// Access is what AWS says of an IAM action.
type Access struct {
	Action string
	// Level is AWS's access level: List, Read, Write, Permissions management,
	// Tagging; two with a comma where AWS's tables differ.
	Level string
	// Data tells that the action reads what customers keep in a resource, and
	// Credentials that it hands out something to sign in with.
	Data, Credentials bool
}

// ReadOnly tells that the action changes nothing and shows neither data nor
// credentials.
func (a Access) ReadOnly() bool {
	return (a.Level == "List" || a.Level == "Read") && !a.Data && !a.Credentials
}

//go:embed actions.tsv
var accessData string

// Accesses is what is known of the actions that CloudArq needs and of those
// that its role denies, by action.
func Accesses() map[string]Access {
	all := map[string]Access{}
	for line := range strings.Lines(accessData) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) == 4 && !strings.HasPrefix(line, "#") {
			all[cells[0]] = Access{cells[0], cells[1], cells[2] == "yes", cells[3] == "yes"}
		}
	}
	return all
}
