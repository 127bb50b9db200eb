package rds

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// TLSParameter is the name of the parameter by which an engine refuses plain
// connections; empty for engines that have none.
func TLSParameter(engine string) string {
	switch name, _, _ := strings.Cut(engine, "-"); {
	case engine == "postgres", engine == "aurora-postgresql", name == "sqlserver":
		return "rds.force_ssl"
	case engine == "mysql", engine == "mariadb", engine == "aurora-mysql":
		return "require_secure_transport"
	default:
		return ""
	}
}

// AuditLogging is the parameter that switches Aurora MySQL's audit log on.
const AuditLogging = "server_audit_logging"

// byDefault is whether an engine refuses plain connections where its parameter is not
// set, by the major versions that AWS's documentation speaks of. Of others nobody knows.
//
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.require-ssl.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Concepts.General.SSL.Using.html
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Compare-v3-v84.html
// (all as of 2026-11-29)
var byDefault = []struct {
	engine   string // or its name up to the edition
	from, to [2]int // versions, the last one included
	refuses  bool
}{
	{"postgres", [2]int{9, 0}, [2]int{14, 99}, false},
	{"postgres", [2]int{15, 0}, [2]int{18, 99}, true},
	{"mysql", [2]int{5, 5}, [2]int{8, 4}, false},
	{"mysql", [2]int{9, 7}, [2]int{9, 7}, true},
	{"mariadb", [2]int{10, 0}, [2]int{11, 4}, false},
	{"mariadb", [2]int{11, 8}, [2]int{11, 8}, true},
	{"sqlserver", [2]int{11, 0}, [2]int{17, 99}, false},
	{"aurora-mysql", [2]int{5, 6}, [2]int{8, 0}, false},
	{"aurora-mysql", [2]int{8, 4}, [2]int{8, 4}, true},
	{"aurora-postgresql", [2]int{9, 6}, [2]int{16, 99}, false},
	{"aurora-postgresql", [2]int{17, 0}, [2]int{18, 99}, true},
}

// refusesPlain tells what an engine does by default; false for ok where nobody knows.
func refusesPlain(d Database) (refuses, ok bool) {
	version, ok := majorOf(d.Version)
	if !ok {
		return false, false
	}
	edition, _, _ := strings.Cut(d.Engine, "-")
	for _, x := range byDefault {
		if x.engine != d.Engine && (x.engine != edition || x.engine != "sqlserver") {
			continue
		}
		if compare(version, x.from) >= 0 && compare(version, x.to) <= 0 {
			return x.refuses, true
		}
	}
	return false, false
}

func instanceTLS(e *check.Evidence, i DBInstance) check.Verdict {
	d := check.Read(e, i.Detail)
	if d.Cluster != "" {
		return inCluster(d)
	}
	return tlsRequired(d.Database, func() string { return check.Read(e, i.RequireTLS) })
}

func clusterTLS(e *check.Evidence, c DBCluster) check.Verdict {
	return tlsRequired(check.Read(e, c.Detail).Database, func() string { return check.Read(e, c.Parameters).RequireTLS })
}

func tlsRequired(d Database, parameter func() string) check.Verdict {
	name := TLSParameter(d.Engine)
	if name == "" {
		return check.Inapplicable("no parameter of " + d.Engine + " settles it")
	}
	value := parameter()
	if value == "" {
		refuses, known := refusesPlain(d)
		if !known {
			return check.Unassessed(fact.Gap{Reason: fact.NotCollected, Detail: name + " is not set, and nobody knows what " + d.Engine + " " + d.Version + " does then"})
		}
		return check.Must(refuses, name+" is on by default", name+" is not set, so plain connections are taken")
	}
	return check.Must(on(value), name+" is on", name+" is "+value+", so plain connections are taken")
}

func on(value string) bool { return value == "1" || strings.EqualFold(value, "on") }

// majorOf is the first two numbers of a version such as 11.8.3, 16 or
// 8.0.mysql_aurora.3.05.2.
func majorOf(version string) (major [2]int, ok bool) {
	for i, part := range strings.SplitN(version, ".", 3) {
		if i == len(major) {
			break
		}
		n, err := strconv.Atoi(part)
		if err != nil && i == 0 {
			return major, false
		}
		major[i] = n // 0 for what is no number
	}
	return major, true
}

func compare(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }

// auroraAudit judges the parameter without which there is no audit log to export.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Auditing.html
func auroraAudit(e *check.Evidence, c DBCluster) check.Verdict {
	if check.Read(e, c.Detail).Engine != "aurora-mysql" {
		return check.Inapplicable("only Aurora MySQL has this parameter")
	}
	return check.Must(on(check.Read(e, c.Parameters).AuditLogging), AuditLogging+" is on", AuditLogging+" is off")
}

func instanceSupported(e *check.Evidence, i DBInstance) check.Verdict {
	d := check.Read(e, i.Detail)
	if d.Cluster != "" {
		return inCluster(d)
	}
	return supported(e, d.Database, i.Support)
}

func clusterSupported(e *check.Evidence, c DBCluster) check.Verdict {
	return supported(e, check.Read(e, c.Detail).Database, c.Support)
}

func supported(e *check.Evidence, d Database, support fact.Of[Support]) check.Verdict {
	if !OpenSource(d.Engine) {
		return check.Inapplicable("AWS publishes no dates for " + d.Engine)
	}
	until := check.Read(e, support).StandardUntil
	if until == nil {
		return check.Inapplicable("AWS publishes no dates for " + d.Engine + " " + d.Version)
	}
	reason := fmt.Sprintf("of %s %s ends on %s", d.Engine, d.Version, until.UTC().Format(time.DateOnly))
	switch {
	case e.Age(*until) <= 0:
		return check.Passed("standard support " + reason)
	case d.Lifecycle == "open-source-rds-extended-support":
		return check.Failed("standard support " + strings.Replace(reason, "ends", "ended", 1) + "; extended support is billed")
	default:
		return check.Failed("standard support " + strings.Replace(reason, "ends", "ended", 1))
	}
}

// OpenSource reports whether AWS tells the dates of an engine's support.
func OpenSource(engine string) bool {
	switch engine {
	case "mysql", "mariadb", "postgres", "aurora-mysql", "aurora-postgresql":
		return true
	default:
		return false
	}
}
