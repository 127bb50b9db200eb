package iam

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

const (
	passwordLength     = 14
	passwordDays       = 90
	passwordRemembered = 24 // IAM's maximum
)

var passwords = check.On(func(p PasswordPolicy) fact.Of[PasswordRules] { return p.Rules })

func passwordRules() []check.Rule {
	rules := []check.Rule{
		check.For("iam-password-policy-set", model.Medium, passwords.Must(
			func(r PasswordRules) bool { return r.Set }, "the account has its own password policy", "the account has only IAM's default policy")),
		check.For("iam-password-policy-minimum-length", model.Medium, passwords.Asks(passwordMinimum)).CausedBy("iam-password-policy-set"),
		check.For("iam-password-policy-reuse-prevention", model.Low, passwords.Asks(passwordReuse)).CausedBy("iam-password-policy-set"),
		check.For("iam-password-policy-expiry", model.Low, passwords.Asks(passwordExpiry)).CausedBy("iam-password-policy-set"),
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

func passwordMinimum(r PasswordRules) check.Verdict {
	if !r.Set {
		return check.Failed("without a policy, passwords need only 8 characters")
	}
	reason := fmt.Sprintf("passwords need %d characters", r.MinimumLength)
	return check.Must(r.MinimumLength >= passwordLength, reason, reason)
}

func passwordReuse(r PasswordRules) check.Verdict {
	if r.Remembered == 0 {
		return check.Failed("earlier passwords can be used again")
	}
	reason := fmt.Sprintf("the last %d passwords cannot be used again", r.Remembered)
	return check.Must(r.Remembered >= passwordRemembered, reason, "only "+reason)
}

func passwordExpiry(r PasswordRules) check.Verdict {
	if r.MaximumAgeDays == 0 {
		return check.Failed("passwords do not expire")
	}
	reason := fmt.Sprintf("passwords expire after %d days", r.MaximumAgeDays)
	return check.Must(r.MaximumAgeDays <= passwordDays, reason, reason)
}
