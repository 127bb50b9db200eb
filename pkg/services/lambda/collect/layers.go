package collect

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
)

// layerVersions lists the versions of the region's own layers: each has a policy of its
// own, and functions go on using old ones.
func layerVersions(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	layers, err := collect.Pages(ctx, sdk.NewListLayersPaginator(client, &sdk.ListLayersInput{MaxItems: aws.Int32(50)}),
		func(o *sdk.ListLayersOutput) []types.LayersListItem { return o.Layers })
	if err != nil {
		return err
	}
	for _, layer := range layers {
		name := collect.RequiredText("LayerName", layer.LayerName)
		pages := sdk.NewListLayerVersionsPaginator(client, &sdk.ListLayerVersionsInput{LayerName: &name, MaxItems: aws.Int32(50)})
		err := collect.Each(ctx, s, pages, func(o *sdk.ListLayerVersionsOutput) []types.LayerVersionsListItem { return o.LayerVersions },
			func(r *collect.Reading, v types.LayerVersionsListItem) *lambda.LayerVersion {
				l := &lambda.LayerVersion{Resource: s.Resource(collect.RequiredARN("LayerVersionArn", v.LayerVersionArn), name+":"+strconv.FormatInt(v.Version, 10))}
				if !strings.HasSuffix(l.ARN, ":"+l.Name) { // the policy would be another's
					collect.Garbled("%s is not version %d of the layer %s", l.ARN, v.Version, name)
				}
				collect.Into(r, &l.Policy, client.GetLayerVersionPolicy, &sdk.GetLayerVersionPolicyInput{LayerName: &name, VersionNumber: &v.Version},
					func(o *sdk.GetLayerVersionPolicyOutput) string {
						return s.Policy(collect.RequiredText("Policy", o.Policy))
					}, "ResourceNotFoundException")
				return l
			})
		if err != nil && !collect.Gone(err) {
			return err
		}
	}
	return nil
}
