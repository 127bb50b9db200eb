package check_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

type volume struct {
	model.Resource
	Detail fact.Of[volumeDetail] `json:"detail"`
	Policy fact.Of[string]       `json:"policy"`
}

type volumeDetail struct {
	Encrypted bool
	State     string
}

func (volume) Kind() string { return "Test::Storage::Volume" }

func encrypted(e *check.Evidence, v volume) check.Verdict {
	d := check.Read(e, v.Detail)
	if d.State == "deleting" {
		return check.Inapplicable("the volume is on its way out")
	}
	return check.Must(d.Encrypted, "the volume is encrypted", "the volume is not encrypted")
}

// BenchmarkVerdicts judges 100,000 resources by a simple rule, one in a hundred
// of which could not be read.
func BenchmarkVerdicts(b *testing.B) {
	const resources = 100_000
	all := make([]check.Resource, resources)
	for i := range all {
		v := volume{Detail: fact.Known(volumeDetail{Encrypted: i%3 == 0, State: "in-use"})}
		v.ARN = fmt.Sprintf("arn:aws:ec2:eu-west-1:111122223333:volume/vol-%d", i)
		if i%100 == 0 {
			v.Detail = fact.Missing[volumeDetail](fact.Denied, "ec2:DescribeVolumes")
		}
		all[i] = v
	}
	rule := check.For("volume-encrypted", model.High, encrypted)
	judge := check.NewJudge(time.Now(), nil)
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range all {
			judge.Judge(rule, r)
		}
	}
	b.ReportMetric(float64(resources)*float64(b.N)/b.Elapsed().Seconds(), "verdicts/s")
}
