package policy

import (
	"encoding/json"
	"fmt"
)

// MaxSession is the most characters that a session's own policy may have.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const MaxSession = 2048

// Session is all that a session of a role has to be able to do, whatever the role may.
type Session struct {
	Actions []string // of IAM
	// Regions are those that it has to call; none means any. AWS tells the region of
	// every request.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion, 29 November 2026.
	Regions []string
}

// Document is the session's policy in JSON. That it would be longer than AWS takes is
// an error: a session without one could do all that the role may.
func (s Session) Document() (string, error) {
	type statement struct {
		Effect, Resource string
		Action           []string
		Condition        map[string]map[string][]string `json:",omitempty"`
	}
	allowed := statement{Effect: "Allow", Resource: "*", Action: s.Actions}
	if len(s.Regions) > 0 {
		allowed.Condition = map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": s.Regions}}
	}
	data, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{allowed}})
	if err != nil {
		panic(err) // strings always marshal
	}
	if len(data) > MaxSession {
		return "", fmt.Errorf("the policy of a session that may do %d actions in %d regions has %d characters, at most %d are possible",
			len(s.Actions), len(s.Regions), len(data), MaxSession)
	}
	return string(data), nil
}
