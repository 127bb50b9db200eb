package efs_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// fileSystem is a file system as it should be, changed as a case needs.
func fileSystem(change func(*efs.FileSystem, *efs.Detail)) efs.FileSystem {
	d := efs.Detail{Encrypted: true, MountTargets: 2}
	f := efs.FileSystem{
		Resource: checktest.Ref("elasticfilesystem", "file-system/fs-1"), Policy: fact.Known(""), Backup: fact.Known("ENABLED"), MountTargets: fact.Known([]efs.MountTarget{}),
	}
	if change != nil {
		change(&f, &d)
	}
	f.Detail = fact.Known(d)
	return f
}

func detail(change func(*efs.Detail)) efs.FileSystem {
	return fileSystem(func(_ *efs.FileSystem, d *efs.Detail) { change(d) })
}

func withPolicy(statements string) efs.FileSystem {
	return fileSystem(func(f *efs.FileSystem, _ *efs.Detail) {
		f.Policy = fact.Known(`{"Version": "2012-10-17", "Id": "efs-policy-wizard", "Statement": [` + statements + `]}`)
	})
}

const (
	resource = `"Resource": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"`
	// What the console writes for "Prevent anonymous access" is no Allow at all,
	// for "Enforce in-transit encryption" the Deny, and otherwise the first Allow.
	byMountTarget = `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], ` + resource +
		`, "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}}`
	denyPlain = `{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", ` + resource + `, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`
	everybody = `{"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount", ` + resource + `}`
	ownRole   = `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}, "Action": "elasticfilesystem:ClientMount", ` + resource + `}`
	foreign   = `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "elasticfilesystem:ClientMount", ` + resource + `}`
)

func accessPoint(root string, user bool) efs.AccessPoint {
	return efs.AccessPoint{
		Resource: checktest.Ref("elasticfilesystem", "access-point/fsap-1"), Detail: fact.Known(efs.AccessPointDetail{Root: root, EnforcesUser: user}),
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := fileSystem(nil)
	broken := fileSystem(func(f *efs.FileSystem, _ *efs.Detail) { f.Policy = fact.Known("[]") })
	inPolicy := func(statement string) check.Resource { return withPolicy(statement) }
	backup := func(state string) efs.FileSystem {
		return fileSystem(func(f *efs.FileSystem, _ *efs.Detail) { f.Backup = fact.Known(state) })
	}

	checktest.Run(t, efs.Service(), checktest.Table{
		"efs-file-system-encrypted": {
			{Name: "encrypted", Resource: good, Want: check.Pass},
			{Name: "plain", Resource: detail(func(d *efs.Detail) { d.Encrypted = false }), Want: check.Fail},
		},
		"efs-file-system-not-public": {
			{Name: "no policy", Resource: good, Want: check.Pass},
			{Name: "by mount targets only", Resource: withPolicy(byMountTarget + "," + denyPlain), Want: check.Pass},
			{Name: "own role", Resource: withPolicy(ownRole), Want: check.Pass},
			{Name: "everybody", Resource: withPolicy(everybody), Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
		"efs-file-system-policy-no-other-accounts": append(policytest.Names("elasticfilesystem:ClientMount", inPolicy), policytest.InZone([]checktest.Case{
			{Name: "no policy", Resource: good, Want: check.Pass},
			{Name: "own role", Resource: withPolicy(ownRole), Want: check.Pass},
			{Name: "another account", Resource: withPolicy(foreign), Want: check.Fail},
		})...),
		"efs-file-system-clients-identified": {
			{Name: "own role", Resource: withPolicy(ownRole + "," + denyPlain), Want: check.Pass},
			{Name: "nobody but by identity policy", Resource: withPolicy(denyPlain), Want: check.Pass},
			{Name: "no policy", Resource: good, Want: check.Fail},
			{Name: "whoever comes by a mount target", Resource: withPolicy(byMountTarget), Want: check.Fail},
			{Name: "everybody", Resource: withPolicy(everybody), Want: check.Fail},
		},
		"efs-file-system-tls-only": {
			{Name: "denies plain NFS", Resource: withPolicy(denyPlain + "," + byMountTarget), Want: check.Pass},
			{Name: "no policy", Resource: good, Want: check.Fail},
			{Name: "policy without", Resource: withPolicy(ownRole), Want: check.Fail},
			{Name: "not a policy", Resource: broken, Want: check.NotAssessed},
		},
		"efs-file-system-backup": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "soon on", Resource: backup("ENABLING"), Want: check.Pass},
			{Name: "off", Resource: backup("DISABLED"), Want: check.Fail},
			{Name: "never set up", Resource: backup(""), Want: check.Fail},
		},
		"efs-file-system-multi-az": {
			{Name: "two", Resource: good, Want: check.Pass},
			{Name: "one", Resource: detail(func(d *efs.Detail) { d.MountTargets = 1 }), Want: check.Fail},
			{Name: "One Zone", Resource: detail(func(d *efs.Detail) { d.Zone, d.MountTargets = "eu-west-1a", 0 }), Want: check.Fail},
			{Name: "none", Resource: detail(func(d *efs.Detail) { d.MountTargets = 0 }), Want: check.NotApplicable},
		},
		"efs-access-point-root-directory": {
			{Name: "own directory", Resource: accessPoint("/app", true), Want: check.Pass},
			{Name: "root", Resource: accessPoint("/", true), Want: check.Fail},
		},
		"efs-access-point-user-identity": {
			{Name: "fixed", Resource: accessPoint("/app", true), Want: check.Pass},
			{Name: "free", Resource: accessPoint("/app", false), Want: check.Fail},
		},
	}, policytest.Zones())
}
