package collect

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	control "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
)

// logDelivery is the group of AWS's own writers of access logs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups
const logDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery"

// publicGrants understands every grant, or gives none: of one that it does not
// understand nobody knows who is let in.
func publicGrants(o *sdk.GetBucketAclOutput) []s3.Grant {
	var public []s3.Grant
	for _, g := range collect.RequiredList("AccessControlList", o.Grants) {
		grantee := collect.Required("Grantee", g.Grantee)
		permission := collect.Known("Permission", g.Permission, g.Permission.Values()...)
		if collect.Known("Grantee type", grantee.Type, grantee.Type.Values()...) != types.TypeGroup {
			continue
		}
		group := collect.Known("Grantee URI", aws.ToString(grantee.URI), s3.AllUsers, s3.AuthenticatedUsers, logDelivery)
		if group != logDelivery {
			public = append(public, s3.Grant{Group: group, Permission: string(permission)})
		}
	}
	return public
}

func ownership(o *sdk.GetBucketOwnershipControlsOutput) string {
	return string(o.OwnershipControls.Rules[0].ObjectOwnership) // there is always exactly one
}

func bucketBlock(o *sdk.GetPublicAccessBlockOutput) s3.PublicAccessBlock {
	c := o.PublicAccessBlockConfiguration
	return s3.PublicAccessBlock{
		BlockPublicACLs:       collect.Required("BlockPublicAcls", c.BlockPublicAcls),
		IgnorePublicACLs:      collect.Required("IgnorePublicAcls", c.IgnorePublicAcls),
		BlockPublicPolicy:     collect.Required("BlockPublicPolicy", c.BlockPublicPolicy),
		RestrictPublicBuckets: collect.Required("RestrictPublicBuckets", c.RestrictPublicBuckets),
	}
}

// controlBlock is bucketBlock of the other SDK's type.
func controlBlock(c *control.PublicAccessBlockConfiguration) s3.PublicAccessBlock {
	return s3.PublicAccessBlock{
		BlockPublicACLs:       collect.Required("BlockPublicAcls", c.BlockPublicAcls),
		IgnorePublicACLs:      collect.Required("IgnorePublicAcls", c.IgnorePublicAcls),
		BlockPublicPolicy:     collect.Required("BlockPublicPolicy", c.BlockPublicPolicy),
		RestrictPublicBuckets: collect.Required("RestrictPublicBuckets", c.RestrictPublicBuckets),
	}
}

func multiRegionAccessPoint(s *collect.Session, report control.MultiRegionAccessPointReport) *s3.MultiRegionAccessPoint {
	name := aws.ToString(report.Name)
	id := cmp.Or(aws.ToString(report.Alias), name) // one that is being made has no alias yet
	return &s3.MultiRegionAccessPoint{
		Resource:          s.Resource(s.ARN("s3", "accesspoint/"+id), name),
		Detail:            fact.Known(s3.AccessPointDetail{State: string(report.Status)}),
		PublicAccessBlock: fact.Known(controlBlock(report.PublicAccessBlock)),
	}
}

// multiRegionPolicy is the policy in force. A new one is first proposed, and established
// when all regions have it; until there is an established one, the first regions to have
// it go by the proposed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_MultiRegionAccessPointPolicyDocument.html, 29 November 2026.
func multiRegionPolicy(o *s3control.GetMultiRegionAccessPointPolicyOutput) string {
	switch policy := collect.Required("Policy", o.Policy); {
	case policy.Established != nil:
		return collect.RequiredText("Established.Policy", policy.Established.Policy)
	case policy.Proposed != nil:
		return collect.RequiredText("Proposed.Policy", policy.Proposed.Policy)
	}
	return ""
}

func encryption(o *sdk.GetBucketEncryptionOutput) s3.Encryption {
	var e s3.Encryption
	for _, rule := range o.ServerSideEncryptionConfiguration.Rules {
		if d := rule.ApplyServerSideEncryptionByDefault; d != nil {
			e.Algorithm, e.Key = string(d.SSEAlgorithm), aws.ToString(d.KMSMasterKeyID)
		}
		if blocked := rule.BlockedEncryptionTypes; blocked != nil {
			for _, encryption := range blocked.EncryptionType {
				e.Blocked = append(e.Blocked, string(encryption))
			}
		}
	}
	return e
}

func versioning(o *sdk.GetBucketVersioningOutput) s3.Versioning {
	return s3.Versioning{Status: string(o.Status), MFADelete: o.MFADelete == types.MFADeleteStatusEnabled}
}

func logBucket(o *sdk.GetBucketLoggingOutput) string {
	if o.LoggingEnabled == nil {
		return ""
	}
	return aws.ToString(o.LoggingEnabled.TargetBucket)
}

func lifecycle(o *sdk.GetBucketLifecycleConfigurationOutput) []s3.LifecycleRule {
	rules := make([]s3.LifecycleRule, len(o.Rules))
	for i, rule := range o.Rules {
		rules[i] = s3.LifecycleRule{
			ID:          aws.ToString(rule.ID),
			Enabled:     rule.Status == types.ExpirationStatusEnabled,
			OldVersions: rule.NoncurrentVersionExpiration != nil || len(rule.NoncurrentVersionTransitions) > 0,
		}
	}
	return rules
}

func objectLock(o *sdk.GetObjectLockConfigurationOutput) s3.ObjectLock {
	c := o.ObjectLockConfiguration
	lock := s3.ObjectLock{Enabled: c.ObjectLockEnabled == types.ObjectLockEnabledEnabled}
	if c.Rule != nil && c.Rule.DefaultRetention != nil {
		lock.Mode = string(c.Rule.DefaultRetention.Mode)
	}
	return lock
}

func replication(o *sdk.GetBucketReplicationOutput) []s3.ReplicationRule {
	var rules []s3.ReplicationRule
	for _, rule := range o.ReplicationConfiguration.Rules {
		rules = append(rules, s3.ReplicationRule{
			Enabled:     rule.Status == types.ReplicationRuleStatusEnabled,
			Destination: aws.ToString(rule.Destination.Bucket),
		})
	}
	return rules
}

func notifications(o *sdk.GetBucketNotificationConfigurationOutput) s3.Notifications {
	n := s3.Notifications{EventBridge: o.EventBridgeConfiguration != nil}
	for _, c := range o.LambdaFunctionConfigurations {
		n.Targets = append(n.Targets, aws.ToString(c.LambdaFunctionArn))
	}
	for _, c := range o.QueueConfigurations {
		n.Targets = append(n.Targets, aws.ToString(c.QueueArn))
	}
	for _, c := range o.TopicConfigurations {
		n.Targets = append(n.Targets, aws.ToString(c.TopicArn))
	}
	return n
}
