package rds

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func snapshotRules() []check.Rule {
	return []check.Rule{
		check.For("rds-snapshot-not-public", model.Critical, func(e *check.Evidence, s DBSnapshot) check.Verdict {
			return snapshotNotPublic(e, s.Detail, s.Restorers)
		}),
		check.For("rds-snapshot-encrypted", model.Medium, func(e *check.Evidence, s DBSnapshot) check.Verdict {
			return snapshotEncrypted(e, s.Detail)
		}),
		check.For("rds-cluster-snapshot-not-public", model.Critical, func(e *check.Evidence, s DBClusterSnapshot) check.Verdict {
			return snapshotNotPublic(e, s.Detail, s.Restorers)
		}),
		check.For("rds-cluster-snapshot-encrypted", model.Medium, func(e *check.Evidence, s DBClusterSnapshot) check.Verdict {
			return snapshotEncrypted(e, s.Detail)
		}),
	}
}

func snapshotNotPublic(e *check.Evidence, detail fact.Of[SnapshotDetail], restorers fact.Of[[]string]) check.Verdict {
	if check.Read(e, detail).Encrypted {
		return check.Passed("the snapshot is encrypted, so it cannot be public")
	}
	return check.Must(!slices.Contains(check.Read(e, restorers), "all"), "the snapshot is not public", "every AWS account may restore the snapshot")
}

func snapshotEncrypted(e *check.Evidence, detail fact.Of[SnapshotDetail]) check.Verdict {
	return check.Must(check.Read(e, detail).Encrypted, "the snapshot is encrypted", "the snapshot is not encrypted")
}

func otherRules() []check.Rule {
	return []check.Rule{
		check.For("rds-proxy-tls-required", model.Medium, proxyTLS),
		check.For("rds-proxy-no-debug-logging", model.Low, proxyNoDebug),
		check.Across("rds-events-of-instances-notified", model.Low,
			notified[DBInstance]("db-instance", "maintenance", "configuration change", "failure"), check.Using[DBInstance]()),
		check.Across("rds-events-of-clusters-notified", model.Low,
			notified[DBCluster]("db-cluster", "maintenance", "failure"), check.Using[DBCluster]()),
		check.Across("rds-events-of-parameter-groups-notified", model.Low,
			notified[DBInstance]("db-parameter-group", "configuration change"), check.Using[DBInstance]()),
	}
}

func proxyTLS(e *check.Evidence, p DBProxy) check.Verdict {
	return check.Must(check.Read(e, p.Detail).RequireTLS, "clients must use TLS", "clients may connect without TLS")
}

func proxyNoDebug(e *check.Evidence, p DBProxy) check.Verdict {
	return check.Must(!check.Read(e, p.Detail).DebugLogging, "statements are not logged", "enhanced logging writes SQL statements to CloudWatch")
}

// sourceOf is what events of a type are about, for people.
var sourceOf = map[string]string{"db-instance": "database instance", "db-cluster": "database cluster", "db-parameter-group": "database instance"}

// notified is a rule on regions with databases of type R: that somebody hears of
// certain events of all sources of a type.
func notified[R check.Resource](sourceType string, categories ...string) func(*check.Evidence, RegionSettings) check.Verdict {
	return func(e *check.Evidence, s RegionSettings) check.Verdict {
		if some, gaps := check.SomeIn[R](e, s.Region); len(some) == 0 {
			if len(gaps) > 0 {
				return check.Unassessed(gaps...)
			}
			return check.Inapplicable("the region has no " + sourceOf[sourceType])
		}
		missing := slices.Clone(categories)
		for _, sub := range check.Read(e, s.Subscriptions) {
			if sub.Enabled && len(sub.Sources) == 0 && (sub.SourceType == sourceType || sub.SourceType == "") {
				missing = slices.DeleteFunc(missing, func(c string) bool {
					return len(sub.Categories) == 0 || slices.Contains(sub.Categories, c)
				})
			}
		}
		return check.Must(len(missing) == 0, "subscriptions cover the events",
			"nobody hears of "+strings.Join(missing, ", ")+" of every "+sourceType)
	}
}
