package ec2_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

func volume(state string, encrypted bool, snapshots int) ec2.Volume {
	return ec2.Volume{
		Resource:  ref("volume", "vol-1", home),
		Detail:    fact.Known(ec2.VolumeDetail{State: state, Encrypted: encrypted}),
		Snapshots: fact.Known(snapshots),
	}
}

func snapshot(encrypted, public bool) ec2.Snapshot {
	return ec2.Snapshot{
		Resource: ref("snapshot", "snap-1", home),
		Detail:   fact.Known(ec2.SnapshotDetail{Encrypted: encrypted}),
		Public:   fact.Known(public),
	}
}

func image(d ec2.ImageDetail) ec2.Image {
	return ec2.Image{Resource: ref("image", "ami-1", home), Detail: fact.Known(d)}
}

func storageCases() checktest.Table {
	young, old := daysAgo(180), daysAgo(181)
	blocked := region(func(r *ec2.RegionSettings) { r.SnapshotBlock = fact.Known("block-all-sharing") })
	blockedNew := region(func(r *ec2.RegionSettings) { r.SnapshotBlock = fact.Known("block-new-sharing") })
	abroad := blocked
	abroad.Ref = ref("region-settings", "us-east-1", "us-east-1").Ref
	return checktest.Table{
		"ec2-volume-encrypted": {
			{Name: "encrypted", Resource: volume("in-use", true, 1), Want: check.Pass},
			{Name: "not", Resource: volume("available", false, 1), Want: check.Fail},
			{Name: "deleting", Resource: volume("deleting", false, 1), Want: check.NotApplicable},
		},
		"ec2-volume-has-snapshot": {
			{Name: "one", Resource: volume("in-use", true, 1), Want: check.Pass},
			{Name: "none", Resource: volume("in-use", true, 0), Want: check.Fail},
			{Name: "unused", Resource: volume("available", true, 0), Want: check.NotApplicable},
			{Name: "denied", Resource: ec2.Volume{Resource: ref("volume", "vol-1", home), Detail: volume("in-use", true, 0).Detail}, Want: check.NotAssessed},
		},
		"ec2-volume-attached": {
			{Name: "attached", Resource: volume("in-use", true, 1), Want: check.Pass},
			{Name: "unused", Resource: volume("available", true, 1), Want: check.Fail},
			{Name: "new", Resource: volume("creating", true, 1), Want: check.NotApplicable},
		},
		"ec2-snapshot-encrypted": {
			{Name: "encrypted", Resource: snapshot(true, false), Want: check.Pass},
			{Name: "not", Resource: snapshot(false, false), Want: check.Fail},
		},
		"ec2-snapshot-not-public": {
			{Name: "private", Resource: snapshot(true, false), Others: []check.Resource{blockedNew}, Want: check.Pass},
			{Name: "public", Resource: snapshot(false, true), Others: []check.Resource{blockedNew}, Want: check.Fail},
			{Name: "public before the block", Resource: snapshot(false, true), Others: []check.Resource{blocked}, Want: check.Pass},
			{Name: "blocked elsewhere", Resource: snapshot(false, true), Others: []check.Resource{blockedNew, abroad}, Want: check.Fail},
		},
		"ec2-image-not-public": {
			{Name: "private", Resource: image(ec2.ImageDetail{}), Want: check.Pass},
			{Name: "public", Resource: image(ec2.ImageDetail{Public: true}), Want: check.Fail},
		},
		"ec2-image-encrypted": {
			{Name: "encrypted", Resource: image(ec2.ImageDetail{Devices: 2}), Want: check.Pass},
			{Name: "one is not", Resource: image(ec2.ImageDetail{Devices: 2, Unencrypted: []string{"/dev/sdf"}}), Want: check.Fail},
			{Name: "instance store", Resource: image(ec2.ImageDetail{}), Want: check.NotApplicable},
		},
		"ec2-image-renewed": {
			{Name: "young", Resource: image(ec2.ImageDetail{Created: &young}), Want: check.Pass},
			{Name: "old", Resource: image(ec2.ImageDetail{Created: &old}), Want: check.Fail},
			{Name: "nobody knows", Resource: image(ec2.ImageDetail{}), Want: check.NotApplicable},
		},
	}
}

// region is the settings of a region with all that can be switched on, on.
func region(change func(*ec2.RegionSettings)) ec2.RegionSettings {
	r := ec2.RegionSettings{
		Resource:      ref("region-settings", home, home),
		EBSEncryption: fact.Known(true),
		SnapshotBlock: fact.Known("block-all-sharing"),
		ImageBlock:    fact.Known("block-new-sharing"),
		Metadata:      fact.Known(ec2.Metadata{Tokens: "required"}),
		SerialConsole: fact.Known(false),
		InternetBlock: fact.Known("block-ingress"),
	}
	if change != nil {
		change(&r)
	}
	return r
}

func settingsCases() checktest.Table {
	good := region(nil)
	defaults := func(m ec2.Metadata) ec2.RegionSettings {
		return region(func(r *ec2.RegionSettings) { r.Metadata = fact.Known(m) })
	}
	return checktest.Table{
		"ec2-ebs-default-encryption": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: region(func(r *ec2.RegionSettings) { r.EBSEncryption = fact.Known(false) }), Want: check.Fail},
		},
		"ec2-snapshot-block-public-access": {
			{Name: "all", Resource: good, Want: check.Pass},
			{Name: "new", Resource: region(func(r *ec2.RegionSettings) { r.SnapshotBlock = fact.Known("block-new-sharing") }), Want: check.Pass},
			{Name: "none", Resource: region(func(r *ec2.RegionSettings) { r.SnapshotBlock = fact.Known("unblocked") }), Want: check.Fail},
		},
		"ec2-image-block-public-access": {
			{Name: "new", Resource: good, Want: check.Pass},
			{Name: "none", Resource: region(func(r *ec2.RegionSettings) { r.ImageBlock = fact.Known("unblocked") }), Want: check.Fail},
		},
		"ec2-metadata-default-imdsv2": {
			{Name: "required", Resource: good, Want: check.Pass},
			{Name: "no metadata", Resource: defaults(ec2.Metadata{Endpoint: "disabled"}), Want: check.Pass},
			{Name: "optional", Resource: defaults(ec2.Metadata{Tokens: "optional", HopLimit: 2}), Want: check.Fail},
			{Name: "nothing set", Resource: defaults(ec2.Metadata{}), Want: check.Fail},
		},
		"ec2-serial-console-disabled": {
			{Name: "off", Resource: good, Want: check.Pass},
			{Name: "on", Resource: region(func(r *ec2.RegionSettings) { r.SerialConsole = fact.Known(true) }), Want: check.Fail},
		},
		"ec2-vpc-block-public-access": {
			{Name: "ingress", Resource: good, Want: check.Pass},
			{Name: "both ways", Resource: region(func(r *ec2.RegionSettings) { r.InternetBlock = fact.Known("block-bidirectional") }), Want: check.Pass},
			{Name: "off", Resource: region(func(r *ec2.RegionSettings) { r.InternetBlock = fact.Known("off") }), Want: check.Fail},
		},
	}
}
