package collect

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

func instance(i types.DBInstance) rds.InstanceDetail {
	d := rds.InstanceDetail{
		Database: rds.Database{
			State:         aws.ToString(i.DBInstanceStatus),
			Engine:        collect.RequiredText("Engine", i.Engine),
			Version:       collect.RequiredText("EngineVersion", i.EngineVersion),
			MasterUser:    collect.Optional("MasterUsername", i.MasterUsername),
			Encrypted:     i.StorageEncrypted,
			Protected:     i.DeletionProtection,
			BackupDays:    count("BackupRetentionPeriod", i.BackupRetentionPeriod),
			CopyTags:      i.CopyTagsToSnapshot,
			IAMLogin:      i.IAMDatabaseAuthenticationEnabled,
			LogExports:    i.EnabledCloudwatchLogsExports,
			MinorUpgrades: i.AutoMinorVersionUpgrade,
			MultiAZ:       i.MultiAZ,
			Lifecycle:     aws.ToString(i.EngineLifecycleSupport),
			ReplicaOf:     collect.Optional("ReadReplicaSourceDBInstanceIdentifier", i.ReadReplicaSourceDBInstanceIdentifier),
		},
		Cluster:            collect.Optional("DBClusterIdentifier", i.DBClusterIdentifier),
		Public:             collect.Required("PubliclyAccessible", i.PubliclyAccessible),
		MonitoringInterval: count("MonitoringInterval", i.MonitoringInterval),
		CA:                 aws.ToString(i.CACertificateIdentifier),
	}
	if d.ReplicaOf == "" { // an instance that replicates a cluster
		d.ReplicaOf = aws.ToString(i.ReadReplicaSourceDBClusterIdentifier)
	}
	if i.Endpoint != nil { // absent while the instance is being created
		d.Port = count("Endpoint.Port", i.Endpoint.Port)
	}
	if i.CertificateDetails != nil {
		d.CertificateUntil = i.CertificateDetails.ValidTill
	}
	return d
}

func cluster(c types.DBCluster) rds.ClusterDetail {
	return rds.ClusterDetail{
		Database: rds.Database{
			State:         aws.ToString(c.Status),
			Engine:        collect.RequiredText("Engine", c.Engine),
			Version:       collect.RequiredText("EngineVersion", c.EngineVersion),
			MasterUser:    collect.Optional("MasterUsername", c.MasterUsername),
			Port:          count("Port", c.Port),
			Encrypted:     c.StorageEncrypted,
			Protected:     c.DeletionProtection,
			BackupDays:    count("BackupRetentionPeriod", c.BackupRetentionPeriod),
			CopyTags:      c.CopyTagsToSnapshot,
			IAMLogin:      c.IAMDatabaseAuthenticationEnabled,
			LogExports:    c.EnabledCloudwatchLogsExports,
			MinorUpgrades: c.AutoMinorVersionUpgrade,
			MultiAZ:       c.MultiAZ,
			Lifecycle:     aws.ToString(c.EngineLifecycleSupport),
			ReplicaOf:     aws.ToString(c.ReplicationSourceIdentifier),
		},
		BacktrackSeconds: backtrack(c.BacktrackWindow),
		Serverless:       aws.ToString(c.EngineMode) == "serverless",
	}
}

// count is collect.Count as it is kept.
func count(member string, value *int32) int32 { return int32(collect.Count(member, value)) } //nolint:gosec // was one

func backtrack(seconds *int64) int64 {
	if aws.ToInt64(seconds) < 0 {
		collect.Garbled("BacktrackWindow is below 0: %d", *seconds)
	}
	return aws.ToInt64(seconds)
}
