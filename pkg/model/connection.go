package model

import (
	"cmp"
	"regexp"
	"time"
)

// Connection is one AWS account to be audited and the way into it. The External
// ID of its role is kept sealed, apart from this record: the organization's, or
// for the local command one of the connection's own.
type Connection struct {
	ID        ConnectionID `json:"id"`
	AccountID string       `json:"account_id"` // empty until it is known whose access key it is
	Name      string       `json:"name,omitempty"`
	Project   string       `json:"project,omitempty"`
	RoleARN   string       `json:"role_arn,omitempty"`
	AccessKey *AccessKey   `json:"access_key,omitempty"` // instead of a role; neither for the local command's own credentials
	CreatedAt time.Time    `json:"created_at"`

	AuditOptions
	Schedule Schedule `json:"schedule,omitzero"`

	State  ConnectionState `json:"state,omitempty"`
	Reason string          `json:"reason,omitempty"` // for the state, in a sentence
	Since  time.Time       `json:"since,omitzero"`   // of the state

	Version int64 `json:"-"` // of the stored record
}

// AuditOptions are what audits of a connection look at, and how.
type AuditOptions struct {
	Regions  []string `json:"regions,omitempty" maxItems:"50" doc:"Regions to audit; all that the account has enabled if left out"`
	Services []string `json:"services,omitempty" maxItems:"200" doc:"Services to audit; all if left out"`
	// Checks are ids, globs or other tools' ids, as given.
	Checks []string `json:"checks,omitempty" maxItems:"1000" doc:"Checks by id, glob or another tool's id, or default or all; all but the optional ones if left out"`
	Unused bool     `json:"unused_defaults,omitempty" doc:"Judge also what AWS makes by default and nothing uses, such as default VPCs"`
	// TrustedAccounts are those that the connection's owner does not call strangers.
	TrustedAccounts []string `json:"trusted_accounts,omitempty" maxItems:"1000" doc:"Accounts that policies may let in without being strangers, by number" example:"[\"444455556666\"]"`
	// Options are what options of checks are set to, in place of what the project and the
	// organization say.
	Options    CheckOptions `json:"options,omitempty" doc:"Options of checks, by check and name, such as {\"iam-access-key-rotated\": {\"days\": 60}}; what the project and the organization say where it says nothing"`
	CallBudget int          `json:"call_budget,omitempty" minimum:"0" maximum:"10000000" doc:"The most calls to AWS that one audit may make, repeated ones included; what is not read by then is not assessed. At least 100; 0 or left out is no bound"`
}

// Or is what these say, and where they say nothing what others do.
func (o AuditOptions) Or(others AuditOptions) AuditOptions {
	for _, w := range []struct{ own, other *[]string }{
		{&o.Regions, &others.Regions}, {&o.Services, &others.Services}, {&o.Checks, &others.Checks}, {&o.TrustedAccounts, &others.TrustedAccounts},
	} {
		if len(*w.own) == 0 {
			*w.own = *w.other
		}
	}
	o.Options = o.Options.Or(others.Options)
	o.Unused = o.Unused || others.Unused
	o.CallBudget = cmp.Or(o.CallBudget, others.CallBudget)
	return o
}

// AccountOfRole is the account in the ARN of an IAM role; false says that it is
// no such ARN.
func AccountOfRole(arn string) (account string, ok bool) {
	parts := roleARN.FindStringSubmatch(arn)
	if parts == nil {
		return "", false
	}
	_, known := PartitionNamed(parts[1])
	return parts[2], known
}

var roleARN = regexp.MustCompile(`^arn:(aws[a-z-]*):iam::(\d{12}):role/[\w+=,.@/-]+$`)

// Schedule says when a connection is audited by itself.
type Schedule struct {
	// Expression is "rate(1 day)", "cron(0 6 * * ? *)", "at(2026-12-24T06:00:00)"
	// or "once"; empty means on demand only. See package schedule.
	Expression string `json:"expression,omitempty"`
	Timezone   string `json:"timezone,omitempty"` // an IANA name; empty means UTC
	// JitterMinutes spreads connections that are due at once over so many
	// minutes; each has its own place, the same every time. Not given, it is a
	// twelfth of the time between two audits, an hour at most; 0 is none.
	JitterMinutes *int `json:"jitter_minutes,omitempty"`
}

// ConnectionState is whether the account can be audited.
type ConnectionState string

// The states of a connection.
const (
	ConnectionPending  ConnectionState = "pending"  // never opened yet
	ConnectionActive   ConnectionState = "active"   // opened by the last audit, which was allowed all that it asked
	ConnectionDegraded ConnectionState = "degraded" // worked before, and is not allowed all that its audits need
	ConnectionRevoked  ConnectionState = "revoked"  // AWS refuses the role; findings stay as they were
	ConnectionDeleted  ConnectionState = "deleted"  // hidden, and about to be purged
)

// The codes of what is wrong with the way into an account, for programs.
const (
	CodeConnectionPending = "connection_pending"        // there is no role yet
	CodeRoleDenied        = "role_denied"               // AWS does not let the role be assumed
	CodeMissingExternalID = "trust_missing_external_id" // the role lets in who does not know its External ID
	CodeAccountMismatch   = "account_mismatch"          // it leads into another account
	CodeMinimumMissing    = "policy_minimum_missing"    // not even the regions may be listed
	CodeKeyRefused        = "access_key_refused"        // AWS does not accept the access key
	// CodeAccessKeysDisabled is of what needs Settings.AccessKeysAllowed. It says
	// nothing of the account.
	CodeAccessKeysDisabled = "access_keys_disabled"
)

// Probe is something that was tried with a connection's role, and whether AWS's
// answer is the one that it should be.
type Probe struct {
	Tried  string `json:"tried"`
	Want   string `json:"want"`
	Answer string `json:"answer"`         // empty if it could not be tried
	Code   string `json:"code,omitempty"` // of what is wrong, "trust_missing_external_id" for example
	Fix    string `json:"fix,omitempty"`  // what is wrong and what to do, in a sentence
}

// Right reports whether the answer is the right one.
func (p Probe) Right() bool { return p.Answer == p.Want }

// Receipt is what is left of a deleted connection: how much of it was purged.
type Receipt struct {
	Connection ConnectionID `json:"connection"`
	DeletedAt  time.Time    `json:"deleted_at"`
	PurgedAt   time.Time    `json:"purged_at,omitzero"` // zero while the purge goes on
	// Records and Objects count what the purge removed; access keys were destroyed before.
	Records int `json:"records"`
	Objects int `json:"objects"`
}

// Identity is what AWS says of the credentials that opened an account.
type Identity struct {
	Account   string // 12 digits
	Partition string // "aws", "aws-cn", "aws-us-gov"…
	CallerARN string
	// Entrusted says that the account gave these credentials, or their role, to
	// CloudArq for auditing; they are not those of whoever runs the command.
	Entrusted bool
}
