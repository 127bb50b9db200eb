package ec2

import (
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

const day = 24 * time.Hour

var (
	instanceDays = check.NewNumber("days", "days", "How many days ago at most a running instance was started", 180, 1, 1095)
	stoppedDays  = check.NewNumber("days", "days", "For how many days at most an instance is stopped", 30, 1, 365)
	// One hop to the instance, and one more into a container.
	metadataHops = check.NewNumber("hops", "hops", "How many network hops metadata tokens travel at most", 2, 1, 64)
)

func instanceRules() []check.Rule {
	return []check.Rule{
		check.For("ec2-instance-imdsv2", model.High, instances.Asks(imdsv2)),
		check.For("ec2-instance-metadata-hop-limit", model.Low, instances.Weighs(hopLimit)).With(metadataHops),
		check.For("ec2-instance-profile-attached", model.Medium, instances.Must(
			func(d InstanceDetail) bool { return d.Profile != "" }, "the instance has an instance profile", "the instance has no instance profile")),
		check.For("ec2-instance-no-public-ip", model.Medium, instances.Asks(noPublicIP)).EvenManaged(),
		check.For("ec2-instance-no-secrets-in-user-data", model.High, noSecretsInUserData),
		check.For("ec2-instance-no-key-pair", model.Low, instances.Asks(noKeyPair)),
		check.For("ec2-instance-detailed-monitoring", model.Low, instances.Must(
			func(d InstanceDetail) bool { return d.Monitoring == "enabled" || d.Monitoring == "pending" },
			"detailed monitoring is on", "detailed monitoring is off")).OnlyIfAsked("a matter of taste and cost"),
		check.For("ec2-instance-renewed", model.Medium, renewed).With(instanceDays),
		check.For("ec2-instance-not-stopped-for-long", model.Low, notStoppedForLong).With(stoppedDays),
		check.For("ec2-instance-single-interface", model.Low, instances.Asks(singleInterface)).OnlyIfAsked("a matter of taste"),
		check.For("ec2-instance-not-paravirtual", model.Medium, instances.Asks(notParavirtual)),
		check.For("ec2-instance-volumes-deleted-with-it", model.Low, instances.Asks(volumesDeleted)),
	}
}

// instances is what rules decide on that ask of DescribeInstances alone.
var instances = check.On(func(i Instance) fact.Of[InstanceDetail] { return i.Detail })

func imdsv2(d InstanceDetail) check.Verdict {
	switch {
	case d.Metadata.Endpoint == "disabled":
		return check.Passed("the metadata service is off")
	case d.Metadata.Tokens == "required":
		return check.Passed("the metadata service asks for a token")
	default:
		return check.Failed("the metadata service answers requests without a token")
	}
}

func hopLimit(e *check.Evidence, d InstanceDetail) check.Verdict {
	if d.Metadata.Endpoint == "disabled" {
		return check.Inapplicable("the metadata service is off")
	}
	reason := fmt.Sprintf("metadata tokens travel %d hops", d.Metadata.HopLimit)
	return check.Must(int(d.Metadata.HopLimit) <= metadataHops.Of(e), reason, reason)
}

func noPublicIP(d InstanceDetail) check.Verdict {
	if len(d.PublicIPv4) > 0 {
		return check.Failed("the instance has the public address " + d.PublicIPv4[0])
	}
	return check.Passed("the instance has no public IPv4 address")
}

func noSecretsInUserData(e *check.Evidence, i Instance) check.Verdict {
	return check.Must(!check.Read(e, i.SecretUserData),
		"nothing in the user data looks like a secret", "the user data holds what looks like a secret")
}

func noKeyPair(d InstanceDetail) check.Verdict {
	return check.Must(d.Key == "", "the instance was launched without a key pair", "the instance was launched with the key pair "+d.Key)
}

func renewed(e *check.Evidence, i Instance) check.Verdict {
	d := check.Read(e, i.Detail)
	if d.State != "running" {
		return check.Inapplicable("the instance is " + d.State)
	}
	reason := "the instance was started on " + d.Launched.UTC().Format(time.DateOnly)
	return check.Must(e.Age(d.Launched) <= time.Duration(instanceDays.Of(e))*day, reason, reason)
}

func notStoppedForLong(e *check.Evidence, i Instance) check.Verdict {
	d := check.Read(e, i.Detail)
	switch {
	case d.State != "stopped":
		return check.Inapplicable("the instance is " + d.State)
	case d.Stopped == nil:
		return check.Inapplicable("AWS does not tell since when the instance is stopped")
	}
	reason := "the instance was stopped on " + d.Stopped.UTC().Format(time.DateOnly)
	return check.Must(e.Age(*d.Stopped) <= time.Duration(stoppedDays.Of(e))*day, reason, reason)
}

func singleInterface(d InstanceDetail) check.Verdict {
	reason := fmt.Sprintf("network interfaces: %d", d.Interfaces)
	return check.Must(d.Interfaces <= 1, reason, reason)
}

func notParavirtual(d InstanceDetail) check.Verdict {
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html, 29 November 2026.
	switch d.Virtualization {
	case "hvm":
		return check.Passed("the instance is of type hvm")
	case "paravirtual":
		return check.Failed("the instance is of type paravirtual")
	default:
		return check.Unfamiliar("virtualization type", d.Virtualization)
	}
}

func volumesDeleted(d InstanceDetail) check.Verdict {
	if len(d.Volumes) == 0 {
		return check.Inapplicable("the instance has no EBS volume")
	}
	for _, v := range d.Volumes {
		if !v.DeleteOnTermination {
			return check.Failed("volume " + v.ID + " outlives the instance")
		}
	}
	return check.Passed("all volumes are deleted with the instance")
}
