package iam

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// initialTime is how soon a key is made that belongs to the user's creation.
const initialTime = time.Hour

var (
	idleDays = check.NewNumber("days", "days", "After how many days without use a credential should go", 45, 1, 365) // as CIS has it
	keyDays  = check.NewNumber("days", "days", "How many days old an access key is at most", 90, 1, 365)
	keysMost = check.NewNumber("keys", "keys", "How many active access keys a user has at most", 1, 1, 2)
)

func userRules() []check.Rule {
	return []check.Rule{
		check.For("iam-user-console-mfa", model.High, people.Must(
			func(c Credentials) bool { return c.MFA }, "the user signs in with MFA", "the user has a console password and no MFA device")),
		// Prowler: high. A virtual device stops a stolen password as well; its absence is
		// what is high.
		check.For("iam-user-hardware-mfa", model.Low, people.Then(hardwareMFA)).Except(noHardwareMFA).CausedBy("iam-user-console-mfa"),
		check.For("iam-user-console-used-recently", model.Medium, people.Then(consoleUsed)).With(idleDays),
		check.For("iam-user-one-active-access-key", model.Medium, oneActiveKey).With(keysMost),
		check.For("iam-user-no-access-key-at-creation", model.Medium, people.Then(noInitialKey)),
		check.For("iam-user-password-or-access-keys", model.Low, passwordOrKeys),
		check.For("iam-user-no-direct-policies", model.Low, noDirectPolicies),
		check.Across("iam-user-no-administrator-access", model.High, userNotAdmin,
			check.Using[Group](), check.Using[Policy](), check.Using[InlinePolicy]()),
		check.Across("iam-user-no-privilege-escalation", model.High, userNoEscalation,
			check.Using[Group](), check.Using[Policy](), check.Using[InlinePolicy]()),
		check.Across("iam-user-administrator-mfa", model.Critical, adminMFA,
			check.Using[Group](), check.Using[Policy](), check.Using[InlinePolicy]()),
		check.For("iam-access-key-used-recently", model.Medium, activeKeys.Then(keyUsed)).With(idleDays),
		check.For("iam-access-key-rotated", model.Medium, activeKeys.Then(keyRotated)).With(keyDays),
	}
}

// What rules decide on that ask of users who can sign in to the console, and of keys
// that can sign requests.
var (
	people = check.On(func(u User) fact.Of[Credentials] { return u.Credentials },
		check.When(func(c Credentials) bool { return !c.Password }, "the user has no console password"))
	activeKeys = check.On(func(k AccessKey) fact.Of[KeyDetail] { return k.Detail },
		check.When(func(d KeyDetail) bool { return !d.Active }, "the access key is inactive"))
)

// noHardwareMFA is where users cannot have a device but a virtual one.
var noHardwareMFA = check.Exclusion{
	Partitions: []string{"aws-cn"}, Reason: "regions in China support virtual MFA devices only",
	Source: "https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html#feature-diff", Date: "2026-11-29",
}

func hardwareMFA(e *check.Evidence, u User) check.Verdict {
	if !check.Read(e, u.Credentials).MFA {
		return check.Failed("the user has no MFA device")
	}
	return check.Must(!check.Read(e, u.VirtualMFA),
		"all MFA devices of the user are hardware or passkeys", "a virtual MFA device belongs to the user")
}

func consoleUsed(e *check.Evidence, u User) check.Verdict {
	c := check.Read(e, u.Credentials)
	if c.PasswordUsed != nil {
		reason := "the password was last used on " + day(*c.PasswordUsed)
		return check.Must(days(e.Age(*c.PasswordUsed)) < idleDays.Of(e), reason, reason)
	}
	// Never used, or not since 2014, when AWS began to look: the report's
	// "no_information". A password just set has its time to be used.
	since := c.PasswordChanged
	if since == nil {
		since = new(check.Read(e, u.Detail).Created)
	}
	return check.Must(days(e.Age(*since)) < idleDays.Of(e),
		"the password was set on "+day(*since),
		"the password was set on "+day(*since)+" and never used")
}

func oneActiveKey(e *check.Evidence, u User) check.Verdict {
	active := len(check.Read(e, u.Credentials).ActiveKeys())
	if active == 0 {
		return check.Inapplicable("the user has no active access key")
	}
	return check.Must(active <= keysMost.Of(e), map[bool]string{true: "the user has one active access key", false: "the user has two active access keys"}[active == 1], fmt.Sprintf("the user has %d active access keys", active))
}

func noInitialKey(e *check.Evidence, u User) check.Verdict {
	c := check.Read(e, u.Credentials)
	created := check.Read(e, u.Detail).Created
	for _, k := range c.ActiveKeys() {
		if k.Used == nil && dated(e, k).Sub(created) < initialTime {
			return check.Failed(fmt.Sprintf("access key %d was made together with the user and never used", k.Number))
		}
	}
	return check.Passed("no unused access key is from the user's creation")
}

func passwordOrKeys(e *check.Evidence, u User) check.Verdict {
	c := check.Read(e, u.Credentials)
	keys := len(c.ActiveKeys()) > 0
	if !c.Password && !keys {
		return check.Inapplicable("the user has neither a password nor an active access key")
	}
	return check.Must(!c.Password || !keys, "the user is either a person or a program", "the user has a console password and an active access key")
}

func noDirectPolicies(e *check.Evidence, u User) check.Verdict {
	d := check.Read(e, u.Detail)
	names := slices.Clone(d.Inline)
	for _, arn := range d.Attached {
		names = append(names, nameOf(arn))
	}
	if len(names) > 0 {
		return check.Failed("the user has policies of its own: " + check.List(names))
	}
	return check.Passed("the user has no policy of its own")
}

// userNotAdmin is about what the user has by itself: what its groups allow alone is
// judged with them. Their Denies count, and what a policy of theirs and one of the
// user's own allow together.
func userNotAdmin(e *check.Evidence, u User) check.Verdict {
	h, own := ofUser(e, u)
	administrator := h.Administrator()
	if len(administrator) > 0 && !slices.ContainsFunc(h.Policies[:own], func(p iampolicy.Held) bool { return slices.Contains(administrator, p.Name) }) {
		administrator = nil
	}
	return notAdmin(administrator)
}

func userNoEscalation(e *check.Evidence, u User) check.Verdict {
	h, _ := ofUser(e, u)
	return noEscalation(e, h)
}

func adminMFA(e *check.Evidence, u User) check.Verdict {
	c := check.Read(e, u.Credentials)
	if !c.Password && len(c.ActiveKeys()) == 0 {
		return check.Inapplicable("the user has neither a password nor an active access key")
	}
	h, _ := ofUser(e, u)
	by := h.Administrator()
	if len(by) == 0 {
		return check.Inapplicable("the user is no administrator")
	}
	return check.Must(c.MFA, "the administrator has MFA", "the user is an administrator by "+check.List(by)+" and has no MFA device")
}

var groupsNamed = check.NewIndex(check.Name[Group])

func keyUsed(e *check.Evidence, k AccessKey) check.Verdict {
	d := check.Read(e, k.Detail)
	if d.Used == nil {
		made := dated(e, d)
		return check.Must(days(e.Age(made)) < idleDays.Of(e),
			"the access key is of "+day(made),
			"the access key is of "+day(made)+" and was never used")
	}
	reason := "the access key was last used on " + day(*d.Used)
	return check.Must(days(e.Age(*d.Used)) < idleDays.Of(e), reason, reason)
}

func keyRotated(e *check.Evidence, k AccessKey) check.Verdict {
	made := dated(e, check.Read(e, k.Detail))
	reason := "the access key is of " + day(made)
	return check.Must(days(e.Age(made)) <= keyDays.Of(e), reason, reason)
}

// dated is when a key was made; the rule cannot decide if the report lacks it.
func dated(e *check.Evidence, k KeyDetail) time.Time {
	if k.Rotated == nil {
		return impossible[time.Time](e, "iam:GetCredentialReport", fmt.Sprintf("the report gives no date for the active access key %d", k.Number))
	}
	return *k.Rotated
}
