package cloudfront

import (
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

func viewerHTTPS(d Detail) check.Verdict {
	for _, b := range d.Behaviors {
		if b.ViewerProtocol == "allow-all" {
			return check.Failed("plain HTTP is served for " + b.Path)
		}
	}
	return check.Passed("all paths are served by HTTPS only")
}

// modern are the security policies without ciphers that are known to be weak.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
var modern = check.NewChoice("policies", "policy", "Security policies that viewers may be asked for", []string{"TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"}, "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025")

func tlsPolicy(e *check.Evidence, d Detail) check.Verdict {
	c := d.Certificate
	switch {
	case c.Default:
		return check.Failed("CloudFront's own certificate comes with TLSv1")
	case c.MinimumTLS == "":
		return check.Inapplicable("the distribution has no certificate of its own")
	default:
		return check.Must(slices.Contains(modern.Of(e), c.MinimumTLS), "viewers need "+c.MinimumTLS, "viewers may use "+c.MinimumTLS)
	}
}

func sni(d Detail) check.Verdict {
	switch d.Certificate.Method {
	case "":
		return check.Inapplicable("CloudFront's own certificate needs neither")
	case "sni-only":
		return check.Passed("viewers name the host (SNI)")
	default:
		return check.Failed("the certificate is served from dedicated addresses (" + d.Certificate.Method + ")")
	}
}

func originHTTPS(d Detail) check.Verdict {
	some := false
	for _, o := range d.Origins {
		switch {
		case o.Protocol == "http-only":
			return check.Failed("the origin " + o.ID + " is asked by plain HTTP")
		case o.Protocol == "match-viewer" && viewerHTTPS(d).Status == check.Fail:
			return check.Failed("the origin " + o.ID + " is asked by plain HTTP when viewers use it")
		}
		some = some || o.Protocol != ""
	}
	if !some {
		return check.Inapplicable("there is no custom origin")
	}
	return check.Passed("custom origins are asked by HTTPS only")
}

func originTLS(d Detail) check.Verdict {
	some := false
	for _, o := range d.Origins {
		if o.Protocol == "" || o.Protocol == "http-only" {
			continue
		}
		some = true
		for _, protocol := range o.SSLProtocols {
			if protocol != "TLSv1.2" {
				return check.Failed("the origin " + o.ID + " may be asked by " + check.List(o.SSLProtocols))
			}
		}
	}
	if !some {
		return check.Inapplicable("no origin is asked by HTTPS")
	}
	return check.Passed("origins are asked by TLSv1.2")
}
