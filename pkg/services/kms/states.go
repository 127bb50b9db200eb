package kms

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (k Key) State(e *check.Evidence) string { return check.Read(e, k.Detail).State }

// Lifecycle implements check.Stateful. A key that waits for its deletion can be had back
// by whom its policy lets in.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html (2026-11)
func (Key) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the key",
		Judged: []string{"Enabled", "Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Unavailable", "Updating"},
		Passed: []string{"Creating"},
	}
}
