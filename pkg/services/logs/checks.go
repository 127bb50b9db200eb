package logs

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("logs-group-kept-for-a-year", model.Low, keepers.Weighs(keptForAYear)).With(retention),
		check.For("logs-group-retention-set", model.Low, keepers.Asks(retentionSet)),
		check.For("logs-group-encrypted-with-kms", model.Low, encrypted),
		check.For("logs-resource-policy-not-public", model.High, policyNotPublic),
		check.For("logs-destination-not-public", model.High, destinationPolicies().Asking(policyrule.NotPublic)),
		check.Across("logs-destination-policy-no-other-accounts", model.Low, destinationPolicies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
	}
}

// A year, as the id says, unless somebody wants another time; CloudWatch keeps logs for ten years at most, or for ever.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retention = check.NewNumber("days", "days", "For how many days logs are kept, at least", 365, 1, 3653)

// fixed is the class of groups that only pass logs on and keep them for two
// days, whatever is set.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
const fixed = "DELIVERY"

// keepers is what rules decide on that ask of groups which keep logs as they are told.
var keepers = check.On(func(g LogGroup) fact.Of[Detail] { return g.Detail },
	check.When(func(d Detail) bool { return d.Class == fixed }, "groups of class DELIVERY keep logs for two days only"))

func keptForAYear(e *check.Evidence, d Detail) check.Verdict {
	if d.Days == 0 {
		return check.Passed("logs are kept for ever")
	}
	return check.Must(d.Days >= retention.Of(e), fmt.Sprintf("logs are kept for %d days", d.Days), fmt.Sprintf("logs are kept for %d days only", d.Days))
}

func retentionSet(d Detail) check.Verdict {
	return check.Must(d.Days != 0, fmt.Sprintf("logs are kept for %d days", d.Days), "logs are kept for ever")
}

func encrypted(e *check.Evidence, g LogGroup) check.Verdict {
	key := check.Read(e, g.Detail).Key
	return check.Must(key != "", "the group is encrypted with "+key, "the group is not encrypted with a KMS key of the account")
}

func policyNotPublic(e *check.Evidence, p ResourcePolicy) check.Verdict {
	policy := policyrule.Parse(check.Read(e, p.Document), "logs:DescribeResourcePolicies")
	return policyrule.NotPublic(policy.Evaluate(policyrule.Owner(p.Ref)))
}

func destinationPolicies() policyrule.Source[Destination] {
	return policyrule.Source[Destination]{
		Operation: "logs:DescribeDestinations",
		Policy:    func(e *check.Evidence, d Destination) string { return check.Read(e, d.Policy) },
	}
}
