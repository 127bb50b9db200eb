package config

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		// Security Hub: critical, for the recorder and its role, since its own controls are
		// blind without them. Ours are not.
		check.For("config-recorder-enabled", model.Medium, recorderEnabled).WithAccount().CausedBy("config-in-every-region"),
		check.For("config-recorder-records-all-types", model.Medium, ofRecorder(allTypes)).WithAccount().CausedBy("config-recorder-enabled"),
		check.For("config-recorder-uses-service-role", model.Low, ofRecorder(serviceRole)).WithAccount().CausedBy("config-recorder-enabled"),
		check.For("config-delivery-succeeds", model.Medium, deliverySucceeds).WithAccount().CausedBy("config-recorder-enabled"),
		check.For("config-delivery-channel", model.Medium, deliveryChannel).WithAccount().CausedBy("config-recorder-enabled"),
	}
}

func recorderEnabled(e *check.Evidence, r RegionSettings) check.Verdict {
	if len(check.Read(e, r.Recorders)) == 0 {
		return check.Failed("there is no configuration recorder in the region")
	}
	for _, s := range check.Read(e, r.Statuses) {
		if s.Recording {
			return check.Passed("recorder " + s.Name + " is recording")
		}
	}
	return check.Failed("the configuration recorder is stopped")
}

// ofRecorder is a rule on the settings of the region's recorder.
func ofRecorder(judge func(Recorder) check.Verdict) func(*check.Evidence, RegionSettings) check.Verdict {
	return func(e *check.Evidence, r RegionSettings) check.Verdict {
		verdict := noRecorder
		for _, recorder := range check.Read(e, r.Recorders) {
			if verdict = judge(recorder); verdict.Status == check.Fail {
				break
			}
		}
		return verdict
	}
}

var noRecorder = check.Failed("there is no configuration recorder in the region")

func allTypes(r Recorder) check.Verdict {
	types, all := r.LeavesOut()
	switch {
	case !all:
		return check.Failed(fmt.Sprintf("recorder %s records %d resource types only", r.Name, len(r.Included)))
	case len(types) > 0:
		return check.Failed(fmt.Sprintf("recorder %s leaves out %s", r.Name, check.List(types)))
	default:
		return check.Passed("recorder " + r.Name + " records all types")
	}
}

// controlTower is the role that AWS Control Tower gives recorders, which its guardrails
// keep anyone from changing.
// https://docs.aws.amazon.com/controltower/latest/controlreference/mandatory-controls.html (2026-11)
const controlTower = ":role/aws-controltower-ConfigRecorderRole"

func serviceRole(r Recorder) check.Verdict {
	if strings.Contains(r.Role, controlTower) {
		return check.Inapplicable("AWS Control Tower set the recorder up, with its own role")
	}
	return check.Must(strings.HasSuffix(r.Role, ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
		"the recorder uses AWSServiceRoleForConfig", "the recorder uses "+r.Role)
}

func deliverySucceeds(e *check.Evidence, r RegionSettings) check.Verdict {
	recording := false
	for _, s := range check.Read(e, r.Statuses) {
		if !s.Recording {
			continue
		}
		// https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorderStatus.html, 29 November 2026.
		switch strings.ToLower(s.Last) {
		case "failure":
			return check.Failed(strings.TrimSpace("the last delivery failed " + s.Error))
		case "pending", "success", "notapplicable":
			recording = true
		default:
			return check.Unfamiliar("status of a recorder", s.Last)
		}
	}
	if !recording {
		return check.Failed("nothing is recorded in the region")
	}
	return check.Passed("the last delivery did not fail")
}

func deliveryChannel(e *check.Evidence, r RegionSettings) check.Verdict {
	if len(check.Read(e, r.Recorders)) == 0 {
		return noRecorder
	}
	for _, c := range check.Read(e, r.Channels) {
		return check.Passed("recordings go to bucket " + c.Bucket)
	}
	return check.Failed("the recorder has no delivery channel")
}
