package rds

import (
	"fmt"
	"slices"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return slices.Concat(instanceRules(), clusterRules(), snapshotRules(), otherRules())
}

var (
	backupDays        = check.NewNumber("days", "days", "For how many days backups are kept, at least", 7, 1, 35)
	certificateNotice = check.NewNumber("days", "days", "For how many days more a certificate is valid, at least", 30, 1, 365)
)

func instanceRules() []check.Rule {
	return []check.Rule{
		check.For("rds-instance-encrypted", model.High, standalone(encrypted)),
		check.For("rds-instance-not-public", model.High, notPublic),
		check.For("rds-instance-auto-minor-upgrade", model.Medium, minorUpgrades),
		check.For("rds-instance-multi-az", model.Medium, standalone(multiAZ)),
		check.For("rds-instance-deletion-protection", model.Medium, standalone(protected)),
		check.For("rds-instance-backup-retention", model.Medium, standaloneBy(instanceBackups)).With(backupDays),
		check.For("rds-instance-copies-tags-to-snapshots", model.Low, standalone(copiesTags)),
		check.For("rds-instance-iam-authentication", model.Low, standalone(iamLogin)),
		check.For("rds-instance-log-exports", model.Medium, standalone(logExports)),
		check.For("rds-instance-no-default-admin", model.Medium, standalone(noDefaultAdmin)),
		check.For("rds-instance-no-default-port", model.Low, standalone(noDefaultPort)),
		check.For("rds-instance-enhanced-monitoring", model.Low, enhancedMonitoring),
		check.For("rds-instance-certificate-current", model.High, certificateCurrent).With(certificateNotice),
		check.For("rds-instance-tls-required", model.High, instanceTLS),
		check.For("rds-instance-engine-supported", model.High, instanceSupported),
	}
}

func clusterRules() []check.Rule {
	return []check.Rule{
		check.For("rds-cluster-encrypted", model.High, ofCluster(encrypted)),
		check.For("rds-cluster-auto-minor-upgrade", model.Medium, ofCluster(clusterMinorUpgrades)),
		check.For("rds-cluster-multi-az", model.Medium, clusterMultiAZ),
		check.For("rds-cluster-deletion-protection", model.Medium, ofCluster(protected)),
		check.For("rds-cluster-backup-retention", model.Medium, ofClusterBy(backups)).With(backupDays),
		check.For("rds-cluster-copies-tags-to-snapshots", model.Low, ofCluster(copiesTags)),
		check.For("rds-cluster-iam-authentication", model.Low, ofCluster(iamLogin)),
		check.For("rds-cluster-log-exports", model.Medium, ofCluster(logExports)),
		check.For("rds-cluster-no-default-admin", model.Medium, ofCluster(noDefaultAdmin)),
		check.For("rds-cluster-no-default-port", model.Low, ofCluster(noDefaultPort)),
		check.For("rds-cluster-backtrack", model.Low, backtrack),
		check.For("rds-cluster-tls-required", model.High, clusterTLS),
		check.For("rds-cluster-aurora-mysql-audit", model.Low, auroraAudit),
		check.For("rds-cluster-engine-supported", model.High, clusterSupported),
	}
}

// standalone is a rule over an instance by itself; what it asks of an instance
// of a cluster is the cluster's to answer.
func standalone(judge func(Database) check.Verdict) func(*check.Evidence, DBInstance) check.Verdict {
	return standaloneBy(func(_ *check.Evidence, d Database) check.Verdict { return judge(d) })
}

// standaloneBy is standalone of a rule that reads options.
func standaloneBy(judge func(*check.Evidence, Database) check.Verdict) func(*check.Evidence, DBInstance) check.Verdict {
	return func(e *check.Evidence, i DBInstance) check.Verdict {
		d := check.Read(e, i.Detail)
		if d.Cluster != "" {
			return inCluster(d)
		}
		return judge(e, d.Database)
	}
}

func inCluster(d InstanceDetail) check.Verdict {
	return check.Inapplicable("the cluster " + d.Cluster + " is judged instead")
}

// ofCluster is a rule over what clusters have in common with instances.
func ofCluster(judge func(Database) check.Verdict) func(*check.Evidence, DBCluster) check.Verdict {
	return ofClusterBy(func(_ *check.Evidence, d Database) check.Verdict { return judge(d) })
}

// ofClusterBy is ofCluster of a rule that reads options.
func ofClusterBy(judge func(*check.Evidence, Database) check.Verdict) func(*check.Evidence, DBCluster) check.Verdict {
	return func(e *check.Evidence, c DBCluster) check.Verdict { return judge(e, check.Read(e, c.Detail).Database) }
}

func notPublic(e *check.Evidence, i DBInstance) check.Verdict {
	return check.Must(!check.Read(e, i.Detail).Public, "the instance has no public address", "the instance is publicly accessible")
}

func minorUpgrades(e *check.Evidence, i DBInstance) check.Verdict {
	d := check.Read(e, i.Detail)
	switch {
	case d.Custom():
		return check.Inapplicable("the customer upgrades RDS Custom himself")
	case d.Cluster != "" && !aurora(d.Engine):
		return inCluster(d)
	default:
		return upgrades(d.Database)
	}
}

// clusterMinorUpgrades leaves Aurora to its instances, which have the setting.
func clusterMinorUpgrades(d Database) check.Verdict {
	if aurora(d.Engine) {
		return check.Inapplicable("Aurora is upgraded instance by instance")
	}
	if _, known := familyOf(d.Engine); !known {
		return check.Unfamiliar("engine", d.Engine)
	}
	return upgrades(d)
}

func upgrades(d Database) check.Verdict {
	return check.Must(check.Told("AutoMinorVersionUpgrade", d.MinorUpgrades), "minor versions are installed automatically", "minor versions are not installed automatically")
}

func clusterMultiAZ(e *check.Evidence, c DBCluster) check.Verdict {
	d := check.Read(e, c.Detail)
	if d.Serverless {
		return check.Inapplicable("Aurora Serverless v1 moves to another zone by itself")
	}
	return multiAZ(d.Database)
}

func instanceBackups(e *check.Evidence, d Database) check.Verdict {
	if d.ReplicaOf != "" {
		return check.Inapplicable("the replica's source " + d.ReplicaOf + " is backed up")
	}
	return backups(e, d)
}

func backups(e *check.Evidence, d Database) check.Verdict {
	if d.BackupDays == 0 {
		return check.Failed("automated backups are off")
	}
	return check.Must(int(d.BackupDays) >= backupDays.Of(e), fmt.Sprintf("backups are kept for %d days", d.BackupDays), fmt.Sprintf("backups are kept for %d days only", d.BackupDays))
}

func enhancedMonitoring(e *check.Evidence, i DBInstance) check.Verdict {
	d := check.Read(e, i.Detail)
	if d.Custom() {
		return check.Inapplicable("RDS Custom has no enhanced monitoring")
	}
	return check.Must(d.MonitoringInterval > 0, fmt.Sprintf("the host is measured every %d seconds", d.MonitoringInterval), "enhanced monitoring is off")
}

// expired are the certificate authorities of RDS that are no more.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL-certificate-rotation.html
var expired = map[string]string{
	"rds-ca-2015": "March 2020",
	"rds-ca-2019": "August 2024",
}

// current are the certificate authorities of RDS that last until 2061 and longer.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html#UsingWithRDS.SSL.RegionCertificateAuthorities, 29 November 2026.
var current = []string{"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"}

func certificateCurrent(e *check.Evidence, i DBInstance) check.Verdict {
	d := check.Read(e, i.Detail)
	if end := expired[d.CA]; end != "" {
		return check.Failed("the certificate is of " + d.CA + ", which expired in " + end)
	}
	if d.CertificateUntil == nil {
		switch {
		case d.CA == "":
			return check.Inapplicable("RDS issued no certificate")
		case slices.Contains(current, d.CA):
			return check.Passed("the certificate is of " + d.CA)
		default:
			return check.Unfamiliar("certificate authority", d.CA)
		}
	}
	until := d.CertificateUntil.UTC().Format(time.DateOnly)
	return check.Must(e.Age(*d.CertificateUntil) <= -time.Duration(certificateNotice.Of(e))*24*time.Hour, "the certificate is valid until "+until, "the certificate ends on "+until)
}

func backtrack(e *check.Evidence, c DBCluster) check.Verdict {
	d := check.Read(e, c.Detail)
	if d.Engine != "aurora-mysql" {
		return check.Inapplicable("only Aurora MySQL has backtrack")
	}
	return check.Must(d.BacktrackSeconds > 0, fmt.Sprintf("the cluster can be wound back by %d hours", d.BacktrackSeconds/3600), "backtrack is off")
}
