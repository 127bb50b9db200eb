package cloudtrail

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// rules has no rule that the account be recorded at all: that is of the account
// and stands in package across.
func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudtrail-trail-logging", model.High, own(statuses.Must(
			func(s Status) bool { return s.Logging }, "the trail is logging", "the trail is switched off"))),
		check.For("cloudtrail-log-file-validation", model.Medium, own(details.Must(
			func(d Detail) bool { return d.Validation }, "log file validation is on", "log file validation is off"))),
		check.For("cloudtrail-encrypted-with-kms", model.Medium, own(details.Asks(encrypted))),
		check.For("cloudtrail-delivery-succeeds", model.High, own(statuses.Asks(deliverySucceeds))),
		check.For("cloudtrail-delivers-to-cloudwatch-logs", model.Low, own(deliversToLogs)),
		check.For("cloudtrail-notifies-of-log-files", model.Low, own(details.Asks(notifies))),
		check.For("cloudtrail-insights", model.Low, own(details.Must(
			func(d Detail) bool { return d.Insights }, "Insights are on", "Insights are off"))),
	}
}

// own is a rule on the trails of the account itself. A trail of the organization
// belongs to another account, and nothing of it can be mended here.
func own(judge func(*check.Evidence, Trail) check.Verdict) func(*check.Evidence, Trail) check.Verdict {
	return func(e *check.Evidence, t Trail) check.Verdict {
		// The ARN tells, but with nothing read nothing may be said.
		check.Read(e, t.Detail)
		if t.Owner() != t.Account {
			return check.Inapplicable("the trail belongs to account " + t.Owner() + ", which is where it is judged")
		}
		return judge(e, t)
	}
}

var (
	details  = check.On(func(t Trail) fact.Of[Detail] { return t.Detail })
	statuses = check.On(func(t Trail) fact.Of[Status] { return t.Status })
)

func encrypted(d Detail) check.Verdict {
	return check.Must(d.Key != "", "log files are encrypted with "+d.Key, "log files are not encrypted with a KMS key")
}

var off = check.Inapplicable("the trail is switched off")

func deliverySucceeds(s Status) check.Verdict {
	if !s.Logging {
		return off
	}
	return check.Must(s.DeliveryError == "", "the last delivery succeeded", "the last delivery to the bucket failed: "+s.DeliveryError)
}

// stale is when a delivery to the log group is too old. A trail delivers every
// few minutes while anything happens in the account.
const stale = 24 * time.Hour

func deliversToLogs(e *check.Evidence, t Trail) check.Verdict {
	if check.Read(e, t.Detail).LogGroup == "" {
		return check.Failed("the trail has no log group")
	}
	switch s := check.Read(e, t.Status); {
	case !s.Logging:
		return off
	case s.LogsError != "":
		return check.Failed("the last delivery to the log group failed: " + s.LogsError)
	case s.LogsDelivered == nil:
		return check.Failed("nothing was ever delivered to the log group")
	case e.Age(*s.LogsDelivered) > stale:
		return check.Failed("the last delivery to the log group was on " + s.LogsDelivered.UTC().Format(time.DateOnly))
	default:
		return check.Passed("events reach the log group")
	}
}

func notifies(d Detail) check.Verdict {
	return check.Must(d.Topic != "", "the trail notifies "+d.Topic, "the trail notifies no SNS topic")
}
