package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// drawn is a field of an expression as text, and which days, or numbers, it means.
type drawn struct {
	text string
	has  func(time.Time) bool
}

// drawNumbers draws a list of numbers, ranges and steps.
func drawNumbers(rt *rapid.T, label string, first, last int, names []string, of func(time.Time) int) drawn {
	var texts []string
	var all []func(int) bool
	say := func(n int) string {
		if names != nil && rapid.Bool().Draw(rt, label+" by name") {
			return names[n-first]
		}
		return fmt.Sprint(n)
	}
	for range rapid.SampledFrom([]int{1, 1, 2, 3}).Draw(rt, label+" parts") {
		from := rapid.IntRange(first, last).Draw(rt, label)
		to := rapid.IntRange(from, last).Draw(rt, label+" to")
		step := rapid.IntRange(1, min(last, 20)).Draw(rt, label+" step")
		switch rapid.SampledFrom([]string{"all", "one", "range", "steps", "all in steps", "range in steps"}).Draw(rt, label+" form") {
		case "all":
			texts, all = append(texts, "*"), append(all, func(int) bool { return true })
		case "one":
			texts, all = append(texts, say(from)), append(all, func(n int) bool { return n == from })
		case "range":
			texts, all = append(texts, say(from)+"-"+say(to)), append(all, func(n int) bool { return n >= from && n <= to })
		case "steps":
			texts, all = append(texts, fmt.Sprintf("%s/%d", say(from), step)), append(all, func(n int) bool { return n >= from && (n-from)%step == 0 })
		case "all in steps":
			texts, all = append(texts, fmt.Sprintf("*/%d", step)), append(all, func(n int) bool { return (n-first)%step == 0 })
		case "range in steps":
			texts, all = append(texts, fmt.Sprintf("%s-%s/%d", say(from), say(to), step)), append(all, func(n int) bool { return n >= from && n <= to && (n-from)%step == 0 })
		}
	}
	return drawn{strings.Join(texts, ","), func(t time.Time) bool {
		for _, has := range all {
			if has(of(t)) {
				return true
			}
		}
		return false
	}}
}

// works reports whether a day is from Monday to Friday.
func works(t time.Time) bool { return t.Weekday() != time.Sunday && t.Weekday() != time.Saturday }

// nearest walks from the nth day of a month outwards, a day back and a day on, until one
// of the month is from Monday to Friday.
func nearest(t time.Time, n int) int {
	in := func(n int) bool {
		at := time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC)
		return at.Month() == t.Month() && works(at)
	}
	if time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC).Month() != t.Month() {
		return 0
	}
	for away := 0; ; away++ {
		for _, day := range []int{n - away, n + away} {
			if in(day) {
				return day
			}
		}
	}
}

func lastDay(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func drawDayOfMonth(rt *rapid.T) drawn {
	n := rapid.IntRange(1, 31).Draw(rt, "nth")
	return rapid.SampledFrom([]drawn{
		drawNumbers(rt, "day", 1, 31, nil, time.Time.Day),
		{"L", func(t time.Time) bool { return t.Day() == lastDay(t) }},
		{"LW", func(t time.Time) bool { return t.Day() == nearest(t, lastDay(t)) }},
		{fmt.Sprintf("%dW", n), func(t time.Time) bool { return t.Day() == nearest(t, n) }},
		{fmt.Sprintf("%d,L", n), func(t time.Time) bool { return t.Day() == n || t.Day() == lastDay(t) }},
	}).Draw(rt, "day of the month")
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

func drawDayOfWeek(rt *rapid.T) drawn {
	of := func(t time.Time) int { return int(t.Weekday()) + 1 }
	day, nth := rapid.IntRange(1, 7).Draw(rt, "weekday"), rapid.IntRange(1, 5).Draw(rt, "nth")
	return rapid.SampledFrom([]drawn{
		drawNumbers(rt, "day", 1, 7, dayNames, of),
		{"L", func(t time.Time) bool { return t.Weekday() == time.Saturday }},
		{fmt.Sprintf("%dL", day), func(t time.Time) bool { return of(t) == day && t.AddDate(0, 0, 7).Month() != t.Month() }},
		{fmt.Sprintf("%sL", dayNames[day-1]), func(t time.Time) bool { return of(t) == day && t.AddDate(0, 0, 7).Month() != t.Month() }},
		{fmt.Sprintf("%d#%d", day, nth), func(t time.Time) bool { return of(t) == day && (t.Day()+6)/7 == nth }},
		{fmt.Sprintf("%s#%d", dayNames[day-1], nth), func(t time.Time) bool { return of(t) == day && (t.Day()+6)/7 == nth }},
	}).Draw(rt, "day of the week")
}

// TestCron holds what is due next to what AWS documents: every minute from one moment on
// is asked whether the expression means it. A minute that a clock shows again after it
// was set back does not count.
func TestCron(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Nuuk", "Pacific/Apia"}
	rapid.Check(t, func(rt *rapid.T) {
		fields := []drawn{
			drawNumbers(rt, "minute", 0, 59, nil, time.Time.Minute),
			drawNumbers(rt, "hour", 0, 23, nil, time.Time.Hour),
			{text: "?"},
			drawNumbers(rt, "month", 1, 12, monthNames, func(t time.Time) int { return int(t.Month()) }),
			{text: "?"},
			{"*", nil},
		}
		if rapid.Bool().Draw(rt, "by month") {
			fields[2] = drawDayOfMonth(rt)
		} else {
			fields[4] = drawDayOfWeek(rt)
		}
		if rapid.Bool().Draw(rt, "some years") {
			fields[5] = drawNumbers(rt, "year", 1970, 2199, nil, time.Time.Year)
		}
		var texts []string
		for _, f := range fields {
			texts = append(texts, f.text)
		}
		expression := "cron(" + strings.Join(texts, " ") + ")"
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(rt, "zone"))
		if err != nil {
			rt.Fatal(err)
		}
		s, err := schedule.Parse(model.Schedule{Expression: expression, Timezone: zone.String(), JitterMinutes: new(0)}, created)
		if err != nil {
			rt.Fatalf("%s: %v", expression, err)
		}
		means := func(t time.Time) bool {
			local := t.In(zone)
			for _, f := range fields {
				if f.has != nil && !f.has(local) {
					return false
				}
			}
			return local.Second() == 0 && !again(local)
		}

		// Half of the time from shortly before clocks change, if they do.
		after := time.Unix(rapid.Int64Range(at("2011-01-01T00:00:00Z").Unix(), at("2050-01-01T00:00:00Z").Unix()).Draw(rt, "after"), 0)
		if _, change := after.In(zone).ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(rt, "at a change") {
			after = change.Add(time.Duration(rapid.IntRange(-300, 90).Draw(rt, "minutes from it")) * time.Minute)
		}
		for range 3 {
			next := s.Next("c", after)
			if !next.IsZero() && (!next.After(after) || !means(next)) {
				rt.Fatalf("%s in %s: %s comes after %s", expression, zone, next, after)
			}
			until := after.AddDate(0, 0, 40)
			if !next.IsZero() && next.Before(until) {
				until = next
			}
			for minute := after.Truncate(time.Minute).Add(time.Minute); minute.Before(until); minute = minute.Add(time.Minute) {
				if means(minute) {
					rt.Fatalf("%s in %s: %s comes after %s, and %s is left out", expression, zone, next, after, minute)
				}
			}
			if next.IsZero() {
				return
			}
			after = next
		}
	})
}

// again reports whether a clock has shown the time before: it was set back since.
func again(local time.Time) bool {
	for minutes := range 3 * 60 {
		if earlier := local.Add(-time.Duration(minutes+1) * time.Minute); earlier.Format(time.DateTime) == local.Format(time.DateTime) {
			return true
		}
	}
	return false
}

// TestCronOfTheManual has what random expressions seldom say.
func TestCronOfTheManual(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"cron(0 6 29 2 ? *)":                "2028-02-29T06:00:00Z",
		"cron(0 6 ? 2 1#5 *)":               "2032-02-29T06:00:00Z",
		"cron(0 6 30 2 ? *)":                "",
		"cron(0 6 31W 4 ? *)":               "", // April has no 31st that a day could be nearest to
		"cron(0 6 1 1 ? 2199)":              "2199-01-01T06:00:00Z",
		"cron(0 10 ? * 6L 2022-2030)":       "2026-01-30T10:00:00Z",
		"cron(15 12 * * ? *)":               "2026-01-01T12:15:00Z",
		"cron(0 18 ? * mon-fri *)":          "2026-01-01T18:00:00Z",
		"cron(0/5 8-17 ? * MON-FRI *)":      "2026-01-01T10:25:00Z",
		"cron(0 9 ? * 2#1 *)":               "2026-01-05T09:00:00Z",
		"cron(0 6 1W 8 ? 2026)":             "2026-08-03T06:00:00Z", // the 1st is a Saturday
		"cron(0 6 31W 5 ? 2026)":            "2026-05-29T06:00:00Z", // the 31st is a Sunday
		"cron( 0  6 \t 1 1 ? 2027-2030/2 )": "2027-01-01T06:00:00Z",
	} {
		s, err := schedule.Parse(model.Schedule{Expression: expression, JitterMinutes: new(0)}, created)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got := ""
		if next := s.Next("c", created); !next.IsZero() {
			got = next.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: due %q, want %q", expression, got, want)
		}
	}
}

// TestClockChanges: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
func TestClockChanges(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse(model.Schedule{Expression: "cron(30 3 * * ? *)", Timezone: "Europe/Helsinki", JitterMinutes: new(0)}, created)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]string{
		"2026-03-28T12:00:00Z": "2026-03-30T00:30:00Z", // on the 29th there is no 03:30
		"2026-10-24T12:00:00Z": "2026-10-25T00:30:00Z",
		"2026-10-25T00:30:00Z": "2026-10-26T01:30:00Z", // 03:30 comes again, and is not due again
		"2026-10-25T01:29:00Z": "2026-10-26T01:30:00Z",
	} {
		if got := s.Next("c", at(after)).Format(time.RFC3339); got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
}
