package athena

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// sql are work groups for queries. Those for Spark have no settings that clients override.
// https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html, 29 November 2026.
var sql = detail.Unless(check.When(func(d Detail) bool { return d.Spark }, "it is a work group for Spark"))

func rules() []check.Rule {
	return []check.Rule{
		check.For("athena-work-group-results-encrypted", model.Medium, sql.Must(func(d Detail) bool { return d.Encryption != "" },
			"the work group's settings encrypt results", "the work group's settings do not encrypt results")),
		check.For("athena-work-group-settings-enforced", model.Medium, sql.Must(func(d Detail) bool { return d.Enforced },
			"the work group's settings override the clients'", "clients choose where results go and whether they are encrypted")),
	}
}
