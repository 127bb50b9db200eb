package people

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// How long a device is known, and how many a person has: those that signed in last.
const (
	DeviceAge  = 400 * 24 * time.Hour // browsers keep no cookie for longer (RFC 6265bis, section 5.5)
	MaxDevices = 10
)

// NewDevice makes a device that somebody signed in on just now: the token for its cookie,
// and what the person's record keeps. The cookie's name is to tell people apart who share a
// browser. A device gets a new one at each sign-in, and all are forgotten when the person
// is recovered, because somebody else may have signed in.
func NewDevice(now time.Time) (cookie secret.String, d model.Device, err error) {
	cookie, hash, err := NewToken(DeviceToken, ulid.Make().String())
	return cookie, model.Device{Hash: hash, At: now.UTC()}, err
}

// AddDevice gives a person's devices with a new one, which takes the place of the one that
// a cookie is of, if there is any; of the others the oldest go.
func AddDevice(devices []model.Device, d model.Device, cookie secret.String) []model.Device {
	token, err := ParseToken(DeviceToken, cookie)
	devices = slices.DeleteFunc(slices.Clone(devices), func(known model.Device) bool { return err == nil && token.Matches(known.Hash) })
	devices = append(devices, d)
	return devices[max(0, len(devices)-MaxDevices):]
}

// KnownDevice names the device of a person's that a cookie is of; empty if there is none.
func KnownDevice(devices []model.Device, cookie secret.String, now time.Time) (device string) {
	token, err := ParseToken(DeviceToken, cookie)
	if err != nil {
		return ""
	}
	for _, d := range devices {
		if token.Matches(d.Hash) && now.Sub(d.At) < DeviceAge {
			device = token.ID
		}
	}
	return device
}

// Guard slows guessing down, and lets nobody lock others out: the device cookies of OWASP
// (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies,
// read on 30 November 2026), with a way in for devices that are not known yet.
//
// A device that the person signed in on before has tries of its own, ten in fifteen
// minutes, which nobody else can use up.
//
// All other devices together have ten tries an hour in the person's name, from wherever
// they come. Others may use those up. Therefore each network has three more a day: from a
// network that nobody attacks from the person signs in at once, on any device, whoever
// attacks. That holds while attackers have no more than 3,333 networks; with more they keep
// new devices out until the day ends, which is midnight UTC. What always helps is a known
// device, or a recovery link, with which a device becomes known.
//
// So whoever has n networks has 240 + 3n guesses a day at one person's password, and never
// more than 10,240. What comes first to mind is accepted as no password (CheckPassword),
// and the second factor stands behind it. NIST would disable a password after a hundred
// failures in a row (SP 800-63B-4, section 3.2.2): that is what would lock others out. One
// network has a hundred guesses an hour at the passwords of all.
//
// A name that nobody has is counted as if somebody had it. A try is counted before it is made,
// and given back when it was right: what counts is guesses, however many are made at once, and
// nobody is kept out by having signed in.
type Guard struct{ Counters Counters }

// Counters count tries: a *Limiter.
type Counters interface {
	// Take counts a try, and is a *LimitedError if a limit refuses it.
	// The try may be given back.
	Take(ctx context.Context, limits Limits, who Who) (Allowance, error)
	// GiveBack has a try not count.
	GiveBack(ctx context.Context, a Allowance) error
}

// Password counts a try of a person's password before it is checked. A *LimitedError says
// that it is not to be. If the password is right, the try is to be given back.
func (g Guard) Password(ctx context.Context, who Who) (Allowance, error) {
	if who.Device != "" {
		return g.Counters.Take(ctx, Limits{signInDevice}, who)
	}
	a, err := g.Counters.Take(ctx, Limits{signInAddress, signInPair, signInNew}, who)
	var limited *LimitedError
	if !errors.As(err, &limited) || limited.Limit != signInNew {
		return a, err
	}
	reserve, err := g.Counters.Take(ctx, Limits{signInReserve, signInMost}, who)
	if err == nil || !errors.As(err, new(*LimitedError)) {
		reserve.taken = append(reserve.taken, a.taken...)
		return reserve, err
	}
	return Allowance{}, limited // which ends first
}

// Code counts a try of a second factor's code, by somebody who knew the password. Whoever
// else knows that can keep new devices out until the day ends; the person, on a known one,
// changes the password then. If the code is right, the try is to be given back.
func (g Guard) Code(ctx context.Context, who Who) (Allowance, error) {
	if who.Device != "" {
		return g.Counters.Take(ctx, Limits{codeDevice, codeDeviceDay}, who)
	}
	return g.Counters.Take(ctx, Limits{codePair, codeNew}, who)
}
