package iam_test

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

// user is a person with a hardware MFA device and rights from a group only,
// changed as a case needs.
func user(change func(*iam.UserDetail, *iam.Credentials)) iam.User {
	d := iam.UserDetail{Created: ago(400), Groups: []string{"people"}}
	c := iam.Credentials{Reported: ago(0), Password: true, PasswordUsed: past(1), PasswordChanged: past(60), MFA: true}
	if change != nil {
		change(&d, &c)
	}
	return iam.User{Resource: ref("user", "alice"), Detail: fact.Known(d), Credentials: fact.Known(c), VirtualMFA: fact.Known(false)}
}

func signingIn(change func(*iam.Credentials)) iam.User {
	return user(func(_ *iam.UserDetail, c *iam.Credentials) { change(c) })
}

func key(active bool, rotated, used *time.Time) iam.KeyDetail {
	return iam.KeyDetail{Number: 1, Active: active, Rotated: rotated, Used: used}
}

func userCases() checktest.Table {
	good := user(nil)
	noMFA := signingIn(func(c *iam.Credentials) { c.MFA = false })
	program := signingIn(func(c *iam.Credentials) {
		*c = iam.Credentials{Reported: ago(0), Keys: []iam.KeyDetail{key(true, past(20), past(0))}}
	})
	virtual := user(nil)
	virtual.VirtualMFA = fact.Known(true)
	tooNew := user(nil)
	tooNew.Credentials = fact.Unknown[iam.Credentials](fact.Gap{Reason: fact.NotCollected, Operation: "iam:GetCredentialReport"})
	used := func(used, changed *time.Time) iam.User {
		return signingIn(func(c *iam.Credentials) { c.PasswordUsed, c.PasswordChanged = used, changed })
	}
	keys := func(all ...iam.KeyDetail) iam.User { return signingIn(func(c *iam.Credentials) { c.Keys = all }) }
	born := past(400)
	return checktest.Table{
		"iam-user-console-mfa": {
			{Name: "with", Resource: good, Want: check.Pass},
			{Name: "without", Resource: noMFA, Want: check.Fail},
			{Name: "no password", Resource: program, Want: check.NotApplicable},
			{Name: "younger than the report", Resource: tooNew, Want: check.NotAssessed},
		},
		"iam-user-hardware-mfa": {
			{Name: "hardware", Resource: good, Want: check.Pass},
			{Name: "virtual", Resource: virtual, Want: check.Fail},
			{Name: "none", Resource: noMFA, Want: check.Fail},
			{Name: "no password", Resource: program, Want: check.NotApplicable},
		},
		"iam-user-console-used-recently": {
			{Name: "yesterday", Resource: good, Want: check.Pass},
			{Name: "44 days ago", Resource: used(past(44), past(400)), Want: check.Pass},
			{Name: "45 days ago", Resource: used(past(45), past(1)), Want: check.Fail},
			{Name: "never, set lately", Resource: used(nil, past(3)), Want: check.Pass},
			{Name: "never, set long ago", Resource: used(nil, past(50)), Want: check.Fail},
			{Name: "never, old user, set at an unknown time", Resource: used(nil, nil), Want: check.Fail},
			{Name: "no password", Resource: program, Want: check.NotApplicable},
		},
		"iam-user-one-active-access-key": {
			{Name: "one", Resource: program, Want: check.Pass},
			{Name: "one and an inactive one", Resource: keys(key(true, past(9), nil), key(false, past(9), nil)), Want: check.Pass},
			{Name: "two", Resource: keys(key(true, past(9), nil), key(true, past(9), nil)), Want: check.Fail},
			{Name: "none", Resource: good, Want: check.NotApplicable},
		},
		"iam-user-no-access-key-at-creation": {
			{Name: "no key", Resource: good, Want: check.Pass},
			{Name: "made and unused", Resource: keys(key(true, born, nil)), Want: check.Fail},
			{Name: "made and used", Resource: keys(key(true, born, past(3))), Want: check.Pass},
			{Name: "made and inactive", Resource: keys(key(false, born, nil)), Want: check.Pass},
			{Name: "made later", Resource: keys(key(true, past(399), nil)), Want: check.Pass},
			{Name: "no date", Resource: keys(key(true, nil, nil)), Want: check.NotAssessed},
			{Name: "no password", Resource: program, Want: check.NotApplicable},
		},
		"iam-user-password-or-access-keys": {
			{Name: "person", Resource: good, Want: check.Pass},
			{Name: "program", Resource: program, Want: check.Pass},
			{Name: "both", Resource: keys(key(true, past(9), nil)), Want: check.Fail},
			{Name: "neither", Resource: signingIn(func(c *iam.Credentials) { c.Password = false }), Want: check.NotApplicable},
		},
		"iam-user-no-direct-policies": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "attached", Resource: user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Attached = []string{administratorAccess} }), Want: check.Fail},
			{Name: "inline", Resource: user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Inline = []string{"a", "b", "c", "d"} }), Want: check.Fail},
		},
	}
}

func keyCases() checktest.Table {
	of := func(d iam.KeyDetail) iam.AccessKey {
		k := iam.AccessKey{Resource: ref("user", "alice"), Detail: fact.Known(d)}
		k.Sub = "access-key/1"
		return k
	}
	inactive := of(key(false, past(900), nil))
	return checktest.Table{
		"iam-access-key-used-recently": {
			{Name: "lately", Resource: of(key(true, past(900), past(44))), Want: check.Pass},
			{Name: "long ago", Resource: of(key(true, past(900), past(45))), Want: check.Fail},
			{Name: "never, new", Resource: of(key(true, past(5), nil)), Want: check.Pass},
			{Name: "never, old", Resource: of(key(true, past(50), nil)), Want: check.Fail},
			{Name: "inactive", Resource: inactive, Want: check.NotApplicable},
		},
		"iam-access-key-rotated": {
			{Name: "90 days", Resource: of(key(true, past(90), nil)), Want: check.Pass},
			{Name: "91 days", Resource: of(key(true, past(91), past(0))), Want: check.Fail},
			{Name: "no date", Resource: of(key(true, nil, past(0))), Want: check.NotAssessed},
			{Name: "inactive", Resource: inactive, Want: check.NotApplicable},
		},
	}
}

func adminCases() checktest.Table {
	attached := user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Attached = []string{administratorAccess} })
	bounded := user(func(d *iam.UserDetail, _ *iam.Credentials) {
		d.Attached, d.Boundary = []string{administratorAccess}, customerPolicy
	})
	changed := func(u iam.User, change func(*iam.Credentials)) iam.User {
		c, _ := u.Credentials.Get()
		change(&c)
		u.Credentials = fact.Known(c)
		return u
	}
	noMFA := func(u iam.User) iam.User { return changed(u, func(c *iam.Credentials) { c.MFA = false }) }
	admin, mine, limit := awsManaged(everything), customer(nil), customer(func(d *iam.PolicyDetail) { d.Boundaries = 1 })
	inline := func(document string) iam.InlinePolicy { return inlineOf(user(nil).Ref, document) }
	people := group(func(d *iam.GroupDetail) { d.Attached = []string{administratorAccess} })
	const (
		forbidden = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`
		power     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}}`
		allIAM    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`
		passing   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}}`
		running   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"}}`
		itself    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:CreateAccessKey","Resource":"arn:aws:iam::*:user/${aws:username}"}}`
	)
	return checktest.Table{
		"iam-user-no-privilege-escalation": {
			{Name: "none", Resource: user(nil), Others: []check.Resource{group(nil)}, Want: check.Pass},
			{Name: "its own keys", Resource: user(nil), Others: []check.Resource{group(nil), inline(itself)}, Want: check.Pass},
			{Name: "half of it", Resource: user(nil), Others: []check.Resource{group(nil), inline(passing)}, Want: check.Pass},
			{Name: "half of it, half by the group", Resource: user(nil), Others: []check.Resource{
				inline(passing), group(nil), inlineOf(group(nil).Ref, running),
			}, Want: check.Fail},
			{Name: "all of IAM", Resource: user(nil), Others: []check.Resource{group(nil), inline(allIAM)}, Want: check.Fail},
			{Name: "denied by the group", Resource: user(nil), Others: []check.Resource{
				inline(allIAM), group(nil), inlineOf(group(nil).Ref, forbidden),
			}, Want: check.Pass},
			{Name: "an administrator", Resource: attached, Others: []check.Resource{admin, group(nil)}, Want: check.NotApplicable},
			{Name: "in a group that is not listed", Resource: user(nil), Others: []check.Resource{inline(allIAM)}, Want: check.NotAssessed},
			{Name: "an attached policy that is not listed", Resource: attached, Others: []check.Resource{group(nil)}, Want: check.NotAssessed},
			{Name: "within an unlisted boundary", Resource: user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Boundary = customerPolicy }), Others: []check.Resource{
				group(nil), inline(allIAM),
			}, Want: check.NotAssessed},
		},
		"iam-user-no-administrator-access": {
			{Name: "no policy", Resource: user(nil), Others: []check.Resource{admin, group(nil)}, Want: check.Pass},
			{Name: "narrow inline policy", Resource: user(nil), Others: []check.Resource{group(nil), inline(nothing)}, Want: check.Pass},
			{Name: "inline", Resource: user(nil), Others: []check.Resource{group(nil), inline(everything)}, Want: check.Fail},
			{Name: "inline of another", Resource: user(nil), Others: []check.Resource{group(nil), inlineOf(role(nil).Ref, everything)}, Want: check.Pass},
			{Name: "attached", Resource: attached, Others: []check.Resource{group(nil), mine, admin}, Want: check.Fail},
			{Name: "attached within a boundary", Resource: bounded, Others: []check.Resource{group(nil), admin, limit}, Want: check.Pass},
			{Name: "attached within a boundary that allows all", Resource: bounded, Others: []check.Resource{
				group(nil), admin, customer(func(d *iam.PolicyDetail) { d.Document = everything }),
			}, Want: check.Fail},
			{Name: "attached within an unlisted boundary", Resource: bounded, Others: []check.Resource{admin, group(nil)}, Want: check.NotAssessed},
			{Name: "nothing within an unlisted boundary", Resource: user(func(d *iam.UserDetail, _ *iam.Credentials) { d.Boundary = customerPolicy }), Others: []check.Resource{group(nil)}, Want: check.Pass},
			{Name: "in a group that is not listed", Resource: user(nil), Others: []check.Resource{admin}, Want: check.NotAssessed},
			{Name: "by a group alone, which has a check of its own", Resource: user(nil), Others: []check.Resource{people, admin}, Want: check.Pass},
			{Name: "attached, denied by the group", Resource: attached, Others: []check.Resource{admin, group(nil), inlineOf(group(nil).Ref, forbidden)}, Want: check.Pass},
			{Name: "power of its own, IAM by the group", Resource: user(nil), Others: []check.Resource{
				inline(power), group(nil), inlineOf(group(nil).Ref, allIAM),
			}, Want: check.Fail},
			{Name: "attached and not listed", Resource: attached, Others: []check.Resource{group(nil), mine}, Want: check.NotAssessed},
			{Name: "garbled", Resource: user(nil), Others: []check.Resource{group(nil), inline(garbled)}, Want: check.NotAssessed},
		},
		"iam-user-administrator-mfa": {
			{Name: "with", Resource: attached, Others: []check.Resource{admin, group(nil)}, Want: check.Pass},
			{Name: "without", Resource: noMFA(attached), Others: []check.Resource{admin, group(nil)}, Want: check.Fail},
			{Name: "without, by group", Resource: noMFA(user(nil)), Others: []check.Resource{admin, people}, Want: check.Fail},
			{Name: "without, by a group's inline policy", Resource: noMFA(user(nil)), Others: []check.Resource{
				group(nil), inlineOf(group(nil).Ref, everything),
			}, Want: check.Fail},
			{Name: "no administrator", Resource: noMFA(user(nil)), Others: []check.Resource{admin, group(nil)}, Want: check.NotApplicable},
			{Name: "no credentials", Resource: changed(attached, func(c *iam.Credentials) { c.Password = false }), Others: []check.Resource{admin, group(nil)}, Want: check.NotApplicable},
		},
	}
}
