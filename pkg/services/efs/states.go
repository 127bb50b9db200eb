package efs

import "github.com/cloudarq/cloudarq/pkg/judge/check"

// State implements check.Stateful.
func (f FileSystem) State(e *check.Evidence) string { return check.Read(e, f.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html (2026-11)
func (FileSystem) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the file system",
		Judged: []string{"available", "updating"},
		Passed: []string{"creating", "deleting", "deleted", "error"},
	}
}

// State implements check.Stateful.
func (p AccessPoint) State(e *check.Evidence) string { return check.Read(e, p.Detail).State }

// Lifecycle implements check.Stateful.
// https://docs.aws.amazon.com/efs/latest/ug/API_AccessPointDescription.html (2026-11)
func (AccessPoint) Lifecycle() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the access point",
		Judged: []string{"available", "updating"},
		Passed: []string{"creating", "deleting", "deleted", "error"},
	}
}
