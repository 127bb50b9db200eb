// Package efs knows Amazon Elastic File System: its file systems and access
// points, and what is right of them.
package efs

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of EFS.
func Service() check.Service {
	return check.Service{
		Name:  "efs",
		Title: "Amazon Elastic File System",
		Kinds: []check.Kind{check.KindOf[FileSystem](), check.KindOf[AccessPoint]()},
		Rules: rules(),
		Texts: texts,
	}
}

// FileSystem is an EFS file system.
type FileSystem struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// Policy is the file system policy, a JSON document; empty when there is none,
	// which lets in every client that reaches a mount target.
	// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html#default-filesystempolicy
	Policy fact.Of[string] `json:"policy"`
	// Backup is the state of automatic backups, such as ENABLED; empty when they
	// were never set up.
	Backup       fact.Of[string]        `json:"backup"`
	MountTargets fact.Of[[]MountTarget] `json:"mount_targets"`
}

// Kind implements check.Resource.
func (FileSystem) Kind() string { return "AWS::EFS::FileSystem" }

// Detail is what DescribeFileSystems tells.
type Detail struct {
	State        string `json:"state"` // AWS's word
	Encrypted    bool   `json:"encrypted"`
	Zone         string `json:"zone,omitempty"` // of a One Zone file system
	MountTargets int32  `json:"mount_targets"`
}

// MountTarget is where a subnet's clients reach the file system.
type MountTarget struct {
	Subnet string `json:"subnet"` // its id
	State  string `json:"state"`  // AWS's word
}

// MountTargetStates is what a mount target's states mean, of which a file system has
// others than its own.
// https://docs.aws.amazon.com/efs/latest/ug/API_MountTargetDescription.html (2026-11)
func MountTargetStates() check.Lifecycle {
	return check.Lifecycle{
		Noun:   "the mount target",
		Judged: []string{"available", "updating"},
		Passed: []string{"creating", "deleting", "deleted", "error"},
	}
}

// AccessPoint is an EFS access point.
type AccessPoint struct {
	model.Resource
	Detail fact.Of[AccessPointDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (AccessPoint) Kind() string { return "AWS::EFS::AccessPoint" }

// AccessPointDetail is what DescribeAccessPoints tells.
type AccessPointDetail struct {
	State string `json:"state"` // AWS's word
	Root  string `json:"root"`  // the directory that clients see as /
	// EnforcesUser tells whether clients act as a fixed user, whoever they say
	// they are.
	EnforcesUser bool `json:"enforces_user"`
}
