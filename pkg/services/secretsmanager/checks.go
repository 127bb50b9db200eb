package secretsmanager

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("secretsmanager-secret-not-public", model.Critical, policies().Asking(policyrule.NotPublic)).EvenManaged(),
		check.Across("secretsmanager-secret-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()).EvenManaged(),
		check.For("secretsmanager-secret-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)).EvenManaged(),
		check.For("secretsmanager-secret-rotation", model.Medium, own(rotation)),
		check.For("secretsmanager-secret-rotated-as-scheduled", model.Medium, own(rotatedAsScheduled)).EvenManaged(),
		check.For("secretsmanager-secret-renewed-90-days", model.Medium, own(renewed)).With(renewedDays),
		check.For("secretsmanager-secret-used-90-days", model.Medium, own(used)).With(usedDays),
		check.For("secretsmanager-secret-customer-key", model.Low, own(customerKey)),
	}
}

const (
	day = 24 * time.Hour
	// grace is what a rotation may be late: its window is up to a day, and AWS
	// tells the day of the next one only.
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
	grace = 2 * day
)

var (
	renewedDays = check.NewNumber("days", "days", "How many days old the value of a secret is at most", 90, 1, 1095)
	usedDays    = check.NewNumber("days", "days", "After how many days without use a secret should go", 90, 1, 1095)
)

// own is a rule on secrets where they are kept, and not where they are copied to.
func own(judge func(*check.Evidence, Detail) check.Verdict) func(*check.Evidence, Secret) check.Verdict {
	return func(e *check.Evidence, s Secret) check.Verdict {
		d := check.Read(e, s.Detail)
		if d.PrimaryRegion != "" && d.PrimaryRegion != s.Region {
			return check.Inapplicable("the secret is a replica of one in " + d.PrimaryRegion)
		}
		return judge(e, d)
	}
}

func rotation(_ *check.Evidence, d Detail) check.Verdict {
	return check.Must(d.Rotation.Enabled, fmt.Sprintf("the secret is rotated every %d days", d.Rotation.Days), "the secret is not rotated automatically")
}

// rotatedAsScheduled concerns the secrets of services, too: their rotation can
// break as well.
func rotatedAsScheduled(e *check.Evidence, d Detail) check.Verdict {
	r := d.Rotation
	switch {
	case !r.Enabled:
		return check.Inapplicable("the secret is not rotated automatically")
	case r.Next != nil && e.Age(*r.Next) > grace:
		return check.Failed("the rotation due on " + date(*r.Next) + " did not happen")
	case r.Last != nil && r.Days > 0 && e.Age(*r.Last) > time.Duration(r.Days)*day+grace:
		return check.Failed(fmt.Sprintf("the last rotation was on %s, and %d days between two are meant", date(*r.Last), r.Days))
	case r.Last == nil && r.Next == nil:
		return check.Failed("the secret was never rotated, and no rotation is planned")
	case r.Last == nil:
		return check.Passed("the first rotation is due by " + date(*r.Next))
	default:
		return check.Passed("the last rotation was on " + date(*r.Last))
	}
}

// renewed takes any change for one of the value where the secret is not
// rotated: AWS does not tell them apart.
func renewed(e *check.Evidence, d Detail) check.Verdict {
	last := d.Created
	for _, t := range []*time.Time{d.Rotation.Last, d.Changed} {
		if t != nil {
			last = *t
			break
		}
	}
	return check.Must(e.Age(last) <= time.Duration(renewedDays.Of(e))*day, "the secret was renewed on "+date(last), "the secret was not renewed since "+date(last))
}

func used(e *check.Evidence, d Detail) check.Verdict {
	stale := time.Duration(usedDays.Of(e)) * day
	switch {
	case d.Accessed != nil:
		return check.Must(e.Age(*d.Accessed) <= stale+day, // the day is kept, not the hour
			"the secret was last read on "+date(*d.Accessed), "the secret was not read since "+date(*d.Accessed))
	case e.Age(d.Created) <= stale:
		return check.Passed("the secret is new")
	default:
		return check.Failed("the secret was never read since " + date(d.Created))
	}
}

func customerKey(_ *check.Evidence, d Detail) check.Verdict {
	if d.KMSKey == "" || strings.HasSuffix(d.KMSKey, "alias/aws/secretsmanager") {
		return check.Failed("the secret is encrypted under the AWS managed key")
	}
	return check.Passed("the secret is encrypted under " + d.KMSKey)
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
