package collect_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
	"github.com/cloudarq/cloudarq/pkg/services/rds/collect"
)

var (
	certificateUntil = time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)
	supportedUntil   = time.Date(2029, 2, 28, 23, 59, 59, 0, time.UTC)
)

const key = "arn:aws:kms:eu-west-1:111122223333:key/1"

func arn(name string) *string { return aws.String("arn:aws:rds:eu-west-1:111122223333:" + name) }

func resource(path, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: *arn(path), Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func full(f *fake.Fake) {
	databases(f)
	snapshots(f)
	fake.OnPages[sdk.DescribeDBProxiesInput](f,
		&sdk.DescribeDBProxiesOutput{Marker: aws.String("2"), DBProxies: []types.DBProxy{
			{Status: types.DBProxyStatusAvailable, DBProxyArn: arn("db-proxy:prx-1"), DBProxyName: aws.String("shop"), RequireTLS: aws.Bool(true), DebugLogging: aws.Bool(true)},
		}},
		&sdk.DescribeDBProxiesOutput{DBProxies: []types.DBProxy{{DBProxyArn: arn("db-proxy:prx-2"), DBProxyName: aws.String("plain")}}})
	fake.OnPages[sdk.DescribeEventSubscriptionsInput](f,
		&sdk.DescribeEventSubscriptionsOutput{Marker: aws.String("2"), EventSubscriptionsList: []types.EventSubscription{{
			CustSubscriptionId: aws.String("instances"), Enabled: aws.Bool(true), SourceType: aws.String("db-instance"),
			EventCategoriesList: []string{"failure"}, SourceIdsList: []string{"shop"}, Status: aws.String("active"),
		}}},
		&sdk.DescribeEventSubscriptionsOutput{EventSubscriptionsList: []types.EventSubscription{{CustSubscriptionId: aws.String("all"), Enabled: aws.Bool(false)}}})
}

func databases(f *fake.Fake) {
	fake.OnPages[sdk.DescribeDBInstancesInput](f,
		&sdk.DescribeDBInstancesOutput{Marker: aws.String("2"), DBInstances: []types.DBInstance{shop()}},
		&sdk.DescribeDBInstancesOutput{DBInstances: []types.DBInstance{
			{
				DBInstanceArn: arn("db:replica"), DBInstanceIdentifier: aws.String("replica"), Engine: aws.String("postgres"), EngineVersion: aws.String("16.3"),
				ReadReplicaSourceDBInstanceIdentifier: aws.String("shop"),
				DBParameterGroups:                     []types.DBParameterGroupStatus{{DBParameterGroupName: aws.String("hardened")}},
			},
			{
				DBInstanceArn: arn("db:aside"), DBInstanceIdentifier: aws.String("aside"), Engine: aws.String("oracle-se2"),
				ReadReplicaSourceDBClusterIdentifier: aws.String("ledger"),
			},
			{DBInstanceArn: arn("db:ledger-1"), DBInstanceIdentifier: aws.String("ledger-1"), Engine: aws.String("aurora-mysql"), DBClusterIdentifier: aws.String("ledger")},
			{DBInstanceArn: arn("db:graph"), DBInstanceIdentifier: aws.String("graph"), Engine: aws.String("neptune")},
		}})
	fake.OnPages[sdk.DescribeDBParametersInput](f,
		&sdk.DescribeDBParametersOutput{Parameters: []types.Parameter{
			{ParameterName: aws.String("rds.force_ssl"), ParameterValue: aws.String("1")},
			{ParameterName: aws.String("shared_buffers"), ParameterValue: aws.String("1000")},
		}})
	fake.OnPages[sdk.DescribeDBClustersInput](f,
		&sdk.DescribeDBClustersOutput{Marker: aws.String("2"), DBClusters: []types.DBCluster{ledger()}},
		&sdk.DescribeDBClustersOutput{DBClusters: []types.DBCluster{
			{DBClusterArn: arn("cluster:docs"), DBClusterIdentifier: aws.String("docs"), Engine: aws.String("docdb")},
			{
				DBClusterArn: arn("cluster:old"), DBClusterIdentifier: aws.String("old"), Engine: aws.String("aurora-postgresql"),
				EngineVersion: aws.String("10.21"), EngineMode: aws.String("serverless"), DBClusterParameterGroup: aws.String("old"),
			},
		}})
	fake.On(f, func(in *sdk.DescribeDBClusterParametersInput) (*sdk.DescribeDBClusterParametersOutput, error) {
		var found []types.Parameter
		for _, name := range in.Filters[0].Values {
			found = append(found, types.Parameter{ParameterName: aws.String(name), ParameterValue: aws.String("ON")})
		}
		return &sdk.DescribeDBClusterParametersOutput{Parameters: found}, nil
	})
	standard := []types.SupportedEngineLifecycle{
		{LifecycleSupportName: types.LifecycleSupportNameOpenSourceRdsExtendedSupport, LifecycleSupportEndDate: aws.Time(supportedUntil.AddDate(3, 0, 0))},
		{LifecycleSupportName: types.LifecycleSupportNameOpenSourceRdsStandardSupport, LifecycleSupportEndDate: &supportedUntil},
	}
	fake.On(f, func(in *sdk.DescribeDBMajorEngineVersionsInput) (*sdk.DescribeDBMajorEngineVersionsOutput, error) {
		if in.Marker == nil {
			return &sdk.DescribeDBMajorEngineVersionsOutput{Marker: aws.String("2"), DBMajorEngineVersions: []types.DBMajorEngineVersion{
				{Engine: aws.String("postgres"), MajorEngineVersion: aws.String("1")},
				{Engine: aws.String("postgres"), MajorEngineVersion: aws.String("16"), SupportedEngineLifecycles: standard},
			}}, nil
		}
		return &sdk.DescribeDBMajorEngineVersionsOutput{DBMajorEngineVersions: []types.DBMajorEngineVersion{
			{Engine: aws.String("aurora-mysql"), MajorEngineVersion: aws.String("8.0"), SupportedEngineLifecycles: standard},
		}}, nil
	})
}

func shop() types.DBInstance {
	return types.DBInstance{
		DBInstanceStatus: aws.String("available"),
		DBInstanceArn:    arn("db:shop"), DBInstanceIdentifier: aws.String("shop"), Engine: aws.String("postgres"), EngineVersion: aws.String("16.3"),
		MasterUsername: aws.String("owner"), Endpoint: &types.Endpoint{Port: aws.Int32(5432)},
		StorageEncrypted: aws.Bool(true), KmsKeyId: aws.String(key), DeletionProtection: aws.Bool(true), BackupRetentionPeriod: aws.Int32(7),
		CopyTagsToSnapshot: aws.Bool(true), IAMDatabaseAuthenticationEnabled: aws.Bool(true), EnabledCloudwatchLogsExports: []string{"postgresql"},
		AutoMinorVersionUpgrade: aws.Bool(true), MultiAZ: aws.Bool(true), EngineLifecycleSupport: aws.String("open-source-rds-extended-support"),
		PubliclyAccessible: aws.Bool(true), MonitoringInterval: aws.Int32(60), CACertificateIdentifier: aws.String("rds-ca-rsa2048-g1"),
		CertificateDetails: &types.CertificateDetails{CAIdentifier: aws.String("rds-ca-rsa2048-g1"), ValidTill: &certificateUntil},
		DBParameterGroups:  []types.DBParameterGroupStatus{{DBParameterGroupName: aws.String("hardened"), ParameterApplyStatus: aws.String("in-sync")}},
		VpcSecurityGroups:  []types.VpcSecurityGroupMembership{{VpcSecurityGroupId: aws.String("sg-1"), Status: aws.String("active")}},
		DBSubnetGroup:      &types.DBSubnetGroup{Subnets: []types.Subnet{{SubnetIdentifier: aws.String("subnet-1")}}},
	}
}

func ledger() types.DBCluster {
	return types.DBCluster{
		Status:       aws.String("available"),
		DBClusterArn: arn("cluster:ledger"), DBClusterIdentifier: aws.String("ledger"), Engine: aws.String("aurora-mysql"), EngineMode: aws.String("provisioned"),
		EngineVersion: aws.String("8.0.mysql_aurora.3.05.2"), MasterUsername: aws.String("owner"), Port: aws.Int32(3306),
		StorageEncrypted: aws.Bool(true), KmsKeyId: aws.String(key), DeletionProtection: aws.Bool(true), BackupRetentionPeriod: aws.Int32(1),
		CopyTagsToSnapshot: aws.Bool(true), IAMDatabaseAuthenticationEnabled: aws.Bool(true), EnabledCloudwatchLogsExports: []string{"audit"},
		AutoMinorVersionUpgrade: aws.Bool(true), MultiAZ: aws.Bool(true), EngineLifecycleSupport: aws.String("open-source-rds-extended-support-disabled"),
		ReplicationSourceIdentifier: aws.String("elsewhere"), BacktrackWindow: aws.Int64(3600), DBClusterParameterGroup: aws.String("hardened"),
	}
}

func snapshots(f *fake.Fake) {
	fake.OnPages[sdk.DescribeDBSnapshotsInput](f,
		&sdk.DescribeDBSnapshotsOutput{Marker: aws.String("2"), DBSnapshots: []types.DBSnapshot{{
			Status: aws.String("available"), DBSnapshotArn: arn("snapshot:open"), DBSnapshotIdentifier: aws.String("open"), Engine: aws.String("postgres"), DBInstanceIdentifier: aws.String("shop"), Encrypted: aws.Bool(false),
		}}},
		&sdk.DescribeDBSnapshotsOutput{DBSnapshots: []types.DBSnapshot{
			{DBSnapshotArn: arn("snapshot:sealed"), DBSnapshotIdentifier: aws.String("sealed"), Encrypted: aws.Bool(true)},
		}})
	fake.On(f, func(*sdk.DescribeDBSnapshotAttributesInput) (*sdk.DescribeDBSnapshotAttributesOutput, error) {
		return &sdk.DescribeDBSnapshotAttributesOutput{DBSnapshotAttributesResult: &types.DBSnapshotAttributesResult{DBSnapshotAttributes: []types.DBSnapshotAttribute{
			{AttributeName: aws.String("restore"), AttributeValues: []string{"all"}},
		}}}, nil
	})
	fake.OnPages[sdk.DescribeDBClusterSnapshotsInput](f,
		&sdk.DescribeDBClusterSnapshotsOutput{Marker: aws.String("2"), DBClusterSnapshots: []types.DBClusterSnapshot{{
			Status: aws.String("available"), DBClusterSnapshotArn: arn("cluster-snapshot:open"), DBClusterSnapshotIdentifier: aws.String("open"), Engine: aws.String("aurora-mysql"), DBClusterIdentifier: aws.String("ledger"),
		}}},
		&sdk.DescribeDBClusterSnapshotsOutput{DBClusterSnapshots: []types.DBClusterSnapshot{
			{DBClusterSnapshotArn: arn("cluster-snapshot:docs"), DBClusterSnapshotIdentifier: aws.String("docs"), Engine: aws.String("docdb")},
			{DBClusterSnapshotArn: arn("cluster-snapshot:sealed"), DBClusterSnapshotIdentifier: aws.String("sealed"), StorageEncrypted: aws.Bool(true)},
		}})
	fake.On(f, func(*sdk.DescribeDBClusterSnapshotAttributesInput) (*sdk.DescribeDBClusterSnapshotAttributesOutput, error) {
		return &sdk.DescribeDBClusterSnapshotAttributesOutput{DBClusterSnapshotAttributesResult: &types.DBClusterSnapshotAttributesResult{
			DBClusterSnapshotAttributes: []types.DBClusterSnapshotAttribute{{AttributeName: aws.String("restore"), AttributeValues: []string{"444455556666"}}},
		}}, nil
	})
}

func TestCollect(t *testing.T) {
	t.Parallel()
	support := fact.Known(rds.Support{StandardUntil: &supportedUntil})
	common := func(engine, version string) rds.Database {
		return rds.Database{
			State:  "available",
			Engine: engine, Version: version, MasterUser: "owner", Encrypted: true, KMSKey: key, Protected: true,
			CopyTags: true, IAMLogin: true, MinorUpgrades: true, MultiAZ: true,
		}
	}
	shop := rds.InstanceDetail{
		Database: common("postgres", "16.3"), Public: true, MonitoringInterval: 60, CA: "rds-ca-rsa2048-g1", CertificateUntil: &certificateUntil,
		SecurityGroups: []string{"sg-1"}, Subnets: []string{"subnet-1"},
	}
	shop.Port, shop.BackupDays, shop.LogExports, shop.Lifecycle = 5432, 7, []string{"postgresql"}, "open-source-rds-extended-support"
	ledger := rds.ClusterDetail{Database: common("aurora-mysql", "8.0.mysql_aurora.3.05.2"), BacktrackSeconds: 3600}
	ledger.Port, ledger.BackupDays, ledger.LogExports = 3306, 1, []string{"audit"}
	ledger.Lifecycle, ledger.ReplicaOf = "open-source-rds-extended-support-disabled", "elsewhere"
	forced := fact.Known("1")

	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		rds.DBInstance{Resource: resource("db:shop", "shop"), Detail: fact.Known(shop), RequireTLS: forced, Support: support},
		rds.DBInstance{
			Resource: resource("db:replica", "replica"), RequireTLS: forced, Support: support,
			Detail: fact.Known(rds.InstanceDetail{Database: rds.Database{Engine: "postgres", Version: "16.3", ReplicaOf: "shop"}}),
		},
		rds.DBInstance{Resource: resource("db:aside", "aside"), Detail: fact.Known(rds.InstanceDetail{Database: rds.Database{Engine: "oracle-se2", ReplicaOf: "ledger"}})},
		rds.DBInstance{Resource: resource("db:ledger-1", "ledger-1"), Detail: fact.Known(rds.InstanceDetail{Database: rds.Database{Engine: "aurora-mysql"}, Cluster: "ledger"})},
		rds.DBCluster{
			Resource: resource("cluster:ledger", "ledger"), Detail: fact.Known(ledger), Support: support,
			Parameters: fact.Known(rds.Parameters{RequireTLS: "ON", AuditLogging: "ON"}),
		},
		rds.DBCluster{
			Resource: resource("cluster:old", "old"), Support: fact.Known(rds.Support{}), Parameters: fact.Known(rds.Parameters{RequireTLS: "ON"}),
			Detail: fact.Known(rds.ClusterDetail{Database: rds.Database{Engine: "aurora-postgresql", Version: "10.21"}, Serverless: true}),
		},
		rds.DBSnapshot{
			Resource: resource("snapshot:open", "open"), Restorers: fact.Known([]string{"all"}),
			Detail: fact.Known(rds.SnapshotDetail{State: "available", Engine: "postgres", Source: "shop"}),
		},
		rds.DBSnapshot{Resource: resource("snapshot:sealed", "sealed"), Detail: fact.Known(rds.SnapshotDetail{Encrypted: true})},
		rds.DBClusterSnapshot{
			Resource: resource("cluster-snapshot:open", "open"), Restorers: fact.Known([]string{"444455556666"}),
			Detail: fact.Known(rds.SnapshotDetail{State: "available", Engine: "aurora-mysql", Source: "ledger"}),
		},
		rds.DBClusterSnapshot{Resource: resource("cluster-snapshot:sealed", "sealed"), Detail: fact.Known(rds.SnapshotDetail{Encrypted: true})},
		rds.DBProxy{Resource: resource("db-proxy:prx-1", "shop"), Detail: fact.Known(rds.ProxyDetail{State: "available", RequireTLS: true, DebugLogging: true})},
		rds.DBProxy{Resource: resource("db-proxy:prx-2", "plain"), Detail: fact.Known(rds.ProxyDetail{})},
		rds.RegionSettings{
			Resource: resource("region-settings", collecttest.Region),
			Subscriptions: fact.Known([]rds.Subscription{
				{Name: "instances", Enabled: true, SourceType: "db-instance", Categories: []string{"failure"}, Sources: []string{"shop"}}, {Name: "all"},
			}),
		},
	})
}

// A parameter group and the list of versions are read once, however many
// databases share them.
func TestSharedAnswersAreReadOnce(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	collecttest.Walk(t, collect.Spec(), cloud)
	if calls := cloud.Calls("RDS.DescribeDBParameters"); calls != 1 {
		t.Errorf("%d calls of DescribeDBParameters, want 1", calls)
	}
	if calls := cloud.Calls("RDS.DescribeDBMajorEngineVersions"); calls != 4 {
		t.Errorf("%d calls of DescribeDBMajorEngineVersions, want 2 pages for instances and 2 for clusters", calls)
	}
}
