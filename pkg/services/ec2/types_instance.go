package ec2

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Instance is a virtual machine.
type Instance struct {
	model.Resource
	Detail fact.Of[InstanceDetail] `json:"detail"`
	// SecretUserData is whether the user data looks as if it held a secret. It is
	// asked only of instances that still exist.
	SecretUserData fact.Of[bool] `json:"secret_user_data"`
}

// Kind implements check.Resource.
func (Instance) Kind() string { return "AWS::EC2::Instance" }

// InstanceDetail is what DescribeInstances tells. The words are AWS's.
type InstanceDetail struct {
	Manager        string           `json:"manager,omitempty"` // the service that holds it: eks.amazonaws.com; empty for the account's own
	State          string           `json:"state"`             // pending, running, stopping, stopped, shutting-down, terminated
	Launched       time.Time        `json:"launched"`
	Stopped        *time.Time       `json:"stopped,omitempty"` // of a stopped instance, where AWS tells
	Profile        string           `json:"profile,omitempty"` // ARN of the instance profile
	Key            string           `json:"key,omitempty"`     // name of the key pair
	Monitoring     string           `json:"monitoring"`        // disabled, enabled, pending
	Virtualization string           `json:"virtualization"`    // hvm or paravirtual
	Metadata       Metadata         `json:"metadata"`
	Groups         []string         `json:"groups,omitempty"`      // security groups of all interfaces
	PublicIPv4     []string         `json:"public_ipv4,omitempty"` // of all interfaces
	PublicIPv6     []string         `json:"public_ipv6,omitempty"`
	Interfaces     int              `json:"interfaces"`
	Volumes        []AttachedVolume `json:"volumes,omitempty"`
}

// Metadata is how an instance metadata service is set. Empty words, and a limit
// of 0, are not set.
type Metadata struct {
	Endpoint string `json:"endpoint,omitempty"`  // enabled or disabled
	Tokens   string `json:"tokens,omitempty"`    // required (IMDSv2 only), optional
	HopLimit int32  `json:"hop_limit,omitempty"` // how far an answer with a token travels
}

// AttachedVolume is a volume as its instance sees it.
type AttachedVolume struct {
	ID                  string `json:"id"`
	DeleteOnTermination bool   `json:"delete_on_termination"`
}

// Gone reports whether the instance is terminated or about to be.
func (d InstanceDetail) Gone() bool { return d.State == "terminated" || d.State == "shutting-down" }

// LaunchTemplate is a launch template with the versions that launches use: the
// default one and the latest.
type LaunchTemplate struct {
	model.Resource
	Detail   fact.Of[TemplateDetail]    `json:"detail"`
	Versions fact.Of[[]TemplateVersion] `json:"versions"`
}

// Kind implements check.Resource.
func (LaunchTemplate) Kind() string { return "AWS::EC2::LaunchTemplate" }

// TemplateDetail is what is said of a template as a whole.
type TemplateDetail struct {
	Manager string `json:"manager,omitempty"` // the service that holds it: eks.amazonaws.com; empty for the account's own
}

// TemplateVersion is one version of a launch template.
type TemplateVersion struct {
	Number         int64    `json:"number"`
	Metadata       Metadata `json:"metadata"`
	Groups         []string `json:"groups,omitempty"`    // ids of security groups, of all interfaces
	PublicIP       bool     `json:"public_ip,omitempty"` // some interface is given a public address
	SecretUserData bool     `json:"secret_user_data,omitempty"`
	// UnreadUserData says why not all of the user data was looked at; nil if all was.
	UnreadUserData *fact.Gap `json:"unread_user_data,omitempty"`
}
