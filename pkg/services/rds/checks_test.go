package rds_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

// instance is a PostgreSQL instance as it should be, changed as a case needs.
func instance(change func(*rds.DBInstance, *rds.InstanceDetail)) rds.DBInstance {
	until := checktest.Now.AddDate(1, 0, 0)
	d := rds.InstanceDetail{
		Database: good("postgres", "16.3"), MonitoringInterval: 60, CA: "rds-ca-rsa2048-g1", CertificateUntil: &until,
	}
	i := rds.DBInstance{
		Resource: checktest.Ref("rds", "db:shop"), RequireTLS: fact.Known("1"), Support: fact.Known(rds.Support{StandardUntil: &until}),
	}
	if change != nil {
		change(&i, &d)
	}
	i.Detail = fact.Known(d)
	return i
}

func good(engine, version string) rds.Database {
	return rds.Database{
		Engine: engine, Version: version, MasterUser: "owner", Port: 6000, Encrypted: new(true), Protected: new(true),
		BackupDays: 7, CopyTags: new(true), IAMLogin: new(true), LogExports: []string{"postgresql", "audit", "error", "alert"}, MinorUpgrades: new(true), MultiAZ: new(true),
	}
}

func cluster(change func(*rds.DBCluster, *rds.ClusterDetail)) rds.DBCluster {
	until := checktest.Now.AddDate(1, 0, 0)
	d := rds.ClusterDetail{Database: good("aurora-mysql", "8.0.mysql_aurora.3.05.2"), BacktrackSeconds: 86400}
	c := rds.DBCluster{
		Resource: checktest.Ref("rds", "cluster:shop"), Support: fact.Known(rds.Support{StandardUntil: &until}),
		Parameters: fact.Known(rds.Parameters{RequireTLS: "ON", AuditLogging: "1"}),
	}
	if change != nil {
		change(&c, &d)
	}
	c.Detail = fact.Known(d)
	return c
}

// cases are those of a rule on what instances and clusters have in common.
type cases struct{ instance, cluster []checktest.Case }

// common are the cases of a rule that one change makes fail, for an instance and
// for a cluster.
func common(fails func(*rds.Database), more ...checktest.Case) cases {
	member := instance(func(_ *rds.DBInstance, d *rds.InstanceDetail) { fails(&d.Database); d.Cluster = "shop" })
	all := cases{
		instance: []checktest.Case{
			{Name: "good", Resource: instance(nil), Want: check.Pass},
			{Name: "bad", Resource: instance(func(_ *rds.DBInstance, d *rds.InstanceDetail) { fails(&d.Database) }), Want: check.Fail},
			{Name: "of a cluster", Resource: member, Want: check.NotApplicable},
		},
		cluster: []checktest.Case{
			{Name: "good", Resource: cluster(nil), Want: check.Pass},
			{Name: "bad", Resource: cluster(func(_ *rds.DBCluster, d *rds.ClusterDetail) { fails(&d.Database) }), Want: check.Fail},
		},
	}
	all.instance = append(all.instance, more...)
	return all
}

func of(engine, version string, change func(*rds.DBInstance, *rds.InstanceDetail)) rds.DBInstance {
	return instance(func(i *rds.DBInstance, d *rds.InstanceDetail) {
		d.Engine, d.Version = engine, version
		if change != nil {
			change(i, d)
		}
	})
}

func detail(change func(*rds.InstanceDetail)) rds.DBInstance {
	return instance(func(_ *rds.DBInstance, d *rds.InstanceDetail) { change(d) })
}

func clusterDetail(change func(*rds.ClusterDetail)) rds.DBCluster {
	return cluster(func(_ *rds.DBCluster, d *rds.ClusterDetail) { change(d) })
}

func TestChecks(t *testing.T) {
	t.Parallel()
	encrypted := common(func(d *rds.Database) { d.Encrypted = new(false) },
		checktest.Case{Name: "not told", Resource: detail(func(d *rds.InstanceDetail) { d.Encrypted = nil }), Want: check.NotAssessed})
	protected := common(func(d *rds.Database) { d.Protected = new(false) })
	tags := common(func(d *rds.Database) { d.CopyTags = new(false) })
	zones := common(func(d *rds.Database) { d.MultiAZ = new(false) })
	backups := common(func(d *rds.Database) { d.BackupDays = 6 },
		checktest.Case{Name: "off", Resource: detail(func(d *rds.InstanceDetail) { d.BackupDays = 0 }), Want: check.Fail},
		checktest.Case{Name: "replica", Resource: detail(func(d *rds.InstanceDetail) { d.BackupDays, d.ReplicaOf = 0, "shop" }), Want: check.NotApplicable})
	logins := common(func(d *rds.Database) { d.IAMLogin = new(false) },
		checktest.Case{Name: "Oracle", Resource: of("oracle-se2", "19", nil), Want: check.NotApplicable})
	logs := common(func(d *rds.Database) { d.LogExports = []string{"upgrade", "slowquery"} },
		checktest.Case{Name: "Oracle with both", Resource: of("oracle-ee-cdb", "19", nil), Want: check.Pass},
		checktest.Case{Name: "RDS Custom", Resource: of("custom-oracle-ee", "19", nil), Want: check.NotApplicable})
	admin := common(func(d *rds.Database) { d.MasterUser = "admin" },
		checktest.Case{Name: "postgres", Resource: detail(func(d *rds.InstanceDetail) { d.MasterUser = "postgres" }), Want: check.Fail})
	port := common(func(d *rds.Database) { d.Port = map[string]int32{"postgres": 5432, "aurora-mysql": 3306}[d.Engine] },
		checktest.Case{Name: "SQL Server", Resource: of("sqlserver-se", "15", func(_ *rds.DBInstance, d *rds.InstanceDetail) { d.Port = 1433 }), Want: check.Fail},
		checktest.Case{Name: "being created", Resource: detail(func(d *rds.InstanceDetail) { d.Port = 0 }), Want: check.NotApplicable},
		checktest.Case{Name: "RDS Custom", Resource: of("custom-oracle-ee", "19", nil), Want: check.NotApplicable})
	serverless := checktest.Case{Name: "Serverless v1", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.MultiAZ, d.Serverless = new(false), true }), Want: check.NotApplicable}

	table := checktest.Table{
		"rds-instance-encrypted": encrypted.instance, "rds-cluster-encrypted": encrypted.cluster,
		"rds-instance-deletion-protection": protected.instance, "rds-cluster-deletion-protection": protected.cluster,
		"rds-instance-copies-tags-to-snapshots": tags.instance, "rds-cluster-copies-tags-to-snapshots": tags.cluster,
		"rds-instance-multi-az": zones.instance, "rds-cluster-multi-az": append(zones.cluster, serverless),
		"rds-instance-backup-retention": backups.instance, "rds-cluster-backup-retention": backups.cluster,
		"rds-instance-iam-authentication": logins.instance, "rds-cluster-iam-authentication": logins.cluster,
		"rds-instance-log-exports": logs.instance, "rds-cluster-log-exports": logs.cluster,
		"rds-instance-no-default-admin": admin.instance, "rds-cluster-no-default-admin": admin.cluster,
		"rds-instance-no-default-port": port.instance, "rds-cluster-no-default-port": port.cluster,

		"rds-instance-not-public": {
			{Name: "private", Resource: instance(nil), Want: check.Pass},
			{Name: "public", Resource: detail(func(d *rds.InstanceDetail) { d.Public = true }), Want: check.Fail},
			{Name: "public, of a cluster", Resource: detail(func(d *rds.InstanceDetail) { d.Public, d.Cluster = true, "shop" }), Want: check.Fail},
		},
		"rds-instance-auto-minor-upgrade": {
			{Name: "on", Resource: instance(nil), Want: check.Pass},
			{Name: "off", Resource: detail(func(d *rds.InstanceDetail) { d.MinorUpgrades = new(false) }), Want: check.Fail},
			{Name: "not told", Resource: detail(func(d *rds.InstanceDetail) { d.MinorUpgrades = nil }), Want: check.NotAssessed},
			{Name: "off, of Aurora", Resource: of("aurora-mysql", "8.0", func(_ *rds.DBInstance, d *rds.InstanceDetail) { d.MinorUpgrades, d.Cluster = new(false), "shop" }), Want: check.Fail},
			{Name: "of a Multi-AZ cluster", Resource: detail(func(d *rds.InstanceDetail) { d.MinorUpgrades, d.Cluster = new(false), "shop" }), Want: check.NotApplicable},
			{Name: "RDS Custom", Resource: of("custom-oracle-ee", "19", nil), Want: check.NotApplicable},
		},
		"rds-cluster-auto-minor-upgrade": {
			{Name: "on", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.Engine = "mysql" }), Want: check.Pass},
			{Name: "off", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.Engine, d.MinorUpgrades = "mysql", new(false) }), Want: check.Fail},
			{Name: "Aurora", Resource: cluster(nil), Want: check.NotApplicable},
		},
		"rds-instance-enhanced-monitoring": {
			{Name: "on", Resource: instance(nil), Want: check.Pass},
			{Name: "off", Resource: detail(func(d *rds.InstanceDetail) { d.MonitoringInterval = 0 }), Want: check.Fail},
			{Name: "RDS Custom", Resource: of("custom-sqlserver-se", "15", nil), Want: check.NotApplicable},
		},
		"rds-instance-certificate-current": certificateCases(),
		"rds-cluster-backtrack": {
			{Name: "on", Resource: cluster(nil), Want: check.Pass},
			{Name: "off", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.BacktrackSeconds = 0 }), Want: check.Fail},
			{Name: "PostgreSQL", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.Engine = "aurora-postgresql" }), Want: check.NotApplicable},
		},
		"rds-cluster-aurora-mysql-audit": {
			{Name: "on", Resource: cluster(nil), Want: check.Pass},
			{Name: "not set", Resource: cluster(func(c *rds.DBCluster, _ *rds.ClusterDetail) { c.Parameters = fact.Known(rds.Parameters{}) }), Want: check.Fail},
			{Name: "PostgreSQL", Resource: clusterDetail(func(d *rds.ClusterDetail) { d.Engine = "aurora-postgresql" }), Want: check.NotApplicable},
		},
		"rds-instance-tls-required":     instanceTLSCases(),
		"rds-cluster-tls-required":      clusterTLSCases(),
		"rds-instance-engine-supported": supportCases(),
		"rds-cluster-engine-supported": {
			{Name: "supported", Resource: cluster(nil), Want: check.Pass},
			{Name: "no more", Resource: cluster(func(c *rds.DBCluster, _ *rds.ClusterDetail) { c.Support = ended() }), Want: check.Fail},
		},
	}
	for id, more := range otherCases() {
		table[id] = more
	}
	checktest.Run(t, rds.Service(), table)
}

func ended() fact.Of[rds.Support] {
	until := checktest.Now.AddDate(0, 0, -1)
	return fact.Known(rds.Support{StandardUntil: &until})
}

func certificateCases() []checktest.Case {
	until := func(days int) rds.DBInstance {
		end := checktest.Now.AddDate(0, 0, days)
		return detail(func(d *rds.InstanceDetail) { d.CertificateUntil = &end })
	}
	return []checktest.Case{
		{Name: "a year left", Resource: instance(nil), Want: check.Pass},
		{Name: "a month left", Resource: until(30), Want: check.Pass},
		{Name: "days left", Resource: until(29), Want: check.Fail},
		{Name: "expired", Resource: until(-1), Want: check.Fail},
		{Name: "expired authority", Resource: detail(func(d *rds.InstanceDetail) { d.CA = "rds-ca-2019" }), Want: check.Fail},
		{Name: "no date", Resource: detail(func(d *rds.InstanceDetail) { d.CertificateUntil = nil }), Want: check.Pass},
		{Name: "no date, of an authority nobody knows", Resource: detail(func(d *rds.InstanceDetail) { d.CertificateUntil, d.CA = nil, "rds-ca-default" }), Want: check.NotAssessed},
		{Name: "none", Resource: detail(func(d *rds.InstanceDetail) { d.CA, d.CertificateUntil = "", nil }), Want: check.NotApplicable},
	}
}

func instanceTLSCases() []checktest.Case {
	with := func(engine, version string, value string) rds.DBInstance {
		return of(engine, version, func(i *rds.DBInstance, _ *rds.InstanceDetail) { i.RequireTLS = fact.Known(value) })
	}
	return []checktest.Case{
		{Name: "forced", Resource: instance(nil), Want: check.Pass},
		{Name: "forced by MySQL", Resource: with("mysql", "8.4.3", "1"), Want: check.Pass},
		{Name: "off", Resource: with("sqlserver-se", "15.0", "0"), Want: check.Fail},
		{Name: "MySQL by default", Resource: with("mysql", "8.4.3", ""), Want: check.Fail},
		{Name: "PostgreSQL 14 by default", Resource: with("postgres", "14.9", ""), Want: check.Fail},
		{Name: "MySQL 9.7 by default", Resource: with("mysql", "9.7.0", ""), Want: check.Pass},
		{Name: "MySQL of a later major version", Resource: with("mysql", "10.1", ""), Want: check.NotAssessed},
		{Name: "PostgreSQL of a later major version", Resource: with("postgres", "19.1", ""), Want: check.NotAssessed},
		{Name: "a version that is no number", Resource: with("postgres", "devel", ""), Want: check.NotAssessed},
		{Name: "SQL Server by default", Resource: with("sqlserver-se", "15.0", ""), Want: check.Fail},
		{Name: "PostgreSQL 15 by default", Resource: with("postgres", "15.2", ""), Want: check.Pass},
		{Name: "MariaDB 11.4 by default", Resource: with("mariadb", "11.4.2", ""), Want: check.Fail},
		{Name: "MariaDB 11.8 by default", Resource: with("mariadb", "11.8", ""), Want: check.Pass},
		{Name: "Oracle", Resource: of("oracle-se2", "19", nil), Want: check.NotApplicable},
		{Name: "of a cluster", Resource: detail(func(d *rds.InstanceDetail) { d.Cluster = "shop" }), Want: check.NotApplicable},
	}
}

func clusterTLSCases() []checktest.Case {
	return []checktest.Case{
		{Name: "required", Resource: cluster(nil), Want: check.Pass},
		{Name: "off", Resource: cluster(func(c *rds.DBCluster, _ *rds.ClusterDetail) {
			c.Parameters = fact.Known(rds.Parameters{RequireTLS: "OFF"})
		}), Want: check.Fail},
		{Name: "PostgreSQL by default", Resource: cluster(func(c *rds.DBCluster, d *rds.ClusterDetail) {
			d.Engine, d.Version, c.Parameters = "aurora-postgresql", "16.6", fact.Known(rds.Parameters{})
		}), Want: check.Fail},
		{Name: "PostgreSQL 17 by default", Resource: cluster(func(c *rds.DBCluster, d *rds.ClusterDetail) {
			d.Engine, d.Version, c.Parameters = "aurora-postgresql", "17.4", fact.Known(rds.Parameters{})
		}), Want: check.Pass, Reports: []string{"mondoohq/cnspec#3707"}},
		{Name: "PostgreSQL 18 by default", Resource: cluster(func(c *rds.DBCluster, d *rds.ClusterDetail) {
			d.Engine, d.Version, c.Parameters = "aurora-postgresql", "19.1", fact.Known(rds.Parameters{})
		}), Want: check.NotAssessed},
	}
}

func supportCases() []checktest.Case {
	return []checktest.Case{
		{Name: "supported", Resource: instance(nil), Want: check.Pass},
		{Name: "no more", Resource: instance(func(i *rds.DBInstance, _ *rds.InstanceDetail) { i.Support = ended() }), Want: check.Fail},
		{Name: "extended", Resource: instance(func(i *rds.DBInstance, d *rds.InstanceDetail) {
			i.Support, d.Lifecycle = ended(), "open-source-rds-extended-support"
		}), Want: check.Fail},
		{Name: "unknown version", Resource: instance(func(i *rds.DBInstance, _ *rds.InstanceDetail) { i.Support = fact.Known(rds.Support{}) }), Want: check.NotApplicable},
		{Name: "Oracle", Resource: of("oracle-se2", "19", nil), Want: check.NotApplicable},
		{Name: "of a cluster", Resource: detail(func(d *rds.InstanceDetail) { d.Cluster = "shop" }), Want: check.NotApplicable},
	}
}
