package balancerrule_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/balancerrule"
)

func TestRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got  check.Verdict
		want check.Status
		says string
	}{
		"logged":             {balancerrule.AccessLog(true), check.Pass, "are logged"},
		"not logged":         {balancerrule.AccessLog(false), check.Fail, "not logged"},
		"defensive":          {balancerrule.DesyncMitigation("defensive", "eu-west-1"), check.Pass, "defensive"},
		"strictest":          {balancerrule.DesyncMitigation("strictest", "eu-west-1"), check.Pass, "strictest"},
		"monitor":            {balancerrule.DesyncMitigation("monitor", "eu-west-1"), check.Fail, "monitor"},
		"no mode":            {balancerrule.DesyncMitigation("", "eu-west-1"), check.NotAssessed, ""},
		"internal":           {balancerrule.Internal("internal"), check.Pass, "internal"},
		"faces the internet": {balancerrule.Internal("internet-facing"), check.Fail, "faces the internet"},
		"two zones":          {balancerrule.MultiAZ([]string{"a", "b"}), check.Pass, "in a, b"},
		"one zone":           {balancerrule.MultiAZ([]string{"a"}), check.Fail, "one zone"},
		"across zones":       {balancerrule.CrossZone(true, "targets"), check.Pass, "targets of every zone"},
		"in its own zone":    {balancerrule.CrossZone(false, "instances"), check.Fail, "instances of its own zone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.got.Status != c.want || !strings.Contains(c.got.Reason, c.says) {
				t.Errorf("%s (%s), want %s saying %q", c.got.Status, c.got.Reason, c.want, c.says)
			}
		})
	}
}

// A gap names the region, so that a report can say where to look.
func TestGapNamesTheRegion(t *testing.T) {
	t.Parallel()
	gaps := balancerrule.DesyncMitigation("", "eu-west-1").Gaps
	if len(gaps) != 1 || gaps[0].Region != "eu-west-1" || gaps[0].Operation != "elasticloadbalancing:DescribeLoadBalancerAttributes" {
		t.Errorf("gaps %+v", gaps)
	}
}
