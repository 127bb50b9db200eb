package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func settingsRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-ebs-default-encryption", model.Medium, defaultEncryption).WithAccount().CausedBy("ec2-ebs-default-encryption-in-every-region"),
		check.For("ec2-snapshot-block-public-access", model.High, snapshotBlock).WithAccount().CausedBy("ec2-snapshot-block-in-every-region"),
		check.For("ec2-image-block-public-access", model.Medium, imageBlock).WithAccount().CausedBy("ec2-image-block-in-every-region"),
		check.For("ec2-metadata-default-imdsv2", model.Medium, metadataDefault).WithAccount().CausedBy("ec2-metadata-default-in-every-region"),
		check.For("ec2-serial-console-disabled", model.Low, serialConsole),
		check.For("ec2-vpc-block-public-access", model.Low, internetBlock).OnlyIfAsked("most accounts serve the internet from somewhere"),
	}
}

func defaultEncryption(e *check.Evidence, r RegionSettings) check.Verdict {
	return check.Must(check.Read(e, r.EBSEncryption), "new volumes are encrypted by default", "new volumes are not encrypted by default")
}

func snapshotBlock(e *check.Evidence, r RegionSettings) check.Verdict {
	switch state := check.Read(e, r.SnapshotBlock); state {
	case "block-all-sharing", "block-new-sharing":
		return check.Passed("public snapshots are blocked (" + state + ")")
	default:
		return check.Failed("snapshots can be made public")
	}
}

func imageBlock(e *check.Evidence, r RegionSettings) check.Verdict {
	return check.Must(check.Read(e, r.ImageBlock) == "block-new-sharing", "images cannot be made public", "images can be made public")
}

func metadataDefault(e *check.Evidence, r RegionSettings) check.Verdict {
	m := check.Read(e, r.Metadata)
	switch {
	case m.Tokens == "required" || m.Endpoint == "disabled":
		return check.Passed("new instances ask for a metadata token by default")
	case m.Tokens == "":
		return check.Failed("the region has no default for metadata tokens")
	default:
		return check.Failed("new instances answer metadata requests without a token by default")
	}
}

func serialConsole(e *check.Evidence, r RegionSettings) check.Verdict {
	return check.Must(!check.Read(e, r.SerialConsole), "the serial console is out of reach", "instances' serial consoles can be reached")
}

func internetBlock(e *check.Evidence, r RegionSettings) check.Verdict {
	switch mode := check.Read(e, r.InternetBlock); mode {
	case "block-ingress", "block-bidirectional":
		return check.Passed("internet gateways are closed (" + mode + ")")
	default:
		return check.Failed("internet gateways of all VPCs let traffic in")
	}
}
