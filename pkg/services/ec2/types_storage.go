package ec2

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Volume is an EBS volume.
type Volume struct {
	model.Resource
	Detail fact.Of[VolumeDetail] `json:"detail"`
	// Snapshots is how many snapshots of the volume the account has in the region.
	Snapshots fact.Of[int] `json:"snapshots"`
}

// Kind implements check.Resource.
func (Volume) Kind() string { return "AWS::EC2::Volume" }

// VolumeDetail is what DescribeVolumes tells.
type VolumeDetail struct {
	Manager   string `json:"manager,omitempty"` // the service that holds it: eks.amazonaws.com; empty for the account's own
	State     string `json:"state"`             // creating, available (attached to nothing), in-use, deleting, deleted, error
	Encrypted bool   `json:"encrypted"`
}

// Snapshot is an EBS snapshot of the account.
type Snapshot struct {
	model.Resource
	Detail fact.Of[SnapshotDetail] `json:"detail"`
	// Public is whether the snapshot is shared with all accounts.
	Public fact.Of[bool] `json:"public"`
}

// Kind implements check.Resource.
func (Snapshot) Kind() string { return "AWS::EC2::Snapshot" }

// SnapshotDetail is what DescribeSnapshots tells.
type SnapshotDetail struct {
	State     string `json:"state"` // AWS's word
	Encrypted bool   `json:"encrypted"`
}

// Image is an AMI of the account.
type Image struct {
	model.Resource
	Detail fact.Of[ImageDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Image) Kind() string { return "AWS::EC2::Image" }

// ImageDetail is what DescribeImages tells.
type ImageDetail struct {
	State   string     `json:"state"` // AWS's word
	Public  bool       `json:"public"`
	Created *time.Time `json:"created,omitempty"`
	// Unencrypted lists the devices whose snapshot is not encrypted.
	Unencrypted []string `json:"unencrypted,omitempty"`
	// Devices is how many EBS devices the image has.
	Devices int `json:"devices"`
}
