package model

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much people may say of a connection. An edge may refuse more; nothing is
// written that passes these.
const (
	MaxConnectionName  = 100 // characters of a name or a project
	MaxRegions         = 50
	MaxServices        = 200
	MaxChecks          = 1000
	MaxWord            = 128 // characters of a region, a service or a check's pattern
	MaxTrustedAccounts = 1000
	// MinCallBudget is more than opening an account takes.
	MinCallBudget = 100
	MaxCallBudget = 10_000_000
	MaxExpression = 256 // characters of a schedule's expression
	MaxTimezone   = 64
	MaxJitter     = 24 * 60 // minutes
)

// FieldError is what is wrong with one thing that somebody said.
type FieldError struct {
	Field  string // as JSON names it: "regions[2]"
	Reason string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Reason }

func wrong(field, format string, args ...any) error {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// IsAccountID reports whether a text is the number of an AWS account.
func IsAccountID(text string) bool { return accountNumber.MatchString(text) }

var (
	accountNumber = regexp.MustCompile(`^\d{12}$`)
	project       = regexp.MustCompile(`^[A-Za-z0-9._-]+$`) // it is an attribute of alerts, by which people filter
	regionName    = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`)
)

func isProject(name string) bool {
	return len(name) <= MaxConnectionName && project.MatchString(name)
}

// Check refuses what nobody may say of a connection, with a *FieldError. What only the
// catalog knows, such as the names of services, is asked elsewhere.
func (c Connection) Check() error {
	if err := c.check(); err != nil {
		return err
	}
	return c.AuditOptions.Check()
}

func (c Connection) check() error {
	if err := checkText("name", c.Name, MaxConnectionName); err != nil {
		return err
	}
	switch {
	case c.Project != "" && !isProject(c.Project):
		return wrong("project", "the project has at most %d letters, digits, dots, underscores and hyphens", MaxConnectionName)
	case len(c.RoleARN) > MaxARN:
		return wrong("role_arn", "the ARN has %d characters, at most %d are possible", len(c.RoleARN), MaxARN)
	}
	if c.RoleARN != "" {
		if _, ok := AccountOfRole(c.RoleARN); !ok {
			return wrong("role_arn", "%q is not the ARN of an IAM role", c.RoleARN)
		}
	}
	return c.Schedule.check()
}

// Check refuses what nobody may say of what audits look at, with a *FieldError.
func (o AuditOptions) Check() error {
	for _, l := range []struct {
		field string
		words []string
		most  int
	}{
		{"regions", o.Regions, MaxRegions},
		{"services", o.Services, MaxServices},
		{"checks", o.Checks, MaxChecks},
		{"trusted_accounts", o.TrustedAccounts, MaxTrustedAccounts},
	} {
		if len(l.words) > l.most {
			return wrong(l.field, "%d are too many, at most %d are possible", len(l.words), l.most)
		}
		for i, word := range l.words {
			if err := checkText(fmt.Sprintf("%s[%d]", l.field, i), word, MaxWord); err != nil {
				return err
			}
		}
	}
	for i, region := range o.Regions {
		if !regionName.MatchString(region) {
			return wrong(fmt.Sprintf("regions[%d]", i), "%q is no region", region)
		}
	}
	for i, account := range o.TrustedAccounts {
		if !IsAccountID(account) {
			return wrong(fmt.Sprintf("trusted_accounts[%d]", i), "%q is not the number of an AWS account, which has 12 digits", account)
		}
	}
	if err := o.Options.Check(); err != nil {
		return err
	}
	if o.CallBudget != 0 && (o.CallBudget < MinCallBudget || o.CallBudget > MaxCallBudget) {
		return wrong("call_budget", "%d calls are not from %d to %d; 0 is no bound", o.CallBudget, MinCallBudget, MaxCallBudget)
	}
	return nil
}

func (s Schedule) check() error {
	if err := checkText("schedule.expression", s.Expression, MaxExpression); err != nil {
		return err
	}
	if err := checkText("schedule.timezone", s.Timezone, MaxTimezone); err != nil {
		return err
	}
	if j := s.JitterMinutes; j != nil && (*j < 0 || *j > MaxJitter) {
		return wrong("schedule.jitter_minutes", "%d minutes are not between 0 and %d", *j, MaxJitter)
	}
	return nil
}

// checkText refuses a text that is too long, not one printable line, or there and not to be
// seen.
func checkText(field, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return wrong(field, "it has %d characters, at most %d are possible", n, most)
	}
	if Clean(text) != text {
		return wrong(field, "it has characters that cannot be shown in one line")
	}
	if text != "" && !visible(text) {
		return wrong(field, "it has no character that anybody sees")
	}
	return nil
}

// blank are letters and symbols of Unicode that show nothing: the fillers of Hangul and the
// pattern of Braille without a dot.
const blank = "\u115f\u1160\u2800\u3164\uffa0"

// visible reports whether a text shows something: a character that is no space, no mark on
// one before, and not itself blank.
func visible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r) && !strings.ContainsRune(blank, r)
	})
}
