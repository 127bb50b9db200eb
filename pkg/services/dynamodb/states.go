package dynamodb

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (t Table) State(e *check.Evidence) string { return check.Read(e, t.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html (2026-11)
func (Table) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the table",
		Judged: []string{"ACTIVE", "UPDATING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "REPLICATION_NOT_AUTHORIZED"},
		Passed: []string{"CREATING", "DELETING", "ARCHIVING", "ARCHIVED"},
	}
}
