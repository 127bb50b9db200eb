package rds

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// settling are the states, of instances and clusters alike, in which settings do not
// count: of what is being made or restored, was never made, or is going.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Status.html
// (both as of 2026-11)
var settling = []string{
	"creating", "deleting", "delete-precheck", "failed", "restore-error", "incompatible-create", "incompatible-restore",
	"insufficient-capacity", "cloning-failed", "migration-failed",
}

// standing are the states in which a database is there, as it was set up. One that is
// stopped is as public, or as plain, when it starts again.
var standing = []string{
	"available", "backing-up", "configuring-associated-roles", "configuring-enhanced-monitoring",
	"configuring-iam-database-auth", "configuring-log-exports", "configuring-activity-stream", "converting-to-vpc",
	"inaccessible-encryption-credentials", "inaccessible-encryption-credentials-recoverable", "incompatible-network",
	"incompatible-option-group", "incompatible-parameters", "maintenance", "modifying", "moving-to-vpc", "promoting",
	"rebooting", "renaming", "resetting-master-credentials", "starting", "stopped", "stopping", "storage-config-upgrade",
	"storage-full", "storage-initialization", "storage-optimization", "unsupported-configuration", "update-iam-db-auth",
	"upgrading", "backtracking", "failing-over", "migrating", "preparing-data-migration", "scaling-compute",
	"scaling-storage", "reset-cluster-credentials", "upgrade-failed",
}

// State implements check.Stateful.
func (i DBInstance) State(e *check.Evidence) string { return check.Read(e, i.Detail).State }

// Lifecycle implements check.Stateful.
func (DBInstance) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the instance", Judged: standing, Passed: settling}
}

// State implements check.Stateful.
func (c DBCluster) State(e *check.Evidence) string { return check.Read(e, c.Detail).State }

// Lifecycle implements check.Stateful.
func (DBCluster) Lifecycle() check.Lifecycle {
	return check.Lifecycle{Noun: "the cluster", Judged: standing, Passed: settling}
}

// snapshotLife is of both kinds of snapshots.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html
var snapshotLife = check.Lifecycle{
	Noun:   "the snapshot",
	Judged: []string{"available", "copying", "modifying"},
	Passed: []string{"creating", "pending", "deleting", "deleted", "failed", "incompatible-restore"},
}

// State implements check.Stateful.
func (s DBSnapshot) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful.
func (DBSnapshot) Lifecycle() check.Lifecycle { return snapshotLife }

// State implements check.Stateful.
func (s DBClusterSnapshot) State(e *check.Evidence) string { return check.Read(e, s.Detail).State }

// Lifecycle implements check.Stateful.
func (DBClusterSnapshot) Lifecycle() check.Lifecycle { return snapshotLife }

// State implements check.Stateful.
func (p DBProxy) State(e *check.Evidence) string { return check.Read(e, p.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html
func (DBProxy) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun: "the proxy",
		Judged: []string{
			"available", "modifying", "incompatible-network", "insufficient-resource-limits", "suspended", "suspending", "reactivating",
		},
		Passed: []string{"creating", "deleting"},
	}
}
