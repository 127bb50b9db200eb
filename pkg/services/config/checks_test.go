package config_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/config"
)

const serviceRole = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

// region records everything, changed as a case needs.
func region(change func(*config.Recorder, *config.Status)) config.RegionSettings {
	recorder := config.Recorder{Name: "default", Role: serviceRole, AllSupported: true, Global: true}
	status := config.Status{Name: "default", Recording: true, Last: "SUCCESS"}
	if change != nil {
		change(&recorder, &status)
	}
	return config.RegionSettings{
		Resource:  checktest.Ref("config", "region-settings"),
		Recorders: fact.Known([]config.Recorder{recorder}),
		Statuses:  fact.Known([]config.Status{status}),
		Channels:  fact.Known([]config.Channel{{Bucket: "config-111122223333"}}),
	}
}

func recorder(r config.Recorder) config.RegionSettings {
	return region(func(to *config.Recorder, _ *config.Status) { *to = r })
}

func status(s config.Status) config.RegionSettings {
	return region(func(_ *config.Recorder, to *config.Status) { *to = s })
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := region(nil)
	none := config.RegionSettings{
		Resource:  checktest.Ref("config", "region-settings"),
		Recorders: fact.Known[[]config.Recorder](nil),
		Statuses:  fact.Known[[]config.Status](nil),
		Channels:  fact.Known[[]config.Channel](nil),
	}
	noChannel := region(nil)
	noChannel.Channels = fact.Known[[]config.Channel](nil)
	stopped := status(config.Status{Name: "default", Last: "Success"})
	failing := status(config.Status{Name: "default", Recording: true, Last: "Failure", Error: "AccessDenied"})

	checktest.Run(t, config.Service(), checktest.Table{
		"config-recorder-enabled": {
			{Name: "recording", Resource: good, Want: check.Pass},
			{Name: "stopped", Resource: stopped, Want: check.Fail},
			{Name: "none", Resource: none, Want: check.Fail},
		},
		"config-recorder-records-all-types": {
			{Name: "all", Resource: good, Want: check.Pass},
			{Name: "all but the global ones", Resource: recorder(config.Recorder{Name: "default", AllSupported: true}), Want: check.Pass},
			{Name: "global ones excluded", Resource: recorder(config.Recorder{
				Name: "default", Excluded: []string{"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"},
			}), Want: check.Pass},
			{Name: "one excluded", Resource: recorder(config.Recorder{Name: "default", Excluded: []string{"AWS::IAM::User", "AWS::EC2::Volume"}}), Want: check.Fail},
			{Name: "some", Resource: recorder(config.Recorder{Name: "default", Included: []string{"AWS::S3::Bucket"}}), Want: check.Fail},
			{Name: "none", Resource: none, Want: check.Fail},
		},
		"config-recorder-uses-service-role": {
			{Name: "AWS's", Resource: good, Want: check.Pass},
			{Name: "own", Resource: recorder(config.Recorder{Name: "default", Role: "arn:aws:iam::111122223333:role/config", AllSupported: true}), Want: check.Fail},
			{Name: "Control Tower's", Resource: recorder(config.Recorder{Name: "default", Role: "arn:aws:iam::111122223333:role/aws-controltower-ConfigRecorderRole", AllSupported: true}), Want: check.NotApplicable},
			{Name: "none", Resource: none, Want: check.Fail},
		},
		"config-delivery-succeeds": {
			{Name: "success", Resource: good, Want: check.Pass},
			{Name: "pending", Resource: status(config.Status{Name: "default", Recording: true, Last: "Pending"}), Want: check.Pass},
			{Name: "failure", Resource: failing, Want: check.Fail},
			{Name: "stopped", Resource: stopped, Want: check.Fail},
			{Name: "none", Resource: none, Want: check.Fail},
		},
		"config-delivery-channel": {
			{Name: "one", Resource: good, Want: check.Pass},
			{Name: "none", Resource: noChannel, Want: check.Fail},
			{Name: "no recorder", Resource: none, Want: check.Fail},
		},
	})
}

func TestRecordsGlobal(t *testing.T) {
	t.Parallel()
	iam := []string{"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}
	for name, c := range map[string]struct {
		recorder config.Recorder
		want     bool
	}{
		"all":                      {config.Recorder{AllSupported: true, Global: true}, true},
		"all but the global types": {config.Recorder{AllSupported: true}, false},
		"volumes excluded":         {config.Recorder{Excluded: []string{"AWS::EC2::Volume"}}, true},
		"users excluded":           {config.Recorder{Excluded: iam[:1]}, false},
		"global types included":    {config.Recorder{Included: iam}, true},
		"users included":           {config.Recorder{Included: iam[:1]}, false},
	} {
		if got := c.recorder.RecordsGlobal(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
