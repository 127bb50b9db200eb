package collect

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront"
)

func detail(s types.DistributionSummary) cloudfront.Detail {
	d := cloudfront.Detail{
		Enabled:   collect.Required("Enabled", s.Enabled),
		WebACL:    aws.ToString(s.WebACLId),
		Behaviors: behaviors(s),
	}
	for _, o := range s.Origins.Items {
		d.Origins = append(d.Origins, origin(o))
	}
	if s.OriginGroups != nil {
		d.OriginGroups = int(aws.ToInt32(s.OriginGroups.Quantity))
	}
	if s.Restrictions != nil && s.Restrictions.GeoRestriction != nil {
		d.GeoRestriction = string(s.Restrictions.GeoRestriction.RestrictionType)
	}
	c := collect.Required("ViewerCertificate", s.ViewerCertificate)
	d.Certificate = cloudfront.Certificate{
		Default:    aws.ToBool(c.CloudFrontDefaultCertificate),
		MinimumTLS: string(c.MinimumProtocolVersion),
		Method:     string(c.SSLSupportMethod),
	}
	if !d.Certificate.Default && c.ACMCertificateArn == nil && c.IAMCertificateId == nil {
		collect.Garbled("the viewer certificate is neither CloudFront's nor another")
	}
	if d.Certificate.Default {
		d.Certificate.Method = "" // AWS says vip, which is not so
	}
	return d
}

func behaviors(s types.DistributionSummary) []cloudfront.Behavior {
	var all []cloudfront.Behavior
	if s.CacheBehaviors != nil {
		for _, b := range s.CacheBehaviors.Items {
			all = append(all, cloudfront.Behavior{
				Path: collect.RequiredText("PathPattern", b.PathPattern), ViewerProtocol: viewerProtocol(b.ViewerProtocolPolicy),
				RealtimeLogs: aws.ToString(b.RealtimeLogConfigArn) != "", FieldLevelEncryption: aws.ToString(b.FieldLevelEncryptionId) != "",
			})
		}
	}
	b := collect.Required("DefaultCacheBehavior", s.DefaultCacheBehavior)
	return append(all, cloudfront.Behavior{
		Path: "*", ViewerProtocol: viewerProtocol(b.ViewerProtocolPolicy),
		RealtimeLogs: aws.ToString(b.RealtimeLogConfigArn) != "", FieldLevelEncryption: aws.ToString(b.FieldLevelEncryptionId) != "",
	})
}

func viewerProtocol(policy types.ViewerProtocolPolicy) string {
	return string(collect.Known("ViewerProtocolPolicy", policy, policy.Values()...))
}

func origin(o types.Origin) cloudfront.Origin {
	x := cloudfront.Origin{
		ID: aws.ToString(o.Id), S3: o.S3OriginConfig != nil, AccessControl: aws.ToString(o.OriginAccessControlId),
	}
	if x.S3 {
		x.AccessIdentity = aws.ToString(o.S3OriginConfig.OriginAccessIdentity)
	}
	if c := o.CustomOriginConfig; c != nil {
		x.Protocol = string(collect.Known("OriginProtocolPolicy", c.OriginProtocolPolicy, c.OriginProtocolPolicy.Values()...))
		for _, p := range collect.RequiredList("OriginSslProtocols", collect.Required("OriginSslProtocols", c.OriginSslProtocols).Items) {
			x.SSLProtocols = append(x.SSLProtocols, string(p))
		}
	}
	return x
}
