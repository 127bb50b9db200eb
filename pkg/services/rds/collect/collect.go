// Package collect reads RDS databases from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

// most is the largest page of RDS's listings.
const most = 100

// Spec is how RDS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "rds",
		Walks: []collect.Walk{
			{
				Kinds:      []string{rds.DBInstance{}.Kind()},
				Operations: []string{"RDS.DescribeDBInstances", "RDS.DescribeDBParameters", "RDS.DescribeDBMajorEngineVersions"},
				Run:        instances,
			},
			{
				Kinds:      []string{rds.DBCluster{}.Kind()},
				Operations: []string{"RDS.DescribeDBClusters", "RDS.DescribeDBClusterParameters", "RDS.DescribeDBMajorEngineVersions"},
				Run:        clusters,
			},
			{
				Kinds:      []string{rds.DBSnapshot{}.Kind()},
				Operations: []string{"RDS.DescribeDBSnapshots", "RDS.DescribeDBSnapshotAttributes"},
				Run:        snapshots,
			},
			{
				Kinds:      []string{rds.DBClusterSnapshot{}.Kind()},
				Operations: []string{"RDS.DescribeDBClusterSnapshots", "RDS.DescribeDBClusterSnapshotAttributes"},
				Run:        clusterSnapshots,
			},
			{
				Kinds:      []string{rds.DBProxy{}.Kind()},
				Operations: []string{"RDS.DescribeDBProxies"},
				Run:        proxies,
			},
			{
				Kinds:      []string{rds.RegionSettings{}.Kind()},
				Operations: []string{"RDS.DescribeEventSubscriptions"},
				Run:        settings,
			},
		},
	}
}

func instances(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	support, parameters := newSupport(ctx, s, client), &collect.Memo[string]{}
	pages := sdk.NewDescribeDBInstancesPaginator(client, &sdk.DescribeDBInstancesInput{MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBInstancesOutput) []types.DBInstance { return o.DBInstances },
		func(r *collect.Reading, found types.DBInstance) *rds.DBInstance {
			if rds.Foreign(aws.ToString(found.Engine)) {
				return nil
			}
			i := &rds.DBInstance{Resource: s.Resource(collect.RequiredARN("DBInstanceArn", found.DBInstanceArn), aws.ToString(found.DBInstanceIdentifier))}
			i.Detail = collect.From(r, found, instance)
			d, gap := i.Detail.Get()
			if gap != nil || d.Cluster != "" {
				return i
			}
			if rds.OpenSource(d.Engine) {
				r.Do(func(context.Context) { i.Support = support(d.Database) })
			}
			if rds.TLSParameter(d.Engine) != "" && len(found.DBParameterGroups) > 0 {
				group := found.DBParameterGroups[0].DBParameterGroupName
				r.Do(func(context.Context) {
					i.RequireTLS = parameters.Once(*group, func() fact.Of[string] { return groupTLS(r, client, group, d.Engine) })
				})
			}
			return i
		})
}

func clusters(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	support, parameters := newSupport(ctx, s, client), &collect.Memo[rds.Parameters]{}
	pages := sdk.NewDescribeDBClustersPaginator(client, &sdk.DescribeDBClustersInput{MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBClustersOutput) []types.DBCluster { return o.DBClusters },
		func(r *collect.Reading, found types.DBCluster) *rds.DBCluster {
			if rds.Foreign(aws.ToString(found.Engine)) {
				return nil
			}
			c := &rds.DBCluster{Resource: s.Resource(collect.RequiredARN("DBClusterArn", found.DBClusterArn), aws.ToString(found.DBClusterIdentifier))}
			c.Detail = collect.From(r, found, cluster)
			d, gap := c.Detail.Get()
			if gap != nil {
				return c
			}
			if rds.OpenSource(d.Engine) {
				r.Do(func(context.Context) { c.Support = support(d.Database) })
			}
			if group := found.DBClusterParameterGroup; group != nil && rds.TLSParameter(d.Engine) != "" {
				r.Do(func(context.Context) {
					c.Parameters = parameters.Once(*group, func() fact.Of[rds.Parameters] { return clusterGroup(r, client, group, d.Engine) })
				})
			}
			return c
		})
}

func proxies(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewDescribeDBProxiesPaginator(client, &sdk.DescribeDBProxiesInput{MaxRecords: aws.Int32(most)})
	return collect.Each(ctx, s, pages, func(o *sdk.DescribeDBProxiesOutput) []types.DBProxy { return o.DBProxies },
		func(r *collect.Reading, found types.DBProxy) *rds.DBProxy {
			p := &rds.DBProxy{Resource: s.Resource(collect.RequiredARN("DBProxyArn", found.DBProxyArn), aws.ToString(found.DBProxyName))}
			p.Detail = collect.From(r, found, func(found types.DBProxy) rds.ProxyDetail {
				return rds.ProxyDetail{
					State:        string(found.Status),
					RequireTLS:   collect.Required("RequireTLS", found.RequireTLS),
					DebugLogging: collect.Required("DebugLogging", found.DebugLogging),
				}
			})
			return p
		})
}

func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	x := rds.RegionSettings{Resource: s.Resource(s.ARN("rds", "region-settings"), s.Region)}
	r := collect.NewReading(ctx, s)
	x.Subscriptions = collect.Ask(r, func(ctx context.Context) ([]rds.Subscription, error) {
		pages := sdk.NewDescribeEventSubscriptionsPaginator(client, &sdk.DescribeEventSubscriptionsInput{MaxRecords: aws.Int32(most)})
		return collect.Pages(ctx, pages, subscriptions)
	})
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(x)
	return nil
}

func subscriptions(o *sdk.DescribeEventSubscriptionsOutput) []rds.Subscription {
	all := make([]rds.Subscription, len(o.EventSubscriptionsList))
	for i, found := range o.EventSubscriptionsList {
		all[i] = rds.Subscription{
			Name:       aws.ToString(found.CustSubscriptionId),
			Enabled:    collect.Required("Enabled", found.Enabled),
			SourceType: aws.ToString(found.SourceType),
			Categories: found.EventCategoriesList,
			Sources:    found.SourceIdsList,
		}
	}
	return all
}
