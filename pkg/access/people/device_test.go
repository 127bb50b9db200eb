package people_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func newDevice(t interface{ Fatal(...any) }, at time.Time) (secret.String, model.Device) {
	cookie, d, err := people.NewDevice(at)
	if err != nil {
		t.Fatal(err)
	}
	return cookie, d
}

func TestDevices(t *testing.T) {
	t.Parallel()
	now := newClock().Now()
	cookie, mine := newDevice(t, now)
	_, other := newDevice(t, now)
	devices := people.AddDevice(people.AddDevice(nil, other, secret.String{}), mine, secret.String{})
	id := cookie.Reveal()[len("caqd_"):][:26]
	forged, _ := newToken(t, people.DeviceToken, id)
	token, hash := newToken(t, people.RefreshToken, id)
	for name, c := range map[string]struct {
		devices []model.Device
		cookie  secret.String
		at      time.Time
		want    string
	}{
		"known":                      {devices, cookie, now, id},
		"a year later":               {devices, cookie, now.Add(366 * 24 * time.Hour), id},
		"too late":                   {devices, cookie, now.Add(people.DeviceAge), ""},
		"of nobody":                  {nil, cookie, now, ""},
		"of another person":          {devices[:1], cookie, now, ""},
		"with the id of a known one": {devices, forged, now, ""},
		"none":                       {devices, secret.String{}, now, ""},
		"cut":                        {devices, secret.New(cookie.Reveal()[1:]), now, ""},
		"another kind of token":      {[]model.Device{{Hash: hash, At: now}}, token, now, ""},
	} {
		if got := people.KnownDevice(c.devices, c.cookie, c.at); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A person has the devices that signed in last, and each of them once.
func TestDevicesAreBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := newClock().Now()
		var devices []model.Device
		var cookies []secret.String // of the devices, in their order
		for range rapid.IntRange(1, 40).Draw(t, "sign-ins") {
			var old secret.String
			if len(devices) > 0 && rapid.Bool().Draw(t, "on a known one") {
				i := rapid.IntRange(0, len(devices)-1).Draw(t, "which")
				old = cookies[i]
				cookies = append(cookies[:i:i], cookies[i+1:]...)
			}
			cookie, d := newDevice(t, now)
			devices = people.AddDevice(devices, d, old)
			cookies = append(cookies, cookie)
			cookies = cookies[max(0, len(cookies)-people.MaxDevices):]
			if len(devices) != len(cookies) {
				t.Fatalf("%d devices, want %d", len(devices), len(cookies))
			}
			for i, c := range cookies {
				if people.KnownDevice(devices[i:i+1], c, now) == "" {
					t.Fatalf("device %d of %d is not known", i, len(devices))
				}
			}
		}
	})
}

// TestNobodyIsLockedOut has somebody with a thousand networks guess one person's password
// for a day, as often as he can. The person comes in all the same, on a device that is
// known and on new ones.
func TestNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	clock := newClock()
	shared := memtable.New(clock.Now)
	guards := []people.Guard{{Counters: newLimiter(clock, shared)}, {Counters: newLimiter(clock, shared)}}
	const person = "jane@example.com"
	cookie, d := newDevice(t, clock.Now())
	devices := people.AddDevice(nil, d, secret.String{})

	known := people.KnownDevice(devices, cookie, clock.Now())
	answered := 0
	guess := func(n int) {
		who := people.Who{Person: person, Address: fmt.Sprintf("198.%d.%d.7", 18+n/250, n%250)}
		forged, _ := newToken(t, people.DeviceToken, known)
		if n%100 == 0 { // a cookie of one's own does not help
			who.Device = people.KnownDevice(devices, forged, clock.Now())
		}
		switch _, err := guards[n%2].Password(t.Context(), who); {
		case err == nil:
			answered++
		case !errors.As(err, new(*people.LimitedError)):
			t.Fatal(err)
		}
	}
	signIn := func(who people.Who, what string) {
		t.Helper()
		who.Person = person
		if _, err := guards[clock.Now().Minute()%2].Password(t.Context(), who); err != nil {
			t.Errorf("%s, %s: %v", clock.Now().Format(time.TimeOnly), what, err)
		}
	}
	for minute := range 24 * 60 {
		for n := range 1000 {
			if n%10 == minute%10 {
				guess(n)
			}
		}
		if minute%7 == 0 {
			signIn(people.Who{Device: known, Address: "203.0.113.5"}, "on a known device")
			// Even where the guesses come from.
			signIn(people.Who{Device: known, Address: "198.18.1.7"}, "on a known device in a bad network")
		}
		if minute%61 == 30 {
			for try := range 3 { // two mistakes
				signIn(people.Who{Address: fmt.Sprintf("203.0.113.%d", 10+minute/61)}, fmt.Sprintf("on a new device, try %d", try))
			}
		}
		clock.Move(time.Minute)
	}
	t.Logf("%d guesses were answered", answered)
	if most := 240 + 3*1000; answered > most {
		t.Errorf("%d guesses were answered, more than %d", answered, most)
	}
}

// TestGuessesHaveAnEnd has somebody guess who has more networks than anybody is let in
// from: known devices still are.
func TestGuessesHaveAnEnd(t *testing.T) {
	t.Parallel()
	clock := newClock()
	guard := people.Guard{Counters: newLimiter(clock, memtable.New(clock.Now))}
	who := people.Who{Person: "jane@example.com"}
	answered := 0
	for n := range 20_000 {
		who.Address = fmt.Sprintf("2001:db8:%x:%x00::1", n/256, n%256)
		if _, err := guard.Password(t.Context(), who); err == nil {
			answered++
		}
	}
	if answered != 10_010 {
		t.Errorf("%d guesses were answered within an hour", answered)
	}
	who.Address = "203.0.113.5"
	var limited *people.LimitedError
	if _, err := guard.Password(t.Context(), who); !errors.As(err, &limited) || limited.RetryAfter() != time.Hour {
		t.Errorf("a new device: %v", err)
	}
	who.Device = "01JDVZ8Q6W3X5N7B9C2D4F6G8H"
	if _, err := guard.Password(t.Context(), who); err != nil {
		t.Errorf("a known device: %v", err)
	}
}

// One password for all names, and all passwords for all names, from one network.
func TestSpraying(t *testing.T) {
	t.Parallel()
	clock := newClock()
	shared := &counting{Table: memtable.New(clock.Now)}
	guard := people.Guard{Counters: newLimiter(clock, shared)}
	answered := 0
	for n := range 5000 {
		if _, err := guard.Password(t.Context(), people.Who{Person: fmt.Sprint(n % 1000), Address: fmt.Sprintf("2001:db8::%x", n+1)}); err == nil {
			answered++
		}
	}
	if answered != 100 {
		t.Errorf("%d guesses were answered", answered)
	}
	if n := shared.adds.Load(); n > 401 {
		t.Errorf("%d writes: names that nobody has fill the table", n)
	}
}

// Whoever knows the password and guesses codes has twenty a day, and does not keep the
// person's own device out.
func TestGuessesOfCodes(t *testing.T) {
	t.Parallel()
	clock := newClock()
	guard := people.Guard{Counters: newLimiter(clock, memtable.New(clock.Now))}
	answered := 0
	for n := range 24 * 60 {
		who := people.Who{Person: "jane", Address: fmt.Sprintf("198.18.%d.7", n%250)}
		if _, err := guard.Code(t.Context(), who); err == nil {
			answered++
		}
		if n%60 == 0 {
			if _, err := guard.Code(t.Context(), people.Who{Person: "jane", Device: "d1", Address: who.Address}); err != nil {
				t.Errorf("after %d minutes: %v", n, err)
			}
		}
		clock.Move(time.Minute)
	}
	if answered != 20 {
		t.Errorf("%d codes were answered", answered)
	}
}
