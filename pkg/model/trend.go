package model

import (
	"encoding/json"
	"fmt"
	"time"
)

// TrendLine is what an audit amounted to, or what all accounts of a project or an
// organization did together on a day. It is small, and kept when all detail is gone.
type TrendLine struct {
	// Audit is empty of several accounts together.
	Audit AuditID `json:"audit,omitempty"`
	// At is when the audit began, of several the newest.
	At time.Time `json:"at"`
	// Part says that the audit was to look at less than its connection asks for.
	Part bool `json:"part,omitempty"`
	Try  int  `json:"try,omitempty"` // see Audit.Retries

	// CloudArq is the version that the audit was begun with, Rules a digest of its checks
	// and their severities, and Scope one of its regions and the accounts that it trusted.
	// Where they are others than before, a change may be one of the rules. Rules is empty
	// if nobody knows what the severities were.
	CloudArq string `json:"cloudarq,omitempty"`
	Rules    string `json:"rules,omitempty"`
	Scope    string `json:"scope,omitempty"`

	Score Score `json:"score"`
	// Failed are open failures by severity, but for those that follow from another.
	Failed    map[Severity]int        `json:"failed"`
	Services  map[string]TrendService `json:"services"` // those of which anything applied
	Resources int                     `json:"resources"`
	// Frameworks are how many requirements of each framework were in which state, by what was
	// assessed alone, and not by what people attest: failing, not assessed, partly checked,
	// without an automated check, passing, not applicable.
	Frameworks map[string][6]int `json:"frameworks,omitempty"`

	// Accounts and NotAudited are how many of several are in all other numbers, and in none.
	Accounts   int `json:"accounts,omitempty"`
	NotAudited int `json:"not_audited,omitempty"`
}

// TrendService is what a line says of a service: its score, nil with nothing assessed, and
// its open failures. In JSON it is an array of both, since a line has many.
type TrendService struct {
	Score  *float64
	Failed int
}

// MarshalJSON writes [59.5,12].
func (s TrendService) MarshalJSON() ([]byte, error) { return json.Marshal([]any{s.Score, s.Failed}) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *TrendService) UnmarshalJSON(data []byte) error {
	var both []*float64
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	if len(both) != 2 || both[1] == nil {
		return fmt.Errorf("a service of a trend has two numbers, not %.60s", data)
	}
	s.Score, s.Failed = both[0], int(*both[1])
	return nil
}
