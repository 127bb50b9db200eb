package rds

import (
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

// requiredFrom is the version of an engine from which it refuses plain
// connections unless told otherwise.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html
var requiredFrom = map[string][2]int{
	"postgres": {15, 0},
	"mariadb":  {11, 8},
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
		from, some := requiredFrom[d.Engine]
		return check.Must(some && reaches(d.Version, from), name+" is on by default", name+" is not set, so plain connections are taken")
	}
	return check.Must(on(value), name+" is on", name+" is "+value+", so plain connections are taken")
}

func on(value string) bool { return value == "1" || strings.EqualFold(value, "on") }

// reaches reports whether a version such as 11.8.3 is at least the one given.
func reaches(version string, least [2]int) bool {
	parts := strings.SplitN(version, ".", 3)
	for i, want := range least {
		part := 0
		if i < len(parts) {
			part, _ = strconv.Atoi(parts[i])
		}
		if part != want {
			return part > want
		}
	}
	return true
}

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
