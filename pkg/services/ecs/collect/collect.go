// Package collect reads ECS's clusters, services and task definitions from AWS,
// but no values of environments.
package collect

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
)

// Spec is how ECS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "ecs",
		Walks: []collect.Walk{
			{
				Kinds:      []string{ecs.Cluster{}.Kind()},
				Operations: []string{"ECS.ListClusters", "ECS.DescribeClusters"},
				Run:        clusters,
			},
			{
				// Services tell which task definitions are run, so both are one walk.
				Kinds: []string{ecs.TaskService{}.Kind(), ecs.TaskDefinition{}.Kind()},
				Operations: []string{
					"ECS.ListClusters", "ECS.ListServices", "ECS.DescribeServices", "ECS.ListTaskDefinitionFamilies", "ECS.DescribeTaskDefinition",
				},
				Run: tasks,
			},
		},
	}
}

// listClusters is the ARNs of the region's clusters, for both walks.
func listClusters(ctx context.Context, s *collect.Session, client *sdk.Client) ([]string, error) {
	return collect.Once(s, "clusters", func() ([]string, error) {
		pages := sdk.NewListClustersPaginator(client, &sdk.ListClustersInput{MaxResults: aws.Int32(100)})
		return collect.Pages(ctx, pages, func(o *sdk.ListClustersOutput) []string { return o.ClusterArns })
	})
}

// describedAtOnce is how many clusters one call describes.
const describedAtOnce = 100

// clusters describes many clusters by one call.
func clusters(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	arns, err := listClusters(ctx, s, client)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(arns, describedAtOnce) {
		all := collect.Ask(collect.NewReading(ctx, s), func(ctx context.Context) (map[string]ecs.ClusterDetail, error) {
			o, err := client.DescribeClusters(ctx, &sdk.DescribeClustersInput{
				Clusters: some, Include: []types.ClusterField{types.ClusterFieldSettings, types.ClusterFieldConfigurations},
			})
			if err != nil {
				return nil, err
			}
			return clusterDetails(o.Clusters), nil
		})
		for _, arn := range some {
			s.Emit(ecs.Cluster{Resource: s.Resource(arn, nameOf(arn)), Detail: pick(s, all, arn, "ecs:DescribeClusters")})
		}
	}
	return nil
}

// pick is one resource's part of what a call told of several.
func pick[T any](s *collect.Session, all fact.Of[map[string]T], arn, operation string) fact.Of[T] {
	details, gap := all.Get()
	if gap != nil {
		return fact.Unknown[T](*gap)
	}
	if detail, ok := details[arn]; ok {
		return fact.Known(detail)
	}
	return fact.Unknown[T](fact.Gap{Reason: fact.Failed, Operation: operation, Region: s.Region, Detail: "AWS listed it and did not describe it"})
}

func clusterDetails(all []types.Cluster) map[string]ecs.ClusterDetail {
	details := map[string]ecs.ClusterDetail{}
	for _, c := range all {
		d := ecs.ClusterDetail{State: aws.ToString(c.Status), ContainerInsights: "disabled", ExecLogging: string(types.ExecuteCommandLoggingDefault)}
		for _, setting := range c.Settings {
			if setting.Name == types.ClusterSettingNameContainerInsights {
				d.ContainerInsights = aws.ToString(setting.Value)
			}
		}
		if c.Configuration != nil && c.Configuration.ExecuteCommandConfiguration != nil {
			d.ExecLogging = string(c.Configuration.ExecuteCommandConfiguration.Logging)
		}
		details[aws.ToString(c.ClusterArn)] = d
	}
	return details
}
