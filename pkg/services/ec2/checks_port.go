package ec2

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/internet"
	"github.com/cloudarq/cloudarq/pkg/model"
)

var (
	ipv4 = []internet.Family{internet.IPv4}
	ipv6 = []internet.Family{internet.IPv6}
)

// guarded are the ports that no security group may open to the internet, one
// check each.
var guarded = []struct {
	id       model.CheckID
	severity model.Severity
	families []internet.Family
	ports    ports
}{
	// CIS has requirements of its own for each family.
	{"ec2-security-group-no-ssh-from-ipv4-internet", model.High, ipv4, ports{tcp: []int32{22}}},
	{"ec2-security-group-no-ssh-from-ipv6-internet", model.High, ipv6, ports{tcp: []int32{22}}},
	{"ec2-security-group-no-rdp-from-ipv4-internet", model.High, ipv4, ports{tcp: []int32{3389}, udp: []int32{3389}}},
	{"ec2-security-group-no-rdp-from-ipv6-internet", model.High, ipv6, ports{tcp: []int32{3389}, udp: []int32{3389}}},

	{"ec2-security-group-no-cassandra-from-internet", model.High, internet.Both, ports{tcp: []int32{7000, 7001, 7199, 9042, 9160}}},
	{"ec2-security-group-no-cifs-from-internet", model.Critical, internet.Both, ports{tcp: []int32{445}}},
	{"ec2-security-group-no-dns-from-internet", model.Medium, internet.Both, ports{tcp: []int32{53}, udp: []int32{53}}},
	{"ec2-security-group-no-docker-from-internet", model.Critical, internet.Both, ports{tcp: []int32{2375, 2376}}},
	{"ec2-security-group-no-elasticsearch-from-internet", model.High, internet.Both, ports{tcp: []int32{9200, 9300, 5601}}},
	{"ec2-security-group-no-ftp-from-internet", model.High, internet.Both, ports{tcp: []int32{20, 21}}},
	{"ec2-security-group-no-hadoop-from-internet", model.High, internet.Both, ports{tcp: []int32{8020, 8088, 9870, 50070, 50470}}},
	{"ec2-security-group-no-kafka-from-internet", model.High, internet.Both, ports{tcp: []int32{9092}}},
	{"ec2-security-group-no-kubernetes-from-internet", model.High, internet.Both, ports{tcp: []int32{2379, 2380, 6443, 10250}}},
	{"ec2-security-group-no-ldap-from-internet", model.High, internet.Both, ports{tcp: []int32{389, 636}, udp: []int32{389}}},
	{"ec2-security-group-no-memcached-from-internet", model.High, internet.Both, ports{tcp: []int32{11211}, udp: []int32{11211}}},
	{"ec2-security-group-no-mongodb-from-internet", model.High, internet.Both, ports{tcp: []int32{27017, 27018, 27019}}},
	{"ec2-security-group-no-mysql-from-internet", model.High, internet.Both, ports{tcp: []int32{3306, 33060}}},
	{"ec2-security-group-no-netbios-from-internet", model.High, internet.Both, ports{tcp: []int32{139}, udp: []int32{137, 138}}},
	{"ec2-security-group-no-nfs-from-internet", model.High, internet.Both, ports{tcp: []int32{111, 2049}, udp: []int32{111, 2049}}},
	{"ec2-security-group-no-oracle-from-internet", model.High, internet.Both, ports{tcp: []int32{1521, 2483, 2484}}},
	{"ec2-security-group-no-postgresql-from-internet", model.High, internet.Both, ports{tcp: []int32{5432}}},
	{"ec2-security-group-no-redis-from-internet", model.High, internet.Both, ports{tcp: []int32{6379}}},
	{"ec2-security-group-no-snmp-from-internet", model.Medium, internet.Both, ports{udp: []int32{161, 162}}},
	{"ec2-security-group-no-sql-server-from-internet", model.High, internet.Both, ports{tcp: []int32{1433, 1434}, udp: []int32{1434}}},
	{"ec2-security-group-no-telnet-from-internet", model.High, internet.Both, ports{tcp: []int32{23}}},
	{"ec2-security-group-no-vnc-from-internet", model.High, internet.Both, ports{tcp: []int32{5500, 5800, 5900, 5901}}},
	{"ec2-security-group-no-winrm-from-internet", model.High, internet.Both, ports{tcp: []int32{5985, 5986}}},
}

func portRules() []check.Rule {
	rules := make([]check.Rule, len(guarded))
	for i, g := range guarded {
		rules[i] = check.For(g.id, g.severity, func(e *check.Evidence, s SecurityGroup) check.Verdict {
			if port, from := check.Read(e, s.Detail).opens(g.ports, g.families, listsOf(e, s)); port != "" {
				return check.Failed(port + " is open to " + from)
			}
			return check.Passed("no rule opens the port to the internet")
		}).CausedBy("ec2-security-group-no-all-traffic-from-internet")
	}
	return rules
}

// opens finds the first of some ports that inbound rules, alone or together, open to
// the internet; empty for none.
func (d GroupDetail) opens(want ports, families []internet.Family, behind lists) (port, from string) {
	for _, one := range want.singles() {
		r := reachOf(d.Ingress, func(p Permission) bool {
			_, holds := one.openPort(p.Protocol, p.From, p.To)
			return holds
		}, families...)
		if from, open := r.open(behind); open {
			return one.String(), from
		}
	}
	return "", ""
}
