package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// RegionSettings is what an account sets for all of EC2 in a region.
type RegionSettings struct {
	model.Resource
	// EBSEncryption is whether new volumes are encrypted by default.
	EBSEncryption fact.Of[bool] `json:"ebs_encryption"`
	// SnapshotBlock is the block on public snapshots: block-all-sharing,
	// block-new-sharing or unblocked.
	SnapshotBlock fact.Of[string] `json:"snapshot_block"`
	// ImageBlock is the block on public images: block-new-sharing or unblocked.
	ImageBlock fact.Of[string] `json:"image_block"`
	// Metadata is the default for instances that do not say otherwise.
	Metadata fact.Of[Metadata] `json:"metadata"`
	// SerialConsole is whether instances' serial consoles can be reached.
	SerialConsole fact.Of[bool] `json:"serial_console"`
	// InternetBlock is the block on VPCs' internet gateways: off, block-ingress or
	// block-bidirectional.
	InternetBlock fact.Of[string] `json:"internet_block"`
}

// Kind implements check.Resource. CloudFormation has no such type.
func (RegionSettings) Kind() string { return "AWS::EC2::RegionSettings" }
