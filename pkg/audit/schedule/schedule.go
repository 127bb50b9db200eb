// Package schedule understands when a connection is to be audited: the schedule
// expressions of Amazon EventBridge Scheduler, and "once".
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
package schedule

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// ErrInvalid says that an expression, a time zone or a jitter is not
// understood; the error's text says what is wrong with it.
var ErrInvalid = errors.New("invalid schedule")

// Schedule is a parsed model.Schedule. The zero Schedule is never due.
type Schedule struct {
	next   func(after time.Time) time.Time // zero when there is none
	jitter time.Duration
	spread bool // the jitter is ours, and shorter than the time between two moments
}

// Most and least of what can be asked for.
const (
	maxJitterMinutes = 24 * 60
	minRate          = time.Minute
	maxRate          = 366 * 24 * time.Hour
)

var (
	rateForm = regexp.MustCompile(`^rate\(\s*(\d+)\s+(minutes?|hours?|days?)\s*\)$`)
	atForm   = regexp.MustCompile(`^at\(\s*(\S+)\s*\)$`)
	cronForm = regexp.MustCompile(`^cron\((.*)\)$`)
)

// Parse understands a schedule. created is when it was set: rates count from
// there, and "once" is due there.
func Parse(s model.Schedule, created time.Time) (Schedule, error) {
	var out Schedule
	if given := s.JitterMinutes; given != nil {
		if *given < 0 || *given > maxJitterMinutes {
			return out, fmt.Errorf("%w: jitter of %d minutes is not in 0-%d", ErrInvalid, *given, maxJitterMinutes)
		}
		out.jitter = time.Duration(*given) * time.Minute
	}
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil || s.Timezone == "Local" {
		return out, fmt.Errorf("%w: unknown time zone %q: want an IANA name, such as Europe/Helsinki", ErrInvalid, s.Timezone)
	}
	created = created.UTC().Truncate(time.Minute)
	switch e := strings.TrimSpace(s.Expression); {
	case e == "":
		return Schedule{}, nil
	case s.Once():
		out.next = only(created)
	case rateForm.MatchString(e):
		out.next, err = rate(rateForm.FindStringSubmatch(e), created)
	case atForm.MatchString(e):
		var at time.Time
		if at, err = time.ParseInLocation("2006-01-02T15:04:05", atForm.FindStringSubmatch(e)[1], zone); err != nil {
			return out, fmt.Errorf("%w: %s: want at(yyyy-mm-ddThh:mm:ss)", ErrInvalid, e)
		}
		out.next = only(at)
	case cronForm.MatchString(e):
		var c cron
		if c, err = parseCron(cronForm.FindStringSubmatch(e)[1], zone); err != nil {
			return out, fmt.Errorf("%w: %s: %w", ErrInvalid, e, err)
		}
		out.next = c.next
	default:
		err = fmt.Errorf("%w: %q: want rate(…), cron(…), at(…) or once", ErrInvalid, e)
	}
	if err == nil && s.JitterMinutes == nil {
		out.spread = true
		out.jitter = defaultJitter(out.next, created)
	}
	return out, err
}

// defaultJitter spreads connections of the same schedule, which are often all of an
// organization: over a twelfth of the time until each is due again, and an hour at
// most. What is due once is due when it was said.
func defaultJitter(next func(time.Time) time.Time, created time.Time) time.Duration {
	var shortest time.Duration
	last := next(created)
	for range looked {
		following := next(last)
		if last.IsZero() || following.IsZero() {
			break
		}
		if gap := following.Sub(last); shortest == 0 || gap < shortest {
			shortest = gap
		}
		last = following
	}
	return min(shortest/12, time.Hour)
}

// moments are how many Closer looks at: those of ten days of what is due each quarter of
// an hour. Two that are closer than that are due in one hour or around its end, which
// shows within a day, or around midnight of two days in a row.
const moments = 1000

// Closer reports whether two moments, from one on, are closer to each other than said.
func (s Schedule) Closer(than time.Duration, after time.Time) bool {
	if s.next == nil {
		return false
	}
	last := s.next(after)
	for range moments {
		following := s.next(last)
		if last.IsZero() || following.IsZero() {
			return false
		}
		if following.Sub(last) < than {
			return true
		}
		last = following
	}
	return false
}

// looked is how many moments tell how close to each other they are: those of an
// hourly schedule in a day.
const looked = 24

func only(at time.Time) func(time.Time) time.Time {
	return func(after time.Time) time.Time {
		if at.After(after) {
			return at
		}
		return time.Time{}
	}
}

func rate(words []string, created time.Time) (func(time.Time) time.Time, error) {
	n, err := strconv.Atoi(words[1])
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(words[2], "s")]
	every := time.Duration(n) * unit
	if err != nil || n > 1_000_000 || every < minRate || every > maxRate {
		return nil, fmt.Errorf("%w: %s: want a rate between a minute and a year", ErrInvalid, words[0])
	}
	if plural := strings.HasSuffix(words[2], "s"); plural != (n != 1) {
		return nil, fmt.Errorf("%w: %s: AWS wants \"1 day\" and \"2 days\"", ErrInvalid, words[0])
	}
	return func(after time.Time) time.Time {
		if after.Before(created) {
			return created.Add(every)
		}
		return created.Add((after.Sub(created)/every + 1) * every)
	}, nil
}

// Next is the first moment after one at which the connection is due, or the zero
// time if it never is again. Each connection has its own place within the
// jitter.
func (s Schedule) Next(connection model.ConnectionID, after time.Time) time.Time {
	if s.next == nil {
		return time.Time{}
	}
	shift := s.shift(connection)
	at := s.next(after.Add(-shift))
	if at.IsZero() {
		return at
	}
	return at.Add(shift).UTC()
}

// After is Next for a connection that was due at a moment and is served now. Whatever
// jitter it was due with, which may have been none before it had a default, it is not
// due again for the same moment.
func (s Schedule) After(connection model.ConnectionID, due, now time.Time) time.Time {
	at := s.Next(connection, now)
	if at.IsZero() || !s.spread {
		return at
	}
	following := s.next(due)
	if following.IsZero() {
		return following
	}
	if following = following.Add(s.shift(connection)).UTC(); at.Before(following) {
		return following
	}
	return at
}

func (s Schedule) shift(connection model.ConnectionID) time.Duration {
	if s.jitter == 0 {
		return 0
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(connection))
	return time.Duration(hash.Sum64() % uint64(s.jitter)).Truncate(time.Second)
}
