package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// settings reads each of a region's settings by a call of its own. Where an
// answer lacks the setting, the pick panics, which collect makes a gap.
func settings(ctx context.Context, s *collect.Session) error {
	client := sdk.NewFromConfig(s.Config)
	x := ec2.RegionSettings{Resource: s.Resource(s.ARN("ec2", "region-settings"), s.Region)}
	r := collect.NewReading(ctx, s)
	collect.Into(r, &x.EBSEncryption, client.GetEbsEncryptionByDefault, &sdk.GetEbsEncryptionByDefaultInput{},
		func(o *sdk.GetEbsEncryptionByDefaultOutput) bool { return *o.EbsEncryptionByDefault })
	collect.Into(r, &x.SnapshotBlock, client.GetSnapshotBlockPublicAccessState, &sdk.GetSnapshotBlockPublicAccessStateInput{},
		func(o *sdk.GetSnapshotBlockPublicAccessStateOutput) string { return given(string(o.State)) })
	collect.Into(r, &x.ImageBlock, client.GetImageBlockPublicAccessState, &sdk.GetImageBlockPublicAccessStateInput{},
		func(o *sdk.GetImageBlockPublicAccessStateOutput) string { return *o.ImageBlockPublicAccessState })
	collect.Into(r, &x.Metadata, client.GetInstanceMetadataDefaults, &sdk.GetInstanceMetadataDefaultsInput{}, metadataDefaults)
	collect.Into(r, &x.SerialConsole, client.GetSerialConsoleAccessStatus, &sdk.GetSerialConsoleAccessStatusInput{},
		func(o *sdk.GetSerialConsoleAccessStatusOutput) bool { return *o.SerialConsoleAccessEnabled })
	collect.Into(r, &x.InternetBlock, client.DescribeVpcBlockPublicAccessOptions, &sdk.DescribeVpcBlockPublicAccessOptionsInput{},
		func(o *sdk.DescribeVpcBlockPublicAccessOptionsOutput) string {
			return given(string(o.VpcBlockPublicAccessOptions.InternetGatewayBlockMode))
		})
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(x)
	return nil
}

// given is a word that AWS always gives.
func given(word string) string {
	if word == "" {
		panic("no state")
	}
	return word
}

// metadataDefaults is empty where nobody has set a default.
func metadataDefaults(o *sdk.GetInstanceMetadataDefaultsOutput) ec2.Metadata {
	m := o.AccountLevel
	if m == nil {
		return ec2.Metadata{}
	}
	return ec2.Metadata{Endpoint: string(m.HttpEndpoint), Tokens: string(m.HttpTokens), HopLimit: aws.ToInt32(m.HttpPutResponseHopLimit)}
}
