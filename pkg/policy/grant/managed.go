package grant

import (
	"embed"
	"encoding/json"
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

//go:embed managed
var managed embed.FS

// Managed is a managed policy of AWS's own.
type Managed struct {
	Name    string `json:"name"`
	Version string `json:"version"` // AWS's: "v92"
	Created string `json:"created"` // when AWS made that version, RFC 3339
	Policy  Policy `json:"-"`
}

// ARN is the policy's, in AWS's main partition.
func (m Managed) ARN() string { return "arn:aws:iam::aws:policy/" + m.Name }

// ManagedNames are the words by which ManagedPolicy knows AWS's policies.
func ManagedNames() []string { return []string{"security-audit", "read-only"} }

// ManagedPolicy finds one of AWS's policies by its word; another word is a
// *check.UnknownError.
func ManagedPolicy(word string) (Managed, error) {
	file := map[string]string{"security-audit": "SecurityAudit", "read-only": "ReadOnlyAccess"}[word]
	if file == "" {
		return Managed{}, &check.UnknownError{What: "managed policy", Word: word, Nearest: check.Nearest(word, ManagedNames())}
	}
	data, err := managed.ReadFile("managed/" + file + ".json")
	if err != nil {
		return Managed{}, err
	}
	var m Managed
	if err := json.Unmarshal(data, &m); err != nil {
		return Managed{}, fmt.Errorf("read the data on %s: %w", file, err)
	}
	if m.Policy, err = Parse(data); err != nil {
		return Managed{}, fmt.Errorf("read the data on %s: %w", file, err)
	}
	return m, nil
}
