package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// AWS's limits: characters of one managed policy without white space, and
// managed policies of one role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	MaxPolicySize = 6144
	MaxPolicies   = 10
)

// actionsPerStatement is how many actions a statement has before the next
// service begins a new one.
const actionsPerStatement = 20

// Statement is one statement of a policy.
type Statement struct {
	Sid      string
	Effect   string
	Action   []string
	Resource []string
}

// Document is a policy document.
type Document struct {
	Version   string
	Statement []Statement
}

// Size is how many characters of the document AWS counts.
func (d Document) Size() int {
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings always marshal
	}
	return len(strings.ReplaceAll(string(data), " ", ""))
}

// Managed is one managed policy of the role.
type Managed struct {
	Name     string   `json:"name"` // "Read1", "Never": what its template calls it
	Document Document `json:"document"`
}

// Grant is one action that the role allows.
type Grant struct {
	Action     string   `json:"action"`
	Level      string   `json:"level"`
	Resources  []string `json:"resources,omitempty"` // all, if none are named
	Operations []string `json:"operations"`          // that need it
	Kinds      []string `json:"resource_types"`      // that it is needed for; none for connecting
}

// Role is what the audit role of an account allows and denies.
type Role struct {
	Version  string    `json:"version"`
	Hash     string    `json:"hash"` // SHA-256 over all that is allowed and denied
	Grants   []Grant   `json:"actions"`
	Denied   []string  `json:"denied"`
	Policies []Managed `json:"policies"`
}

// NewRole makes the role that exactly the operations need, as it is published.
// Operations whose action is not in the data, is no read, or is denied are errors.
func NewRole(operations []Operation) (Role, error) {
	return NewRoleFrom(Accesses(), VersionDate, operations)
}

// NewRoleFrom is NewRole by other data on actions and for another version: those
// that are about to be published.
func NewRoleFrom(known map[string]Access, version string, operations []Operation) (Role, error) {
	grants, err := grantsOf(known, operations)
	if err != nil {
		return Role{}, err
	}
	role := Role{Version: version, Grants: grants, Denied: Denied()}
	role.Hash = role.hash()
	role.Policies, err = split(statements(version, grants), Statement{
		Sid: "CloudArq" + version + "Never", Effect: "Deny", Action: role.Denied, Resource: []string{"*"},
	})
	return role, err
}

func grantsOf(known map[string]Access, operations []Operation) ([]Grant, error) {
	byAction := map[string]Grant{}
	var errs []error
	for _, op := range operations {
		if ungranted[op.ID] != "" {
			continue
		}
		access, ok := known[op.Action]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s needs %q, which is no action of AWS's reference; pkg/policy/prefixes.tsv and actions.go have what is called otherwise", op.ID, op.Action))
			continue
		case !access.ReadOnly():
			errs = append(errs, fmt.Errorf("%s needs %s, which is no harmless read: level %s, data %t, credentials %t", op.ID, op.Action, access.Level, access.Data, access.Credentials))
			continue
		case slices.Contains(Denied(), op.Action):
			errs = append(errs, fmt.Errorf("%s needs %s, which the role denies", op.ID, op.Action))
			continue
		}
		g := byAction[op.Action]
		g.Action, g.Level = op.Action, access.Level
		g.Resources = append(g.Resources, Resources(op.ID)...)
		g.Operations = append(g.Operations, op.ID)
		g.Kinds = append(g.Kinds, op.Kinds...)
		byAction[op.Action] = g
	}
	var all []Grant
	for _, action := range slices.Sorted(maps.Keys(byAction)) {
		g := byAction[action]
		slices.Sort(g.Operations)
		slices.Sort(g.Kinds)
		slices.Sort(g.Resources)
		g.Operations, g.Kinds = slices.Compact(g.Operations), append([]string{}, slices.Compact(g.Kinds)...) // a list in JSON, never null
		all = append(all, g)
	}
	return all, errors.Join(errs...)
}

func (r Role) hash() string {
	var b strings.Builder
	for _, g := range r.Grants {
		fmt.Fprintf(&b, "allow %s on %v\n", g.Action, g.Resources)
	}
	for _, action := range r.Denied {
		fmt.Fprintf(&b, "deny %s\n", action)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// statements puts a few services into each statement, and actions that are
// narrowed to resources into ones of their own.
func statements(version string, grants []Grant) []Statement {
	var all, narrowed []Statement
	var last string // service
	for _, g := range grants {
		if len(g.Resources) > 0 {
			narrowed = append(narrowed, Statement{Effect: "Allow", Action: []string{g.Action}, Resource: g.Resources})
			continue
		}
		service, _, _ := strings.Cut(g.Action, ":")
		if len(all) == 0 || service != last && len(all[len(all)-1].Action) >= actionsPerStatement {
			all = append(all, Statement{Effect: "Allow", Resource: []string{"*"}})
		}
		last = service
		s := &all[len(all)-1]
		s.Action = append(s.Action, g.Action)
	}
	all = append(all, narrowed...)
	for i := range all {
		all[i].Sid = fmt.Sprintf("CloudArq%sRead%d", version, i+1)
	}
	return all
}

// split fills managed policies with statements, in order, and gives the denials
// one of their own.
func split(allow []Statement, deny Statement) ([]Managed, error) {
	var all []Managed
	for _, s := range allow {
		if n := len(all) - 1; n >= 0 {
			larger := Document{all[n].Document.Version, append(slices.Clip(all[n].Document.Statement), s)}
			if larger.Size() <= MaxPolicySize {
				all[n].Document = larger
				continue
			}
		}
		all = append(all, Managed{fmt.Sprintf("Read%d", len(all)+1), document(s)})
	}
	all = append(all, Managed{"Never", document(deny)})
	for _, m := range all {
		if size := m.Document.Size(); size > MaxPolicySize {
			return nil, fmt.Errorf("the policy %s has %d characters, AWS takes %d", m.Name, size, MaxPolicySize)
		}
	}
	if len(all) > MaxPolicies {
		return nil, fmt.Errorf("the role has %d managed policies, AWS takes %d", len(all), MaxPolicies)
	}
	return all, nil
}

func document(s Statement) Document { return Document{"2012-10-17", []Statement{s}} }

// Format is a form in which a role is written.
type Format string

// The forms of a role.
const (
	FormatJSON           Format = "json"
	FormatCloudFormation Format = "cloudformation"
	FormatStackSet       Format = "stackset"
	FormatTerraform      Format = "terraform"
)

// ParseFormat accepts the names of the forms.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case FormatJSON, FormatCloudFormation, FormatStackSet, FormatTerraform:
		return f, nil
	default:
		return "", fmt.Errorf("unknown format %q: want json, cloudformation, stackset or terraform", name)
	}
}

// In is the role in a form.
func (r Role) In(f Format) string {
	switch f {
	case FormatCloudFormation:
		return r.CloudFormation()
	case FormatStackSet:
		return r.StackSet()
	case FormatTerraform:
		return r.Terraform()
	default:
		return r.JSON()
	}
}

// JSON writes the role: what it allows, why, and its policy documents.
func (r Role) JSON() string {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(data) + "\n"
}
