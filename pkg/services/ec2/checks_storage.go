package ec2

import (
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

var imageDays = check.NewNumber("days", "days", "How many days old an AMI is at most", 180, 1, 1095)

func storageRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-volume-encrypted", model.High, volumes.Must(
			func(d VolumeDetail) bool { return d.Encrypted }, "the volume is encrypted", "the volume is not encrypted")),
		check.For("ec2-volume-has-snapshot", model.Medium, volumes.Unless(
			check.When(func(d VolumeDetail) bool { return !d.attached() }, "the volume is attached to nothing")).Then(volumeHasSnapshot)),
		check.For("ec2-volume-attached", model.Low, volumes.Must(
			VolumeDetail.attached, "the volume is attached", "the volume is attached to nothing and is still billed")),
		check.For("ec2-snapshot-encrypted", model.Medium, snapshotEncrypted),
		check.Across("ec2-snapshot-not-public", model.Critical, snapshotNotPublic, check.Using[RegionSettings]()),
	}
}

func imageRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-image-not-public", model.Critical, images.Must(
			func(d ImageDetail) bool { return !d.Public }, "the image is not public", "every AWS account can launch and copy the image")),
		check.For("ec2-image-encrypted", model.Medium, images.Asks(imageEncrypted)),
		check.For("ec2-image-renewed", model.Low, imageRenewed).With(imageDays),
	}
}

var (
	volumes = check.On(func(v Volume) fact.Of[VolumeDetail] { return v.Detail })
	images  = check.On(func(i Image) fact.Of[ImageDetail] { return i.Detail })
)

func (d VolumeDetail) attached() bool { return d.State == "in-use" }

func volumeHasSnapshot(e *check.Evidence, v Volume) check.Verdict {
	n := check.Read(e, v.Snapshots)
	return check.Must(n > 0, fmt.Sprintf("snapshots of the volume: %d", n), "the volume has no snapshot")
}

func snapshotEncrypted(e *check.Evidence, s Snapshot) check.Verdict {
	return check.Must(check.Read(e, s.Detail).Encrypted, "the snapshot is encrypted", "the snapshot is not encrypted")
}

// snapshotNotPublic also looks at the region's block: in its strictest mode a
// snapshot keeps the mark of being public, and is not.
// https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html
func snapshotNotPublic(e *check.Evidence, s Snapshot) check.Verdict {
	if !check.Read(e, s.Public) {
		return check.Passed("the snapshot is not shared with everybody")
	}
	settings, gaps := check.SomeIn[RegionSettings](e, s.Region)
	for _, r := range settings {
		if check.Read(e, r.SnapshotBlock) == "block-all-sharing" {
			return check.Passed("the snapshot is shared with everybody, but the region blocks all public sharing")
		}
	}
	if len(gaps) > 0 {
		return check.Unassessed(gaps...)
	}
	return check.Failed("every AWS account can copy the snapshot")
}

func imageEncrypted(d ImageDetail) check.Verdict {
	switch {
	case d.Devices == 0:
		return check.Inapplicable("the image has no EBS device")
	case len(d.Unencrypted) > 0:
		return check.Failed("device " + d.Unencrypted[0] + " is not encrypted")
	default:
		return check.Passed("all devices are encrypted")
	}
}

func imageRenewed(e *check.Evidence, i Image) check.Verdict {
	d := check.Read(e, i.Detail)
	if d.Created == nil {
		return check.Inapplicable("AWS does not tell when the image was made")
	}
	reason := "the image was made on " + d.Created.UTC().Format(time.DateOnly)
	return check.Must(e.Age(*d.Created) <= time.Duration(imageDays.Of(e))*day, reason, reason)
}
