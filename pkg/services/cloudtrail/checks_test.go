package cloudtrail_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
)

// trail is a trail with everything right, changed as a case needs.
func trail(change func(*cloudtrail.Detail, *cloudtrail.Status)) cloudtrail.Trail {
	d := cloudtrail.Detail{
		Validation: true, Insights: true, Bucket: "trail",
		Key:      "arn:aws:kms:eu-west-1:111122223333:key/1",
		LogGroup: "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*",
		Topic:    "arn:aws:sns:eu-west-1:111122223333:trail",
	}
	s := cloudtrail.Status{Logging: true, LogsDelivered: new(checktest.Now.Add(-time.Minute))}
	if change != nil {
		change(&d, &s)
	}
	return cloudtrail.Trail{
		Resource: checktest.Ref("cloudtrail", "trail/main"), Detail: fact.Known(d), Status: fact.Known(s), Selectors: fact.Known(cloudtrail.Selectors{}),
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := trail(nil)
	bare := trail(func(d *cloudtrail.Detail, _ *cloudtrail.Status) { *d = cloudtrail.Detail{Bucket: "trail"} })
	off := trail(func(_ *cloudtrail.Detail, s *cloudtrail.Status) { *s = cloudtrail.Status{} })
	organization := bare
	organization.ARN = "arn:aws:cloudtrail:eu-west-1:999988887777:trail/organization"
	status := func(change func(*cloudtrail.Status)) cloudtrail.Trail {
		return trail(func(_ *cloudtrail.Detail, s *cloudtrail.Status) { change(s) })
	}
	foreign := checktest.Case{Name: "of the organization", Resource: organization, Want: check.NotApplicable}
	stopped := checktest.Case{Name: "off", Resource: off, Want: check.NotApplicable}
	detail := func() []checktest.Case {
		return []checktest.Case{{Name: "yes", Resource: good, Want: check.Pass}, {Name: "no", Resource: bare, Want: check.Fail}, foreign}
	}

	checktest.Run(t, cloudtrail.Service(), checktest.Table{
		"cloudtrail-log-file-validation":   detail(),
		"cloudtrail-encrypted-with-kms":    detail(),
		"cloudtrail-notifies-of-log-files": detail(),
		"cloudtrail-insights":              detail(),
		"cloudtrail-trail-logging": {
			{Name: "on", Resource: good, Want: check.Pass},
			{Name: "off", Resource: off, Want: check.Fail},
			foreign,
		},
		"cloudtrail-delivery-succeeds": {
			{Name: "succeeded", Resource: good, Want: check.Pass},
			{Name: "failed", Resource: status(func(s *cloudtrail.Status) { s.DeliveryError = "AccessDenied" }), Want: check.Fail},
			stopped, foreign,
		},
		"cloudtrail-delivers-to-cloudwatch-logs": {
			{Name: "a minute ago", Resource: good, Want: check.Pass},
			{Name: "no log group", Resource: bare, Want: check.Fail},
			{Name: "two days ago", Resource: status(func(s *cloudtrail.Status) { s.LogsDelivered = new(checktest.Now.Add(-48 * time.Hour)) }), Want: check.Fail},
			{Name: "never", Resource: status(func(s *cloudtrail.Status) { s.LogsDelivered = nil }), Want: check.Fail},
			{Name: "error", Resource: status(func(s *cloudtrail.Status) { s.LogsError = "AccessDenied" }), Want: check.Fail},
			stopped, foreign,
		},
	})
}

func basic(b ...cloudtrail.BasicSelector) cloudtrail.Selectors { return cloudtrail.Selectors{Basic: b} }

func advanced(a ...cloudtrail.AdvancedSelector) cloudtrail.Selectors {
	return cloudtrail.Selectors{Advanced: a}
}

func equals(field string, values ...string) cloudtrail.Condition {
	return cloudtrail.Condition{Field: field, Operator: "Equals", Values: values}
}

func where(field, operator string, values ...string) cloudtrail.Condition {
	return cloudtrail.Condition{Field: field, Operator: operator, Values: values}
}

func TestManagement(t *testing.T) {
	t.Parallel()
	management := equals("eventCategory", "Management")
	kms := "kms.amazonaws.com"
	for name, c := range map[string]struct {
		selectors cloudtrail.Selectors
		want      cloudtrail.Management
	}{
		"default":             {basic(cloudtrail.BasicSelector{ReadWrite: "All", Management: true}), cloudtrail.Management{Reads: true, Writes: true}},
		"writes":              {basic(cloudtrail.BasicSelector{ReadWrite: "WriteOnly", Management: true}), cloudtrail.Management{Writes: true}},
		"data only":           {basic(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3"}}), cloudtrail.Management{}},
		"without KMS":         {basic(cloudtrail.BasicSelector{ReadWrite: "All", Management: true, Without: []string{kms}}), cloudtrail.Management{Reads: true, Writes: true, Without: []string{kms}}},
		"by two":              {basic(cloudtrail.BasicSelector{ReadWrite: "ReadOnly", Management: true}, cloudtrail.BasicSelector{ReadWrite: "WriteOnly", Management: true}), cloudtrail.Management{Reads: true, Writes: true}},
		"KMS by the other":    {basic(cloudtrail.BasicSelector{ReadWrite: "All", Management: true, Without: []string{kms}}, cloudtrail.BasicSelector{ReadWrite: "All", Management: true}), cloudtrail.Management{Reads: true, Writes: true}},
		"advanced":            {advanced(cloudtrail.AdvancedSelector{management}), cloudtrail.Management{Reads: true, Writes: true}},
		"advanced reads":      {advanced(cloudtrail.AdvancedSelector{management, equals("readOnly", "true")}), cloudtrail.Management{Reads: true}},
		"advanced writes":     {advanced(cloudtrail.AdvancedSelector{management, equals("readOnly", "false")}), cloudtrail.Management{Writes: true}},
		"advanced, no KMS":    {advanced(cloudtrail.AdvancedSelector{management, where("eventSource", "NotEquals", kms)}), cloudtrail.Management{Reads: true, Writes: true, Without: []string{kms}}},
		"advanced, one event": {advanced(cloudtrail.AdvancedSelector{management, equals("eventName", "CreateUser")}), cloudtrail.Management{}},
		"advanced data":       {advanced(cloudtrail.AdvancedSelector{equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object")}), cloudtrail.Management{}},
	} {
		if diff := cmp.Diff(c.want, c.selectors.Management(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	data, objects := equals("eventCategory", "Data"), equals("resources.type", "AWS::S3::Object")
	for name, c := range map[string]struct {
		selectors     cloudtrail.Selectors
		reads, writes bool // of the bucket shop
	}{
		"all":                    {basic(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3"}}), true, true},
		"all, of China":          {basic(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws-cn:s3:::"}}), true, true},
		"writes":                 {basic(cloudtrail.BasicSelector{ReadWrite: "WriteOnly", Objects: []string{"arn:aws:s3:::"}}), false, true},
		"the bucket":             {basic(cloudtrail.BasicSelector{ReadWrite: "ReadOnly", Objects: []string{"arn:aws:s3:::shop/"}}), true, false},
		"a part of it":           {basic(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3:::shop/orders/"}}), false, false},
		"another":                {basic(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3:::shop-2/"}}), false, false},
		"advanced":               {advanced(cloudtrail.AdvancedSelector{data, objects}), true, true},
		"advanced reads":         {advanced(cloudtrail.AdvancedSelector{data, objects, equals("readOnly", "true")}), true, false},
		"advanced, the bucket":   {advanced(cloudtrail.AdvancedSelector{data, objects, where("resources.ARN", "StartsWith", "arn:aws:s3:::shop/")}), true, true},
		"advanced, not it":       {advanced(cloudtrail.AdvancedSelector{data, objects, where("resources.ARN", "NotStartsWith", "arn:aws:s3:::shop/")}), false, false},
		"advanced, not a part":   {advanced(cloudtrail.AdvancedSelector{data, objects, where("resources.ARN", "NotStartsWith", "arn:aws:s3:::shop/tmp/")}), false, false},
		"advanced, not another":  {advanced(cloudtrail.AdvancedSelector{data, objects, where("resources.ARN", "NotStartsWith", "arn:aws:s3:::logs/")}), true, true},
		"advanced, one event":    {advanced(cloudtrail.AdvancedSelector{data, objects, equals("eventName", "PutObject")}), false, false},
		"advanced, of functions": {advanced(cloudtrail.AdvancedSelector{data, equals("resources.type", "AWS::Lambda::Function")}), false, false},
	} {
		for _, writes := range []bool{false, true} {
			got := false
			for _, set := range c.selectors.Objects(writes) {
				got = got || set.HoldsBucket("arn:aws:s3:::shop")
			}
			if want := writes && c.writes || !writes && c.reads; got != want {
				t.Errorf("%s, writes %v: %v, want %v", name, writes, got, want)
			}
		}
	}
}
