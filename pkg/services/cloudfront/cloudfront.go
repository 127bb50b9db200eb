// Package cloudfront knows Amazon CloudFront: its distributions, and what is
// right of them.
package cloudfront

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of CloudFront.
func Service() check.Service {
	return check.Service{
		Name:  "cloudfront",
		Title: "Amazon CloudFront",
		Kinds: []check.Kind{check.KindOf[Distribution]().Stateless("its state tells how far a change has come; its settings count meanwhile")},
		Rules: rules(),
		Texts: texts,
	}
}

// Distribution is a CloudFront distribution.
type Distribution struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	Config fact.Of[Config] `json:"config"`
	// Delivery is whether CloudWatch delivers the distribution's access logs, which
	// is how they are set up since 2024.
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
	Delivery fact.Of[bool] `json:"delivery"`
}

// Kind implements check.Resource.
func (Distribution) Kind() string { return "AWS::CloudFront::Distribution" }

// Detail is what ListDistributions tells. The words are AWS's.
type Detail struct {
	Enabled        bool        `json:"enabled"`
	WebACL         string      `json:"web_acl,omitempty"`
	Certificate    Certificate `json:"certificate"`
	Behaviors      []Behavior  `json:"behaviors"` // the default one last
	Origins        []Origin    `json:"origins"`
	OriginGroups   int         `json:"origin_groups"`
	GeoRestriction string      `json:"geo_restriction"` // none, whitelist or blacklist
}

// Certificate is how viewers' connections are secured.
type Certificate struct {
	Default    bool   `json:"default"`               // *.cloudfront.net, of CloudFront itself
	MinimumTLS string `json:"minimum_tls,omitempty"` // TLSv1.2_2021…
	Method     string `json:"method,omitempty"`      // sni-only, vip or static-ip
}

// Behavior is what becomes of requests for the paths that match a pattern.
type Behavior struct {
	Path                 string `json:"path"` // "*" for the default behavior
	ViewerProtocol       string `json:"viewer_protocol"`
	RealtimeLogs         bool   `json:"realtime_logs"`
	FieldLevelEncryption bool   `json:"field_level_encryption"`
}

// Origin is where CloudFront fetches what it serves.
type Origin struct {
	ID             string   `json:"id"`
	S3             bool     `json:"s3"`                        // an S3 bucket, not as a website
	AccessControl  string   `json:"access_control,omitempty"`  // origin access control
	AccessIdentity string   `json:"access_identity,omitempty"` // its predecessor
	Protocol       string   `json:"protocol,omitempty"`        // of custom origins: http-only, match-viewer or https-only
	SSLProtocols   []string `json:"ssl_protocols,omitempty"`   // of custom origins: SSLv3, TLSv1…
}

// Config is what GetDistributionConfig adds.
type Config struct {
	RootObject string `json:"root_object,omitempty"`
	Logging    bool   `json:"logging"` // access logs to a bucket, the older way
}
