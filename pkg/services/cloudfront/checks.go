package cloudfront

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudfront-distribution-viewer-https", model.Medium, onDetail(viewerHTTPS)),
		check.For("cloudfront-distribution-tls-policy", model.Medium, onDetail(tlsPolicy)),
		check.For("cloudfront-distribution-custom-certificate", model.Low, onDetail(customCertificate)),
		check.For("cloudfront-distribution-sni", model.Low, onDetail(sni)),
		check.For("cloudfront-distribution-logging", model.Medium, logging),
		check.For("cloudfront-distribution-waf", model.Medium, onDetail(waf)),
		check.For("cloudfront-distribution-default-root-object", model.Medium, rootObject),
		check.For("cloudfront-distribution-s3-origin-access-control", model.Medium, onDetail(s3AccessControl)),
		check.For("cloudfront-distribution-origin-https", model.Medium, onDetail(originHTTPS)),
		check.For("cloudfront-distribution-origin-no-deprecated-tls", model.Medium, onDetail(originTLS)),
		check.For("cloudfront-distribution-origin-failover", model.Low, onDetail(originFailover)),
		check.For("cloudfront-distribution-geo-restriction", model.Low, onDetail(geoRestriction)),
		check.For("cloudfront-distribution-field-level-encryption", model.Low, onDetail(fieldLevelEncryption)).OnlyIfAsked("few forms need it"),
	}
}

// onDetail is a rule over a distribution that serves, by its listing alone.
func onDetail(judge func(Detail) check.Verdict) func(*check.Evidence, Distribution) check.Verdict {
	return func(e *check.Evidence, x Distribution) check.Verdict {
		d := check.Read(e, x.Detail)
		if !d.Enabled {
			return disabled()
		}
		return judge(d)
	}
}

func disabled() check.Verdict { return check.Inapplicable("the distribution is disabled") }

func logging(e *check.Evidence, x Distribution) check.Verdict {
	d := check.Read(e, x.Detail)
	if !d.Enabled {
		return disabled()
	}
	for _, b := range d.Behaviors {
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
	if !check.Read(e, x.Detail).Enabled {
		return disabled()
	}
	root := check.Read(e, x.Config).RootObject
	return check.Must(root != "", "requests for / get "+root, "requests for / go to the origin's root")
}

func waf(d Detail) check.Verdict {
	return check.Must(d.WebACL != "", "requests are filtered by "+d.WebACL, "there is no web ACL")
}

func originFailover(d Detail) check.Verdict {
	return check.Must(d.OriginGroups > 0, "another origin takes over when one fails", "no other origin takes over when one fails")
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
