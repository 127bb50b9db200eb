package rds

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// family is what RDS documents of an engine, all its editions alike.
type family struct {
	port     int32    // the default one
	iamLogin bool     // IAM database authentication is offered
	logs     []string // the logs whose loss hides errors or logins
}

// families are keyed by the engine's name up to its edition.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
var families = map[string]family{
	"mysql":             {3306, true, []string{"error"}},
	"mariadb":           {3306, true, []string{"error"}},
	"aurora-mysql":      {3306, true, []string{"audit"}},
	"postgres":          {5432, true, []string{"postgresql"}},
	"aurora-postgresql": {5432, true, []string{"postgresql"}},
	"oracle":            {1521, false, []string{"alert", "audit"}},
	"sqlserver":         {1433, false, []string{"error"}},
	"db2":               {50000, false, []string{"diag.log"}},
}

// familyOf finds the family of an engine such as oracle-se2-cdb.
func familyOf(engine string) (family, bool) {
	if f, ok := families[engine]; ok {
		return f, true
	}
	name, _, _ := strings.Cut(engine, "-")
	f, ok := families[name]
	return f, ok
}

func aurora(engine string) bool { return strings.HasPrefix(engine, "aurora") }

func unknownEngine(d Database) check.Verdict {
	return check.Inapplicable("the engine " + d.Engine + " is not judged")
}

func encrypted(d Database) check.Verdict {
	return check.Must(check.Told("StorageEncrypted", d.Encrypted), "the storage is encrypted", "the storage is not encrypted")
}

func multiAZ(d Database) check.Verdict {
	return check.Must(check.Told("MultiAZ", d.MultiAZ), "there is a standby in another zone", "the database is in a single zone")
}

func protected(d Database) check.Verdict {
	return check.Must(check.Told("DeletionProtection", d.Protected), "deletion protection is on", "deletion protection is off")
}

func copiesTags(d Database) check.Verdict {
	return check.Must(check.Told("CopyTagsToSnapshot", d.CopyTags), "snapshots get the database's tags", "snapshots do not get the database's tags")
}

func iamLogin(d Database) check.Verdict {
	if f, _ := familyOf(d.Engine); !f.iamLogin {
		return check.Inapplicable("the engine " + d.Engine + " has no login by IAM")
	}
	return check.Must(check.Told("IAMDatabaseAuthenticationEnabled", d.IAMLogin), "login by IAM is on", "login by IAM is off")
}

func logExports(d Database) check.Verdict {
	f, known := familyOf(d.Engine)
	if !known {
		return unknownEngine(d)
	}
	for _, log := range f.logs {
		if !slices.Contains(d.LogExports, log) {
			return check.Failed("the " + log + " log is not sent to CloudWatch")
		}
	}
	return check.Passed("CloudWatch gets the logs " + check.List(d.LogExports))
}

func noDefaultAdmin(d Database) check.Verdict {
	switch d.MasterUser {
	case "":
		return check.Unassessed(fact.Gap{Reason: fact.Failed, Detail: "AWS does not tell the name of the master user"})
	case "admin", "postgres":
		return check.Failed("the master user has the default name " + d.MasterUser)
	default:
		return check.Passed("the master user has a name of its own")
	}
}

func noDefaultPort(d Database) check.Verdict {
	f, known := familyOf(d.Engine)
	if !known {
		return unknownEngine(d)
	}
	if d.Port == 0 {
		return check.Inapplicable("the database has no endpoint yet")
	}
	reason := fmt.Sprintf("the database listens on port %d", d.Port)
	return check.Must(d.Port != f.port, reason, reason+", the engine's default")
}
