package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Connection is a kept account as it is shown.
type Connection struct {
	model.Connection
	Kind    model.ConnectionKind `json:"kind"`
	KeyAge  *model.KeyAge        `json:"key_age,omitempty"`
	Profile string               `json:"profile,omitempty"`
	// ExternalID is empty unless somebody asked for it in so many words.
	ExternalID string `json:"external_id,omitempty"`
	// Replaced says that the External ID is new, and that the role was not seen to ask
	// for it yet: the one before is good, too. Generation counts the connection's External
	// IDs from 1 on, and Replacing is since when; zero if that is not known.
	Replaced   bool      `json:"external_id_replaced,omitempty"`
	Generation int       `json:"external_id_generation,omitempty"`
	Replacing  time.Time `json:"external_id_since,omitzero"`

	LastAudit string `json:"last_audit,omitempty"`
	// Reminder says that an account that is audited once was, and its role can go.
	Reminder string `json:"reminder,omitempty"`
}

// audited says how often a connection is to be audited.
func (c Connection) audited() string {
	switch {
	case c.Reminder != "":
		return "once (done)"
	case c.Schedule.Once():
		return "once"
	case c.Schedule.Expression != "":
		return c.Schedule.Expression
	default:
		return "on demand"
	}
}

// NewConnection is a connection as it is shown at a moment.
func NewConnection(c model.Connection, now time.Time) Connection {
	return Connection{Connection: c, Kind: c.Kind(), KeyAge: c.AccessKey.Age(now)}
}

// credential says in words what kind of credential is kept of the connection.
func (c Connection) credential() string {
	switch c.Kind {
	case model.KindAccessKey:
		return fmt.Sprintf("an access key that ends in %s, sealed; it %s", c.AccessKey.Suffix, cmp.Or(c.KeyAge.Advice(), fmt.Sprintf("is %s old", Count(c.KeyAge.Days, "day"))))
	case model.KindRole:
		return "none that lasts: the role is assumed for a quarter of an hour at a time"
	case model.KindNone:
	}
	return "none"
}

// ConnectionColumns are the columns of a list of connections. Its table has their ids if one of
// them has no name and no account of its own to be called by.
func ConnectionColumns(rows ...Connection) []Column[Connection] {
	called := map[string]int{}
	for _, c := range rows {
		called[c.Name]++
		if c.AccountID != c.Name {
			called[c.AccountID]++
		}
	}
	called[""] = len(rows) + 1 // is nobody's
	nameless := slices.ContainsFunc(rows, func(c Connection) bool { return called[c.Name] > 1 && called[c.AccountID] > 1 })
	return []Column[Connection]{
		{Name: "id", Value: func(c Connection) string { return string(c.ID) }, Wide: !nameless},
		{Name: "account", Value: func(c Connection) string { return c.AccountID }},
		{Name: "name", Value: func(c Connection) string { return c.Name }},
		{Name: "state", Value: func(c Connection) string { return string(c.State) }},
		{Name: "since", Value: func(c Connection) string { return when(c.Since) }, Fit: Spare},
		{Name: "kind", Value: func(c Connection) string { return string(c.Kind) }, Fit: Spare},
		{Name: "key_age", Value: func(c Connection) string {
			if c.KeyAge == nil {
				return ""
			}
			return fmt.Sprintf("%s (%s)", Count(c.KeyAge.Days, "day"), c.KeyAge.State)
		}},
		{Name: "audited", Value: func(c Connection) string { return c.audited() }, Fit: Spare},
		{Name: "role_arn", Value: func(c Connection) string { return c.RoleARN }, Fit: Spare},
		{Name: "project", Value: func(c Connection) string { return c.Project }, Wide: true},
		{Name: "profile", Value: func(c Connection) string { return c.Profile }, Wide: true},
		{Name: "regions", Value: func(c Connection) string { return strings.Join(c.Regions, " ") }, Fit: Prose, Wide: true},
		{Name: "services", Value: func(c Connection) string { return strings.Join(c.Services, " ") }, Fit: Prose, Wide: true},
		{Name: "checks", Value: func(c Connection) string { return strings.Join(c.Checks, " ") }, Fit: Prose, Wide: true},
		{Name: "trusted_accounts", Value: func(c Connection) string { return strings.Join(c.TrustedAccounts, " ") }, Fit: Prose, Wide: true},
		{Name: "call_budget", Value: func(c Connection) string { return strconv.Itoa(c.CallBudget) }, Wide: true},
		{Name: "external_id_replaced", Value: func(c Connection) string { return strconv.FormatBool(c.Replaced) }, Wide: true},
		{Name: "created_at", Value: func(c Connection) string { return when(c.CreatedAt) }, Wide: true},
		{Name: "last_audit", Value: func(c Connection) string { return c.LastAudit }, Wide: true},
		{Name: "reason", Value: func(c Connection) string { return c.Reason }, Fit: Prose},
		{Name: "reminder", Value: func(c Connection) string { return c.Reminder }, Fit: Prose, Wide: true},
	}
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// budget is how many calls an audit may make.
func budget(calls int) string {
	if calls == 0 {
		return "as many as it takes"
	}
	return fmt.Sprintf("at most %d an audit", calls)
}

// ConnectionText shows one connection to a person.
func ConnectionText(w io.Writer, c Connection) error {
	external := c.ExternalID
	switch {
	case external == "" && c.Kind != model.KindRole:
		external = "none"
	case external == "":
		external = "kept, sealed; --reveal-external-id shows it"
	}
	if c.Replaced {
		since := ""
		if !c.Replacing.IsZero() {
			since = " since " + when(c.Replacing)
		}
		external += fmt.Sprintf(" (number %d, new%s; the one before stays good until the role asks for it)", c.Generation, since)
	}
	all := func(words []string) string {
		if len(words) == 0 {
			return "all"
		}
		return strings.Join(words, ", ")
	}
	or := func(word, otherwise string) string {
		if word == "" {
			return otherwise
		}
		return word
	}
	role, profile := or(c.RoleARN, "none: audited with credentials of your own"), or(c.Profile, "the default credentials")
	if c.Kind == model.KindAccessKey {
		role, profile = "none: opened by an access key", "none"
	}
	lines := [][2]string{
		{"Account", c.AccountID},
		{"Name", or(c.Name, "none")},
		{"State", strings.TrimSpace(or(string(c.State), "unknown") + " " + when(c.Since))},
		{"Why", or(c.Reason, "nothing is wrong")},
		{"Role", role},
		{"External ID", external},
		{"Credential", c.credential()},
		{"Profile", profile},
		{"Regions", all(c.Regions)},
		{"Services", all(c.Services)},
		{"Checks", all(c.Checks)},
		{"Trusts", or(strings.Join(c.TrustedAccounts, ", "), "no other account")},
		{"Calls", budget(c.CallBudget)},
		{"Kept since", when(c.CreatedAt)},
		{"Audited", c.audited()},
		{"Last audit", or(c.LastAudit, "none")},
	}
	if c.Reminder != "" {
		lines = append(lines, [2]string{"Reminder", c.Reminder})
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(w, "%-12s %s\n", line[0], Plain(line[1])); err != nil {
			return err
		}
	}
	return nil
}

// ExternalIDColumn is for who asked for it.
func ExternalIDColumn() Column[Connection] {
	return Column[Connection]{Name: "external_id", Value: func(c Connection) string { return c.ExternalID }, Wide: true}
}

// SettingsColumns are the columns of an organization's settings.
func SettingsColumns() []Column[model.Settings] {
	return []Column[model.Settings]{
		{Name: "access_keys_allowed", Value: func(s model.Settings) string { return strconv.FormatBool(s.AccessKeysAllowed) }},
	}
}

// ProbeColumns are the columns of what was tried with a role or an access key.
func ProbeColumns() []Column[model.Probe] {
	return []Column[model.Probe]{
		{Name: "tried", Value: func(p model.Probe) string { return p.Tried }},
		{Name: "aws_said", Value: func(p model.Probe) string {
			if p.Answer == "" {
				return "(not tried)"
			}
			return p.Answer
		}},
		{Name: "should_be", Value: func(p model.Probe) string { return p.Want }},
		{Name: "right", Value: func(p model.Probe) string {
			switch {
			case p.Right():
				return "yes"
			case p.Answer == "":
				return ""
			default:
				return "NO"
			}
		}},
		{Name: "code", Value: func(p model.Probe) string { return p.Code }},
		{Name: "fix", Value: func(p model.Probe) string { return p.Fix }, Fit: Prose, Wide: true},
	}
}

// CoverageColumns are the columns of what could be assessed of each service.
func CoverageColumns() []Column[model.ServiceCoverage] {
	return []Column[model.ServiceCoverage]{
		{Name: "service", Value: func(s model.ServiceCoverage) string { return s.Service }},
		{Name: "checks", Value: func(s model.ServiceCoverage) string { return strconv.Itoa(s.Checks) }},
		{Name: "assessable", Value: func(s model.ServiceCoverage) string { return strconv.Itoa(s.Checks - len(s.Blind)) }},
		{Name: "blind", Value: func(s model.ServiceCoverage) string {
			ids := make([]string, len(s.Blind))
			for i, id := range s.Blind {
				ids[i] = string(id)
			}
			return strings.Join(ids, " ")
		}, Wide: true},
	}
}

// PermissionsText sums up what a role or a user allows, beside what the audit or the
// verification was about, in a sentence.
func PermissionsText(p model.Permissions) string {
	whose := "the role"
	if !strings.Contains(p.Principal, ":assumed-role/") {
		whose = "the user"
	}
	if p.Unread != "" {
		return "what " + whose + " allows could not be read (" + p.Unread + "); audits will show what is missing"
	}
	text := fmt.Sprintf("%s allows %d of the %s that are needed", whose, p.Needed-len(p.Missing), Count(p.Needed, "action"))
	if p.Version != "" {
		text += ", by version " + p.Version + " of the published policy"
	}
	if p.Unused.Count > 0 {
		text += fmt.Sprintf("; %s more than those", Count(p.Unused.Count, "read"))
	}
	if p.Excess.Count > 0 {
		text += fmt.Sprintf("; beyond reading (writes, data or credentials): %s", Count(p.Excess.Count, "action"))
	}
	return text
}

// ReceiptColumns are the columns of what is left of a removed connection.
func ReceiptColumns() []Column[model.Receipt] {
	return []Column[model.Receipt]{
		{Name: "connection", Value: func(r model.Receipt) string { return string(r.Connection) }},
		{Name: "deleted_at", Value: func(r model.Receipt) string { return when(r.DeletedAt) }},
		{Name: "purged_at", Value: func(r model.Receipt) string { return when(r.PurgedAt) }},
		{Name: "records", Value: func(r model.Receipt) string { return strconv.Itoa(r.Records) }},
		{Name: "objects", Value: func(r model.Receipt) string { return strconv.Itoa(r.Objects) }},
	}
}

// ReceiptText says what became of a removed connection.
func ReceiptText(w io.Writer, c model.Connection, r model.Receipt) error {
	text := fmt.Sprintf("Account %s is forgotten: %s and %s were deleted.\n", Plain(c.AccountID), Count(r.Records, "record"), Count(r.Objects, "object"))
	if r.PurgedAt.IsZero() {
		text = fmt.Sprintf("Account %s is forgotten: what is known of it is about to be deleted.\n", Plain(c.AccountID))
	}
	if c.AccessKey != nil {
		text += fmt.Sprintf("Its access key still works: delete the one that ends in %s in the account.\n", Plain(c.AccessKey.Suffix))
	}
	if c.RoleARN != "" {
		text += fmt.Sprintf("Its role is still there: delete %s in the account if nobody else needs it.\n", Plain(c.RoleARN))
	}
	_, err := io.WriteString(w, text)
	return err
}
