package model

import (
	"encoding/json"
	"time"
)

// AuditState is where an audit is in its life.
type AuditState string

// The states. An audit begins connecting or running and leaves these two; the
// others are final.
const (
	AuditConnecting AuditState = "connecting" // its account is not opened yet, so its tasks are not known
	AuditRunning    AuditState = "running"
	AuditDone       AuditState = "done"      // every task came to its end
	AuditPartial    AuditState = "partial"   // some tasks did not; Problems say why
	AuditFailed     AuditState = "failed"    // nothing was collected, but for what it was refused for
	AuditCancelled  AuditState = "cancelled" // somebody stopped it
)

// Ended reports whether the state is final.
func (s AuditState) Ended() bool { return s != AuditConnecting && s != AuditRunning }

// Audit is one run over one connection.
type Audit struct {
	ID         AuditID      `json:"id"`
	Connection ConnectionID `json:"connection"`
	AccountID  string       `json:"account_id"`
	Project    string       `json:"project,omitempty"`
	// CloudArq is the version of CloudArq that began the audit; empty if that noted none.
	CloudArq string `json:"cloudarq,omitempty"`
	// Verification says that the audit only opens the account, to see whether it
	// can be audited.
	Verification bool `json:"verification,omitempty"`
	// Urgent says that somebody waits for it: it was asked for, and did not start by
	// the clock. Its tasks do not wait behind those of scheduled audits.
	Urgent bool `json:"urgent,omitempty"`
	// Once says that the connection is audited one time: no other audit follows by
	// itself.
	Once      bool       `json:"once,omitempty"`
	Partition string     `json:"partition"`
	CallerARN string     `json:"caller_arn,omitempty"`
	State     AuditState `json:"state"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`

	Services        []string  `json:"services"`
	Checks          []CheckID `json:"checks"` // those selected, sorted
	Regions         []string  `json:"regions"`
	DisabledRegions []string  `json:"disabled_regions,omitempty"` // exist, but the account has not enabled them
	// TrustedAccounts are those that whoever asked for the audit trusts, by number.
	TrustedAccounts []string `json:"trusted_accounts,omitempty"`
	// Options are what the options of its checks were set to, those that nobody set with the
	// defaults of then. Nil is of an audit from before there were options.
	Options CheckOptions `json:"options,omitempty"`
	// Narrowed says that the account has enabled more regions than those audited, or
	// may have.
	Narrowed bool `json:"narrowed,omitempty"`
	// Part says that the audit was to look at less than its connection asks for: fewer
	// services, checks or regions. It does not say how the account stands.
	Part bool `json:"part,omitempty"`
	// Unused says that what AWS makes by default and nothing uses is judged as well.
	Unused bool `json:"unused_defaults,omitempty"`

	// CallBudget is the most calls to AWS that it may make; 0 is no bound.
	CallBudget int `json:"call_budget,omitempty"`

	// Retries counts how often the audit was taken up again after it had ended:
	// what looks at the whole account is judged anew each time.
	Retries  int      `json:"retries,omitempty"`
	Problems []string `json:"problems,omitempty"`
	// Overdue says that the time for it was over once: what was open then is given up.
	Overdue bool `json:"overdue,omitempty"`
	// Refused is why AWS refused the account while the audit ran: tasks that did
	// not begin by then do not try. RefusedCode is the same for programs.
	Refused     string `json:"refused,omitempty"`
	RefusedCode string `json:"refused_code,omitempty"`
	// Permissions is what the policies of the caller allow, if they were looked at.
	Permissions *Permissions `json:"permissions,omitempty"`
	// Trust is whether its role lets in others, if that is known.
	Trust   *Trust   `json:"trust,omitempty"`
	Summary *Summary `json:"summary,omitempty"` // once ended
	// Objects are the ledgers of opening the account where no task did that, with their
	// digests.
	Objects []Object `json:"objects,omitempty"`
	// Statement is what was signed of it when it ended; nil if nothing was.
	Statement *Envelope `json:"statement,omitempty"`
	// DetailUntil is when its tasks are forgotten, as their evidence is; zero is
	// never. The audit itself stays.
	DetailUntil time.Time `json:"detail_until,omitzero"`

	Version int64       `json:"-"` // of the stored record
	Detail  AuditDetail `json:"-"`
}

// AuditDetail is what is stored apart from the record of an audit that ended, and lists do not
// read: what it was to look at, who asked, and most of what came of it. It is the store's own.
type AuditDetail struct {
	Name   string // of the record that it is; empty if there is none
	Digest string // of what that says
	// Unread says that it was not read: the audit lacks Checks, TrustedAccounts, Options, Permissions,
	// Trust, Objects and Statement, and its Summary all but Score, Failed, Counts, Changes,
	// Resources and Calls.
	Unread bool
}

// Forgotten reports whether what the audit recorded may be gone because its time is over.
func (a Audit) Forgotten(now time.Time) bool {
	return !a.DetailUntil.IsZero() && now.After(a.DetailUntil)
}

// TaskState is where a task is in its life.
type TaskState string

// The states of a task.
const (
	TaskOpen      TaskState = "open"
	TaskCollected TaskState = "collected" // its evidence is stored
	TaskIngested  TaskState = "absorbed"  // its findings are written; stored under the word of the first versions
	TaskFailed    TaskState = "failed"    // it ended without evidence
)

// Task is the part of an audit that one message carries: one service of the
// account.
type Task struct {
	ID      TaskID    `json:"id"`
	Audit   AuditID   `json:"audit"`
	Service string    `json:"service"`
	Regions []string  `json:"regions"`
	State   TaskState `json:"state"`
	Problem string    `json:"problem,omitempty"`
	// Refused says that AWS did not let the task into the account at all: the
	// role is gone, or does not trust us any more.
	Refused bool `json:"refused,omitempty"`
	// Late says that time was up before everything was read; what was not is a
	// gap in the evidence.
	Late bool `json:"late,omitempty"`

	// Spent says that the audit's calls were used up before everything was read.
	Spent bool `json:"spent,omitempty"`

	// Of is the task that this one is a part of, and Part its place in the row; Rest is
	// what it has to do. Next are the tasks that go on with what it left, Left is what each
	// of them has to do, and Unread is what none does.
	Of     TaskID   `json:"of,omitempty"`
	Part   int      `json:"part,omitempty"`
	Rest   *Rest    `json:"rest,omitempty"`
	Next   []TaskID `json:"next,omitempty"`
	Left   []Rest   `json:"left,omitempty"`
	Unread []Rest   `json:"unread,omitempty"`

	Evidence string `json:"evidence,omitempty"` // key in the blob store
	Ledger   string `json:"ledger,omitempty"`   // key in the blob store, of the attempt that gave the result
	// Objects are the evidence and the ledgers that all attempts at it stored, with their
	// digests. Tasks of before digests were kept have none.
	Objects []Object `json:"objects,omitempty"`
	Load
	Resources int                `json:"resources,omitempty"`
	Listings  map[string]Listing `json:"listings,omitempty"` // by resource type
	Tally     Tally              `json:"tally,omitempty"`
	// Wanted are the counts of checks by values of options that frameworks ask for.
	Wanted  Tally      `json:"wanted,omitempty"`
	Gaps    []GapCount `json:"gaps,omitempty"`
	Changes Changes    `json:"changes,omitzero"` // once ingested
	Until   time.Time  `json:"until,omitzero"`   // when it is forgotten; zero is never

	Version int64 `json:"-"` // of the stored record
}

// Rest is what was left of the walks of a region.
type Rest struct {
	Region string   `json:"region"`
	Walks  []string `json:"walks"`
	Kinds  []string `json:"kinds"` // that these list
	// Read and Avoid are keys in the blob store: what this audit read already, and what
	// the one before it did when it could not read all. What lies there must be of the
	// digests beside them.
	Read        string `json:"read,omitempty"`
	ReadDigest  Digest `json:"read_digest,omitzero"`
	Avoid       string `json:"avoid,omitempty"`
	AvoidDigest Digest `json:"avoid_digest,omitzero"`
}

// Listing is how the listings of one resource type ended over all regions.
type Listing struct {
	Count int `json:"count"` // resources found
	Gaps  int `json:"gaps"`  // regions whose listing is incomplete
}

// Counts is how often each verdict was given.
type Counts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	NotApplicable int `json:"not_applicable"`
	NotAssessed   int `json:"not_assessed"`
	// Folded is how many of those that fail only follow from the failure of another check.
	Folded int `json:"folded,omitempty"`
}

// Own is how many failures are not folded under another.
func (c Counts) Own() int { return c.Fail - c.Folded }

// Add sums two counts.
func (c Counts) Add(o Counts) Counts {
	return Counts{c.Pass + o.Pass, c.Fail + o.Fail, c.NotApplicable + o.NotApplicable, c.NotAssessed + o.NotAssessed, c.Folded + o.Folded}
}

// Total is how many verdicts were given.
func (c Counts) Total() int { return c.Pass + c.Fail + c.NotApplicable + c.NotAssessed }

// Tally is the counts of each check.
type Tally map[CheckID]Counts

// Sum is the counts of all checks together.
func (t Tally) Sum() Counts {
	var sum Counts
	for _, c := range t {
		sum = sum.Add(c)
	}
	return sum
}

// GapCount is one cause of NOT_ASSESSED: what stood in the way, of what, and how
// often.
type GapCount struct {
	Reason    string    `json:"reason"`
	Operation string    `json:"operation,omitempty"`
	Action    string    `json:"action,omitempty"` // the IAM action to allow; empty when permission is not the cause
	Detail    string    `json:"detail,omitempty"` // one example
	Regions   []string  `json:"regions"`
	Checks    []CheckID `json:"checks"`
	Count     int       `json:"count"` // verdicts
}

// Summary is what an ended audit amounts to.
type Summary struct {
	Score    Score            `json:"score"`
	Services map[string]Score `json:"services"`
	Pillars  map[Pillar]Score `json:"pillars"`
	Failed   map[Severity]int `json:"failed"`
	Counts   Counts           `json:"counts"`
	Tally    Tally            `json:"tally"`
	// Wanted are the counts of checks by values of options that frameworks ask for, by ids such
	// as iam-access-key-rotated?days=90. They are in no other number.
	Wanted    Tally      `json:"wanted,omitempty"`
	Gaps      []GapCount `json:"gaps"`
	Changes   Changes    `json:"changes"`
	Resources int        `json:"resources"`
	Calls     int        `json:"calls"` // to AWS
	// Load is what the audit was for the account, by service. Audits of before it was
	// counted have none.
	Load map[string]Load `json:"load,omitempty"`
}

// Load is what calls to AWS took of what the account's own work takes as well.
type Load struct {
	Calls     int `json:"calls,omitempty"`
	Attempts  int `json:"attempts,omitempty"`  // requests, repeated ones included
	Throttled int `json:"throttled,omitempty"` // requests that AWS refused for their rate
}

// Add sums two.
func (l Load) Add(o Load) Load {
	return Load{l.Calls + o.Calls, l.Attempts + o.Attempts, l.Throttled + o.Throttled}
}

// ScoreVersion is the version of the score that is computed now. docs/score.md
// defines it, and says what was before.
const ScoreVersion = 3

// Score is how well some checks stand, from 0 to 100 in tenths, with the bounds
// that the unassessed part leaves open. Value and bounds are meaningless when
// Assessed is 0. Scores of different versions are not to be compared.
type Score struct {
	Version    int     `json:"version"`
	Value      float64 `json:"value" nullable:"true"`
	Worst      float64 `json:"worst" nullable:"true"`    // if all that was not assessed had failed
	Best       float64 `json:"best" nullable:"true"`     // if all of it had passed
	Uncapped   float64 `json:"uncapped" nullable:"true"` // what Value would be without Cap
	Cap        int     `json:"cap"`                      // the most that Value can be while critical checks fail; 100 is no cap
	Critical   int     `json:"critical"`                 // checks of severity critical that fail
	Coverage   float64 `json:"coverage"`                 // assessed / applicable, 0 to 1
	Assessed   int     `json:"assessed"`                 // verdicts of PASS and FAIL
	Applicable int     `json:"applicable"`               // those and NOT_ASSESSED
}

// MarshalJSON writes a score. Where nothing was assessed there is none, and no number in its
// place.
func (s Score) MarshalJSON() ([]byte, error) {
	type plain Score
	if s.Assessed > 0 {
		return json.Marshal(plain(s))
	}
	return json.Marshal(struct {
		plain
		Value    *float64 `json:"value"`
		Worst    *float64 `json:"worst"`
		Best     *float64 `json:"best"`
		Uncapped *float64 `json:"uncapped"`
	}{plain: plain(s)})
}

// UnmarshalJSON reads a score. One that was written before scores had versions
// is of version 1, which had no cap.
func (s *Score) UnmarshalJSON(data []byte) error {
	type plain Score
	var read plain
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	if read.Version == 0 {
		read.Version, read.Cap, read.Uncapped = 1, 100, read.Value
	}
	*s = Score(read)
	return nil
}

// ScoreChange is the score of the audit before, to be held beside this one's.
type ScoreChange struct {
	Before Score `json:"before"`
	// Breaks are why the two scores are not to be compared, in words: they are of
	// different versions, or of different checks or regions. Empty if they are.
	Breaks []string `json:"breaks,omitempty"`
}

// Changes counts what is different from the audit before.
type Changes struct {
	New      int `json:"new"`
	Resolved int `json:"resolved"`
	Reopened int `json:"reopened"`
	// Folded and Unfolded are how many open findings follow now from the failure of
	// another check, or no longer do. New, Resolved and Reopened leave out those that do.
	Folded   int `json:"folded,omitempty"`
	Unfolded int `json:"unfolded,omitempty"`
	// ByRules is how many of those, and of other changes, follow from what CloudArq looks
	// at: checks and regions looked at for the first time, checks that are gone. They
	// say nothing of what was done in the account.
	ByRules    int       `json:"by_rules,omitempty"`
	NewlyBlind []CheckID `json:"newly_blind,omitempty"` // fully assessed before, not any more
	// NewlyMissing are the IAM actions that are missing and were not before.
	NewlyMissing []string `json:"newly_missing,omitempty"`
	Previous     AuditID  `json:"previous,omitempty"` // empty for a first audit
	// Score is nil for a first audit, and in what is not of a whole audit.
	Score *ScoreChange `json:"score,omitempty"`
}
