package ec2_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
)

// unread is the gap of user data that is longer than is looked at.
var unread = &fact.Gap{Reason: fact.NotCollected, Operation: "ec2:DescribeLaunchTemplateVersions", Detail: "only the first 64 KiB were looked at"}

func TestChecks(t *testing.T) {
	t.Parallel()
	all := checktest.Table{}
	for _, part := range []checktest.Table{
		instanceCases(), exposureCases(), templateCases(), portCases(), groupCases(), aclCases(),
		vpcCases(), peeringCases(), interfaceCases(), endpointCases(), linkCases(), storageCases(), settingsCases(),
	} {
		maps.Copy(all, part)
	}
	checktest.Run(t, ec2.Service(), all, policytest.Zones())
}

// daysAgo is a time before that of judging.
func daysAgo(n int) time.Time { return checktest.Now.AddDate(0, 0, -n) }

// instance is a running instance with nothing wrong, changed as a case needs.
func instance(change func(*ec2.Instance, *ec2.InstanceDetail)) ec2.Instance {
	d := ec2.InstanceDetail{
		State: "running", Launched: daysAgo(10), Profile: "arn:aws:iam::111122223333:instance-profile/web",
		Monitoring: "enabled", Virtualization: "hvm", Metadata: ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 1},
		Groups: []string{"sg-1"}, Interfaces: 1, Volumes: []ec2.AttachedVolume{{ID: "vol-1", DeleteOnTermination: true}},
	}
	i := ec2.Instance{Resource: checktest.Ref("ec2", "instance/i-1"), SecretUserData: fact.Known(false)}
	if change != nil {
		change(&i, &d)
	}
	i.Detail = fact.Known(d)
	return i
}

func instanceWith(change func(*ec2.InstanceDetail)) ec2.Instance {
	return instance(func(_ *ec2.Instance, d *ec2.InstanceDetail) { change(d) })
}

func metadata(m ec2.Metadata) ec2.Instance {
	return instanceWith(func(d *ec2.InstanceDetail) { d.Metadata = m })
}

func stopped(days int) ec2.Instance {
	return instanceWith(func(d *ec2.InstanceDetail) { d.State, d.Stopped = "stopped", new(daysAgo(days)) })
}

func instanceCases() checktest.Table {
	good := instance(nil)
	gone := instanceWith(func(d *ec2.InstanceDetail) { d.State = "terminated" })
	leaving := instanceWith(func(d *ec2.InstanceDetail) { d.State = "shutting-down" })
	noMetadata := metadata(ec2.Metadata{Endpoint: "disabled", Tokens: "optional", HopLimit: 64})
	return checktest.Table{
		"ec2-instance-imdsv2": {
			{Name: "token required", Resource: good, Want: check.Pass},
			{Name: "token optional", Resource: metadata(ec2.Metadata{Endpoint: "enabled", Tokens: "optional", HopLimit: 1}), Want: check.Fail},
			{Name: "no metadata", Resource: noMetadata, Want: check.Pass},
			{Name: "terminated", Resource: gone, Want: check.NotApplicable},
			{Name: "shutting down", Resource: leaving, Want: check.NotApplicable},
		},
		"ec2-instance-metadata-hop-limit": {
			{Name: "one hop", Resource: good, Want: check.Pass},
			{Name: "one for containers", Resource: metadata(ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 2}), Want: check.Pass},
			{Name: "many", Resource: metadata(ec2.Metadata{Endpoint: "enabled", Tokens: "required", HopLimit: 64}), Want: check.Fail},
			{Name: "no metadata", Resource: noMetadata, Want: check.NotApplicable},
		},
		"ec2-instance-profile-attached": {
			{Name: "profile", Resource: good, Want: check.Pass},
			{Name: "none", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Profile = "" }), Want: check.Fail},
			{Name: "terminated", Resource: gone, Want: check.NotApplicable},
		},
		"ec2-instance-no-public-ip": {
			{Name: "private", Resource: good, Want: check.Pass},
			{Name: "public", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.PublicIPv4 = []string{"198.51.100.1"} }), Want: check.Fail},
		},
		"ec2-instance-no-secrets-in-user-data": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "a secret", Resource: instance(func(i *ec2.Instance, _ *ec2.InstanceDetail) { i.SecretUserData = fact.Known(true) }), Want: check.Fail},
			{Name: "terminated", Resource: gone, Want: check.NotApplicable},
			{Name: "denied", Resource: instance(func(i *ec2.Instance, _ *ec2.InstanceDetail) {
				i.SecretUserData = fact.Missing[bool](fact.Denied, "ec2:DescribeInstanceAttribute")
			}), Want: check.NotAssessed},
		},
		"ec2-instance-no-key-pair": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "key", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Key = "me" }), Want: check.Fail},
		},
		"ec2-instance-detailed-monitoring": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "about to be", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Monitoring = "pending" }), Want: check.Pass},
			{Name: "off", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Monitoring = "disabled" }), Want: check.Fail},
		},
		"ec2-instance-renewed": {
			{Name: "young", Resource: good, Want: check.Pass},
			{Name: "just so", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Launched = daysAgo(180) }), Want: check.Pass},
			{Name: "old", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Launched = daysAgo(181) }), Want: check.Fail},
			{Name: "stopped", Resource: stopped(90), Want: check.NotApplicable},
		},
		"ec2-instance-not-stopped-for-long": {
			{Name: "lately", Resource: stopped(30), Want: check.Pass},
			{Name: "for long", Resource: stopped(31), Want: check.Fail},
			{Name: "nobody knows since when", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.State = "stopped" }), Want: check.NotApplicable},
			{Name: "running", Resource: good, Want: check.NotApplicable},
		},
		"ec2-instance-single-interface": {
			{Name: "one", Resource: good, Want: check.Pass},
			{Name: "two", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Interfaces = 2 }), Want: check.Fail},
		},
		"ec2-instance-not-paravirtual": {
			{Name: "hvm", Resource: good, Want: check.Pass},
			{Name: "paravirtual", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Virtualization = "paravirtual" }), Want: check.Fail},
		},
		"ec2-instance-volumes-deleted-with-it": {
			{Name: "deleted", Resource: good, Want: check.Pass},
			{Name: "kept", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Volumes[0].DeleteOnTermination = false }), Want: check.Fail},
			{Name: "none", Resource: instanceWith(func(d *ec2.InstanceDetail) { d.Volumes = nil }), Want: check.NotApplicable},
		},
	}
}

func template(versions ...ec2.TemplateVersion) ec2.LaunchTemplate {
	return ec2.LaunchTemplate{Resource: checktest.Ref("ec2", "launch-template/lt-1"), Detail: fact.Known(ec2.TemplateDetail{}), Versions: fact.Known(versions)}
}

func templateCases() checktest.Table {
	required := ec2.Metadata{Tokens: "required"}
	good := ec2.TemplateVersion{Number: 1, Metadata: required}
	return checktest.Table{
		"ec2-launch-template-imdsv2": {
			{Name: "required", Resource: template(good), Want: check.Pass},
			{Name: "no metadata", Resource: template(ec2.TemplateVersion{Number: 1, Metadata: ec2.Metadata{Endpoint: "disabled"}}), Want: check.Pass},
			{Name: "optional", Resource: template(ec2.TemplateVersion{Number: 1, Metadata: ec2.Metadata{Tokens: "optional"}}), Want: check.Fail},
			{Name: "latest says nothing", Resource: template(good, ec2.TemplateVersion{Number: 2}), Want: check.Fail},
			{Name: "no version", Resource: template(), Want: check.NotApplicable},
		},
		"ec2-launch-template-no-public-ip": {
			{Name: "private", Resource: template(good), Want: check.Pass},
			{Name: "default is public", Resource: template(ec2.TemplateVersion{Number: 1, PublicIP: true}, ec2.TemplateVersion{Number: 2}), Want: check.Fail},
		},
		"ec2-launch-template-no-secrets-in-user-data": {
			{Name: "none", Resource: template(good), Want: check.Pass},
			{Name: "a secret", Resource: template(good, ec2.TemplateVersion{Number: 7, SecretUserData: true}), Want: check.Fail},
			{Name: "too long", Resource: template(ec2.TemplateVersion{Number: 1, UnreadUserData: unread}, good), Want: check.NotAssessed},
			{Name: "too long, and a secret in its beginning", Resource: template(ec2.TemplateVersion{Number: 1, UnreadUserData: unread, SecretUserData: true}), Want: check.Fail},
			{Name: "too long, and a secret in another version", Resource: template(ec2.TemplateVersion{Number: 1, UnreadUserData: unread}, ec2.TemplateVersion{Number: 2, SecretUserData: true}), Want: check.Fail},
		},
	}
}
