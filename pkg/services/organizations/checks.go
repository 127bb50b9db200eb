package organizations

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("organizations-account-is-member", model.Medium, member),
		check.For("organizations-all-features", model.Medium, allFeatures),
	}
}

func member(e *check.Evidence, m Membership) check.Verdict {
	o := check.Read(e, m.Organization)
	return check.Must(o.ID != "", "the account belongs to "+o.ID, "the account is in no organization")
}

func allFeatures(e *check.Evidence, m Membership) check.Verdict {
	o := check.Read(e, m.Organization)
	if o.ID == "" {
		return check.Inapplicable("the account is in no organization")
	}
	return check.Must(o.Features == "ALL", "the organization has all features", "the organization has the features "+o.Features)
}
