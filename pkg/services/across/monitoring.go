package across

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
)

// usingAlarms is what monitoring.judge looks at.
var usingAlarms = append(slices.Clone(usingTrails),
	check.Using[logs.MetricFilter](), check.Using[cloudwatch.Alarm](), check.Using[sns.Topic]())

// How far the way from an event to a person goes.
const (
	trailRecords = iota + 2 // 1 is that there is a trail
	trailDelivers
	filterCounts
	alarmWatches
	alarmActs
	topicReaches
)

// judge follows the way of an event: a trail of all regions records it, delivers
// it to a log group, a metric filter counts it, an alarm watches the metric, acts
// on it, and the topic that it notifies has somebody who listens.
func (m monitoring) judge(e *check.Evidence, _ iam.Account) check.Verdict {
	s := newSearch(e, noTrail)
	for _, t := range s.trails() {
		group, ok := m.delivers(s, t)
		if !ok || !s.first(group) {
			continue
		}
		for _, metric := range m.counted(s, group) {
			if !s.first(metricIn{group.region, metric}) {
				continue
			}
			if alarm, ok := heard(s, group.region, metric); ok {
				return check.Passed("alarm " + alarm + " is raised and heard")
			}
		}
	}
	return s.failed()
}

// metricIn is a metric of one region.
type metricIn struct {
	region string
	logs.Metric
}

// How the way is followed from one to the next.
var (
	filtersOf = check.NewIndex(func(e *check.Evidence, f logs.MetricFilter) []string {
		return []string{check.Read(e, f.Detail).LogGroup}
	})
	alarmsOn = check.NewIndex(func(e *check.Evidence, a cloudwatch.Alarm) []string {
		var metrics []string
		for _, m := range check.Read(e, a.Detail).Metrics {
			metrics = append(metrics, metricKey(logs.Metric(m)))
		}
		return metrics
	})
	topics = check.NewIndex(check.ARN[sns.Topic])
)

func metricKey(m logs.Metric) string { return m.Namespace + "/" + m.Name }

// logGroup is where a trail delivers.
type logGroup struct{ region, account, name string }

// delivers is the log group, in this account, that the events of a trail reach.
func (m monitoring) delivers(s *search, t cloudtrail.Trail) (logGroup, bool) {
	selectors, recorded := look(s, t.Selectors)
	d, known := look(s, t.Detail)
	if !recorded || !known {
		return logGroup{}, false
	}
	switch events := selectors.Management(); {
	case !events.Reads || !events.Writes:
		s.miss(trailRecords, partOf(t, events))
		return logGroup{}, false
	case slices.Contains(events.Without, m.source):
		s.miss(trailRecords, "trail "+t.Name+" leaves out the events of "+m.source)
		return logGroup{}, false
	case d.LogGroup == "":
		s.miss(trailDelivers, "trail "+t.Name+" delivers to no log group")
		return logGroup{}, false
	}
	// arn:aws:logs:eu-west-1:111122223333:log-group:NAME:*
	parts := strings.SplitN(d.LogGroup, ":", 7)
	if len(parts) < 7 {
		s.gap(fact.Gap{Reason: fact.Failed, Operation: "cloudtrail:DescribeTrails", Detail: "log group " + d.LogGroup + " is not an ARN"})
		return logGroup{}, false
	}
	g := logGroup{region: parts[3], account: parts[4], name: strings.TrimSuffix(parts[6], ":*")}
	if g.account != t.Account {
		s.unseen("logs:DescribeMetricFilters", g.region, "trail "+t.Name+" delivers to a log group of account "+g.account)
		return logGroup{}, false
	}
	return g, true
}

// counted is the metrics in which a filter of the log group counts the events.
func (m monitoring) counted(s *search, g logGroup) []logs.Metric {
	s.miss(filterCounts, "no metric filter of log group "+g.name+" counts these events")
	var metrics []logs.Metric
	for _, f := range in(s, filtersOf, g.region, g.name) {
		d := check.Read(s.e, f.Detail)
		counts, err := m.countedBy(d.Pattern)
		if err != nil {
			s.gap(fact.Gap{
				Reason: fact.Failed, Operation: "logs:DescribeMetricFilters", Region: g.region, Detail: "the pattern of filter " + f.Name + " was not understood: " + err.Error(),
			})
		} else if counts {
			metrics = append(metrics, d.Metrics...)
		}
	}
	return metrics
}

// heard is the alarm on a metric that notifies a topic with subscribers.
func heard(s *search, region string, metric logs.Metric) (alarm string, ok bool) {
	s.miss(alarmWatches, "no alarm watches metric "+metricKey(metric))
	for _, a := range in(s, alarmsOn, region, metricKey(metric)) {
		d := check.Read(s.e, a.Detail)
		// A slash in a name makes one key of two metrics.
		if !slices.Contains(d.Metrics, cloudwatch.Metric(metric)) {
			continue
		}
		if !d.Enabled {
			s.miss(alarmActs, "the actions of alarm "+a.Name+" are disabled")
			continue
		}
		s.miss(alarmActs, "alarm "+a.Name+" notifies no SNS topic")
		for _, action := range d.Actions {
			if reaches(s, a, action) {
				return a.Name, true
			}
		}
	}
	return "", false
}

// reaches reports whether the action of an alarm is a topic that somebody has
// subscribed to.
func reaches(s *search, a cloudwatch.Alarm, action string) bool {
	parts := strings.Split(action, ":")
	if len(parts) != 6 || parts[2] != "sns" {
		return false
	}
	if account := parts[4]; account != a.Account {
		s.unseen("sns:GetTopicAttributes", parts[3], "alarm "+a.Name+" notifies a topic of account "+account)
		return false
	}
	found := in(s, topics, parts[3], action)
	if len(found) == 0 {
		s.miss(topicReaches, "topic "+action+", which alarm "+a.Name+" notifies, does not exist")
		return false
	}
	attributes, ok := look(s, found[0].Attributes)
	if ok && attributes.Confirmed == 0 {
		s.miss(topicReaches, "topic "+found[0].Name+" has no confirmed subscription")
	}
	return ok && attributes.Confirmed > 0
}
