package collect

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

func instance(i types.DBInstance) rds.InstanceDetail {
	d := rds.InstanceDetail{
		Database: rds.Database{
			State:         aws.ToString(i.DBInstanceStatus),
			Engine:        aws.ToString(i.Engine),
			Version:       aws.ToString(i.EngineVersion),
			MasterUser:    aws.ToString(i.MasterUsername),
			Encrypted:     aws.ToBool(i.StorageEncrypted),
			KMSKey:        aws.ToString(i.KmsKeyId),
			Protected:     aws.ToBool(i.DeletionProtection),
			BackupDays:    aws.ToInt32(i.BackupRetentionPeriod),
			CopyTags:      aws.ToBool(i.CopyTagsToSnapshot),
			IAMLogin:      aws.ToBool(i.IAMDatabaseAuthenticationEnabled),
			LogExports:    i.EnabledCloudwatchLogsExports,
			MinorUpgrades: aws.ToBool(i.AutoMinorVersionUpgrade),
			MultiAZ:       aws.ToBool(i.MultiAZ),
			Lifecycle:     aws.ToString(i.EngineLifecycleSupport),
			ReplicaOf:     aws.ToString(i.ReadReplicaSourceDBInstanceIdentifier),
		},
		Cluster:            aws.ToString(i.DBClusterIdentifier),
		Public:             aws.ToBool(i.PubliclyAccessible),
		MonitoringInterval: aws.ToInt32(i.MonitoringInterval),
		CA:                 aws.ToString(i.CACertificateIdentifier),
	}
	if d.ReplicaOf == "" { // an instance that replicates a cluster
		d.ReplicaOf = aws.ToString(i.ReadReplicaSourceDBClusterIdentifier)
	}
	if i.Endpoint != nil { // absent while the instance is being created
		d.Port = aws.ToInt32(i.Endpoint.Port)
	}
	if i.CertificateDetails != nil {
		d.CertificateUntil = i.CertificateDetails.ValidTill
	}
	for _, group := range i.VpcSecurityGroups {
		d.SecurityGroups = append(d.SecurityGroups, aws.ToString(group.VpcSecurityGroupId))
	}
	if i.DBSubnetGroup != nil {
		for _, subnet := range i.DBSubnetGroup.Subnets {
			d.Subnets = append(d.Subnets, aws.ToString(subnet.SubnetIdentifier))
		}
	}
	return d
}

func cluster(c types.DBCluster) rds.ClusterDetail {
	return rds.ClusterDetail{
		Database: rds.Database{
			State:         aws.ToString(c.Status),
			Engine:        aws.ToString(c.Engine),
			Version:       aws.ToString(c.EngineVersion),
			MasterUser:    aws.ToString(c.MasterUsername),
			Port:          aws.ToInt32(c.Port),
			Encrypted:     aws.ToBool(c.StorageEncrypted),
			KMSKey:        aws.ToString(c.KmsKeyId),
			Protected:     aws.ToBool(c.DeletionProtection),
			BackupDays:    aws.ToInt32(c.BackupRetentionPeriod),
			CopyTags:      aws.ToBool(c.CopyTagsToSnapshot),
			IAMLogin:      aws.ToBool(c.IAMDatabaseAuthenticationEnabled),
			LogExports:    c.EnabledCloudwatchLogsExports,
			MinorUpgrades: aws.ToBool(c.AutoMinorVersionUpgrade),
			MultiAZ:       aws.ToBool(c.MultiAZ),
			Lifecycle:     aws.ToString(c.EngineLifecycleSupport),
			ReplicaOf:     aws.ToString(c.ReplicationSourceIdentifier),
		},
		BacktrackSeconds: aws.ToInt64(c.BacktrackWindow),
		Serverless:       aws.ToString(c.EngineMode) == "serverless",
	}
}
