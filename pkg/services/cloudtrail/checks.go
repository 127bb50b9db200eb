package cloudtrail

import (
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// rules has no rule that the account be recorded at all: that is of the account
// and stands in package across.
func rules() []check.Rule {
	return []check.Rule{
		check.For("cloudtrail-trail-logging", model.High, own(logging)),
		check.For("cloudtrail-log-file-validation", model.Medium, own(validation)),
		check.For("cloudtrail-encrypted-with-kms", model.Medium, own(encrypted)),
		check.For("cloudtrail-delivery-succeeds", model.High, own(deliverySucceeds)),
		check.For("cloudtrail-delivers-to-cloudwatch-logs", model.Low, own(deliversToLogs)),
		check.For("cloudtrail-notifies-of-log-files", model.Low, own(notifies)),
		check.For("cloudtrail-insights", model.Low, own(insights)),
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

func logging(e *check.Evidence, t Trail) check.Verdict {
	return check.Must(check.Read(e, t.Status).Logging, "the trail is logging", "the trail is switched off")
}

func validation(e *check.Evidence, t Trail) check.Verdict {
	return check.Must(check.Read(e, t.Detail).Validation, "log file validation is on", "log file validation is off")
}

func encrypted(e *check.Evidence, t Trail) check.Verdict {
	key := check.Read(e, t.Detail).Key
	return check.Must(key != "", "log files are encrypted with "+key, "log files are not encrypted with a KMS key")
}

var off = check.Inapplicable("the trail is switched off")

func deliverySucceeds(e *check.Evidence, t Trail) check.Verdict {
	s := check.Read(e, t.Status)
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

func notifies(e *check.Evidence, t Trail) check.Verdict {
	topic := check.Read(e, t.Detail).Topic
	return check.Must(topic != "", "the trail notifies "+topic, "the trail notifies no SNS topic")
}

func insights(e *check.Evidence, t Trail) check.Verdict {
	return check.Must(check.Read(e, t.Detail).Insights, "Insights are on", "Insights are off")
}
