package model

// Permissions is what the policies of whom an audit came as allow, beside what the
// audit needs.
type Permissions struct {
	Principal string `json:"principal"` // ARN of the role's session or the user
	// Unread is why the policies could not be read: nothing else is known then.
	Unread string `json:"unread,omitempty"`
	// Version is that of the published policy which they were made of; empty if
	// they were made of none.
	Version string          `json:"version,omitempty"`
	Needed  int             `json:"needed"` // IAM actions
	Missing []MissingAction `json:"missing,omitempty"`
	Unused  Actions         `json:"unused,omitzero"` // harmless reads that nothing needs
	Excess  Actions         `json:"excess,omitzero"` // what writes, or shows data or credentials
}

// MissingAction is an IAM action that is needed and not allowed.
type MissingAction struct {
	Action string    `json:"action"`
	Why    string    `json:"why"`
	Checks []CheckID `json:"checks"` // that may have no verdict without it
}

// Actions are IAM actions, of which the first are named.
type Actions struct {
	Count int      `json:"count"`
	Named []string `json:"named,omitempty"`
}

// actionsNamed is how many actions are kept by name: a policy such as
// ReadOnlyAccess allows thousands that nobody would read.
const actionsNamed = 50

// Add counts an action, and names it if it is one of the first.
func (a *Actions) Add(action string) {
	if a.Count++; len(a.Named) < actionsNamed {
		a.Named = append(a.Named, action)
	}
}

// ServiceCoverage is how much of a service an audit could assess.
type ServiceCoverage struct {
	Service string    `json:"service"`
	Checks  int       `json:"checks"`
	Blind   []CheckID `json:"blind"` // that may have no verdict
}
