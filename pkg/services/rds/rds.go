// Package rds knows Amazon Relational Database Service, Aurora included: its
// databases, their snapshots and proxies, and what is right of them. Neptune
// and DocumentDB answer through the same API and are no part of it.
package rds

import (
	_ "embed"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of RDS.
func Service() check.Service {
	return check.Service{
		Name:  "rds",
		Title: "Amazon Relational Database Service",
		Kinds: []check.Kind{
			check.KindOf[DBInstance](), check.KindOf[DBCluster](), check.KindOf[DBSnapshot](), check.KindOf[DBClusterSnapshot](),
			check.KindOf[DBProxy](), check.KindOf[RegionSettings]().Stateless("a setting of the region"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Foreign reports whether an engine that RDS's API lists is another service.
func Foreign(engine string) bool { return engine == "neptune" || engine == "docdb" }

// DBInstance is a database instance, by itself or of a cluster.
type DBInstance struct {
	model.Resource
	Detail fact.Of[InstanceDetail] `json:"detail"`
	// RequireTLS is the value of the engine's TLSParameter, empty where the
	// parameter group does not set it. It and Support are asked only of instances
	// by themselves: those of a cluster follow the cluster.
	RequireTLS fact.Of[string]  `json:"require_tls"`
	Support    fact.Of[Support] `json:"support"`
}

// Kind implements check.Resource.
func (DBInstance) Kind() string { return "AWS::RDS::DBInstance" }

// DBCluster is an Aurora cluster or a Multi-AZ cluster of MySQL or PostgreSQL.
type DBCluster struct {
	model.Resource
	Detail     fact.Of[ClusterDetail] `json:"detail"`
	Parameters fact.Of[Parameters]    `json:"parameters"`
	Support    fact.Of[Support]       `json:"support"`
}

// Kind implements check.Resource.
func (DBCluster) Kind() string { return "AWS::RDS::DBCluster" }

// Database is what instances and clusters have in common. A flag is nil where AWS does not
// tell it.
type Database struct {
	State         string   `json:"state"`  // AWS's word
	Engine        string   `json:"engine"` // mysql, aurora-postgresql, sqlserver-se…
	Version       string   `json:"version"`
	MasterUser    string   `json:"master_user"`
	Port          int32    `json:"port"`
	Encrypted     *bool    `json:"encrypted,omitempty"`
	Protected     *bool    `json:"protected,omitempty"` // from deletion
	BackupDays    int32    `json:"backup_days"`
	CopyTags      *bool    `json:"copy_tags,omitempty"` // to snapshots
	IAMLogin      *bool    `json:"iam_login,omitempty"`
	LogExports    []string `json:"log_exports,omitempty"` // logs sent to CloudWatch
	MinorUpgrades *bool    `json:"minor_upgrades,omitempty"`
	MultiAZ       *bool    `json:"multi_az,omitempty"`
	// Lifecycle is open-source-rds-extended-support where AWS will bill support
	// beyond the standard one.
	Lifecycle string `json:"lifecycle,omitempty"`
	ReplicaOf string `json:"replica_of,omitempty"`
}

// Custom reports whether the customer runs the host of the engine himself.
func (d Database) Custom() bool { return strings.HasPrefix(d.Engine, "custom-") }

// InstanceDetail is what DescribeDBInstances tells.
type InstanceDetail struct {
	Database
	Cluster            string     `json:"cluster,omitempty"` // empty for an instance by itself
	Public             bool       `json:"public"`
	MonitoringInterval int32      `json:"monitoring_interval"` // seconds; 0 without enhanced monitoring
	CA                 string     `json:"ca"`                  // certificate authority: rds-ca-rsa2048-g1…
	CertificateUntil   *time.Time `json:"certificate_until,omitempty"`
}

// ClusterDetail is what DescribeDBClusters tells.
type ClusterDetail struct {
	Database
	BacktrackSeconds int64 `json:"backtrack_seconds"`
	Serverless       bool  `json:"serverless"` // Aurora Serverless v1
}

// Parameters are the parameters of a cluster that checks ask for; empty where
// the parameter group does not set one, so that the engine's default holds.
type Parameters struct {
	RequireTLS   string `json:"require_tls,omitempty"`   // the engine's TLSParameter
	AuditLogging string `json:"audit_logging,omitempty"` // server_audit_logging
}

// Support is how long AWS supports the engine's major version.
type Support struct {
	// StandardUntil is the end of standard support; absent for engines for which
	// AWS publishes no dates.
	StandardUntil *time.Time `json:"standard_until,omitempty"`
}

// DBSnapshot is a manual snapshot of an instance. Automated ones cannot be
// shared, and are encrypted as their instance is.
type DBSnapshot struct {
	model.Resource
	Detail fact.Of[SnapshotDetail] `json:"detail"`
	// Restorers are the accounts that may restore it, "all" for everybody. It is
	// asked only of unencrypted snapshots: others cannot be public.
	Restorers fact.Of[[]string] `json:"restorers"`
}

// Kind implements check.Resource.
func (DBSnapshot) Kind() string { return "AWS::RDS::DBSnapshot" }

// DBClusterSnapshot is a manual snapshot of a cluster.
type DBClusterSnapshot struct {
	model.Resource
	Detail    fact.Of[SnapshotDetail] `json:"detail"`
	Restorers fact.Of[[]string]       `json:"restorers"` // as of a DBSnapshot
}

// Kind implements check.Resource.
func (DBClusterSnapshot) Kind() string { return "AWS::RDS::DBClusterSnapshot" }

// SnapshotDetail is what the listings of snapshots tell.
type SnapshotDetail struct {
	State     string `json:"state"` // AWS's word
	Encrypted bool   `json:"encrypted"`
}

// DBProxy is an RDS proxy.
type DBProxy struct {
	model.Resource
	Detail fact.Of[ProxyDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (DBProxy) Kind() string { return "AWS::RDS::DBProxy" }

// ProxyDetail is what DescribeDBProxies tells.
type ProxyDetail struct {
	State        string `json:"state"` // AWS's word
	RequireTLS   bool   `json:"require_tls"`
	DebugLogging bool   `json:"debug_logging"` // writes SQL statements to CloudWatch
}

// RegionSettings is what RDS knows of the region as a whole.
type RegionSettings struct {
	model.Resource
	Subscriptions fact.Of[[]Subscription] `json:"subscriptions"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::RDS::RegionSettings" }

// Subscription is a subscription to RDS events.
type Subscription struct {
	Name       string   `json:"name"`
	Enabled    bool     `json:"enabled"`
	SourceType string   `json:"source_type,omitempty"` // db-instance, db-cluster…; empty for all
	Categories []string `json:"categories,omitempty"`  // none means all
	Sources    []string `json:"sources,omitempty"`     // none means all
}
