package cloudfront

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudfront-distribution-viewer-https", model.Medium, serving.Asks(viewerHTTPS)),
		check.For("cloudfront-distribution-tls-policy", model.Medium, serving.Weighs(tlsPolicy)).With(modern),
		check.For("cloudfront-distribution-custom-certificate", model.Low, serving.Must(
			func(d Detail) bool { return !d.Certificate.Default }, "the certificate is the customer's", "the certificate is CloudFront's own")),
		check.For("cloudfront-distribution-sni", model.Low, serving.Asks(sni)),
		check.For("cloudfront-distribution-logging", model.Medium, serving.Then(logging)),
		check.For("cloudfront-distribution-waf", model.Medium, serving.Asks(waf)),
		check.For("cloudfront-distribution-default-root-object", model.Medium, serving.Then(rootObject)),
		check.For("cloudfront-distribution-s3-origin-access-control", model.Medium, serving.Asks(s3AccessControl)),
		check.For("cloudfront-distribution-origin-https", model.Medium, serving.Asks(originHTTPS)),
		check.For("cloudfront-distribution-origin-no-deprecated-tls", model.Medium, serving.Asks(originTLS)),
		check.For("cloudfront-distribution-origin-failover", model.Low, serving.Must(
			func(d Detail) bool { return d.OriginGroups > 0 }, "another origin takes over when one fails", "no other origin takes over when one fails")),
		check.For("cloudfront-distribution-geo-restriction", model.Low, serving.Asks(geoRestriction)),
		check.For("cloudfront-distribution-field-level-encryption", model.Low, serving.Asks(fieldLevelEncryption)).OnlyIfAsked("few forms need it"),
	}
}

// serving is what rules decide on that ask of a distribution that serves, and of its
// listing alone.
var serving = check.On(func(x Distribution) fact.Of[Detail] { return x.Detail },
	check.When(func(d Detail) bool { return !d.Enabled }, "the distribution is disabled"))

func logging(e *check.Evidence, x Distribution) check.Verdict {
	for _, b := range check.Read(e, x.Detail).Behaviors {
		if b.Path == "*" && b.RealtimeLogs {
			return check.Passed("requests are logged in real time")
		}
	}
	if c, known := check.Try(e, x.Config); known && c.Logging {
		return check.Passed("access logs go to a bucket")
	}
	if delivered, known := check.Try(e, x.Delivery); known && delivered {
		return check.Passed("CloudWatch delivers the access logs")
	}
	check.Read(e, x.Config)
	check.Read(e, x.Delivery)
	return check.Failed("requests are not logged")
}

func rootObject(e *check.Evidence, x Distribution) check.Verdict {
	root := check.Read(e, x.Config).RootObject
	return check.Must(root != "", "requests for / get "+root, "requests for / go to the origin's root")
}

func waf(d Detail) check.Verdict {
	return check.Must(d.WebACL != "", "requests are filtered by "+d.WebACL, "there is no web ACL")
}

func geoRestriction(d Detail) check.Verdict {
	return check.Must(d.GeoRestriction == "whitelist" || d.GeoRestriction == "blacklist",
		"countries are restricted by a "+d.GeoRestriction, "every country is served")
}

func fieldLevelEncryption(d Detail) check.Verdict {
	for _, b := range d.Behaviors {
		if b.FieldLevelEncryption {
			return check.Passed("fields sent to " + b.Path + " are encrypted at the edge")
		}
	}
	return check.Failed("no behavior encrypts fields at the edge")
}

func s3AccessControl(d Detail) check.Verdict {
	some := false
	for _, o := range d.Origins {
		switch {
		case !o.S3 || o.AccessControl != "":
			some = some || o.S3
		case o.AccessIdentity != "":
			return check.Failed("the origin " + o.ID + " is read by an origin access identity, the predecessor of access control")
		default:
			return check.Failed("the origin " + o.ID + " is read without access control")
		}
	}
	if !some {
		return check.Inapplicable("no origin is a bucket")
	}
	return check.Passed("buckets are read with access control")
}
