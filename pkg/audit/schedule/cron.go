package schedule

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is an expression of EventBridge Scheduler's six fields: minutes, hours, day of
// the month, month, day of the week with Sunday as 1, year.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based (November 2026)
//
// The parser is ours because no library is exact. On a range that ends before it begins
// one panics, and another takes 30 February for 2 March; none has all years and runs once
// when a clock is set back.
type cron struct {
	minutes, hours, months set
	years                  []bool // from firstYear
	day                    func(day) bool
	zone                   *time.Location
}

const firstYear, lastYear = 1970, 2199

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// set is of numbers below 64.
type set uint64

func (s set) has(n int) bool { return s>>n&1 == 1 }

// day is one of the calendar.
type day struct {
	month   int // of the month
	last    int // of its month
	weekday int // 1 for Sunday
}

// weekdayOf is the day of the week of another day of the same month.
func (d day) weekdayOf(month int) int { return (d.weekday-1+month-d.month+35)%7 + 1 }

// parseCron understands what stands between the parentheses.
func parseCron(fields string, zone *time.Location) (cron, error) {
	c := cron{zone: zone, years: make([]bool, lastYear-firstYear+1)}
	f := strings.Fields(fields)
	if len(f) != 6 {
		return c, fmt.Errorf("%d fields, want 6: minutes hours day-of-month month day-of-week year", len(f))
	}
	if (f[2] == "?") == (f[4] == "?") {
		return c, errors.New(`want "?" in one of the two days, and only there`)
	}
	for _, field := range []struct {
		name, text string
		of         numbers
		to         *set
	}{
		{"minutes", f[0], numbers{0, 59, nil}, &c.minutes},
		{"hours", f[1], numbers{0, 23, nil}, &c.hours},
		{"month", f[3], numbers{1, 12, monthNames}, &c.months},
	} {
		if err := field.of.each(field.text, func(n int) { *field.to |= 1 << n }); err != nil {
			return c, fmt.Errorf("%s: %w", field.name, err)
		}
	}
	if err := (numbers{firstYear, lastYear, nil}).each(f[5], func(n int) { c.years[n-firstYear] = true }); err != nil {
		return c, fmt.Errorf("year: %w", err)
	}
	var err error
	if f[4] == "?" {
		if c.day, err = daysOfMonth(f[2]); err != nil {
			return c, fmt.Errorf("day of the month: %w", err)
		}
		return c, nil
	}
	if c.day, err = daysOfWeek(f[4]); err != nil {
		return c, fmt.Errorf("day of the week: %w", err)
	}
	return c, nil
}

// numbers are those that a field may have, and their names, the first's first.
type numbers struct {
	first, last int
	names       []string
}

// each calls do with the numbers that a list of numbers, ranges and steps has.
func (f numbers) each(list string, do func(int)) error {
	for part := range strings.SplitSeq(list, ",") {
		span, step, stepped := strings.Cut(part, "/")
		from, to, ranged := strings.Cut(span, "-")
		first, last, every := f.first, f.last, 1
		var err error
		if span != "*" {
			if first, err = f.number(from); err != nil {
				return err
			}
			switch {
			case ranged:
				if last, err = f.number(to); err != nil {
					return err
				}
			case !stepped:
				last = first
			}
		}
		if stepped {
			if every, err = (numbers{1, f.last, nil}).number(step); err != nil {
				return err
			}
		}
		if last < first {
			return fmt.Errorf("%q ends before it begins", part)
		}
		for n := first; n <= last; n += every {
			do(n)
		}
	}
	return nil
}

func (f numbers) number(text string) (int, error) {
	if at := slices.Index(f.names, strings.ToUpper(text)); at >= 0 {
		return f.first + at, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.first || n > f.last || text[0] == '+' {
		return 0, fmt.Errorf("%q: want a number from %d to %d", text, f.first, f.last)
	}
	return n, nil
}

// daysOfMonth understands a list of days, of L, the last day, of nW, the day from Monday
// to Friday that is nearest to the nth and of its month, and of LW, the last such day.
func daysOfMonth(list string) (func(day) bool, error) {
	month := numbers{1, 31, nil}
	var days, near set
	var last, lastNear bool
	for part := range strings.SplitSeq(list, ",") {
		switch number, isNear := strings.CutSuffix(part, "W"); {
		case part == "L":
			last = true
		case part == "LW":
			lastNear = true
		case isNear:
			n, err := month.number(number)
			if err != nil {
				return nil, err
			}
			near |= 1 << n
		default:
			if err := month.each(part, func(n int) { days |= 1 << n }); err != nil {
				return nil, err
			}
		}
	}
	return func(d day) bool {
		if days.has(d.month) || last && d.month == d.last || lastNear && d.month == d.nearest(d.last) {
			return true
		}
		for left := near; left != 0; left &= left - 1 {
			if n := bits.TrailingZeros64(uint64(left)); n <= d.last && d.month == d.nearest(n) {
				return true
			}
		}
		return false
	}, nil
}

// nearest is the day from Monday to Friday of the same month that is nearest to one.
func (d day) nearest(n int) int {
	switch d.weekdayOf(n) {
	case 7: // Saturday
		if n == 1 {
			return n + 2
		}
		return n - 1
	case 1: // Sunday
		if n == d.last {
			return n - 2
		}
		return n + 1
	default:
		return n
	}
}

// daysOfWeek understands a list of days, of L, the last day of the week, and of dL, the
// last such day of the month; or d#n alone, the nth such day of the month.
func daysOfWeek(list string) (func(day) bool, error) {
	week := numbers{1, 7, dayNames}
	if weekday, nth, ok := strings.Cut(list, "#"); ok {
		d, err := week.number(weekday)
		if err != nil {
			return nil, err
		}
		n, err := (numbers{1, 5, nil}).number(nth)
		if err != nil {
			return nil, err
		}
		return func(at day) bool { return at.weekday == d && (at.month-1)/7+1 == n }, nil
	}
	var days, last set
	for part := range strings.SplitSeq(list, ",") {
		switch weekday, isLast := strings.CutSuffix(part, "L"); {
		case part == "L":
			days |= 1 << 7
		case isLast:
			d, err := week.number(weekday)
			if err != nil {
				return nil, err
			}
			last |= 1 << d
		default:
			if err := week.each(part, func(n int) { days |= 1 << n }); err != nil {
				return nil, err
			}
		}
	}
	return func(at day) bool {
		return days.has(at.weekday) || last.has(at.weekday) && at.month+7 > at.last
	}, nil
}

// next is the first moment after one that the expression names, or zero. What a clock
// that is set forward leaves out is left out, and what one that is set back shows twice
// counts once.
func (c cron) next(after time.Time) time.Time {
	local := after.In(c.zone)
	for year := max(local.Year(), firstYear); year <= lastYear; year++ {
		if !c.years[year-firstYear] {
			continue
		}
		for month := time.January; month <= time.December; month++ {
			if !c.months.has(int(month)) || year == local.Year() && month < local.Month() {
				continue
			}
			first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
			last := first.AddDate(0, 1, -1).Day()
			for n := 1; n <= last; n++ {
				if year == local.Year() && month == local.Month() && n < local.Day() {
					continue
				}
				if !c.day(day{month: n, last: last, weekday: (int(first.Weekday())+n-1)%7 + 1}) {
					continue
				}
				if at := c.within(year, month, n, after); !at.IsZero() {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// within is the first moment of a day that is after another.
func (c cron) within(year int, month time.Month, n int, after time.Time) time.Time {
	for hours := c.hours; hours != 0; hours &= hours - 1 {
		for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
			hour, minute := bits.TrailingZeros64(uint64(hours)), bits.TrailingZeros64(uint64(minutes))
			if at, ok := firstAt(year, month, n, hour, minute, c.zone); ok && at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}

// firstAt is when clocks first show a time, if they do.
func firstAt(year int, month time.Month, day, hour, minute int, zone *time.Location) (time.Time, bool) {
	at := time.Date(year, month, day, hour, minute, 0, 0, zone)
	if at.Day() != day || at.Hour() != hour || at.Minute() != minute {
		return at, false
	}
	if changed, _ := at.ZoneBounds(); !changed.IsZero() {
		_, offset := at.Zone()
		_, before := changed.Add(-1).Zone()
		if earlier := at.Add(time.Duration(offset-before) * time.Second); earlier.Before(changed) {
			return earlier, true
		}
	}
	return at, true
}
