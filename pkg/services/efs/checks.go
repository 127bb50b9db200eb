package efs

import (
	"fmt"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("efs-file-system-encrypted", model.High, encrypted),
		check.For("efs-file-system-not-public", model.High, policies().Asking(policyrule.NotPublic)),
		check.Across("efs-file-system-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoNamedStrangers), check.Using[policyrule.Zone]()),
		check.For("efs-file-system-clients-identified", model.Low, clientsIdentified),
		check.For("efs-file-system-tls-only", model.Medium, policies().RequiringTLS(clientActions...)),
		check.For("efs-file-system-backup", model.Medium, backup),
		check.For("efs-file-system-multi-az", model.Low, multiAZ),
		check.For("efs-access-point-root-directory", model.Medium, rootDirectory),
		check.For("efs-access-point-user-identity", model.Medium, userIdentity),
	}
}

// clientActions are what NFS clients do.
// https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
var clientActions = []string{"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"}

func encrypted(e *check.Evidence, f FileSystem) check.Verdict {
	return check.Must(check.Read(e, f.Detail).Encrypted, "the file system is encrypted", "the file system is not encrypted")
}

func policies() policyrule.Source[FileSystem] {
	return policyrule.Source[FileSystem]{
		Operation: "elasticfilesystem:DescribeFileSystemPolicy",
		Policy:    func(e *check.Evidence, f FileSystem) string { return check.Read(e, f.Policy) },
	}
}

// clientsIdentified fails what lets clients in without a name: to everybody, or
// to everybody who comes by a mount target, as the console's policies do.
func clientsIdentified(e *check.Evidence, f FileSystem) check.Verdict {
	document := check.Read(e, f.Policy)
	if document == "" {
		return check.Failed("there is no policy, so any client that reaches a mount target is let in")
	}
	result := policyrule.Parse(document, policies().Operation).Evaluate(policyrule.Owner(f.Ref), clientActions...)
	for _, grant := range result.At(iampolicy.Public, iampolicy.Restricted) {
		return check.Failed(policyrule.Because(grant.Statement+" of the policy lets clients in without a name", grant.Why))
	}
	return check.Passed("the policy lets in only clients that identify themselves by IAM")
}

func backup(e *check.Evidence, f FileSystem) check.Verdict {
	switch state := check.Read(e, f.Backup); state {
	case "ENABLED", "ENABLING":
		return check.Passed("automatic backups are on")
	default:
		return check.Failed("automatic backups are off")
	}
}

// multiAZ counts mount targets: a file system has one at most in each zone.
// https://docs.aws.amazon.com/efs/latest/ug/accessing-fs.html
func multiAZ(e *check.Evidence, f FileSystem) check.Verdict {
	d := check.Read(e, f.Detail)
	switch {
	case d.Zone != "":
		return check.Failed("the file system is kept in " + d.Zone + " only")
	case d.MountTargets == 0:
		return check.Inapplicable("the file system has no mount target")
	case d.MountTargets == 1:
		return check.Failed("the file system can be reached in a single zone only")
	default:
		return check.Passed(fmt.Sprintf("the file system can be reached in %d zones", d.MountTargets))
	}
}

func rootDirectory(e *check.Evidence, a AccessPoint) check.Verdict {
	root := check.Read(e, a.Detail).Root
	return check.Must(root != "/", "clients see no more than "+root, "clients see the whole file system")
}

func userIdentity(e *check.Evidence, a AccessPoint) check.Verdict {
	return check.Must(check.Read(e, a.Detail).EnforcesUser, "clients act as a fixed user", "clients act as the user that they claim to be")
}
