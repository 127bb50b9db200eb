package iam

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

var rootIdleDays = check.NewNumber("days", "days", "How many days ago at least the root user was last used", 30, 1, 365)

func rootRules() []check.Rule {
	return []check.Rule{
		check.For("iam-root-no-access-keys", model.Critical, rootUser.Must(
			func(c RootCredentials) bool { return !c.AccessKeys }, "the root user has no access key", "the root user has an access key")).Except(NoRootUser),
		check.For("iam-root-mfa", model.Critical, rootSignIn.Must(
			func(c RootCredentials) bool { return c.MFA }, "the root user has MFA", "the root user has no MFA device")).Except(NoRootUser, NoRootSignIn),
		check.For("iam-root-hardware-mfa", model.High, rootSignIn.Then(rootHardwareMFA)).Except(NoRootUser, NoRootSignIn).CausedBy("iam-root-mfa"),
		check.For("iam-root-not-used-recently", model.High, rootNotUsed).With(rootIdleDays).Except(NoRootUser),
		check.For("iam-root-no-signing-certificates", model.High, rootUser.Must(
			func(c RootCredentials) bool { return !c.Certificates }, "the root user has no signing certificate", "the root user has an X.509 signing certificate")).Except(NoRootUser),
	}
}

// NoRootUser is where accounts have no root user's credentials, and NoRootSignIn where
// root users have neither a password nor MFA: nothing is there for rules to ask of.
var (
	NoRootUser = check.Exclusion{
		Partitions: []string{"aws-cn"}, Reason: "accounts in China have no credentials of a root user",
		Source: "https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html#feature-diff", Date: "2026-11-29",
	}
	NoRootSignIn = check.Exclusion{
		Partitions: []string{"aws-us-gov"}, Reason: "root users of GovCloud accounts cannot sign in to the console, nor have MFA",
		Source: "https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-iam.html", Date: "2026-11-29",
	}
)

// What rules decide on that ask of the root user, and of one that has credentials.
var (
	rootUser   = check.On(func(r RootUser) fact.Of[RootCredentials] { return r.Credentials })
	rootSignIn = rootUser.Unless(check.When(RootCredentials.None, "the root user has no credentials"))
)

func rootHardwareMFA(e *check.Evidence, r RootUser) check.Verdict {
	if !check.Read(e, r.Credentials).MFA {
		return check.Failed("the root user has no MFA device")
	}
	return check.Must(!check.Read(e, r.VirtualMFA),
		"all MFA devices of the root user are hardware or passkeys", "a virtual MFA device belongs to the root user")
}

func rootNotUsed(e *check.Evidence, r RootUser) check.Verdict {
	u := check.Read(e, r.Usage)
	last, what := u.PasswordUsed, "password"
	if u.KeyUsed != nil && (last == nil || u.KeyUsed.After(*last)) {
		last, what = u.KeyUsed, "access key"
	}
	if last == nil {
		return check.Passed("AWS knows of no use of the root user")
	}
	return check.Must(days(e.Age(*last)) >= rootIdleDays.Of(e),
		"the root user was last used on "+day(*last),
		"the root user's "+what+" was used on "+day(*last))
}
