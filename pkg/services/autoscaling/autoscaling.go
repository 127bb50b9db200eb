// Package autoscaling knows EC2 Auto Scaling: its groups and launch
// configurations, and what is right of them.
package autoscaling

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of EC2 Auto Scaling.
func Service() check.Service {
	return check.Service{
		Name:  "autoscaling",
		Title: "Amazon EC2 Auto Scaling",
		Kinds: []check.Kind{
			check.KindOf[Group](),
			check.KindOf[LaunchConfiguration]().Stateless("launch configurations are there or are not"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Group is an Auto Scaling group.
type Group struct {
	model.Resource
	Detail fact.Of[GroupDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Group) Kind() string { return "AWS::AutoScaling::AutoScalingGroup" }

// GroupDetail is what DescribeAutoScalingGroups tells of a group.
type GroupDetail struct {
	Deletion string `json:"deletion,omitempty"` // how it goes on, in AWS's words; empty unless the group is being deleted
	// LaunchConfiguration is a name; empty for groups with a launch template.
	LaunchConfiguration string   `json:"launch_configuration,omitempty"`
	Zones               []string `json:"zones"`
	HealthCheck         string   `json:"health_check"` // EC2, ELB or several, such as "ELB,EBS"
	// LoadBalanced tells that a load balancer sends traffic to the instances.
	LoadBalanced bool `json:"load_balanced"`
	// InstanceTypes are those that the mixed instances policy lists.
	InstanceTypes []string `json:"instance_types,omitempty"`
	// TypesByNeed tells that the policy describes what an instance must have, in
	// the place of a list of types.
	TypesByNeed bool `json:"types_by_need"`
	// Spot tells that the policy asks for Spot Instances.
	Spot              bool     `json:"spot"`
	CapacityRebalance bool     `json:"capacity_rebalance"`
	Suspended         []string `json:"suspended,omitempty"` // processes: Launch, HealthCheck…
}

// LaunchConfiguration is the older way to say what instances a group launches.
type LaunchConfiguration struct {
	model.Resource
	Detail fact.Of[LaunchDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (LaunchConfiguration) Kind() string { return "AWS::AutoScaling::LaunchConfiguration" }

// LaunchDetail is what DescribeLaunchConfigurations tells of one.
type LaunchDetail struct {
	Groups           []string `json:"groups,omitempty"`  // ids of security groups
	PublicIP         string   `json:"public_ip"`         // yes, no, or subnet: its setting decides
	MetadataEndpoint string   `json:"metadata_endpoint"` // enabled or disabled
	MetadataTokens   string   `json:"metadata_tokens"`   // optional or required
	HopLimit         int32    `json:"hop_limit"`         // of answers of the metadata service
	// SecretUserData tells that the user data, which is not kept, looks like it
	// holds a credential.
	SecretUserData bool `json:"secret_user_data"`
	// UnreadUserData says why not all of the user data was looked at; nil if all was.
	UnreadUserData *fact.Gap `json:"unread_user_data,omitempty"`
}
