// Package s3 knows Amazon S3: an account's buckets, its setting of block public
// access, its Multi-Region Access Points, and what is right of them.
package s3

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of S3.
func Service() check.Service {
	return check.Service{
		Name:  "s3",
		Title: "Amazon S3",
		Kinds: []check.Kind{
			check.KindOf[Bucket]().Stateless("buckets are there or are not"),
			check.KindOf[AccountPublicAccessBlock]().Stateless("a setting of the account"),
			check.KindOf[MultiRegionAccessPoint](),
			check.KindOf[AccessPoint]().Stateless("access points are there or are not"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Bucket is a general purpose bucket. Its region is its own, though buckets are
// listed once for all regions.
type Bucket struct {
	model.Resource
	Detail fact.Of[Detail] `json:"detail"`
	// Policy is the bucket policy, a JSON document; empty if there is none.
	Policy fact.Of[string] `json:"policy"`
	// PublicGrants are the grants of the ACL to everybody.
	PublicGrants fact.Of[[]Grant] `json:"public_grants"`
	// Ownership is the setting of object ownership; empty if there is none, in
	// which case ACLs are in force as they are under ObjectWriter.
	Ownership         fact.Of[string]            `json:"ownership"`
	PublicAccessBlock fact.Of[PublicAccessBlock] `json:"public_access_block"`
	Encryption        fact.Of[Encryption]        `json:"encryption"`
	Versioning        fact.Of[Versioning]        `json:"versioning"`
	// LogBucket is where the access log goes; empty if there is no log.
	LogBucket     fact.Of[string]            `json:"log_bucket"`
	Lifecycle     fact.Of[[]LifecycleRule]   `json:"lifecycle"`
	ObjectLock    fact.Of[ObjectLock]        `json:"object_lock"`
	Replication   fact.Of[[]ReplicationRule] `json:"replication"`
	Website       fact.Of[bool]              `json:"website"`
	Notifications fact.Of[Notifications]     `json:"notifications"`
}

// Kind implements check.Resource.
func (Bucket) Kind() string { return "AWS::S3::Bucket" }

// Detail is what the listing tells.
type Detail struct {
	Owner string `json:"owner"` // the account's canonical user id, which policies may name
}

// The groups that an ACL can grant to and that stand for everybody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers" // of any AWS account
)

// Grant is a grant of an ACL to AllUsers or AuthenticatedUsers.
type Grant struct {
	Group      string `json:"group"`      // the URI
	Permission string `json:"permission"` // READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
}

// OwnerEnforced is the ownership under which ACLs have no effect.
const OwnerEnforced = "BucketOwnerEnforced"

// PublicAccessBlock is the four settings of block public access.
type PublicAccessBlock struct {
	BlockPublicACLs       bool `json:"block_public_acls"`
	IgnorePublicACLs      bool `json:"ignore_public_acls"`
	BlockPublicPolicy     bool `json:"block_public_policy"`
	RestrictPublicBuckets bool `json:"restrict_public_buckets"`
}

// Encryption is how new objects are encrypted: by default, and not at all.
type Encryption struct {
	Algorithm string `json:"algorithm,omitempty"` // AES256, aws:kms, aws:kms:dsse; empty for none
	Key       string `json:"key,omitempty"`       // of KMS; empty for the key aws/s3
	// Blocked lists how objects may not be encrypted: SSE-C, or NONE where all is allowed.
	// AWS does not say what it means that there is neither.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_BlockedEncryptionTypes.html (2026-11)
	Blocked []string `json:"blocked,omitempty"`
}

// Versioning is whether old versions are kept, and how well.
type Versioning struct {
	Status    string `json:"status,omitempty"` // Enabled or Suspended; empty if never turned on
	MFADelete bool   `json:"mfa_delete"`
}

// LifecycleRule is what a rule of the lifecycle configuration does.
type LifecycleRule struct {
	ID      string `json:"id"`
	Enabled bool   `json:"enabled"`
	// OldVersions is whether the rule moves or deletes noncurrent versions.
	OldVersions bool `json:"old_versions"`
}

// ObjectLock is whether objects can be locked against deletion.
type ObjectLock struct {
	Enabled bool   `json:"enabled"`
	Mode    string `json:"mode,omitempty"` // of the default retention: GOVERNANCE or COMPLIANCE
}

// ReplicationRule is a rule that copies objects to another bucket.
type ReplicationRule struct {
	Enabled     bool   `json:"enabled"`
	Destination string `json:"destination"` // the bucket's ARN
}

// Notifications is who hears of changes in the bucket.
type Notifications struct {
	EventBridge bool     `json:"event_bridge"`
	Targets     []string `json:"targets,omitempty"` // ARNs of functions, queues and topics
}

// AccountPublicAccessBlock is the account's own block public access, which goes
// before what its buckets say.
type AccountPublicAccessBlock struct {
	model.Resource
	Settings fact.Of[PublicAccessBlock] `json:"settings"`
}

// Kind implements check.Resource.
func (AccountPublicAccessBlock) Kind() string { return "AWS::S3::AccountPublicAccessBlock" }

// MultiRegionAccessPoint is one global name for buckets of several regions.
type MultiRegionAccessPoint struct {
	model.Resource
	Detail fact.Of[AccessPointDetail] `json:"detail"`
	// PublicAccessBlock is fixed when the access point is made.
	PublicAccessBlock fact.Of[PublicAccessBlock] `json:"public_access_block"`
	// Policy is the access point's policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// AccessPointDetail is what ListMultiRegionAccessPoints tells besides.
type AccessPointDetail struct {
	State string `json:"state"` // AWS's word
}

// Kind implements check.Resource.
func (MultiRegionAccessPoint) Kind() string { return "AWS::S3::MultiRegionAccessPoint" }

// AccessPoint is one more name for a bucket, with a policy of its own.
type AccessPoint struct {
	model.Resource
	// PublicAccessBlock is fixed when the access point is made.
	PublicAccessBlock fact.Of[PublicAccessBlock] `json:"public_access_block"`
	// Policy is the access point's policy, a JSON document; empty when there is none.
	Policy fact.Of[string] `json:"policy"`
}

// Kind implements check.Resource.
func (AccessPoint) Kind() string { return "AWS::S3::AccessPoint" }
