package collect_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eks"
	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/eks"
	"github.com/cloudarq/cloudarq/pkg/services/eks/collect"
)

const keyARN = "arn:aws:kms:eu-west-1:111122223333:key/1"

func full(f *fake.Fake) {
	fake.OnPages[sdk.ListClustersInput](f,
		&sdk.ListClustersOutput{Clusters: []string{"shop"}, NextToken: aws.String("2")},
		&sdk.ListClustersOutput{Clusters: []string{"plain"}})
	fake.On(f, func(in *sdk.DescribeClusterInput) (*sdk.DescribeClusterOutput, error) {
		c := &types.Cluster{
			Name: in.Name, Status: types.ClusterStatusActive, Version: aws.String("1.34"),
			ResourcesVpcConfig: &types.VpcConfigResponse{EndpointPublicAccess: true, PublicAccessCidrs: []string{"0.0.0.0/0"}},
			Logging: &types.Logging{ClusterLogging: []types.LogSetup{{
				Enabled: aws.Bool(false), Types: []types.LogType{types.LogTypeScheduler},
			}}},
		}
		if *in.Name == "shop" {
			c.DeletionProtection = aws.Bool(true)
			c.ResourcesVpcConfig.EndpointPrivateAccess = true
			c.EncryptionConfig = []types.EncryptionConfig{{Resources: []string{"secrets"}, Provider: &types.Provider{KeyArn: aws.String(keyARN)}}}
			c.Logging.ClusterLogging = append(c.Logging.ClusterLogging, types.LogSetup{
				Enabled: aws.Bool(true), Types: []types.LogType{types.LogTypeApi, types.LogTypeAudit},
			})
		}
		return &sdk.DescribeClusterOutput{Cluster: c}, nil
	})
}

func cluster(name string, d eks.Detail) eks.Cluster {
	return eks.Cluster{
		Resource: model.Resource{Ref: model.Ref{
			ARN: "arn:aws:eks:eu-west-1:111122223333:cluster/" + name, Account: collecttest.Account, Region: collecttest.Region, Name: name,
		}},
		Detail: fact.Known(d),
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		cluster("shop", eks.Detail{
			State:   "ACTIVE",
			Version: "1.34", PublicEndpoint: true, PrivateEndpoint: true, PublicCIDRs: []string{"0.0.0.0/0"},
			SecretsKey: keyARN, Logs: []string{"api", "audit"}, DeletionProtection: true,
		}),
		cluster("plain", eks.Detail{State: "ACTIVE", Version: "1.34", PublicEndpoint: true, PublicCIDRs: []string{"0.0.0.0/0"}}),
	})
}
