package dynamodb

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("dynamodb-table-point-in-time-recovery", model.Medium, pointInTimeRecovery),
		check.For("dynamodb-table-deletion-protection", model.Medium, protected),
		check.For("dynamodb-table-kms-key", model.Low, kmsKey),
		check.For("dynamodb-table-not-public", model.Critical, policies().Asking(policyrule.NotPublic)),
		check.Across("dynamodb-table-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
	}
}

func pointInTimeRecovery(e *check.Evidence, t Table) check.Verdict {
	return check.Must(check.Read(e, t.PointInTimeRecovery), "point-in-time recovery is on", "point-in-time recovery is off")
}

func protected(e *check.Evidence, t Table) check.Verdict {
	return check.Must(check.Told("DeletionProtectionEnabled", check.Read(e, t.Detail).Protected), "deletion protection is on", "deletion protection is off")
}

func kmsKey(e *check.Evidence, t Table) check.Verdict {
	key := check.Read(e, t.Detail).KMSKey
	return check.Must(key != "", "the table is encrypted under "+key, "the table is encrypted under a key that DynamoDB owns")
}

func policies() policyrule.Source[Table] {
	return policyrule.Source[Table]{
		Operation: "dynamodb:GetResourcePolicy",
		Policy:    func(e *check.Evidence, t Table) string { return check.Read(e, t.Policy) },
		Parts: func(e *check.Evidence, t Table) []policyrule.Part {
			return []policyrule.Part{{Name: "stream", Document: check.Read(e, t.StreamPolicy)}}
		},
	}
}
