package across_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
)

const (
	trailARN = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	groupARN = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"
	topicARN = "arn:aws:sns:eu-west-1:111122223333:alarms"
)

var account = iam.Account{Resource: checktest.Ref("iam", "account"), Users: fact.Known(3)}

// estate is an account in which a trail's events reach somebody, changed as a
// case needs.
type estate struct {
	sightings []cloudtrail.Sighting
	trail     cloudtrail.Trail
	detail    cloudtrail.Detail
	status    cloudtrail.Status
	selectors cloudtrail.Selectors
	buckets   []s3.Bucket
	filter    logs.FilterDetail
	alarm     cloudwatch.Detail
	topic     sns.Attributes
	more      []check.Resource
}

func newEstate() *estate {
	metric := logs.Metric{Namespace: "CIS", Name: "count"}
	return &estate{
		sightings: []cloudtrail.Sighting{{ARN: trailARN, Home: "eu-west-1", MultiRegion: true}},
		trail:     cloudtrail.Trail{Resource: checktest.Ref("cloudtrail", "trail/main")},
		detail:    cloudtrail.Detail{Bucket: "log", LogGroup: groupARN},
		status:    cloudtrail.Status{Logging: true},
		selectors: cloudtrail.Selectors{Basic: []cloudtrail.BasicSelector{{ReadWrite: "All", Management: true, Objects: []string{"arn:aws:s3"}}}},
		filter:    logs.FilterDetail{LogGroup: "trail", Metrics: []logs.Metric{metric}},
		alarm:     cloudwatch.Detail{Metrics: []cloudwatch.Metric{cloudwatch.Metric(metric)}, Enabled: true, Actions: []string{topicARN}, State: "OK"},
		topic:     sns.Attributes{Confirmed: 1},
	}
}

func (e *estate) resources() []check.Resource {
	e.trail.Detail, e.trail.Status, e.trail.Selectors = fact.Known(e.detail), fact.Known(e.status), fact.Known(e.selectors)
	all := []check.Resource{
		cloudtrail.RegionTrails{Resource: checktest.Ref("cloudtrail", "region-trails"), Trails: fact.Known(e.sightings)},
		e.trail,
		logs.MetricFilter{Resource: checktest.Ref("logs", "log-group:trail#metric-filter/count"), Detail: fact.Known(e.filter)},
		cloudwatch.Alarm{Resource: checktest.Ref("cloudwatch", "alarm:count"), Detail: fact.Known(e.alarm)},
		sns.Topic{Resource: checktest.Ref("sns", "alarms"), Attributes: fact.Known(e.topic)},
	}
	for _, b := range e.buckets {
		all = append(all, b)
	}
	return append(all, e.more...)
}

// with is the account changed, and what a rule must say of it.
func with(name string, want check.Status, change func(*estate)) checktest.Case {
	e := newEstate()
	change(e)
	return checktest.Case{Name: name, Resource: account, Others: e.resources(), Want: want}
}

func same(*estate) {}

func noTrails(e *estate) { e.sightings = nil }

func switchedOff(e *estate) { e.status.Logging = false }

func oneRegion(e *estate) { e.sightings[0].MultiRegion = false }

func selecting(b cloudtrail.BasicSelector) func(*estate) {
	return func(e *estate) { e.selectors = cloudtrail.Selectors{Basic: []cloudtrail.BasicSelector{b}} }
}

// unread makes the trail at home where the audit did not look.
func unread(e *estate) {
	e.sightings[0] = cloudtrail.Sighting{ARN: "arn:aws:cloudtrail:us-east-1:111122223333:trail/other", Home: "us-east-1", MultiRegion: true}
}

// ofOrganization makes the trail that of the organization's management account.
func ofOrganization(e *estate) {
	e.trail.ARN = "arn:aws:cloudtrail:eu-west-1:999988887777:trail/main"
	e.sightings[0].ARN = e.trail.ARN
	e.detail.LogGroup = "arn:aws:logs:eu-west-1:999988887777:log-group:trail:*"
}

func bucket(name string, change func(*s3.Bucket)) s3.Bucket {
	b := s3.Bucket{
		Resource:          checktest.Ref("s3", name),
		Policy:            fact.Known(""),
		PublicGrants:      fact.Known[[]s3.Grant](nil),
		Ownership:         fact.Known(s3.OwnerEnforced),
		PublicAccessBlock: fact.Known(s3.PublicAccessBlock{}),
		LogBucket:         fact.Known(""),
		ObjectLock:        fact.Known(s3.ObjectLock{}),
		Versioning:        fact.Known(s3.Versioning{}),
		Lifecycle:         fact.Known([]s3.LifecycleRule(nil)),
	}
	b.ARN, b.Name = "arn:aws:s3:::"+name, name
	if change != nil {
		change(&b)
	}
	return b
}
