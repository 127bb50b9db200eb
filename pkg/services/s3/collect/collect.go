// Package collect reads S3's buckets and access settings from AWS.
package collect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// Spec is how S3 is collected.
func Spec() collect.Spec {
	return collect.Spec{
		Service: "s3",
		Global:  true,
		Walks: []collect.Walk{
			{
				Kinds: []string{s3.Bucket{}.Kind()},
				Operations: []string{
					"S3.ListBuckets", "S3.GetBucketPolicy", "S3.GetBucketAcl", "S3.GetBucketOwnershipControls", "S3.GetPublicAccessBlock",
					"S3.GetBucketEncryption", "S3.GetBucketVersioning", "S3.GetBucketLogging", "S3.GetBucketLifecycleConfiguration",
					"S3.GetObjectLockConfiguration", "S3.GetBucketReplication", "S3.GetBucketWebsite", "S3.GetBucketNotificationConfiguration",
				},
				Run: buckets,
			},
			{
				Kinds:      []string{s3.AccountPublicAccessBlock{}.Kind()},
				Operations: []string{"S3 Control.GetPublicAccessBlock"},
				Run:        accountBlock,
			},
			{
				Kinds:      []string{s3.MultiRegionAccessPoint{}.Kind()},
				Operations: []string{"S3 Control.ListMultiRegionAccessPoints", "S3 Control.GetMultiRegionAccessPointPolicy"},
				Run:        multiRegionAccessPoints,
			},
			{
				Kinds:      []string{s3.AccessPoint{}.Kind()},
				Operations: []string{"S3 Control.ListAccessPoints", "S3 Control.GetAccessPoint", "S3 Control.GetAccessPointPolicy"},
				Run:        accessPoints,
			},
		},
		CustomEndpoint: customEndpoint,
	}
}

// customEndpoint keeps buckets out of the host name, for which an emulator has
// no DNS.
func customEndpoint(_ string, options any) {
	if o, ok := options.(*sdk.Options); ok {
		o.UsePathStyle = true
	}
}

const noPublicAccessBlock = "NoSuchPublicAccessBlockConfiguration"

// noMultiRegionPolicy is called like the codes for buckets and for the access points of
// one region; no page of AWS lists it. If AWS sends another one, it makes a gap.
const noMultiRegionPolicy = "NoSuchMultiRegionAccessPointPolicy"

func accountBlock(ctx context.Context, s *collect.Session) error {
	client := s3control.NewFromConfig(s.Config)
	a := s3.AccountPublicAccessBlock{Resource: s.Resource(s.ARN("s3", "account-public-access-block"), "")}
	r := collect.NewReading(ctx, s)
	collect.Into(r, &a.Settings, client.GetPublicAccessBlock, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(s.Account)},
		func(o *s3control.GetPublicAccessBlockOutput) s3.PublicAccessBlock {
			return controlBlock(o.PublicAccessBlockConfiguration)
		}, noPublicAccessBlock)
	if err := r.Wait(); err != nil {
		return err
	}
	s.Emit(a)
	return nil
}

// multiRegion is the one region that answers for Multi-Region Access
// Points in AWS's main partition.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListMultiRegionAccessPoints.html
const multiRegion = "us-west-2"

func multiRegionAccessPoints(ctx context.Context, s *collect.Session) error {
	client := s3control.NewFromConfig(s.Config, func(o *s3control.Options) {
		if s.Partition == "aws" {
			o.Region = multiRegion
		}
	})
	pages := s3control.NewListMultiRegionAccessPointsPaginator(client, &s3control.ListMultiRegionAccessPointsInput{AccountId: aws.String(s.Account)})
	return collect.Each(ctx, s, pages,
		func(o *s3control.ListMultiRegionAccessPointsOutput) []types.MultiRegionAccessPointReport {
			return o.AccessPoints
		},
		func(r *collect.Reading, report types.MultiRegionAccessPointReport) *s3.MultiRegionAccessPoint {
			p := multiRegionAccessPoint(s, report)
			collect.Into(r, &p.Policy, client.GetMultiRegionAccessPointPolicy, &s3control.GetMultiRegionAccessPointPolicyInput{AccountId: aws.String(s.Account), Name: report.Name},
				func(o *s3control.GetMultiRegionAccessPointPolicyOutput) string { return s.Policy(multiRegionPolicy(o)) }, noMultiRegionPolicy)
			return p
		})
}
