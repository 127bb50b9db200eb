package iam

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// What a password policy should ask for; IAM remembers 24 passwords at most.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
var (
	passwordLength     = check.NewNumber("characters", "characters", "How many characters a password has at least", 14, 6, 128)
	passwordDays       = check.NewNumber("days", "days", "After how many days at most a password expires", 90, 1, 1095)
	passwordRemembered = check.NewNumber("passwords", "passwords", "How many earlier passwords cannot be used again, at least", 24, 1, 24)
)

var passwords = check.On(func(p PasswordPolicy) fact.Of[PasswordRules] { return p.Rules })

func passwordRules() []check.Rule {
	rules := []check.Rule{
		check.For("iam-password-policy-set", model.Medium, passwords.Must(
			func(r PasswordRules) bool { return r.Set }, "the account has its own password policy", "the account has only IAM's default policy")),
		check.For("iam-password-policy-minimum-length", model.Medium, passwords.Weighs(passwordMinimum)).With(passwordLength).CausedBy("iam-password-policy-set"),
		check.For("iam-password-policy-reuse-prevention", model.Low, passwords.Weighs(passwordReuse)).With(passwordRemembered).CausedBy("iam-password-policy-set"),
		check.For("iam-password-policy-expiry", model.Low, passwords.Weighs(passwordExpiry)).With(passwordDays).CausedBy("iam-password-policy-set"),
	}
	for _, c := range []struct {
		id   model.CheckID
		what string
		has  func(PasswordRules) bool
	}{
		{"iam-password-policy-uppercase", "an uppercase letter", func(r PasswordRules) bool { return r.Uppercase }},
		{"iam-password-policy-lowercase", "a lowercase letter", func(r PasswordRules) bool { return r.Lowercase }},
		{"iam-password-policy-numbers", "a number", func(r PasswordRules) bool { return r.Numbers }},
		{"iam-password-policy-symbols", "a symbol", func(r PasswordRules) bool { return r.Symbols }},
	} {
		rules = append(rules, check.For(c.id, model.Low, passwords.Asks(func(r PasswordRules) check.Verdict {
			if !r.Set {
				// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html#default-policy-details
				return check.Failed("without a policy, passwords need only three of four kinds of character")
			}
			return check.Must(c.has(r), "passwords need "+c.what, "passwords need not contain "+c.what)
		})).CausedBy("iam-password-policy-set"))
	}
	return rules
}

func passwordMinimum(e *check.Evidence, r PasswordRules) check.Verdict {
	if !r.Set {
		return check.Failed("without a policy, passwords need only 8 characters")
	}
	reason := fmt.Sprintf("passwords need %d characters", r.MinimumLength)
	return check.Must(r.MinimumLength >= passwordLength.Of(e), reason, reason)
}

func passwordReuse(e *check.Evidence, r PasswordRules) check.Verdict {
	if r.Remembered == 0 {
		return check.Failed("earlier passwords can be used again")
	}
	reason := fmt.Sprintf("the last %d passwords cannot be used again", r.Remembered)
	return check.Must(r.Remembered >= passwordRemembered.Of(e), reason, "only "+reason)
}

func passwordExpiry(e *check.Evidence, r PasswordRules) check.Verdict {
	if r.MaximumAgeDays == 0 {
		return check.Failed("passwords do not expire")
	}
	reason := fmt.Sprintf("passwords expire after %d days", r.MaximumAgeDays)
	return check.Must(r.MaximumAgeDays <= passwordDays.Of(e), reason, reason)
}
