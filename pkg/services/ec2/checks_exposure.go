package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// exposed are the ports that no instance with a public address may offer to the
// internet.
var exposed = []struct {
	id    model.CheckID
	ports ports
}{
	{"ec2-instance-no-admin-port-on-internet", ports{
		tcp: []int32{22, 23, 3389, 5900, 5901, 5985, 5986, 2375, 2376, 10250}, udp: []int32{3389},
	}},
	{"ec2-instance-no-database-on-internet", ports{
		tcp: []int32{1433, 1434, 1521, 2483, 2484, 3306, 33060, 5432, 5601, 6379, 7000, 7001, 9042, 9092, 9160, 9200, 9300, 11211, 27017, 27018, 27019},
		udp: []int32{11211},
	}},
	{"ec2-instance-no-file-sharing-on-internet", ports{
		tcp: []int32{20, 21, 111, 139, 389, 445, 636, 2049}, udp: []int32{111, 137, 138, 389, 2049},
	}},
}

func exposureRules() []check.Rule {
	rules := make([]check.Rule, len(exposed))
	for i, x := range exposed {
		rules[i] = check.Across(x.id, model.Critical, notExposed(x.ports), check.Using[SecurityGroup]()).EvenManaged()
	}
	return rules
}

var securityGroups = check.NewIndex(check.Name[SecurityGroup])

// notExposed looks at the public addresses and at the security groups of an
// instance, whose rules add up. Routes and network ACLs are not looked at: both
// change under the instance, and a public IPv4 address is given for use.
func notExposed(want ports) func(*check.Evidence, Instance) check.Verdict {
	return func(e *check.Evidence, i Instance) check.Verdict {
		d := check.Read(e, i.Detail)
		var families []internet.Family
		if len(d.PublicIPv4) > 0 {
			families = append(families, internet.IPv4)
		}
		if len(d.PublicIPv6) > 0 {
			families = append(families, internet.IPv6)
		}
		if len(families) == 0 {
			return check.Passed("the instance has no public address")
		}
		groups, gaps := securityGroups.EachIn(e, i.Region, d.Groups)
		all := GroupDetail{}
		for _, g := range groups {
			all.Ingress = append(all.Ingress, check.Read(e, g.Detail).Ingress...)
		}
		if port, from := all.opens(want, families, listsOf(e, groups...)); port != "" {
			return check.Failed(port + " is open to " + from + " by the security groups " + check.List(d.Groups))
		}
		if len(gaps) > 0 {
			return check.Unassessed(gaps...)
		}
		return check.Passed("no security group of the instance opens such a port to the internet")
	}
}
