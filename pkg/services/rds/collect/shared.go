package collect

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

// groupTLS asks only for the parameter that checks look at: a group has
// hundreds.
func groupTLS(r *collect.Reading, client *sdk.Client, group *string, engine string) fact.Of[string] {
	name := rds.TLSParameter(engine)
	return collect.Ask(r, func(ctx context.Context) (string, error) {
		pages := sdk.NewDescribeDBParametersPaginator(client, &sdk.DescribeDBParametersInput{
			DBParameterGroupName: group, Filters: named(name), MaxRecords: aws.Int32(most),
		})
		found, err := collect.Pages(ctx, pages, func(o *sdk.DescribeDBParametersOutput) []types.Parameter { return o.Parameters })
		return value(found, name), err
	})
}

// clusterGroup is groupTLS for the parameter group of a cluster.
func clusterGroup(r *collect.Reading, client *sdk.Client, group *string, engine string) fact.Of[rds.Parameters] {
	names := []string{rds.TLSParameter(engine)}
	if engine == "aurora-mysql" {
		names = append(names, rds.AuditLogging)
	}
	return collect.Ask(r, func(ctx context.Context) (rds.Parameters, error) {
		pages := sdk.NewDescribeDBClusterParametersPaginator(client, &sdk.DescribeDBClusterParametersInput{
			DBClusterParameterGroupName: group, Filters: named(names...), MaxRecords: aws.Int32(most),
		})
		found, err := collect.Pages(ctx, pages, func(o *sdk.DescribeDBClusterParametersOutput) []types.Parameter { return o.Parameters })
		return rds.Parameters{RequireTLS: value(found, names[0]), AuditLogging: value(found, rds.AuditLogging)}, err
	})
}

func named(parameters ...string) []types.Filter {
	return []types.Filter{{Name: aws.String("parameter-name"), Values: parameters}}
}

func value(parameters []types.Parameter, name string) string {
	for _, p := range parameters {
		if aws.ToString(p.ParameterName) == name {
			return aws.ToString(p.ParameterValue)
		}
	}
	return ""
}

// newSupport tells until when AWS supports a database's major version. One
// listing knows all versions; it is made when the first database asks.
func newSupport(ctx context.Context, s *collect.Session, client *sdk.Client) func(rds.Database) fact.Of[rds.Support] {
	r := collect.NewReading(ctx, s)
	versions := sync.OnceValue(func() fact.Of[[]types.DBMajorEngineVersion] {
		return collect.Ask(r, func(ctx context.Context) ([]types.DBMajorEngineVersion, error) {
			pages := sdk.NewDescribeDBMajorEngineVersionsPaginator(client, &sdk.DescribeDBMajorEngineVersionsInput{MaxRecords: aws.Int32(most)})
			return collect.Pages(ctx, pages, func(o *sdk.DescribeDBMajorEngineVersionsOutput) []types.DBMajorEngineVersion {
				return o.DBMajorEngineVersions
			})
		})
	})
	return func(d rds.Database) fact.Of[rds.Support] {
		return fact.Map(versions(), func(all []types.DBMajorEngineVersion) rds.Support {
			return rds.Support{StandardUntil: standardUntil(all, d)}
		})
	}
}

func standardUntil(all []types.DBMajorEngineVersion, d rds.Database) *time.Time {
	for _, v := range all {
		if aws.ToString(v.Engine) != d.Engine || !strings.HasPrefix(d.Version+".", aws.ToString(v.MajorEngineVersion)+".") {
			continue
		}
		for _, cycle := range v.SupportedEngineLifecycles {
			if cycle.LifecycleSupportName == types.LifecycleSupportNameOpenSourceRdsStandardSupport {
				return cycle.LifecycleSupportEndDate
			}
		}
	}
	return nil
}
