package iam

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// AWS knows of uses in the last 400 days.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
var roleIdleDays = check.NewNumber("days", "days", "After how many days without use a role should go", 90, 1, 400)

func groupRules() []check.Rule {
	return []check.Rule{
		check.Across("iam-group-has-members", model.Low, groupHasMembers, check.Using[User]()),
		check.Across("iam-group-no-administrator-access", model.Medium, groupNotAdmin,
			check.Using[Policy](), check.Using[InlinePolicy]()),
	}
}

func groupHasMembers(e *check.Evidence, g Group) check.Verdict {
	check.Read(e, g.Detail)
	members := len(membersOf.All(e, g.Name))
	return check.Must(members > 0, "the group has "+count(members, "member", "members"), "the group has no members")
}

var membersOf = check.NewIndex(func(e *check.Evidence, u User) []string { return check.Read(e, u.Detail).Groups })

func groupNotAdmin(e *check.Evidence, g Group) check.Verdict {
	h := holder(e, g.Ref)
	h.Policies = held(e, g.ARN, check.Read(e, g.Detail).Attached, "")
	return notAdmin(h.Administrator())
}

func roleRules() []check.Rule {
	return []check.Rule{
		check.Across("iam-role-no-administrator-access", model.Medium, changeable.Then(roleNotAdmin),
			check.Using[Policy](), check.Using[InlinePolicy]()),
		check.Across("iam-role-no-privilege-escalation", model.High, changeable.Then(roleNoEscalation),
			check.Using[Policy](), check.Using[InlinePolicy]()),
		check.For("iam-role-used-recently", model.Low, changeable.Then(roleUsed)).With(roleIdleDays),
	}
}

// changeable is what rules decide on that ask of roles that the account itself can
// change.
var changeable = check.On(func(r Role) fact.Of[RoleDetail] { return r.Detail }, elsewhere)

func roleNotAdmin(e *check.Evidence, r Role) check.Verdict {
	return notAdmin(ofRole(e, r).Administrator())
}

func roleNoEscalation(e *check.Evidence, r Role) check.Verdict {
	return noEscalation(e, ofRole(e, r))
}

func roleUsed(e *check.Evidence, r Role) check.Verdict {
	d := check.Read(e, r.Detail)
	if d.Used != nil {
		reason := "the role was last used on " + day(*d.Used)
		return check.Must(days(e.Age(*d.Used)) < roleIdleDays.Of(e), reason, reason)
	}
	return check.Must(days(e.Age(d.Created)) < roleIdleDays.Of(e),
		"the role is of "+day(d.Created),
		"the role is of "+day(d.Created)+" and AWS knows of no use in the last 400 days")
}

// elsewhere says why the account itself cannot change a role; empty if it can.
func elsewhere(d RoleDetail) string {
	switch {
	case d.ServiceLinked():
		return "an AWS service owns this role"
	case d.Reserved():
		return "IAM Identity Center manages this role"
	default:
		return ""
	}
}
