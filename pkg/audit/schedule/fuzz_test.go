package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// FuzzSchedule: what is understood is due again and again, later each time, and the same
// when it is read again; whatever it says, that takes little time. What is not is refused
// as that.
func FuzzSchedule(f *testing.F) {
	for _, e := range []string{"", "once", "rate(1 day)", "rate(5 minutes)", "at(2026-12-24T06:00:00)", "cron(0 6 * * ? *)", "cron(0/15 6-18 ? * MON-FRI *)", "cron(0 6 LW * ? 2027)", "cron(* * 29 2 ? 2100)", "cron(0 6 ? * 2#5 *)", "rate(99999999999999999999 days)", "cron()", "cron(0 6 31 2 ? *)", "at(9999-12-31T23:59:59)"} {
		for _, zone := range []string{"", "Europe/Helsinki", "Australia/Lord_Howe", "../etc/passwd"} {
			f.Add(e, zone, 0)
		}
	}
	f.Fuzz(func(t *testing.T, expression, zone string, jitter int) {
		said := model.Schedule{Expression: expression, Timezone: zone, JitterMinutes: &jitter}
		if len(expression)+len(zone) > 1000 { // which model.Connection.Check refuses
			return
		}
		start := time.Now()
		s, err := schedule.Parse(said, created)
		if err != nil {
			if !errors.Is(err, schedule.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := schedule.Parse(said, created)
		if err != nil {
			t.Fatal(err)
		}
		after := created
		for range 5 {
			next := s.Next("c", after)
			if next.IsZero() {
				break
			}
			if !next.After(after) || !again.Next("c", after).Equal(next) {
				t.Fatalf("%+v is due at %s after %s, and %s", said, next, after, again.Next("c", after))
			}
			after = next
		}
		s.Closer(15*time.Minute, created)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%+v took %s", said, took)
		}
	})
}
