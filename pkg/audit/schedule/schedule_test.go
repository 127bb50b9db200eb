package schedule_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/pkg/audit/schedule"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// created is a Thursday.
var created = at("2026-01-01T10:20:30Z")

func TestNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		expression, zone string
		after            string
		want             []string // the next ones
	}{
		"every day":             {"rate(1 day)", "", "2026-01-01T10:20:30Z", []string{"2026-01-02T10:20:00Z", "2026-01-03T10:20:00Z"}},
		"every six hours":       {"rate(6 hours)", "", "2026-01-01T17:00:00Z", []string{"2026-01-01T22:20:00Z"}},
		"a rate, long missed":   {"rate(1 day)", "", "2026-03-05T00:00:00Z", []string{"2026-03-05T10:20:00Z"}},
		"exactly when due":      {"rate(1 day)", "", "2026-01-02T10:20:00Z", []string{"2026-01-03T10:20:00Z"}},
		"daily":                 {"cron(15 6 * * ? *)", "", "2026-01-01T10:20:30Z", []string{"2026-01-02T06:15:00Z", "2026-01-03T06:15:00Z"}},
		"weekdays by name":      {"cron(0 6 ? * MON-FRI *)", "", "2026-01-02T07:00:00Z", []string{"2026-01-05T06:00:00Z", "2026-01-06T06:00:00Z"}},
		"weekdays by number":    {"cron(0 6 ? * 2-6 *)", "", "2026-01-02T07:00:00Z", []string{"2026-01-05T06:00:00Z", "2026-01-06T06:00:00Z"}},
		"Sunday is 1":           {"cron(0 6 ? * 1 *)", "", "2026-01-01T00:00:00Z", []string{"2026-01-04T06:00:00Z", "2026-01-11T06:00:00Z"}},
		"Saturday is 7":         {"cron(0 6 ? * 7 *)", "", "2026-01-01T00:00:00Z", []string{"2026-01-03T06:00:00Z"}},
		"first Monday":          {"cron(0 6 ? * 2#1 *)", "", "2026-01-01T00:00:00Z", []string{"2026-01-05T06:00:00Z", "2026-02-02T06:00:00Z"}},
		"last day of the month": {"cron(0 6 L * ? *)", "", "2026-02-01T00:00:00Z", []string{"2026-02-28T06:00:00Z", "2026-03-31T06:00:00Z"}},
		"every quarter":         {"cron(0/15 * * * ? *)", "", "2026-01-01T10:20:30Z", []string{"2026-01-01T10:30:00Z", "2026-01-01T10:45:00Z"}},
		"a year that is over":   {"cron(0 6 1 1 ? 2020)", "", "2026-01-01T00:00:00Z", nil},
		"in Helsinki":           {"cron(0 6 * * ? *)", "Europe/Helsinki", "2026-01-01T10:00:00Z", []string{"2026-01-02T04:00:00Z"}},
		"in Helsinki's summer":  {"cron(0 6 * * ? *)", "Europe/Helsinki", "2026-07-01T10:00:00Z", []string{"2026-07-02T03:00:00Z"}},
		"over a change of time": {"cron(0 6 * * ? *)", "Europe/Helsinki", "2026-03-28T10:00:00Z", []string{"2026-03-29T03:00:00Z"}},
		"at a moment":           {"at(2026-12-24T18:00:00)", "Europe/Helsinki", "2026-01-01T10:00:00Z", []string{"2026-12-24T16:00:00Z", ""}},
		"once":                  {"once", "", "2026-01-01T10:19:59Z", []string{"2026-01-01T10:20:00Z", ""}},
		"never":                 {"", "", "2026-01-01T10:00:00Z", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := schedule.Parse(model.Schedule{Expression: c.expression, Timezone: c.zone, JitterMinutes: new(0)}, created)
			if err != nil {
				t.Fatal(err)
			}
			after, got := at(c.after), []string(nil)
			for range c.want {
				next := s.Next("c", after)
				if next.IsZero() {
					got = append(got, "")
					break
				}
				got, after = append(got, next.Format(time.RFC3339)), next
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]model.Schedule{
		"a word":             {Expression: "daily"},
		"no unit":            {Expression: "rate(5)"},
		"no rate":            {Expression: "rate(0 minutes)"},
		"singular of many":   {Expression: "rate(5 minute)"},
		"plural of one":      {Expression: "rate(1 days)"},
		"too rare":           {Expression: "rate(4000 days)"},
		"overflow":           {Expression: "rate(99999999999999999999 days)"},
		"five fields":        {Expression: "cron(0 6 * * ?)"},
		"two days":           {Expression: "cron(0 6 * * * *)"},
		"no day":             {Expression: "cron(0 6 ? * ? *)"},
		"no such hour":       {Expression: "cron(0 25 * * ? *)"},
		"no such day":        {Expression: "cron(0 6 1,32 * ? *)"},
		"no such weekday":    {Expression: "cron(0 6 ? * 0 *)"},
		"no sixth Monday":    {Expression: "cron(0 6 ? * 2#6 *)"},
		"several nth days":   {Expression: "cron(0 6 ? * 2#1,3#2 *)"},
		"no such month":      {Expression: "cron(0 6 1 JANUARY ? *)"},
		"no such year":       {Expression: "cron(0 6 1 1 ? 2200)"},
		"range turned round": {Expression: "cron(50-10 6 * * ? *)"},
		"over new year":      {Expression: "cron(0 6 1 NOV-FEB ? *)"},
		"no step":            {Expression: "cron(0/ 6 * * ? *)"},
		"step of none":       {Expression: "cron(0/0 6 * * ? *)"},
		"step over the end":  {Expression: "cron(0/60 6 * * ? *)"},
		"a signed number":    {Expression: "cron(+5 6 * * ? *)"},
		"a signed step":      {Expression: "cron(0/+5 6 * * ? *)"},
		"an empty part":      {Expression: "cron(5, 6 * * ? *)"},
		"nearest to nothing": {Expression: "cron(0 6 W * ? *)"},
		"nearest to a range": {Expression: "cron(0 6 1-5W * ? *)"},
		"any hour":           {Expression: "cron(0 ? * * ? *)"},
		"no such moment":     {Expression: "at(tomorrow)"},
		"no such zone":       {Expression: "rate(1 day)", Timezone: "Mars/Olympus"},
		"the machine's zone": {Expression: "rate(1 day)", Timezone: "Local"},
		"negative jitter":    {Expression: "rate(1 day)", JitterMinutes: new(-1)},
		"jitter of a week":   {Expression: "rate(1 day)", JitterMinutes: new(7 * 24 * 60)},
	} {
		if _, err := schedule.Parse(s, created); !errors.Is(err, schedule.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// Each connection keeps its place within the jitter, and they differ.
func TestJitter(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse(model.Schedule{Expression: "cron(0 6 * * ? *)", JitterMinutes: new(60)}, created)
	if err != nil {
		t.Fatal(err)
	}
	places := map[time.Duration]bool{}
	for _, id := range []model.ConnectionID{"a", "b", "c", "d", "e", "f", "g", "h"} {
		first := s.Next(id, at("2026-01-01T12:00:00Z"))
		second := s.Next(id, first)
		place := first.Sub(at("2026-01-02T06:00:00Z"))
		if place < 0 || place >= time.Hour || second.Sub(first) != 24*time.Hour {
			t.Errorf("%s is due at %s and %s", id, first, second)
		}
		places[place] = true
	}
	if len(places) < 6 {
		t.Errorf("8 connections have %d places", len(places))
	}
}

// Without a word about jitter a connection has a place within a twelfth of its period,
// an hour at most, and none if it is due once.
func TestDefaultJitter(t *testing.T) {
	t.Parallel()
	for expression, most := range map[string]time.Duration{
		"rate(1 day)":                 time.Hour,
		"rate(7 days)":                time.Hour,
		"rate(6 hours)":               30 * time.Minute,
		"rate(1 minute)":              5 * time.Second,
		"cron(0 6 * * ? *)":           time.Hour,
		"cron(0 6 ? * MON-FRI *)":     time.Hour,
		"cron(0 6,9 * * ? *)":         15 * time.Minute,
		"cron(0/15 * * * ? *)":        75 * time.Second,
		"cron(0 6 1 1 ? 2030)":        0, // once
		"at(2026-12-24T18:00:00)":     0,
		"once":                        0,
		"cron(0 6 1 1 ? 2030-2031)":   time.Hour,
		"cron(59 23 31 12 ? 2020)":    0, // never
		"cron(0 0/6 * * ? *)":         30 * time.Minute,
		"cron(0,1 0 1 1 ? 2030-2032)": 5 * time.Second,
	} {
		s, err := schedule.Parse(model.Schedule{Expression: expression}, created)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := schedule.Parse(model.Schedule{Expression: expression, JitterMinutes: new(0)}, created)
		if err != nil {
			t.Fatal(err)
		}
		farthest := time.Duration(0)
		for i := range 200 {
			id := model.ConnectionID(fmt.Sprintf("connection-%d", i))
			after := created.Add(-time.Hour)
			want := exact.Next(id, after)
			for range 3 {
				got := s.Next(id, after)
				if got.IsZero() != want.IsZero() {
					t.Fatalf("%s: due at %s, without jitter at %s", expression, got, want)
				}
				place := got.Sub(want)
				if place < 0 || place >= max(most, 1) {
					t.Fatalf("%s: %s after it is due, want less than %s", expression, place, most)
				}
				if after, want = got, exact.Next(id, want); got.IsZero() {
					break
				}
				farthest = max(farthest, place)
			}
		}
		if farthest < most*3/4 {
			t.Errorf("%s: 200 connections are spread over %s, want nearly %s", expression, farthest, most)
		}
	}
}

// A connection that was due without jitter when it was stored, and has one since, is
// not due twice for one moment. One that is late is due at its own place again.
func TestAfter(t *testing.T) {
	t.Parallel()
	daily := model.Schedule{Expression: "cron(0 6 * * ? *)"}
	s, err := schedule.Parse(daily, created)
	if err != nil {
		t.Fatal(err)
	}
	place := s.Next("c", at("2026-01-01T12:00:00Z")).Sub(at("2026-01-02T06:00:00Z"))
	if place == 0 {
		t.Fatal("want a connection with a place of its own")
	}
	for name, c := range map[string]struct{ due, now, want string }{
		"stored before there was a jitter": {"2026-01-02T06:00:00Z", "2026-01-02T06:00:10Z", "2026-01-03T06:00:00Z"},
		"served when due":                  {"2026-01-02T06:10:00Z", "2026-01-02T07:00:10Z", "2026-01-03T06:00:00Z"},
		"served three days late":           {"2026-01-02T06:10:00Z", "2026-01-05T09:00:00Z", "2026-01-06T06:00:00Z"},
	} {
		if got := s.After("c", at(c.due), at(c.now)); !got.Equal(at(c.want).Add(place)) {
			t.Errorf("%s: due again at %s, want %s and %s", name, got, c.want, place)
		}
	}
	daily.JitterMinutes = new(0)
	if s, err = schedule.Parse(daily, created); err != nil {
		t.Fatal(err)
	}
	if got := s.After("c", at("2026-01-02T06:00:00Z"), at("2026-01-02T06:00:10Z")); !got.Equal(at("2026-01-03T06:00:00Z")) {
		t.Errorf("without jitter due again at %s", got)
	}
}
