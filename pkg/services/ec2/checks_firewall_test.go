package ec2_test

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
)

// rule is a permission for a range of ports from ranges of either family.
func rule(protocol string, from, to int32, ranges ...string) ec2.Permission {
	p := ec2.Permission{Protocol: protocol, From: &from, To: &to}
	if protocol == "-1" {
		p.From, p.To = nil, nil
	}
	for _, r := range ranges {
		if strings.Contains(r, ":") {
			p.IPv6 = append(p.IPv6, r)
		} else {
			p.IPv4 = append(p.IPv4, r)
		}
	}
	return p
}

func group(ingress ...ec2.Permission) ec2.SecurityGroup { return named("web", ingress, nil) }

func named(name string, ingress, egress []ec2.Permission) ec2.SecurityGroup {
	return ec2.SecurityGroup{
		Resource:   model.Resource{Ref: model.Ref{ARN: "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1", Account: "111122223333", Region: "eu-west-1", Name: "sg-1"}},
		Detail:     fact.Known(ec2.GroupDetail{Name: name, Ingress: ingress, Egress: egress}),
		Interfaces: fact.Known(1),
		Lists:      fact.Known(map[string][]string{}),
		Idle:       fact.Known(false),
	}
}

// portCases opens, for each check, one of its ports by each way of writing it.
func portCases() checktest.Table {
	all := checktest.Table{}
	for id, port := range map[model.CheckID]int32{
		"cassandra": 9042, "cifs": 445, "dns": 53, "docker": 2375, "elasticsearch": 9200, "ftp": 21, "hadoop": 8020, "kafka": 9092,
		"kubernetes": 10250, "ldap": 389, "memcached": 11211, "mongodb": 27017, "mysql": 3306, "netbios": 139, "nfs": 2049,
		"oracle": 1521, "postgresql": 5432, "redis": 6379, "snmp": 161, "sql-server": 1433, "telnet": 23, "vnc": 5900, "winrm": 5985,
	} {
		protocol, other := "tcp", "udp"
		if id == "snmp" {
			protocol, other = other, protocol
		}
		all["ec2-security-group-no-"+id+"-from-internet"] = append(portCasesOf(protocol, port, "0.0.0.0/0"),
			checktest.Case{Name: "IPv6", Resource: group(rule(protocol, port, port, "::/0")), Want: check.Fail},
			checktest.Case{Name: "behind the office's", Resource: group(rule(protocol, port, port, "198.51.100.0/24", "::/0")), Want: check.Fail},
			checktest.Case{Name: "ports beside", Resource: group(rule(protocol, port+20000, port+20010, "0.0.0.0/0")), Want: check.Pass},
			checktest.Case{Name: "the other protocol's other port", Resource: group(rule(other, 1000, 1000, "0.0.0.0/0")), Want: check.Pass},
		)
	}
	for id, port := range map[model.CheckID]int32{"ssh": 22, "rdp": 3389} {
		v4, v6 := "ec2-security-group-no-"+id+"-from-ipv4-internet", "ec2-security-group-no-"+id+"-from-ipv6-internet"
		all[v4] = append(portCasesOf("tcp", port, "0.0.0.0/0"),
			checktest.Case{Name: "the other family", Resource: group(rule("tcp", port, port, "::/0")), Want: check.Pass},
			checktest.Case{Name: "half of the internet", Resource: group(rule("tcp", port, port, "0.0.0.0/1", "128.0.0.0/1")), Want: check.Fail},
			checktest.Case{Name: "a quarter", Resource: group(rule("tcp", port, port, "64.0.0.0/2")), Want: check.Pass},
		)
		all[v6] = append(portCasesOf("tcp", port, "::/0"),
			checktest.Case{Name: "the other family", Resource: group(rule("tcp", port, port, "0.0.0.0/0")), Want: check.Pass},
			checktest.Case{Name: "all that is in use", Resource: group(rule("tcp", port, port, "2000::/3")), Want: check.Fail},
			checktest.Case{Name: "half of it", Resource: group(rule("tcp", port, port, "2000::/4", "3000::/4")), Want: check.Fail},
			checktest.Case{Name: "private", Resource: group(rule("tcp", port, port, "fc00::/7")), Want: check.Pass},
		)
	}
	return all
}

// behind is a group whose rule names a prefix list.
func behind(protocol string, port int32, lists fact.Of[map[string][]string]) ec2.SecurityGroup {
	p := ec2.Permission{Protocol: protocol, From: &port, To: &port, PrefixLists: []string{"pl-1"}}
	if protocol == "-1" {
		p.From, p.To = nil, nil
	}
	g := group(p)
	g.Lists = lists
	return g
}

// lists are what a prefix list holds of wide ranges.
func lists(ranges ...string) fact.Of[map[string][]string] {
	return fact.Known(map[string][]string{"pl-1": ranges})
}

// unreadLists is the gap of prefix lists.
var unreadLists = fact.Missing[map[string][]string](fact.Denied, "ec2:GetManagedPrefixListEntries")

// quarters are four rules that are the internet of a family together, of which each
// alone is not.
func quarters(protocol string, port int32, internet string) (all []ec2.Permission) {
	four := []string{"0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"}
	if internet == "::/0" {
		four = []string{"2000::/5", "2800::/5", "3000::/5", "3800::/5"}
	}
	for i, cidr := range four {
		all = append(all, rule(protocol, port-int32(i), port+int32(i), cidr))
	}
	return all
}

func portCasesOf(protocol string, port int32, internet string) []checktest.Case {
	number := map[string]string{"tcp": "6", "udp": "17"}[protocol]
	return []checktest.Case{
		{Name: "no rules", Resource: group(), Want: check.Pass},
		{Name: "one network", Resource: group(rule(protocol, port, port, "198.51.100.0/24", "2001:db8::/32")), Want: check.Pass},
		{Name: "other group", Resource: group(ec2.Permission{Protocol: protocol, From: &port, To: &port, Groups: []string{"sg-2"}}), Want: check.Pass},
		{Name: "prefix list of one office", Resource: behind(protocol, port, lists()), Want: check.Pass},
		{Name: "prefix list with the internet", Resource: behind(protocol, port, lists(internet)), Want: check.Fail, Reports: []string{"turbot/steampipe-plugin-aws#799", "cloud-custodian/cloud-custodian#8054"}},
		{Name: "prefix list that cannot be read", Resource: behind(protocol, port, unreadLists), Want: check.NotAssessed},
		{Name: "the internet in quarters over rules", Resource: group(quarters(protocol, port, internet)...), Want: check.Fail},
		{Name: "the port", Resource: group(rule(protocol, port, port, internet)), Want: check.Fail},
		{Name: "a range with it", Resource: group(rule(protocol, port-1, port+1, internet)), Want: check.Fail},
		{Name: "protocol by number", Resource: group(rule(number, port, port, internet)), Want: check.Fail},
		{Name: "all ports", Resource: group(rule(protocol, 0, 65535, internet)), Want: check.Fail},
		{Name: "all ports as -1", Resource: group(rule(protocol, -1, -1, internet)), Want: check.Fail},
		{Name: "all traffic", Resource: group(rule("-1", 0, 0, internet)), Want: check.Fail},
		// Of ICMP the numbers are a type and a code, of which the first may be larger.
		{Name: "icmp", Resource: group(rule("icmp", port, port, internet), rule("icmp", 8, -1, internet), rule("icmp", -1, -1, internet)), Want: check.Pass},
		{Name: "no range at all", Resource: group(rule(protocol, port, port, "pl-00000000")), Want: check.Pass},
	}
}

// borrowed is a group that another account shares with this one.
func borrowed(ingress ...ec2.Permission) ec2.SecurityGroup {
	g := group()
	g.ARN = "arn:aws:ec2:eu-west-1:999988887777:security-group/sg-1"
	g.Detail = fact.Known(ec2.GroupDetail{Name: "shared", Manager: "account 999988887777", Ingress: ingress})
	return g
}

func groupCases() checktest.Table {
	out := func(p ...ec2.Permission) ec2.SecurityGroup { return named("web", nil, p) }
	unused := group()
	unused.Interfaces = fact.Known(0)
	unknown := group()
	unknown.Interfaces = fact.Missing[int](fact.Denied, "ec2:DescribeNetworkInterfaces")
	return checktest.Table{
		"ec2-security-group-no-all-traffic-from-internet": {
			{Name: "one port", Resource: group(rule("tcp", 443, 443, "0.0.0.0/0")), Want: check.Pass},
			{Name: "all traffic of a network", Resource: group(rule("-1", 0, 0, "10.0.0.0/16")), Want: check.Pass},
			{Name: "all icmp", Resource: group(rule("icmp", -1, -1, "0.0.0.0/0")), Want: check.Pass},
			{Name: "all traffic", Resource: group(rule("-1", 0, 0, "0.0.0.0/0")), Want: check.Fail},
			{Name: "all ports", Resource: group(rule("tcp", 0, 65535, "::/0")), Want: check.Fail},
			{Name: "all ports in two rules", Resource: group(rule("tcp", 0, 32767, "0.0.0.0/0"), rule("tcp", 32768, 65535, "0.0.0.0/0")), Want: check.Fail},
			{Name: "all traffic behind a list", Resource: behind("-1", 0, lists("0.0.0.0/0")), Want: check.Fail},
			{Name: "all traffic behind an unread list", Resource: behind("-1", 0, unreadLists), Want: check.NotAssessed},
			{Name: "another account's", Resource: borrowed(rule("-1", 0, 0, "0.0.0.0/0")), Want: check.NotApplicable, Reports: []string{"cloud-custodian/cloud-custodian#8594"}},
			{Name: "all ports but 0", Resource: group(rule("udp", 1, 65535, "0.0.0.0/0")), Want: check.Fail},
		},
		"ec2-security-group-only-web-from-internet": {
			{Name: "web", Resource: group(rule("tcp", 80, 80, "0.0.0.0/0"), rule("6", 443, 443, "::/0"), rule("udp", 443, 443, "0.0.0.0/0"), rule("icmp", 8, -1, "0.0.0.0/0")), Want: check.Pass},
			{Name: "inside", Resource: group(rule("tcp", 8080, 8080, "10.1.0.0/16")), Want: check.Pass},
			{Name: "other port", Resource: group(rule("tcp", 8080, 8080, "0.0.0.0/0")), Want: check.Fail},
			{Name: "from web to web", Resource: group(rule("tcp", 80, 443, "0.0.0.0/0")), Want: check.Fail},
			{Name: "all traffic", Resource: group(rule("-1", 0, 0, "::/0")), Want: check.Fail},
			{Name: "protocol without ports", Resource: group(rule("50", -1, -1, "0.0.0.0/0")), Want: check.Fail},
		},
		"ec2-security-group-no-wide-public-range": {
			{Name: "narrow", Resource: group(rule("tcp", 443, 443, "198.51.0.0/16")), Want: check.Pass},
			{Name: "private", Resource: group(rule("tcp", 443, 443, "10.0.0.0/8", "172.16.0.0/12", "100.64.0.0/10")), Want: check.Pass},
			{Name: "anywhere is another check's", Resource: group(rule("tcp", 443, 443, "0.0.0.0/0")), Want: check.Pass},
			{Name: "wide", Resource: group(rule("tcp", 443, 443, "52.0.0.0/8")), Want: check.Fail},
			{Name: "wide, outbound", Resource: out(rule("tcp", 443, 443, "64.0.0.0/2")), Want: check.Fail},
			{Name: "more than private", Resource: group(rule("tcp", 443, 443, "10.0.0.0/7")), Want: check.Fail},
		},
		"ec2-security-group-no-wide-private-range": {
			{Name: "one network", Resource: group(rule("tcp", 443, 443, "10.1.0.0/16")), Want: check.Pass},
			{Name: "all of it", Resource: group(rule("-1", 0, 0, "10.0.0.0/8")), Want: check.Fail},
			{Name: "all of another", Resource: group(rule("udp", 500, 510, "192.168.0.0/16")), Want: check.Fail},
			{Name: "icmp", Resource: group(rule("icmp", 8, -1, "172.16.0.0/12")), Want: check.Fail},
		},
		"ec2-security-group-egress-limited": {
			{Name: "https only", Resource: out(rule("tcp", 443, 443, "0.0.0.0/0")), Want: check.Pass},
			{Name: "as it comes", Resource: out(rule("-1", 0, 0, "0.0.0.0/0")), Want: check.Fail},
			{Name: "all ports of IPv6", Resource: out(rule("tcp", 0, 65535, "::/0")), Want: check.Fail},
		},
		"ec2-default-security-group-closed": {
			{Name: "no rules", Resource: named("default", nil, nil), Want: check.Pass},
			{Name: "members may talk", Resource: named("default", []ec2.Permission{{Protocol: "-1", Groups: []string{"sg-1"}}}, nil), Want: check.Fail},
			{Name: "only outbound", Resource: named("default", nil, []ec2.Permission{rule("-1", 0, 0, "0.0.0.0/0")}), Want: check.Fail},
			{Name: "other group", Resource: group(), Want: check.NotApplicable},
		},
		"ec2-security-group-not-from-launch-wizard": {
			{Name: "named", Resource: group(), Want: check.Pass},
			{Name: "wizard's", Resource: named("launch-wizard-1", nil, nil), Want: check.Fail},
		},
	}
}

// entry is a rule of a network ACL.
func entry(number int32, action, protocol string, port int32, cidr string) ec2.ACLEntry {
	e := ec2.ACLEntry{Number: number, Allow: action == "allow", Protocol: protocol, Range: cidr}
	if protocol != "-1" {
		e.From, e.To = &port, &port
	}
	return e
}

func acl(entries ...ec2.ACLEntry) ec2.NetworkACL {
	closing := ec2.ACLEntry{Number: 32767, Protocol: "-1", Range: "0.0.0.0/0"}
	return ec2.NetworkACL{
		Idle:     fact.Known(false),
		Resource: checktest.Ref("ec2", "network-acl/acl-1"),
		Detail:   fact.Known(ec2.ACLDetail{Subnets: []string{"subnet-1"}, Ingress: append(entries, closing)}),
	}
}

func aclCases() checktest.Table {
	return checktest.Table{
		"ec2-network-acl-no-ssh-from-internet": aclPortCases(22),
		"ec2-network-acl-no-rdp-from-internet": append(aclPortCases(3389), checktest.Case{
			Name: "only TCP denied", Want: check.Fail,
			Resource: acl(entry(90, "deny", "6", 3389, "0.0.0.0/0"), entry(100, "allow", "-1", 0, "0.0.0.0/0")),
		}),
		"ec2-network-acl-no-all-traffic-from-internet": {
			{Name: "one port", Resource: acl(entry(100, "allow", "6", 443, "0.0.0.0/0")), Want: check.Pass},
			{Name: "as it comes", Resource: acl(entry(100, "allow", "-1", 0, "0.0.0.0/0")), Want: check.Fail},
			{Name: "all ports", Resource: acl(ec2.ACLEntry{Number: 1, Allow: true, Protocol: "17", Range: "::/0", From: new(int32(0)), To: new(int32(65535))}), Want: check.Fail},
			{Name: "all but one port", Resource: acl(entry(90, "deny", "6", 22, "0.0.0.0/0"), entry(100, "allow", "-1", 0, "0.0.0.0/0")), Want: check.Fail},
			{Name: "denied first", Resource: acl(entry(90, "deny", "-1", 0, "0.0.0.0/0"), entry(100, "allow", "-1", 0, "0.0.0.0/0")), Want: check.Pass},
			{Name: "one network", Resource: acl(entry(100, "allow", "-1", 0, "10.0.0.0/8")), Want: check.Pass},
		},
		"ec2-network-acl-used": {
			{Name: "used", Resource: acl(), Want: check.Pass},
			{Name: "unused", Resource: ec2.NetworkACL{Resource: acl().Resource, Idle: fact.Known(false), Detail: fact.Known(ec2.ACLDetail{})}, Want: check.Fail},
			{Name: "default", Resource: ec2.NetworkACL{Resource: acl().Resource, Idle: fact.Known(false), Detail: fact.Known(ec2.ACLDetail{Default: true})}, Want: check.NotApplicable},
		},
	}
}

func aclPortCases(port int32) []checktest.Case {
	all := entry(100, "allow", "-1", 0, "0.0.0.0/0")
	both := []ec2.ACLEntry{entry(91, "deny", "6", port, "0.0.0.0/0"), entry(92, "deny", "17", port, "0.0.0.0/0")}
	return []checktest.Case{
		{Name: "closed", Resource: acl(), Want: check.Pass},
		{Name: "other port", Resource: acl(entry(100, "allow", "6", 443, "0.0.0.0/0")), Want: check.Pass},
		{Name: "open", Resource: acl(entry(100, "allow", "6", port, "0.0.0.0/0")), Want: check.Fail},
		{Name: "as it comes", Resource: acl(all), Want: check.Fail},
		{Name: "IPv6", Resource: acl(entry(101, "allow", "-1", 0, "::/0")), Want: check.Fail},
		{Name: "denied first", Resource: acl(append(both, all)...), Want: check.Pass},
		{Name: "denied by halves", Resource: acl(entry(90, "deny", "-1", 0, "0.0.0.0/1"), entry(91, "deny", "-1", 0, "128.0.0.0/1"), all), Want: check.Pass},
		{Name: "half denied", Resource: acl(entry(90, "deny", "-1", 0, "128.0.0.0/1"), all), Want: check.Fail},
		{Name: "one network denied", Resource: acl(entry(90, "deny", "-1", 0, "198.51.100.0/24"), all), Want: check.Fail},
		{Name: "denied too late", Resource: acl(append([]ec2.ACLEntry{all}, both...)...), Want: check.Fail},
		{Name: "denied in the other family", Resource: acl(append(both, entry(101, "allow", "-1", 0, "::/0"))...), Want: check.Fail},
		{Name: "icmp", Resource: acl(entry(100, "allow", "1", port, "0.0.0.0/0")), Want: check.Pass},
	}
}
