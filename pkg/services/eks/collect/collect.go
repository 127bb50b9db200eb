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
	client := sdk.NewFromConfig(s.Config)
	pages := sdk.NewListClustersPaginator(client, &sdk.ListClustersInput{MaxResults: aws.Int32(100)})
	return collect.Each(ctx, s, pages, func(o *sdk.ListClustersOutput) []string { return o.Clusters },
		func(r *collect.Reading, name string) *eks.Cluster {
			// The listing tells only names.
			c := &eks.Cluster{Resource: s.Resource(s.ARN("eks", "cluster/"+name), name)}
			c.Detail = collect.Get(r, client.DescribeCluster, &sdk.DescribeClusterInput{Name: aws.String(name)},
				func(o *sdk.DescribeClusterOutput) eks.Detail { return detail(*o.Cluster) })
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
		PublicCIDRs:        vpc.PublicAccessCidrs,
		DeletionProtection: aws.ToBool(c.DeletionProtection),
	}
	for _, encryption := range c.EncryptionConfig {
		if encryption.Provider != nil {
			d.SecretsKey = aws.ToString(encryption.Provider.KeyArn)
		}
	}
	if c.Logging != nil {
		for _, setup := range c.Logging.ClusterLogging {
			if !aws.ToBool(setup.Enabled) {
				continue
			}
			for _, logType := range setup.Types {
				d.Logs = append(d.Logs, string(logType))
			}
		}
	}
	return d
}
