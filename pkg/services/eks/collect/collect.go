// Package collect reads EKS clusters from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/eks"
)

// Spec is how EKS is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "eks",
		Walks: []collect.Walk{{
			Kinds:      []string{eks.Cluster{}.Kind()},
			Operations: []string{"EKS.ListClusters", "EKS.DescribeCluster"},
			Run:        clusters,
		}},
	}
}

func clusters(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, collect.KeepBody) })
	pages := sdk.NewListClustersPaginator(client, &sdk.ListClustersInput{MaxResults: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListClustersOutput) []string { return o.Clusters },
		func(r *collect.Reading, name string) *eks.Cluster {
			// The listing tells only names.
			c := &eks.Cluster{Resource: s.Resource(s.ARN("eks", "cluster/"+name), name)}
			c.Detail = collect.Get(r, client.DescribeCluster, &sdk.DescribeClusterInput{Name: aws.String(name)},
				func(o *sdk.DescribeClusterOutput) eks.Detail {
					d := detail(*o.Cluster)
					// A cluster is public unless it says otherwise, and older answers do not.
					// https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html, 29 November 2026.
					d.PublicEndpoint = collect.RequiredMember(o.ResultMetadata, d.PublicEndpoint, "cluster", "resourcesVpcConfig", "endpointPublicAccess")
					return d
				})
			return c
		})
}

func detail(c types.Cluster) eks.Detail {
	vpc := *c.ResourcesVpcConfig
	d := eks.Detail{
		State:              string(c.Status),
		Version:            aws.ToString(c.Version),
		PublicEndpoint:     vpc.EndpointPublicAccess,
		PrivateEndpoint:    vpc.EndpointPrivateAccess,
		PublicCIDRs:        collect.Prefixes("publicAccessCidrs", vpc.PublicAccessCidrs),
		DeletionProtection: c.DeletionProtection,
	}
	for _, encryption := range c.EncryptionConfig {
		if encryption.Provider != nil {
			d.SecretsKey = aws.ToString(encryption.Provider.KeyArn)
		}
	}
	if c.Logging != nil {
		for _, setup := range c.Logging.ClusterLogging {
			if !collect.Required("clusterLogging.enabled", setup.Enabled) {
				continue
			}
			for _, logType := range setup.Types {
				d.Logs = append(d.Logs, string(logType))
			}
		}
	}
	return d
}
