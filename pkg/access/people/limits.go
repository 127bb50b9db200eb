package people

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// Per is what a limit counts by.
type Per string

// What limits count by.
const (
	PerAddress      Per = "address"      // the caller's network, see Network
	PerPerson       Per = "person"       // all that a person does, or that is tried in that name
	PerOrganization Per = "organization" // what all of its people do together
	PerSession      Per = "session"
	PerDevice       Per = "device"         // of a person: one that was recognized
	PerPair         Per = "person+address" // what is tried in a person's name from a network
)

// Limit is how often something may be tried. Windows are fixed: they begin at multiples of
// their length, and around such a moment twice as much passes within one length.
type Limit struct {
	Name   string // stays the same, since tries are counted under it
	Per    Per
	Most   int64
	Window time.Duration
}

// Limits of one thing are taken in their order, up to the first that refuses.
type Limits []Limit

const (
	quarter = 15 * time.Minute
	day     = 24 * time.Hour
)

// Limits of what needs no sign-in. Each counts by address, because all else may be
// somebody else's; by whom it is, when that was shown.
var (
	// Of passwords and codes: Guard says what they mean together.
	signInAddress = Limit{"sign_in.address", PerAddress, 100, time.Hour}   // an office at nine o'clock; one password for all names is slow
	signInPair    = Limit{"sign_in.pair", PerPair, 5, time.Hour}           // mistakes of somebody who then looks the password up
	signInNew     = Limit{"sign_in.new_devices", PerPerson, 10, time.Hour} // nobody sets up more; 240 guesses a day, from wherever
	signInReserve = Limit{"sign_in.reserve", PerPair, 3, day}              // for whom the one before was used up by others
	signInMost    = Limit{"sign_in.reserves", PerPerson, 10_000, day}      // 3,333 networks; passwords that are accepted outlast that for centuries
	signInDevice  = Limit{"sign_in.device", PerDevice, 10, quarter}        // who has a stolen device has 960 guesses a day
	codePair      = Limit{"code.pair", PerPair, 5, quarter}                // a clock that is wrong is noticed after two or three
	codeNew       = Limit{"code.new_devices", PerPerson, 20, day}          // three of a million codes are good: a chance of 1 in 16,000 a day, who has the password
	codeDevice    = Limit{"code.device", PerDevice, 10, quarter}           // as above, and the person stays in although others use codeNew up
	codeDeviceDay = Limit{"code.device_day", PerDevice, 30, day}

	// RefreshTries count before a refresh token is looked at. Sessions ask four times an
	// hour: 150 people behind one address.
	RefreshTries = Limits{{"refresh.address", PerAddress, 600, time.Hour}}
	// Refreshes count when the token was right: some tabs, and some that ask again.
	Refreshes = Limits{
		{"refresh.session", PerSession, 60, time.Hour},
		{"refresh.person", PerPerson, 600, time.Hour},
	}
	// SSOStarts and SSOAnswers count before a provider is asked anything, which is at most
	// four requests for both. 300 people behind one address come at nine o'clock.
	SSOStarts  = Limits{{"sso_start.address", PerAddress, 300, time.Hour}}
	SSOAnswers = Limits{{"sso_answer.address", PerAddress, 300, time.Hour}}
	// handoverTries count before the code of a handover is looked at, which is sealed: they
	// spare the table. 300 people behind one address come at nine o'clock.
	handoverTries = Limits{{"handover_try.address", PerAddress, 300, time.Hour}}
	// Links count those of invitations and recoveries that lead nowhere; one that is good is
	// never refused, whatever else comes from its network. The secret has 256 bits: the
	// figure says to whoever tries many that there is nothing to find.
	Links = Limits{{"link.address", PerAddress, 30, time.Hour}}
)

// Limits of what somebody does who is signed in.
var (
	// Invitations to an organization. A company comes on board within a day.
	Invitations = Limits{
		{"invitation.person", PerPerson, 50, time.Hour},
		{"invitation.address", PerAddress, 100, time.Hour},
		{"invitation.organization", PerOrganization, 500, day},
	}
	// Recoveries that administrators make for others. Each ends sessions, so whoever took
	// an administrator's over cannot lock everybody out before it is seen.
	Recoveries = Limits{
		{"recovery.person", PerPerson, 10, time.Hour},
		{"recovery.address", PerAddress, 20, time.Hour},
		{"recovery.organization", PerOrganization, 50, day},
	}
	// OperatorLinks are invitations and recoveries that operators make for an organization.
	OperatorLinks = Limits{
		{"operator_link.person", PerPerson, 1000, time.Hour},
		{"operator_link.address", PerAddress, 1000, time.Hour},
		{"operator_link.organization", PerOrganization, 20, time.Hour},
	}
	// Reauthentications ask somebody who is signed in for the password again: who found a
	// browser open guesses no more than who has stolen a device.
	Reauthentications = Limits{
		{"reauthentication.session", PerSession, 10, time.Hour},
		{"reauthentication.person", PerPerson, 30, day},
		{"reauthentication.address", PerAddress, 100, time.Hour},
	}
	// Handovers to a program. Each makes a session, as a sign-in does.
	Handovers = Limits{
		{"handover.person", PerPerson, 30, time.Hour},
		{"handover.address", PerAddress, 300, time.Hour},
	}
	// APITokens that are made. A program has one; scripts that make them anew are not many.
	APITokens = Limits{
		{"api_token.person", PerPerson, 30, time.Hour},
		{"api_token.address", PerAddress, 60, time.Hour},
		{"api_token.organization", PerOrganization, 200, day},
	}
	// Connections that are created. A script brings an organization of 10,000 accounts
	// within ten hours.
	Connections = Limits{
		{"connection.person", PerPerson, 1000, time.Hour},
		{"connection.address", PerAddress, 1000, time.Hour},
		{"connection.organization", PerOrganization, 1000, time.Hour},
	}
	// Verifications call AWS with whatever role was named. Each has some ten calls; who
	// writes a role's trust tries a few times.
	Verifications = Limits{
		{"verification.person", PerPerson, 300, time.Hour},
		{"verification.address", PerAddress, 600, time.Hour},
		{"verification.organization", PerOrganization, 1000, time.Hour},
	}
	// Audits that are started by hand or by a pipeline: of each of 1,000 accounts once, and
	// again where something failed. What they cost an account is bounded otherwise: it has
	// one at a time, and quotas.
	Audits = Limits{
		{"audit.person", PerPerson, 2000, time.Hour},
		{"audit.address", PerAddress, 4000, time.Hour},
		{"audit.organization", PerOrganization, 4000, time.Hour},
	}
	// Bulk are requests for many things at once, up to 500 each. What is begun by one is
	// counted as if it were begun by itself, too.
	Bulk = Limits{
		{"bulk.person", PerPerson, 200, time.Hour},
		{"bulk.address", PerAddress, 1000, time.Hour},
		{"bulk.organization", PerOrganization, 1000, time.Hour},
	}
	// Repeatables are requests with an Idempotency-Key, each of which is remembered for a
	// day: as many as the other limits let pass in some hours.
	Repeatables = Limits{{"repeatable.organization", PerOrganization, 10_000, day}}
	// AccessKeys that connections are given. Each has KMS make a data key; they are rotated
	// every few months.
	AccessKeys = Limits{
		{"access_key.person", PerPerson, 300, time.Hour},
		{"access_key.address", PerAddress, 600, time.Hour},
		{"access_key.organization", PerOrganization, 1000, time.Hour},
	}
	// Rotations begin to replace an organization's External ID, or end that, for which all
	// connections are looked at. Who ends one asks until the last connection is ready.
	Rotations = Limits{
		{"rotation.person", PerPerson, 60, time.Hour},
		{"rotation.address", PerAddress, 120, time.Hour},
		{"rotation.organization", PerOrganization, 120, time.Hour},
	}
	// Rekeys seal everything anew. One takes minutes to hours, and a second is of no use
	// before the first is done. Who operates all organizations does it for each.
	Rekeys = Limits{
		{"rekey.person", PerPerson, 4000, day},
		{"rekey.address", PerAddress, 4000, day},
		{"rekey.organization", PerOrganization, 4, day},
	}
	// Reindexings read all findings of an organization.
	Reindexings = Limits{
		{"reindex.person", PerPerson, 4000, day},
		{"reindex.address", PerAddress, 4000, day},
		{"reindex.organization", PerOrganization, 4, day},
	}
)

// Who tries something. What is not known is empty; but an address always is.
type Who struct {
	Organization model.OrganizationID // once signed in
	Person       string               // the id; or, before, the e-mail address that was given, normalized
	Address      string               // as net/http has it, without the port
	Session      string
	Device       string // a device of the person's, as KnownDevice names it
}

// subject is what a limit counts for somebody, and under which organization.
func (w Who) subject(per Per) (model.OrganizationID, string, error) {
	var subject string
	switch per {
	case PerAddress:
		return "", Network(w.Address), nil // whoever it is of: it may be several
	case PerPerson:
		subject = w.Person
	case PerOrganization:
		subject = string(w.Organization)
	case PerSession:
		subject = w.Session
	case PerDevice:
		if w.Device != "" {
			subject = fmt.Sprintf("%q %q", w.Person, w.Device)
		}
	case PerPair:
		return w.Organization, fmt.Sprintf("%q %q", w.Person, Network(w.Address)), nil
	}
	if subject == "" {
		return "", "", fmt.Errorf("a limit per %s, where there is none", per)
	}
	return w.Organization, subject, nil
}

// Network is what an address is counted as: an IPv4 address by itself; of IPv6 the first 56
// bits, which is the least that one customer has of providers that follow RIPE-690
// (https://www.ripe.net/publications/docs/ripe-690, section 4.2, read on 30 November 2026)
// and so could change within at will. What is no address is counted together.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(56)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

// Allowance is how a limit stands after a try: what the RateLimit fields of an answer say
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
type Allowance struct {
	Limit     Limit
	Remaining int64         // tries until the limit refuses, if none is given back
	Reset     time.Duration // until all tries are there again; whole seconds

	taken []taken
}

// taken is a try as it was counted.
type taken struct {
	limit   Limit
	org     model.OrganizationID
	subject string
	window  time.Time
}

// forget is when the table may forget the window: after as long again, because the clocks
// of instances differ.
func (t taken) forget() time.Time { return t.window.Add(2 * t.limit.Window) }

// LimitedError says that a limit refuses.
type LimitedError struct{ Allowance }

// LimitedCode tells clients that they tried too often.
const LimitedCode = "rate_limited"

// Error implements error.
func (e *LimitedError) Error() string {
	return fmt.Sprintf("tried too often; try again in %s", e.Reset)
}

// RetryAfter is when to try again.
func (e *LimitedError) RetryAfter() time.Duration { return e.Reset }

// Limiter counts tries in the table, so that all instances together hold a limit. Make it
// with NewLimiter.
type Limiter struct {
	store *store.Store
	now   func() time.Time

	mu      sync.Mutex
	refused map[refusal]time.Time // until when: a flood costs no more writes
}

type refusal struct {
	limit   string
	org     model.OrganizationID
	subject string
}

// maxRefused is how many refusals are remembered.
const maxRefused = 10_000

// NewLimiter makes a limiter.
func NewLimiter(s *store.Store, now func() time.Time) *Limiter {
	return &Limiter{store: s, now: now, refused: map[refusal]time.Time{}}
}

// Take counts a try, and gives how the limit stands that refuses next; or is a
// *LimitedError. A try counts before it is made: however many are made at once, no more
// pass. It counts whatever comes of it, unless it is given back. When tries cannot be counted
// that is an error, too: nothing passes.
func (l *Limiter) Take(ctx context.Context, limits Limits, who Who) (Allowance, error) {
	var tightest Allowance
	var passed []taken
	for i, limit := range limits {
		a, err := l.take(ctx, limit, who)
		if err != nil {
			return Allowance{taken: passed}, err
		}
		passed = append(passed, a.taken...)
		if i == 0 || a.Remaining < tightest.Remaining || a.Remaining == tightest.Remaining && a.Reset > tightest.Reset {
			tightest = a
		}
	}
	tightest.taken = passed
	return tightest, nil
}

// GiveBack has a try not count: it was no guess, since it was right. Given is what Take gave,
// which is given back once.
func (l *Limiter) GiveBack(ctx context.Context, a Allowance) error {
	for _, t := range a.taken {
		if err := l.counts(t.org).GiveBack(ctx, t.limit.Name, t.subject, t.window, t.forget()); err != nil {
			return fmt.Errorf("limit %s: %w", t.limit.Name, err)
		}
	}
	return nil
}

func (l *Limiter) counts(org model.OrganizationID) *store.Limits {
	if org != "" {
		return l.store.For(org).Limits()
	}
	return l.store.Limits()
}

func (l *Limiter) take(ctx context.Context, limit Limit, who Who) (Allowance, error) {
	org, subject, err := who.subject(limit.Per)
	if err != nil {
		return Allowance{}, fmt.Errorf("limit %s: %w", limit.Name, err)
	}
	now := l.now()
	window := now.UTC().Truncate(limit.Window)
	end := window.Add(limit.Window)
	this := taken{limit, org, subject, window}
	a := Allowance{Limit: limit, Reset: (end.Sub(now) + time.Second - 1).Truncate(time.Second)}
	key := refusal{limit.Name, org, subject}
	if l.refuses(key, now) {
		return Allowance{}, &LimitedError{a}
	}
	counts := l.counts(org)
	n, err := counts.CountTry(ctx, limit.Name, subject, window, this.forget())
	if err == nil && n > limit.Most {
		var back int64
		back, err = counts.GivenBack(ctx, limit.Name, subject, window)
		n -= back
	}
	if err != nil {
		return Allowance{}, fmt.Errorf("limit %s: %w", limit.Name, err)
	}
	if n > limit.Most {
		// No more than Most of them passed and may be given back yet: with the others alone
		// the limit would refuse.
		if n > 2*limit.Most {
			l.remember(key, end)
		}
		return Allowance{}, &LimitedError{a}
	}
	a.Remaining, a.taken = limit.Most-n, []taken{this}
	return a, nil
}

func (l *Limiter) refuses(key refusal, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.refused[key])
}

func (l *Limiter) remember(key refusal, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.refused) >= maxRefused {
		clear(l.refused) // the table knows them still
	}
	l.refused[key] = until
}
