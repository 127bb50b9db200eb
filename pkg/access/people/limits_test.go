package people_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newLimiter(c *clock, t table.Table) *people.Limiter {
	return people.NewLimiter(store.New(t, nil), c.Now)
}

var jane = people.Who{Organization: "acme", Person: "jane", Address: "192.0.2.1", Session: "s1"}

// TestLimitsOfEverything holds each sensitive thing to its figures, by all that it counts.
// They are a promise: who changes one says it here.
func TestLimitsOfEverything(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range []struct {
		what   string
		limits people.Limits
		want   []string
	}{
		{"a password, on a known device", people.SignInKnown, []string{"10 in 15m0s per device"}},
		{"a password, on another device", people.SignInOther, []string{"100 in 1h0m0s per address", "5 in 1h0m0s per person+address", "10 in 1h0m0s per person", "3 in 24h0m0s per person+address", "10000 in 24h0m0s per person"}},
		{"a code, on a known device", people.CodeKnown, []string{"10 in 15m0s per device", "30 in 24h0m0s per device"}},
		{"a code, on another device", people.CodeOther, []string{"5 in 15m0s per person+address", "20 in 24h0m0s per person"}},
		{"to refresh", people.RefreshTries, []string{"600 in 1h0m0s per address"}},
		{"to refresh, with a token that is right", people.Refreshes, []string{"60 in 1h0m0s per session", "600 in 1h0m0s per person"}},
		{"to begin a sign-in at a provider", people.SSOStarts, []string{"300 in 1h0m0s per address"}},
		{"to come back from a provider", people.SSOAnswers, []string{"300 in 1h0m0s per address"}},
		{"to use a link", people.Links, []string{"30 in 1h0m0s per address"}},
		{"the password of who is signed in", people.Reauthentications, []string{"10 in 1h0m0s per session", "30 in 24h0m0s per person", "100 in 1h0m0s per address"}},
		{"to invite", people.Invitations, []string{"50 in 1h0m0s per person", "100 in 1h0m0s per address", "500 in 24h0m0s per organization"}},
		{"to recover somebody", people.Recoveries, []string{"10 in 1h0m0s per person", "20 in 1h0m0s per address", "50 in 24h0m0s per organization"}},
		{"to make an API token", people.APITokens, []string{"30 in 1h0m0s per person", "60 in 1h0m0s per address", "200 in 24h0m0s per organization"}},
		{"to connect an account", people.Connections, []string{"1000 in 1h0m0s per person", "1000 in 1h0m0s per address", "1000 in 1h0m0s per organization"}},
		{"to verify a connection", people.Verifications, []string{"300 in 1h0m0s per person", "600 in 1h0m0s per address", "1000 in 1h0m0s per organization"}},
		{"to start an audit", people.Audits, []string{"2000 in 1h0m0s per person", "4000 in 1h0m0s per address", "4000 in 1h0m0s per organization"}},
		{"to give an access key", people.AccessKeys, []string{"300 in 1h0m0s per person", "600 in 1h0m0s per address", "1000 in 1h0m0s per organization"}},
		{"to replace the External ID", people.Rotations, []string{"60 in 1h0m0s per person", "120 in 1h0m0s per address", "120 in 1h0m0s per organization"}},
		{"to ask with an Idempotency-Key", people.Repeatables, []string{"10000 in 24h0m0s per organization"}},
		{"operators' links", people.OperatorLinks, []string{"1000 in 1h0m0s per person", "1000 in 1h0m0s per address", "20 in 1h0m0s per organization"}},
		{"to reindex", people.Reindexings, []string{"4000 in 24h0m0s per person", "4000 in 24h0m0s per address", "4 in 24h0m0s per organization"}},
		{"to rekey", people.Rekeys, []string{"4000 in 24h0m0s per person", "4000 in 24h0m0s per address", "4 in 24h0m0s per organization"}},
	} {
		var got []string
		for _, l := range c.limits {
			got = append(got, fmt.Sprintf("%d in %s per %s", l.Most, l.Window, l.Per))
			if names[l.Name] {
				t.Errorf("%s is the name of two", l.Name)
			}
			names[l.Name] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s:\n%q, want\n%q", c.what, got, c.want)
		}
		// What was said holds, to the last try.
		if len(c.limits) != 3 {
			continue
		}
		clock := newClock()
		limiter := newLimiter(clock, memtable.New(clock.Now))
		least := min(c.limits[0].Most, c.limits[1].Most, c.limits[2].Most)
		for n := least; n > 0; n-- {
			if a, err := limiter.Take(t.Context(), c.limits, jane); err != nil || a.Remaining != n-1 {
				t.Fatalf("%s: %d remain, %v; want %d", c.what, a.Remaining, err, n-1)
			}
		}
		if _, err := limiter.Take(t.Context(), c.limits, jane); !errors.As(err, new(*people.LimitedError)) {
			t.Errorf("%s: one more than %d: %v", c.what, least, err)
		}
	}
}

var three = people.Limits{{Name: "three", Per: people.PerPerson, Most: 3, Window: time.Hour}}

func TestAnswerOfLimits(t *testing.T) {
	t.Parallel()
	clock := newClock()
	clock.Move(20*time.Minute + time.Millisecond)
	limiter := newLimiter(clock, memtable.New(clock.Now))
	for i := range 5 {
		a, err := limiter.Take(t.Context(), three, jane)
		var limited *people.LimitedError
		switch {
		case i < 3:
			if err != nil || a.Limit != three[0] || a.Remaining != int64(2-i) || a.Reset != 40*time.Minute {
				t.Errorf("try %d: %+v, %v", i, a, err)
			}
		case !errors.As(err, &limited) || limited.Limit != three[0] || limited.Remaining != 0 || limited.RetryAfter() != 40*time.Minute:
			t.Errorf("try %d: %v", i, err)
		}
	}
	clock.Move(40*time.Minute - 2*time.Millisecond)
	if _, err := limiter.Take(t.Context(), three, jane); !errors.As(err, new(*people.LimitedError)) {
		t.Errorf("a moment before the end: %v", err)
	}
	clock.Move(time.Millisecond)
	if a, err := limiter.Take(t.Context(), three, jane); err != nil || a.Remaining != 2 || a.Reset != time.Hour {
		t.Errorf("in the next window: %+v, %v", a, err)
	}
}

// What one uses up is no other's, and nobody is counted who is not known.
func TestWhoIsCounted(t *testing.T) {
	t.Parallel()
	for _, per := range []people.Per{people.PerAddress, people.PerPerson, people.PerOrganization, people.PerSession, people.PerDevice, people.PerPair} {
		clock := newClock()
		limiter := newLimiter(clock, memtable.New(clock.Now))
		once := people.Limits{{Name: "once", Per: per, Most: 1, Window: time.Hour}}
		who := jane
		who.Device = "d1"
		for _, c := range []struct {
			what   string
			change func(*people.Who)
			apart  []people.Per
		}{
			{"the same", func(*people.Who) {}, nil},
			{"another address", func(w *people.Who) { w.Address = "192.0.2.2" }, []people.Per{people.PerAddress, people.PerPair}},
			{"another person", func(w *people.Who) { w.Person = "joe" }, []people.Per{people.PerPerson, people.PerPair, people.PerDevice}},
			{"another session", func(w *people.Who) { w.Session = "s2" }, []people.Per{people.PerSession}},
			{"another device", func(w *people.Who) { w.Device = "d2" }, []people.Per{people.PerDevice}},
			{"another organization", func(w *people.Who) { w.Organization = "acme2" }, []people.Per{people.PerOrganization, people.PerPerson, people.PerSession, people.PerDevice, people.PerPair}},
		} {
			// On instances of their own, so that nothing is remembered.
			c.what = fmt.Sprintf("per %s, %s", per, c.what)
			fresh := newLimiter(clock, memtable.New(clock.Now))
			if _, err := fresh.Take(t.Context(), once, who); err != nil {
				t.Fatal(err)
			}
			other := who
			c.change(&other)
			_, err := fresh.Take(t.Context(), once, other)
			apart := false
			for _, p := range c.apart {
				apart = apart || p == per
			}
			if apart != (err == nil) {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if per == people.PerAddress || per == people.PerPair {
			continue
		}
		if _, err := limiter.Take(t.Context(), once, people.Who{Address: "192.0.2.1"}); err == nil || errors.As(err, new(*people.LimitedError)) {
			t.Errorf("per %s, nobody: %v", per, err)
		}
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1":               "192.0.2.1",
		"::ffff:192.0.2.1":        "192.0.2.1",
		"2001:db8:1:2ff::1":       "2001:db8:1:200::/56",
		"2001:db8:1:200:a:b:c:d":  "2001:db8:1:200::/56",
		"2001:DB8:1:300::1":       "2001:db8:1:300::/56",
		"fe80::1%eth0":            "fe80::/56",
		"":                        "unknown",
		"192.0.2.1, 198.51.100.1": "unknown",
		"192.0.2.1:443":           "unknown",
		"x":                       "unknown",
	} {
		if got := people.Network(address); got != want {
			t.Errorf("%q is of %q, want %q", address, got, want)
		}
	}
}

// However many try at once on however many instances, no more pass than the limit says.
func TestLimitsHoldUnderRaces(t *testing.T) {
	t.Parallel()
	clock := newClock()
	shared := memtable.New(clock.Now)
	limits := people.Limits{{Name: "some", Per: people.PerPerson, Most: 50, Window: time.Hour}}
	var passed, refused atomic.Int64
	var all sync.WaitGroup
	for range 2 {
		limiter := newLimiter(clock, shared)
		for range 100 {
			all.Go(func() {
				switch _, err := limiter.Take(t.Context(), limits, jane); {
				case err == nil:
					passed.Add(1)
				case errors.As(err, new(*people.LimitedError)):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if passed.Load() != 50 || refused.Load() != 150 {
		t.Errorf("%d passed and %d were refused, of 200 at a limit of 50", passed.Load(), refused.Load())
	}
}

// TestWindows tries at any moments on two instances, and compares with a count by hand: in
// each window as many pass as the limit says.
func TestWindows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := newClock()
		shared := memtable.New(clock.Now)
		instances := []*people.Limiter{newLimiter(clock, shared), newLimiter(clock, shared)}
		limit := people.Limit{Name: "x", Per: people.PerPerson, Most: rapid.Int64Range(1, 5).Draw(t, "most"), Window: time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute}
		tried := map[time.Time]int64{}
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			clock.Move(time.Duration(rapid.IntRange(0, 1200).Draw(t, "seconds")) * time.Second)
			window := clock.Now().Truncate(limit.Window)
			tried[window]++
			a, err := rapid.SampledFrom(instances).Draw(t, "instance").Take(context.Background(), people.Limits{limit}, jane)
			var limited *people.LimitedError
			if left := limit.Most - tried[window]; left >= 0 {
				if err != nil || a.Remaining != left {
					t.Fatalf("%d remain, %v; want %d", a.Remaining, err, left)
				}
			} else if !errors.As(err, &limited) || !clock.Now().Add(limited.Reset).Equal(window.Add(limit.Window)) {
				t.Fatalf("%v, want a refusal until %s", err, window.Add(limit.Window))
			}
		}
	})
}

// counting counts writes, and fails on demand.
type counting struct {
	table.Table
	adds atomic.Int64
	fail atomic.Bool
}

func (c *counting) Add(ctx context.Context, k table.Key, n int64, expires time.Time) (int64, error) {
	c.adds.Add(1)
	if c.fail.Load() {
		return 0, errors.New("the table is away")
	}
	return c.Table.Add(ctx, k, n, expires)
}

// A flood costs no writes once it would be refused whatever was given back, and what cannot be counted does not pass.
func TestFloods(t *testing.T) {
	t.Parallel()
	clock := newClock()
	shared := &counting{Table: memtable.New(clock.Now)}
	limiter := newLimiter(clock, shared)
	for range 10_000 {
		if _, err := limiter.Take(t.Context(), three, jane); err != nil && !errors.As(err, new(*people.LimitedError)) {
			t.Fatal(err)
		}
	}
	if n := shared.adds.Load(); n != 7 {
		t.Errorf("%d writes", n)
	}
	for i := range 25_000 { // and neither is memory
		who := jane
		who.Person = fmt.Sprint(i)
		for range 4 {
			_, _ = limiter.Take(t.Context(), three, who)
		}
	}
	if n := limiter.Remembered(); n > 10_000 {
		t.Errorf("%d refusals are remembered", n)
	}
	if _, err := limiter.Take(t.Context(), three, jane); !errors.As(err, new(*people.LimitedError)) {
		t.Errorf("a refusal that was forgotten: %v", err)
	}
	shared.fail.Store(true)
	joe := people.Who{Person: "joe", Organization: model.OrganizationID("acme")}
	if _, err := limiter.Take(t.Context(), three, joe); err == nil || errors.As(err, new(*people.LimitedError)) {
		t.Errorf("without a table: %v", err)
	}
}

// TestRightTriesDoNotCount makes tries of which any are right, in any order and at several at
// once: no more wrong ones pass than the limit says, and one is refused only if as many were
// wrong, or are under way.
func TestRightTriesDoNotCount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := newClock()
		shared := memtable.New(clock.Now)
		instances := []*people.Limiter{newLimiter(clock, shared), newLimiter(clock, shared)}
		limits := people.Limits{{Name: "x", Per: people.PerPerson, Most: rapid.Int64Range(1, 5).Draw(t, "most"), Window: time.Hour}}
		var wrong, refused int64
		var under []people.Allowance
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			at := rapid.SampledFrom(instances).Draw(t, "instance")
			if len(under) > 0 && rapid.Bool().Draw(t, "end one") {
				if rapid.Bool().Draw(t, "right") {
					if err := at.GiveBack(context.Background(), under[0]); err != nil {
						t.Fatal(err)
					}
				} else {
					wrong++
				}
				under = under[1:]
				continue
			}
			a, err := at.Take(context.Background(), limits, jane)
			switch most := limits[0].Most; {
			case err == nil:
				if under = append(under, a); wrong+int64(len(under)) > most {
					t.Fatalf("%d were wrong and %d are under way, of %d", wrong, len(under), most)
				}
			case !errors.As(err, new(*people.LimitedError)):
				t.Fatal(err)
			case wrong+refused+int64(len(under)) < most:
				t.Fatalf("refused after %d wrong, %d refused and with %d under way, of %d", wrong, refused, len(under), most)
			default:
				refused++
			}
		}
	})
}
