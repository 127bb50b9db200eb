package cloudfront_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudfront"
)

// distribution is one as it should be, changed as a case needs.
func distribution(change func(*cloudfront.Distribution, *cloudfront.Detail)) cloudfront.Distribution {
	d := cloudfront.Detail{
		Enabled: true, WebACL: "arn:aws:wafv2:us-east-1:111122223333:global/webacl/site/1", OriginGroups: 1, GeoRestriction: "whitelist",
		Certificate: cloudfront.Certificate{MinimumTLS: "TLSv1.2_2021", Method: "sni-only"},
		Behaviors: []cloudfront.Behavior{
			{Path: "/login", ViewerProtocol: "https-only", FieldLevelEncryption: true}, {Path: "*", ViewerProtocol: "redirect-to-https"},
		},
		Origins: []cloudfront.Origin{
			{ID: "files", S3: true, AccessControl: "E1"},
			{ID: "app", Protocol: "https-only", SSLProtocols: []string{"TLSv1.2"}},
		},
	}
	x := cloudfront.Distribution{
		Resource: checktest.Ref("cloudfront", "distribution/E1"), Config: fact.Known(cloudfront.Config{RootObject: "index.html", Logging: true}), Delivery: fact.Known(false),
	}
	if change != nil {
		change(&x, &d)
	}
	x.Detail = fact.Known(d)
	return x
}

func detail(change func(*cloudfront.Detail)) cloudfront.Distribution {
	return distribution(func(_ *cloudfront.Distribution, d *cloudfront.Detail) { change(d) })
}

func origins(origins ...cloudfront.Origin) cloudfront.Distribution {
	return detail(func(d *cloudfront.Detail) { d.Origins = origins })
}

func certificate(c cloudfront.Certificate) cloudfront.Distribution {
	return detail(func(d *cloudfront.Detail) { d.Certificate = c })
}

func logged(bucket bool, delivery fact.Of[bool], live bool) cloudfront.Distribution {
	return distribution(func(x *cloudfront.Distribution, d *cloudfront.Detail) {
		x.Config, x.Delivery, d.Behaviors[1].RealtimeLogs = fact.Known(cloudfront.Config{Logging: bucket}), delivery, live
	})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := distribution(nil)
	off := checktest.Case{Name: "disabled", Resource: detail(func(d *cloudfront.Detail) { d.Enabled = false }), Want: check.NotApplicable}
	plain := detail(func(d *cloudfront.Detail) { d.Behaviors[1].ViewerProtocol = "allow-all" })
	own := cloudfront.Certificate{Default: true, MinimumTLS: "TLSv1"}
	bucket := cloudfront.Origin{ID: "files", S3: true, AccessControl: "E1"}
	app := func(protocol string, ssl ...string) cloudfront.Origin {
		return cloudfront.Origin{ID: "app", Protocol: protocol, SSLProtocols: ssl}
	}

	checktest.Run(t, cloudfront.Service(), checktest.Table{
		"cloudfront-distribution-viewer-https": {
			{Name: "HTTPS only", Resource: good, Want: check.Pass},
			{Name: "plain by default", Resource: plain, Want: check.Fail},
			{Name: "plain on one path", Resource: detail(func(d *cloudfront.Detail) { d.Behaviors[0].ViewerProtocol = "allow-all" }), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-tls-policy": {
			{Name: "2021", Resource: good, Want: check.Pass},
			{Name: "2025", Resource: certificate(cloudfront.Certificate{MinimumTLS: "TLSv1.3_2025"}), Want: check.Pass},
			{Name: "2019", Resource: certificate(cloudfront.Certificate{MinimumTLS: "TLSv1.2_2019"}), Want: check.Fail},
			{Name: "CloudFront's certificate", Resource: certificate(own), Want: check.Fail},
			{Name: "none", Resource: certificate(cloudfront.Certificate{}), Want: check.NotApplicable},
			off,
		},
		"cloudfront-distribution-custom-certificate": {
			{Name: "own", Resource: good, Want: check.Pass},
			{Name: "CloudFront's", Resource: certificate(own), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-sni": {
			{Name: "SNI", Resource: good, Want: check.Pass},
			{Name: "addresses", Resource: certificate(cloudfront.Certificate{MinimumTLS: "TLSv1", Method: "vip"}), Want: check.Fail},
			{Name: "CloudFront's certificate", Resource: certificate(own), Want: check.NotApplicable},
			off,
		},
		"cloudfront-distribution-logging": {
			{Name: "to a bucket", Resource: good, Want: check.Pass},
			{Name: "delivered", Resource: logged(false, fact.Known(true), false), Want: check.Pass},
			{Name: "in real time", Resource: logged(false, fact.Known(false), true), Want: check.Pass},
			{Name: "to a bucket, deliveries denied", Resource: logged(true, fact.Missing[bool](fact.Denied, "logs:DescribeDeliveries"), false), Want: check.Pass},
			{Name: "not at all", Resource: logged(false, fact.Known(false), false), Want: check.Fail},
			{Name: "deliveries denied", Resource: logged(false, fact.Missing[bool](fact.Denied, "logs:DescribeDeliveries"), false), Want: check.NotAssessed},
			off,
		},
		"cloudfront-distribution-waf": {
			{Name: "filtered", Resource: good, Want: check.Pass},
			{Name: "not filtered", Resource: detail(func(d *cloudfront.Detail) { d.WebACL = "" }), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-default-root-object": {
			{Name: "set", Resource: good, Want: check.Pass},
			{Name: "not set", Resource: logged(true, fact.Known(false), false), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-s3-origin-access-control": {
			{Name: "access control", Resource: good, Want: check.Pass},
			{Name: "nothing", Resource: origins(bucket, cloudfront.Origin{ID: "more", S3: true}), Want: check.Fail},
			{Name: "identity", Resource: origins(cloudfront.Origin{ID: "files", S3: true, AccessIdentity: "origin-access-identity/cloudfront/E1"}), Want: check.Fail},
			{Name: "no bucket", Resource: origins(app("https-only", "TLSv1.2")), Want: check.NotApplicable},
			off,
		},
		"cloudfront-distribution-origin-https": {
			{Name: "HTTPS only", Resource: good, Want: check.Pass},
			{Name: "as viewers, who use HTTPS", Resource: origins(app("match-viewer", "TLSv1.2")), Want: check.Pass},
			{Name: "as viewers, who may not", Resource: detail(func(d *cloudfront.Detail) {
				d.Behaviors[1].ViewerProtocol, d.Origins = "allow-all", []cloudfront.Origin{app("match-viewer", "TLSv1.2")}
			}), Want: check.Fail},
			{Name: "HTTP only", Resource: origins(bucket, app("http-only")), Want: check.Fail},
			{Name: "buckets only", Resource: origins(bucket), Want: check.NotApplicable},
			off,
		},
		"cloudfront-distribution-origin-no-deprecated-tls": {
			{Name: "TLSv1.2", Resource: good, Want: check.Pass},
			{Name: "more", Resource: origins(app("https-only", "TLSv1.2", "TLSv1")), Want: check.Fail},
			{Name: "HTTP only", Resource: origins(app("http-only", "TLSv1")), Want: check.NotApplicable},
			off,
		},
		"cloudfront-distribution-origin-failover": {
			{Name: "group", Resource: good, Want: check.Pass},
			{Name: "none", Resource: detail(func(d *cloudfront.Detail) { d.OriginGroups = 0 }), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-geo-restriction": {
			{Name: "list", Resource: good, Want: check.Pass},
			{Name: "none", Resource: detail(func(d *cloudfront.Detail) { d.GeoRestriction = "none" }), Want: check.Fail},
			off,
		},
		"cloudfront-distribution-field-level-encryption": {
			{Name: "one path", Resource: good, Want: check.Pass},
			{Name: "none", Resource: detail(func(d *cloudfront.Detail) { d.Behaviors = d.Behaviors[1:] }), Want: check.Fail},
			off,
		},
	})
}
