package people_test

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/oklog/ulid/v2"
	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/internal/mortal"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/store"
)

const (
	goodPassword  = "four words of hers"
	otherPassword = "another good sentence"
)

var (
	cheap = people.NewHasher(people.Params{Memory: 64, Passes: 1, Lanes: 1})
	party = virtualwebauthn.RelyingParty{ID: "audit.example.com", Name: "CloudArq", Origin: "https://audit.example.com"}
	home  = people.From{Address: "192.0.2.1", Client: "Firefox", Action: "the-operation"}
)

// door is a house with a service.
type door struct {
	*house
	people.Service
}

func openDoor(t testing.TB) *door {
	t.Helper()
	h := furnish(t, install(t), model.RoleAdmin)
	d := &door{house: h}
	d.Service = d.on(h.table)
	d.setPassword(t, h.anna.ID, goodPassword)
	d.organization(t, "acme")
	return d
}

// on is the service on another table.
func (d *door) on(tb table.Table) people.Service {
	s := store.New(tb, nil)
	return people.Service{
		Sessions:  people.Sessions{Store: s, Tokens: d.house.Tokens, Now: d.watch.Now},
		Passwords: cheap, Limits: people.NewLimiter(s, d.watch.Now), Keys: d.keys,
		Relying: people.Relying{ID: party.ID, Origins: []string{party.Origin}},
	}
}

func (d *door) dir() *store.People { return d.Service.Store.People() }

func (d *door) read(t testing.TB, id model.PersonID) model.Person {
	t.Helper()
	who, err := d.dir().Person(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func (d *door) setPassword(t testing.TB, id model.PersonID, password string) {
	t.Helper()
	who := d.read(t, id)
	var err error
	if who.Credentials.Password, err = cheap.Hash(context.Background(), secret.New(password)); err == nil {
		err = d.dir().Put(context.Background(), &who)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// organization makes an organization, unless it is there.
func (d *door) organization(t testing.TB, id model.OrganizationID) {
	t.Helper()
	o := model.Organization{ID: id, CreatedAt: d.watch.Now()}
	if err := d.Service.Store.CreateOrganization(context.Background(), model.Change{}, &o, 100); err != nil && !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
}

// person creates somebody who is a member of organizations.
func (d *door) person(t testing.TB, email string, role model.Role, orgs ...model.OrganizationID) model.Person {
	t.Helper()
	who := model.Person{ID: model.PersonID(ulid.Make().String()), Email: email, CreatedAt: d.watch.Now()}
	if err := d.dir().Create(context.Background(), &who); err != nil {
		t.Fatal(err)
	}
	d.setPassword(t, who.ID, goodPassword)
	for _, org := range orgs {
		d.organization(t, org)
		m := model.Member{Person: who.ID, Role: role, Since: d.watch.Now()}
		if err := d.dir().Join(context.Background(), org, d.change("join"), &m); err != nil {
			t.Fatal(err)
		}
	}
	return d.read(t, who.ID)
}

func (d *door) enter(password string, from people.From) (people.Step, error) {
	return d.SignIn(context.Background(), "Anna@example.com", secret.New(password), "", from)
}

// callerOf is who has a session.
func (d *door) callerOf(t testing.TB, e *people.Entry) people.Caller {
	t.Helper()
	token, _, err := d.Service.Tokens.Issue(context.Background(), e.Session)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Service.Who(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signedIn signs anna in by the password alone.
func (d *door) signedIn(t testing.TB) (people.Caller, *people.Entry) {
	t.Helper()
	step, err := d.enter(goodPassword, home)
	if err != nil || step.Entry == nil {
		t.Fatalf("%+v, %v", step, err)
	}
	return d.callerOf(t, step.Entry), step.Entry
}

func (d *door) codeOf(t testing.TB, key secret.String) secret.String {
	t.Helper()
	code, err := totp.GenerateCode(key.Reveal(), d.watch.Now())
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(code)
}

// withTOTP gives anna an authenticator app.
func (d *door) withTOTP(t testing.TB) (key secret.String, codes []secret.String) {
	t.Helper()
	caller, _ := d.signedIn(t)
	e, err := d.EnrolTOTP(context.Background(), caller, secret.New(goodPassword), home)
	if err != nil {
		t.Fatal(err)
	}
	codes, entry, err := d.ConfirmTOTP(context.Background(), caller, d.codeOf(t, e.Secret), home)
	if err != nil || entry != nil || len(codes) != 10 {
		t.Fatalf("%d codes, %+v, %v", len(codes), entry, err)
	}
	d.watch.Pass(time.Minute)
	return e.Secret, codes
}

func (d *door) require(t testing.TB, org model.OrganizationID) {
	t.Helper()
	s := model.Settings{SecondFactorRequired: true}
	if err := d.Service.Store.For(org).PutSettings(context.Background(), d.change("settings"), &s); err != nil {
		t.Fatal(err)
	}
}

// TestSignIn goes through the steps, each time to a session that is good.
func TestSignIn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	key, codes := d.withTOTP(t)
	first, err := d.enter(goodPassword, home)
	if err != nil || first.Next != people.NextSecondFactor || first.Entry != nil || !slices.Equal(first.Methods, []string{"totp", "backup_code"}) || first.Organizations != nil {
		t.Fatalf("%+v, %v", first, err)
	}
	step, err := d.TOTP(ctx, first.Challenge, d.codeOf(t, key), home)
	if err != nil || step.Next != "" || step.Entry == nil {
		t.Fatalf("%+v, %v", step, err)
	}
	if c := d.callerOf(t, step.Entry); c.Person != d.anna.ID || c.Organization != "acme" {
		t.Errorf("%+v", c)
	}
	if _, err := d.TOTP(ctx, first.Challenge, d.codeOf(t, key), home); code(err) != people.CodeUsedCode {
		t.Errorf("a code again: %v", err)
	}
	if _, err := d.BackupCode(ctx, first.Challenge, codes[0], home); err != nil {
		t.Errorf("a backup code: %v", err)
	}
	if _, err := d.BackupCode(ctx, first.Challenge, codes[0], home); code(err) != people.CodeWrongCode {
		t.Errorf("a backup code again: %v", err)
	}
	// On the device that is known now, others' guesses count for nothing.
	known := home
	known.Device = step.Entry.Device
	for i := range 30 {
		_, _ = d.enter("wrong wrong wrong", people.From{Address: fmt.Sprintf("198.51.100.%d", i)})
	}
	if _, err := d.enter(goodPassword, known); err != nil {
		t.Errorf("on a known device: %v", err)
	}
}

// TestSignInOfNobody: what is refused is refused alike, whoever it is about, and counts.
func TestSignInOfNobody(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.withTOTP(t)
	d.person(t, "none@example.com", model.RoleAdmin)
	said := map[string]bool{}
	for i, c := range []struct{ email, password string }{
		{"nobody@example.com", goodPassword}, {"anna@example.com", "wrong wrong wrong"}, {"none@example.com", "wrong wrong wrong"}, {"", ""},
	} {
		step, err := d.SignIn(t.Context(), c.email, secret.New(c.password), "acme", people.From{Address: fmt.Sprintf("203.0.113.%d", i)})
		said[fmt.Sprintf("%+v %v %s", step, err, code(err))] = true
	}
	if len(said) != 1 {
		t.Errorf("refusals differ: %v", said)
	}
	if _, err := d.SignIn(t.Context(), "none@example.com", secret.New(goodPassword), "", home); code(err) != people.CodeNotMember {
		t.Errorf("a member of nothing: %v", err)
	}
	for _, email := range []string{"anna@example.com", "nobody@example.com"} {
		var limited *people.LimitedError
		for i := 0; limited == nil && i < 20; i++ {
			_, err := d.SignIn(t.Context(), email, secret.New("wrong wrong wrong"), "", people.From{Address: "203.0.113.99"})
			errors.As(err, &limited)
		}
		if limited == nil {
			t.Errorf("%s: guessing has no end", email)
		}
	}
}

// TestChallenges: a challenge is good for its person, its device, its step and its time.
func TestChallenges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	key, _ := d.withTOTP(t)
	_, entry := func() (people.Caller, *people.Entry) {
		s, err := d.enter(goodPassword, home)
		if err == nil {
			s, err = d.TOTP(ctx, s.Challenge, d.codeOf(t, key), home)
		}
		if err != nil {
			t.Fatal(err)
		}
		return people.Caller{}, s.Entry
	}()
	d.watch.Pass(time.Minute)
	known := home
	known.Device = entry.Device
	begun, err := d.enter(goodPassword, known)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, challenge secret.String, from people.From) {
		t.Helper()
		if _, err := d.TOTP(ctx, challenge, d.codeOf(t, key), from); code(err) != people.CodeChallengeOver {
			t.Errorf("%s: %v", name, err)
		}
	}
	try("none", secret.String{}, known)
	try("cut", secret.New(begun.Challenge.Reveal()[:40]), known)
	try("altered", secret.New(begun.Challenge.Reveal()[:60]+"A"+begun.Challenge.Reveal()[61:]+""), known)
	try("without its device", begun.Challenge, home)
	if _, err := d.Service.Who(ctx, begun.Challenge); code(err) != people.CodeTokenInvalid {
		t.Errorf("as an access token: %v", err)
	}
	access, _, err := d.Service.Tokens.Issue(ctx, entry.Session)
	if err != nil {
		t.Fatal(err)
	}
	try("an access token", access, known)
	if _, err := d.Choose(ctx, begun.Challenge, "acme", known); code(err) != people.CodeChallengeOver {
		t.Errorf("without the second factor: %v", err)
	}
	if _, err := d.Enrol(ctx, begun.Challenge, known); code(err) != people.CodeChallengeOver {
		t.Errorf("another app by the password alone: %v", err)
	}
	who := d.read(t, d.anna.ID)
	if err := d.Service.EndAll(ctx, &who); err != nil {
		t.Fatal(err)
	}
	try("of an earlier epoch", begun.Challenge, known)
	begun, err = d.enter(goodPassword, known)
	if err != nil {
		t.Fatal(err)
	}
	d.watch.Pass(people.ChallengeAge)
	try("too old", begun.Challenge, known)
}

// TestOneCodeOnce: of several who come with one code at once, one gets in.
func TestOneCodeOnce(t *testing.T) {
	t.Parallel()
	for _, backup := range []bool{false, true} {
		d := openDoor(t)
		key, codes := d.withTOTP(t)
		begun, err := d.enter(goodPassword, home)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		in := 0
		for range 4 {
			wg.Go(func() {
				var err error
				if backup {
					_, err = d.BackupCode(context.Background(), begun.Challenge, codes[3], home)
				} else {
					_, err = d.TOTP(context.Background(), begun.Challenge, d.codeOf(t, key), home)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in++
				}
			})
		}
		wg.Wait()
		if in != 1 {
			t.Errorf("backup code: %t: %d got in", backup, in)
		}
	}
}

// TestOrganizations: who belongs to several chooses one, once with a challenge; what is
// closed or suspended cannot be.
func TestOrganizations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	bob := d.person(t, "bob@example.com", model.RoleClient, "one", "two", "three", "four")
	m, err := d.Service.Store.For("three").Member(ctx, bob.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.Suspended = true
	if err := d.Service.Store.For("three").ChangeMember(ctx, d.change("suspend"), &m); err != nil {
		t.Fatal(err)
	}
	four, err := d.Service.Store.For("four").Itself(ctx)
	if err != nil {
		t.Fatal(err)
	}
	four.SuspendedAt = d.watch.Now()
	if err := d.Service.Store.For("four").ChangeItself(ctx, d.change("suspend"), &four); err != nil {
		t.Fatal(err)
	}
	enter := func(org model.OrganizationID) (people.Step, error) {
		return d.SignIn(ctx, bob.Email, secret.New(goodPassword), org, home)
	}
	step, err := enter("")
	if err != nil || step.Next != people.NextOrganization || !slices.Equal(step.Organizations, []model.OrganizationID{"one", "two"}) {
		t.Fatalf("%+v, %v", step, err)
	}
	if s, err := enter("two"); err != nil || s.Entry == nil || s.Entry.Session.Organization != "two" {
		t.Errorf("named: %+v, %v", s, err)
	}
	if s, err := d.Choose(ctx, step.Challenge, "one", home); err != nil || s.Entry.Session.Organization != "one" {
		t.Errorf("chosen: %+v, %v", s, err)
	}
	if _, err := d.Choose(ctx, step.Challenge, "two", home); code(err) != people.CodeChallengeOver {
		t.Errorf("chosen again: %v", err)
	}
	d.watch.Pass(time.Hour)
	for _, org := range []model.OrganizationID{"three", "four", "acme", "nowhere"} {
		want := people.CodeNotMember
		if org == "three" {
			want = people.CodeMemberSuspended
		}
		if _, err := enter(org); code(err) != want {
			t.Errorf("%s: %v", org, err)
		}
	}
}

// TestRequiredFactor: where a second factor is required, who has none sets one up, and does
// not get rid of it.
func TestRequiredFactor(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	d.require(t, "acme")
	step, err := d.enter(goodPassword, home)
	if err != nil || step.Next != people.NextEnrolment || step.Entry != nil {
		t.Fatalf("%+v, %v", step, err)
	}
	if _, err := d.TOTP(ctx, step.Challenge, secret.New("123456"), home); code(err) != people.CodeNothingToConfirm {
		t.Errorf("before it is set up: %v", err)
	}
	e, err := d.Enrol(ctx, step.Challenge, home)
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.TOTP(ctx, step.Challenge, d.codeOf(t, e.Secret), home)
	if err != nil || done.Entry == nil || len(done.BackupCodes) != 10 {
		t.Fatalf("%+v, %v", done, err)
	}
	if _, err := d.Enrol(ctx, step.Challenge, home); code(err) != people.CodeChallengeOver {
		t.Errorf("set up again by the password alone: %v", err)
	}
	caller := d.callerOf(t, done.Entry)
	if _, err := d.RemoveTOTP(ctx, caller, secret.New(goodPassword), home); code(err) != people.CodeFactorRequired {
		t.Errorf("removed: %v", err)
	}
	if log := d.logged(t); !slices.Contains(log, "the-operation") {
		t.Errorf("the log has %v", log)
	}
}

// TestRehash: a password that was kept by less work is kept by as much as new ones.
func TestRehash(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	before := d.read(t, d.anna.ID).Credentials.Password
	d.Passwords = people.NewHasher(people.Params{Memory: 128, Passes: 1, Lanes: 1})
	for range 2 {
		if _, err := d.enter(goodPassword, home); err != nil {
			t.Fatal(err)
		}
	}
	if after := d.read(t, d.anna.ID).Credentials.Password; string(before) == string(after) || !strings.Contains(string(after), "m=128") {
		t.Errorf("%q", string(after))
	}
}

// TestPasskeys: a passkey is registered, signs in, and is removed; a copy of it is noticed.
func TestPasskeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	caller, _ := d.signedIn(t)
	device := virtualwebauthn.NewAuthenticator()
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	ceremony, err := d.RegisterPasskeyOptions(ctx, caller, secret.New(goodPassword), home)
	if err != nil {
		t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(ceremony.Options))
	if err != nil {
		t.Fatal(err)
	}
	answer := []byte(virtualwebauthn.CreateAttestationResponse(party, device, key, *options))
	other := caller
	other.Session = model.SessionID(ulid.Make().String())
	if _, _, err := d.RegisterPasskey(ctx, other, ceremony.Ticket, "laptop", answer, home); code(err) != people.CodeChallengeOver {
		t.Errorf("in another session: %v", err)
	}
	kept, codes, err := d.RegisterPasskey(ctx, caller, ceremony.Ticket, "laptop", answer, home)
	if err != nil || len(codes) != 10 {
		t.Fatalf("%d codes, %v", len(codes), err)
	}
	if _, _, err := d.RegisterPasskey(ctx, caller, ceremony.Ticket, "laptop", answer, home); code(err) != people.CodeChallengeOver {
		t.Errorf("registered again: %v", err)
	}
	device.AddCredential(key)
	sign := func(rp virtualwebauthn.RelyingParty, key virtualwebauthn.Credential) (secret.String, []byte) {
		t.Helper()
		step, err := d.enter(goodPassword, home)
		if err != nil || step.Next != people.NextSecondFactor || step.Methods[0] != people.MethodPasskey {
			t.Fatalf("%+v, %v", step, err)
		}
		asked, err := d.PasskeyOptions(ctx, step.Challenge, home)
		if err != nil {
			t.Fatal(err)
		}
		options, err := virtualwebauthn.ParseAssertionOptions(string(asked.Options))
		if err != nil {
			t.Fatal(err)
		}
		return asked.Ticket, []byte(virtualwebauthn.CreateAssertionResponse(rp, device, key, *options))
	}
	key.Counter = 5
	ticket, answer := sign(party, key)
	step, err := d.Passkey(ctx, ticket, answer, home)
	if err != nil || step.Entry == nil {
		t.Fatalf("%+v, %v", step, err)
	}
	if _, err := d.Passkey(ctx, ticket, answer, home); code(err) != people.CodeChallengeOver {
		t.Errorf("an answer again: %v", err)
	}
	elsewhere := party
	elsewhere.Origin = "https://audit.example.org"
	d.watch.Pass(time.Hour)
	for name, c := range map[string]struct {
		rp   virtualwebauthn.RelyingParty
		key  virtualwebauthn.Credential
		want string
	}{
		"another page's":   {elsewhere, key, people.CodePasskeyRefused},
		"another key":      {party, virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2), people.CodePasskeyRefused},
		"a counter behind": {party, virtualwebauthn.Credential{ID: key.ID, Key: key.Key, Counter: 3}, people.CodePasskeyCloned},
	} {
		ticket, answer := sign(c.rp, c.key)
		if _, err := d.Passkey(ctx, ticket, answer, home); code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	ticket, _ = sign(party, key)
	if _, err := d.Passkey(ctx, ticket, []byte(`{"id":[]}`), home); code(err) != people.CodePasskeyRefused {
		t.Errorf("nonsense: %v", err)
	}
	caller = d.callerOf(t, step.Entry)
	entry, err := d.RemovePasskey(ctx, caller, secret.New(goodPassword), kept.ID, home)
	if err != nil {
		t.Fatal(err)
	}
	if who := d.read(t, d.anna.ID); who.SecondFactor() || len(who.Credentials.BackupCodes) > 0 {
		t.Error("something is left of it")
	}
	d.callerOf(t, entry)
	if text := fmt.Sprintf("%+v %s", kept, d.log); strings.Contains(text, "publicKey") {
		t.Errorf("the record shows: %s", text)
	}
}

// TestOneself: what takes a proof away ends all sessions, and the one that asked goes on.
func TestOneself(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	_, elsewhere := d.signedIn(t)
	caller, mine := d.signedIn(t)
	if _, err := d.ChangePassword(ctx, caller, secret.New("wrong wrong wrong"), secret.New(otherPassword), false, home); code(err) != people.CodeWrongPassword {
		t.Errorf("without the password: %v", err)
	}
	var weak *people.WeakPasswordError
	if _, err := d.ChangePassword(ctx, caller, secret.New(goodPassword), secret.New("anna"), false, home); !errors.As(err, &weak) {
		t.Errorf("a weak one: %v", err)
	}
	entry, err := d.ChangePassword(ctx, caller, secret.New(goodPassword), secret.New(otherPassword), false, home)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []model.Session{elsewhere.Session, mine.Session} {
		if _, err := d.Service.Who(ctx, issue(t, d.house.Tokens, old)); code(err) != people.CodeSessionEnded {
			t.Errorf("a session from before: %v", err)
		}
	}
	d.watch.Pass(time.Hour)
	caller = d.callerOf(t, entry)
	if _, err := d.enter(goodPassword, home); code(err) != people.CodeSignInRefused {
		t.Errorf("the old password: %v", err)
	}
	d.person(t, "bob@example.com", model.RoleClient, "acme")
	d.organization(t, "other")
	for name, c := range map[string]struct {
		org   model.OrganizationID
		email string
		want  error
	}{
		"of somebody":             {"acme", "carl@example.com", store.ErrEmailTaken},
		"of another organization": {"other", "boss@example.com", &people.RefusedError{Code: people.CodeLinkOver}},
	} {
		_, link, err := d.Invite(ctx, d.change("invite"), c.org, model.Invitation{Email: c.email, Role: model.RoleAdmin})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == store.ErrEmailTaken { //nolint:errorlint // of the table
			d.person(t, c.email, model.RoleClient)
		}
		if err := d.ChangeEmail(ctx, caller, secret.New(otherPassword), link, home); !errors.Is(err, c.want) && (err == nil || err.Error() != c.want.Error()) {
			t.Errorf("by a link %s: %v", name, err)
		}
	}
	_, link, err := d.Invite(ctx, d.change("invite"), "acme", model.Invitation{Email: "anna@example.org", Role: model.RoleClient})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ChangeEmail(ctx, caller, secret.New(otherPassword), link, home); err != nil {
		t.Error(err)
	}
	if err := d.ChangeEmail(ctx, caller, secret.New(otherPassword), link, home); code(err) != people.CodeLinkOver {
		t.Errorf("by a link again: %v", err)
	}
	m, err := d.Service.Store.For("acme").Member(ctx, d.anna.ID)
	if err != nil || m.Role != model.RoleAdmin || !m.Vouched(d.read(t, d.anna.ID), "anna@example.org") {
		t.Errorf("the member is %+v, %v", m, err)
	}
	d.callerOf(t, entry)
	for i := range 12 {
		_, err := d.RenewBackupCodes(ctx, caller, secret.New("wrong wrong wrong"), home)
		if limited := errors.As(err, new(*people.LimitedError)); limited != (i >= 10) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
	token := caller
	token.Session, token.Token = "", "x"
	if _, err := d.ChangePassword(ctx, token, secret.New(otherPassword), secret.New(goodPassword), false, home); code(err) != people.CodeNotByToken {
		t.Errorf("by a token: %v", err)
	}
}

// TestReplacedApp: the app from before counts until the new one has shown a code.
func TestReplacedApp(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	key, _ := d.withTOTP(t)
	step, err := d.enter(goodPassword, home)
	if err == nil {
		step, err = d.TOTP(ctx, step.Challenge, d.codeOf(t, key), home)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.watch.Pass(time.Hour)
	caller := d.callerOf(t, step.Entry)
	next, err := d.EnrolTOTP(ctx, caller, secret.New(goodPassword), home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := base32.StdEncoding.DecodeString(next.Secret.Reveal()); err != nil {
		t.Error(err)
	}
	begun, err := d.enter(goodPassword, home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.TOTP(ctx, begun.Challenge, d.codeOf(t, next.Secret), home); code(err) != people.CodeWrongCode {
		t.Errorf("an app that is not confirmed: %v", err)
	}
	if _, err := d.TOTP(ctx, begun.Challenge, d.codeOf(t, key), home); err != nil {
		t.Errorf("the app from before: %v", err)
	}
	_, entry, err := d.ConfirmTOTP(ctx, caller, d.codeOf(t, next.Secret), home)
	if err != nil || entry == nil {
		t.Fatalf("%+v, %v", entry, err)
	}
	if _, err := d.TOTP(ctx, begun.Challenge, d.codeOf(t, key), home); code(err) != people.CodeChallengeOver {
		t.Errorf("a challenge from before: %v", err)
	}
}

// TestLastAdministrator: whoever leaves at once, in whatever order, one stays.
func TestLastAdministrator(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for round := range 30 {
		d := openDoor(t)
		all := []model.Person{d.anna, d.person(t, "bob@example.com", model.RoleAdmin, "acme"), d.person(t, "eve@example.com", model.RoleAdmin, "acme")}
		var wg sync.WaitGroup
		for i, who := range all {
			wg.Go(func() {
				m, err := d.Service.Store.For("acme").Member(ctx, who.ID)
				if err != nil {
					t.Error(err)
					return
				}
				switch (i + round) % 3 {
				case 0:
					err = d.RemoveMember(ctx, d.change("remove"), "acme", m)
				case 1:
					m.Suspended = true
					_, err = d.ChangeMember(ctx, d.change("suspend"), "acme", m)
				default:
					m.Role = model.RoleClient
					_, err = d.ChangeMember(ctx, d.change("change"), "acme", m)
				}
				if err != nil && !errors.Is(err, store.ErrLastAdministrator) && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		left := 0
		for m, err := range d.Service.Store.For("acme").Members(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Role == model.RoleAdmin && !m.Suspended {
				left++
			}
		}
		if left == 0 {
			t.Fatal("nobody administers the organization")
		}
	}
}

// TestSteppingDownOvertaken: whoever stands still at any request of stepping down, while
// another administrator leaves, one of the two stays; and whoever dies there leaves nothing
// that keeps the other from what is allowed.
func TestSteppingDownOvertaken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	remove := func(s people.Service, d *door, who model.PersonID) error {
		m, err := s.Store.For("acme").Member(ctx, who)
		if err != nil {
			return err
		}
		return s.RemoveMember(ctx, d.change("remove"), "acme", m)
	}
	for at := int64(1); at < 25; at++ {
		d := openDoor(t)
		bob := d.person(t, "bob@example.com", model.RoleAdmin, "acme")
		var second error
		tb := mortal.Overtaken(d.table, at, func() { second = remove(d.Service, d, bob.ID) })
		first := remove(d.on(tb), d, d.anna.ID)
		if first == nil && second == nil && tb.Requests() >= at {
			t.Errorf("overtaken at request %d: both left", at)
		}
	}
	var d *door
	var bob model.Person
	mortal.Deaths(t, 8, func(t *testing.T) table.Table {
		t.Helper()
		d = openDoor(t)
		bob = d.person(t, "bob@example.com", model.RoleAdmin, "acme")
		return d.table
	}, func(tb table.Table) error { return remove(d.on(tb), d, d.anna.ID) }, func(t *testing.T, _ table.Table, death string, _ error) {
		_, gone := d.Service.Store.For("acme").Member(ctx, d.anna.ID)
		err := remove(d.Service, d, bob.ID)
		if (gone != nil) != errors.Is(err, store.ErrLastAdministrator) || gone == nil && err != nil {
			t.Errorf("%s: anna is gone: %v; bob leaves: %v", death, gone, err)
		}
	})
}

func invite(t testing.TB, d *door, org model.OrganizationID, email string) (model.Invitation, secret.String) {
	t.Helper()
	d.organization(t, org)
	i, link, err := d.Invite(context.Background(), d.change("invite"), org, model.Invitation{Email: email, Role: model.RoleClient, Projects: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	return i, link
}

// TestInvitations: somebody new chooses a password, somebody who is known proves it, and a
// link is good once.
func TestInvitations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	_, link := invite(t, d, "acme", "new@example.com")
	if _, err := d.Accept(ctx, link, "New", secret.New("short"), home); !errors.As(err, new(*people.WeakPasswordError)) {
		t.Errorf("a weak password: %v", err)
	}
	step, err := d.Accept(ctx, link, "New", secret.New(goodPassword), home)
	if err != nil || step.Entry == nil || step.Entry.Session.Organization != "acme" {
		t.Fatalf("%+v, %v", step, err)
	}
	if c := d.callerOf(t, step.Entry); c.Can(model.ScopeAdmin) || !c.Sees("shop") {
		t.Errorf("%+v", c)
	}
	if _, err := d.Accept(ctx, link, "New", secret.New(goodPassword), home); code(err) != people.CodeLinkOver {
		t.Errorf("a link again: %v", err)
	}
	if _, _, err := d.Invite(ctx, d.change("invite"), "acme", model.Invitation{Email: "New@example.com", Role: model.RoleAdmin}); !errors.Is(err, people.ErrMember) {
		t.Errorf("a member: %v", err)
	}
	// Of another organization: by the password and the second factor of the account.
	key, _ := d.withTOTP(t)
	_, link = invite(t, d, "other", "anna@example.com")
	if _, err := d.Accept(ctx, link, "X", secret.New(otherPassword), home); code(err) != people.CodeAddressOfAnother {
		t.Errorf("another password for somebody who has one: %v", err)
	}
	step, err = d.Accept(ctx, link, "", secret.New(goodPassword), home)
	if err != nil || step.Next != people.NextSecondFactor {
		t.Fatalf("%+v, %v", step, err)
	}
	if orgs, err := d.dir().Organizations(ctx, d.anna.ID); err != nil || len(orgs) != 1 {
		t.Errorf("before all is proven: %v, %v", orgs, err)
	}
	step, err = d.TOTP(ctx, step.Challenge, d.codeOf(t, key), home)
	if err != nil || step.Entry == nil || step.Entry.Session.Organization != "other" {
		t.Fatalf("%+v, %v", step, err)
	}
	i, link := invite(t, d, "acme", "late@example.com")
	d.watch.Pass(model.InvitationAge)
	if _, err := d.Accept(ctx, link, "", secret.New(goodPassword), home); code(err) != people.CodeLinkOver {
		t.Errorf("too late: %v", err)
	}
	forged, _, err := people.NewToken(people.InviteToken, string(i.ID))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Accept(ctx, forged, "", secret.New(goodPassword), home); code(err) != people.CodeLinkOver {
		t.Errorf("a guessed secret: %v", err)
	}
}

// TestNobodyIsKeptOutByBeingRight signs somebody in as often as a day has minutes, on new
// devices in one network, by a password and codes; and each as often asks for the password
// again.
func TestNobodyIsKeptOutByBeingRight(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	key, _ := d.withTOTP(t)
	for n := range 150 {
		step, err := d.enter(goodPassword, home)
		if err == nil {
			step, err = d.TOTP(t.Context(), step.Challenge, d.codeOf(t, key), home)
		}
		if err == nil {
			_, err = d.RenewBackupCodes(t.Context(), d.callerOf(t, step.Entry), secret.New(goodPassword), home)
		}
		if err != nil {
			t.Fatalf("sign-in %d: %v", n+1, err)
		}
		d.watch.Pass(30 * time.Second)
	}
}

// TestLinksInACrowd: a link is good in a network from which more bad ones came than are
// answered, and for as many people as come.
func TestLinksInACrowd(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	last := error(nil)
	for n := range 40 {
		bad := secret.New("junk")
		if n%2 == 0 {
			bad, _ = newToken(t, people.InviteToken, ulid.Make().String())
		}
		_, _, last = d.Invitation(t.Context(), bad, home)
	}
	if !errors.As(last, new(*people.LimitedError)) {
		t.Errorf("the fortieth bad link: %v", last)
	}
	for n := range 50 {
		_, link := invite(t, d, "acme", fmt.Sprintf("new%d@example.com", n))
		if _, _, err := d.Invitation(t.Context(), link, home); err != nil {
			t.Fatalf("newcomer %d: %v", n+1, err)
		}
		if step, err := d.Accept(t.Context(), link, "New", secret.New(goodPassword), home); err != nil || step.Entry == nil {
			t.Fatalf("newcomer %d: %+v, %v", n+1, step, err)
		}
	}
}

// TestDeathWhileAccepting: whoever dies at any point, the same link is good again, or it is
// used and the person is a member, or the person is invited again; and nobody is one twice.
func TestDeathWhileAccepting(t *testing.T) {
	t.Parallel()
	var d *door
	var link secret.String
	const email = "new@example.com"
	accept := func(s people.Service) error {
		step, err := s.Accept(context.Background(), link, "New", secret.New(goodPassword), home)
		if err == nil && step.Entry == nil {
			err = fmt.Errorf("next is %q", step.Next)
		}
		return err
	}
	mortal.Deaths(t, 20, func(t *testing.T) table.Table {
		t.Helper()
		d = openDoor(t)
		_, link = invite(t, d, "acme", email)
		return d.table
	}, func(tb table.Table) error { return accept(d.on(tb)) }, func(t *testing.T, _ table.Table, death string, _ error) {
		err := accept(d.Service)
		if err != nil && code(err) != people.CodeLinkOver {
			t.Errorf("%s: again: %v", death, err)
		}
		if err == nil {
			return
		}
		who, err := d.dir().ByEmail(t.Context(), email)
		if err != nil {
			t.Fatalf("%s: the link is used, and there is no person: %v", death, err)
		}
		if _, err := d.Service.Store.For("acme").Member(t.Context(), who.ID); err != nil {
			_, link = invite(t, d, "acme", email)
			if err := accept(d.Service); err != nil {
				t.Errorf("%s: invited again: %v", death, err)
			}
		}
		if _, err := d.SignIn(t.Context(), email, secret.New(goodPassword), "acme", home); err != nil {
			t.Errorf("%s: signs in: %v", death, err)
		}
	})
}

// TestRecovery: a link gives a password, takes all else away, once, and is made by those
// who may.
func TestRecovery(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	d.withTOTP(t)
	bob := d.person(t, "bob@example.com", model.RoleAdmin, "acme")
	byBob := d.change("recover")
	byBob.Actor = model.Actor{Kind: model.ActorPerson, ID: string(bob.ID)}
	_, before := func() (people.Caller, *people.Entry) {
		s, _ := d.enter(goodPassword, home)
		return people.Caller{}, s.Entry
	}()
	if before != nil {
		t.Fatal("no second factor is asked for")
	}
	_, link, err := d.Recover(ctx, byBob, "acme", d.anna.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.UseRecovery(ctx, link, secret.New("short"), home); !errors.As(err, new(*people.WeakPasswordError)) {
		t.Errorf("a weak password: %v", err)
	}
	step, err := d.UseRecovery(ctx, link, secret.New(otherPassword), home)
	if err != nil || step.Entry == nil || step.Entry.Device.Empty() {
		t.Fatalf("%+v, %v", step, err)
	}
	if who := d.read(t, d.anna.ID); who.SecondFactor() || len(who.Credentials.BackupCodes) > 0 || len(who.Credentials.Devices) != 1 {
		t.Errorf("what is left: %+v", who)
	}
	if _, err := d.UseRecovery(ctx, link, secret.New(goodPassword), home); code(err) != people.CodeLinkOver {
		t.Errorf("a link again: %v", err)
	}
	if _, _, err := d.Recover(ctx, byBob, "acme", bob.ID, ""); code(err) != people.CodeOwnRecovery {
		t.Errorf("oneself: %v", err)
	}
	byToken := byBob
	byToken.Actor.Kind = model.ActorToken
	if _, _, err := d.Recover(ctx, byToken, "acme", d.anna.ID, ""); code(err) != people.CodeNotByToken {
		t.Errorf("by a token: %v", err)
	}
	if _, _, err := d.Recover(ctx, byBob, "other", d.anna.ID, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another organization's: %v", err)
	}
	// Who joins another organization after a link was made is not recovered by it.
	_, link, err = d.Recover(ctx, byBob, "acme", d.anna.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	m := model.Member{Person: d.anna.ID, Role: model.RoleClient, Since: d.watch.Now()}
	if err := d.dir().Join(ctx, "other", d.change("join"), &m); err != nil {
		t.Fatal(err)
	}
	if _, err := d.UseRecovery(ctx, link, secret.New(goodPassword), home); code(err) != people.CodeMemberOfOthers {
		t.Errorf("a member of others, used: %v", err)
	}
	if _, _, err := d.Recover(ctx, byBob, "acme", d.anna.ID, ""); code(err) != people.CodeMemberOfOthers {
		t.Errorf("a member of others, made: %v", err)
	}
	_, link, err = d.Recover(ctx, d.change("recover"), "acme", d.anna.ID, "") // an operator
	if err == nil {
		_, err = d.UseRecovery(ctx, link, secret.New(goodPassword), home)
	}
	if err != nil {
		t.Errorf("by an operator: %v", err)
	}
}

// TestRecoveryOvertaken: while a link is used, at any request of it, the person joins
// another organization: it is not taken over, or it does not stay a member there.
func TestRecoveryOvertaken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for at := int64(1); at < 40; at++ {
		d := openDoor(t)
		bob := d.person(t, "bob@example.com", model.RoleClient, "acme")
		_, link, err := d.Recover(ctx, model.Change{Actor: model.Actor{Kind: model.ActorPerson, ID: string(d.anna.ID)}, Action: "recover", At: d.watch.Now()}, "acme", bob.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		_, invited := invite(t, d, "other", bob.Email)
		var joined error
		tb := mortal.Overtaken(d.table, at, func() {
			_, joined = d.Accept(ctx, invited, "", secret.New(goodPassword), people.From{Address: "192.0.2.9", Action: "accept"})
		})
		_, used := d.on(tb).UseRecovery(ctx, link, secret.New(otherPassword), home)
		orgs, err := d.dir().Organizations(ctx, bob.ID)
		if err != nil {
			t.Fatal(err)
		}
		epoch := d.read(t, bob.ID).Epoch
		if epoch > 0 && slices.Contains(orgs, "other") {
			t.Errorf("overtaken at request %d: recovered: %v; joined: %v; member of %v", at, used, joined, orgs)
		}
	}
}

// TestDeathWhileRecovering: whoever dies, the link is as good as before, or another one is
// made, and helps; what is the person's is all there or all gone.
func TestDeathWhileRecovering(t *testing.T) {
	t.Parallel()
	var d *door
	var link secret.String
	by := func() model.Change { return d.change("recover") }
	mortal.Deaths(t, 20, func(t *testing.T) table.Table {
		t.Helper()
		d = openDoor(t)
		d.withTOTP(t)
		var err error
		if _, link, err = d.Recover(t.Context(), by(), "acme", d.anna.ID, ""); err != nil {
			t.Fatal(err)
		}
		return d.table
	}, func(tb table.Table) error {
		_, err := d.on(tb).UseRecovery(context.Background(), link, secret.New(otherPassword), home)
		return err
	}, func(t *testing.T, _ table.Table, death string, err error) {
		who := d.read(t, d.anna.ID)
		match, _, e := cheap.Verify(t.Context(), who.Credentials.Password, secret.New(otherPassword))
		if e != nil || match == who.TOTP || match != (who.Epoch > 0) || err == nil && !match {
			t.Errorf("%s: the new password: %t, the app: %t, epoch %d, %v", death, match, who.TOTP, who.Epoch, e)
		}
		for s, err := range d.Service.List(t.Context(), d.anna.ID) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Service.Who(t.Context(), issue(t, d.house.Tokens, s)); match && s.Epoch == 0 && code(err) != people.CodeSessionEnded {
				t.Errorf("%s: a session from before: %v", death, err)
			}
		}
		if _, err := d.UseRecovery(t.Context(), link, secret.New(otherPassword), home); code(err) == people.CodeLinkOver {
			if _, link, err = d.Recover(t.Context(), by(), "acme", d.anna.ID, ""); err == nil {
				_, err = d.UseRecovery(t.Context(), link, secret.New(otherPassword), home)
			}
			if err != nil {
				t.Errorf("%s: another link: %v", death, err)
			}
		} else if err != nil {
			t.Errorf("%s: the link again: %v", death, err)
		}
	})
}

// TestAPITokensAreBounded by who makes them, and in number.
func TestAPITokensAreBounded(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d := openDoor(t)
	bob := d.person(t, "bob@example.com", model.RoleClient, "acme")
	m, err := d.Service.Store.For("acme").Member(ctx, bob.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.Projects = []string{"shop"}
	if _, err := d.ChangeMember(ctx, d.change("grant"), "acme", m); err != nil {
		t.Fatal(err)
	}
	step, err := d.SignIn(ctx, bob.Email, secret.New(goodPassword), "", home)
	if err != nil {
		t.Fatal(err)
	}
	client := d.callerOf(t, step.Entry)
	admin, _ := d.signedIn(t)
	read := model.APIToken{Name: "pipeline", Scopes: []model.Scope{model.ScopeRead}}
	for name, c := range map[string]struct {
		change func(*model.APIToken)
		want   string
	}{
		"a scope beyond":   {func(t *model.APIToken) { t.Scopes = []model.Scope{model.ScopeAudit} }, people.CodeBeyondOwner},
		"a project beyond": {func(t *model.APIToken) { t.Projects = []string{"shop", "other"} }, people.CodeBeyondOwner},
		"its own":          {func(t *model.APIToken) { t.Projects = []string{"shop"} }, ""},
		"another's":        {func(t *model.APIToken) { t.Owner = d.anna.ID }, ""},
	} {
		given := read
		c.change(&given)
		made, token, err := d.MakeToken(ctx, d.change("make"), client, given)
		if code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		parsed, err := people.ParseToken(people.APIToken, token)
		if err != nil || made.Owner != bob.ID || made.ExpiresAt.Sub(made.CreatedAt) != model.TokenAge {
			t.Fatalf("%s: %+v, %v", name, made, err)
		}
		if who, err := d.Service.WhoByAPIToken(ctx, made.ID, parsed.Hash()); err != nil || who.Sees("other") || who.Can(model.ScopeAdmin) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	long := read
	long.ExpiresAt = d.watch.Now().Add(model.MaxTokenAge + time.Hour)
	if _, _, err := d.MakeToken(ctx, d.change("make"), client, long); !errors.As(err, new(*model.FieldError)) {
		t.Errorf("for more than a year: %v", err)
	}
	program := admin
	program.Session, program.Token = "", "x"
	if _, _, err := d.MakeToken(ctx, d.change("make"), program, read); code(err) != people.CodeNotByToken {
		t.Errorf("by a token: %v", err)
	}
	var last model.APIToken
	for i := range people.MaxPersonTokens + 1 {
		made, _, err := d.MakeToken(ctx, d.change("make"), admin, read)
		if full := errors.Is(err, store.ErrFull); full != (i == people.MaxPersonTokens) || err != nil && !full {
			t.Fatalf("token %d: %v", i, err)
		}
		if err == nil {
			last = made
		}
	}
	if _, err := d.APIToken(ctx, client, last.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an administrator's, to a client: %v", err)
	}
	if err := d.EndToken(ctx, d.change("end"), admin, last.ID); err != nil {
		t.Error(err)
	}
	if _, _, err := d.MakeToken(ctx, d.change("make"), admin, read); err != nil {
		t.Errorf("in the place of one that ended: %v", err)
	}
}

// TestNothingOfPeopleIsUnlogged: whoever dies while a password is changed, the log speaks of
// it if it was.
func TestNothingOfPeopleIsUnlogged(t *testing.T) {
	t.Parallel()
	var d *door
	var caller people.Caller
	mortal.Deaths(t, 15, func(t *testing.T) table.Table {
		t.Helper()
		d = openDoor(t)
		caller, _ = d.signedIn(t)
		return d.table
	}, func(tb table.Table) error {
		from := home
		from.Action = "change-password"
		_, err := d.on(tb).ChangePassword(context.Background(), caller, secret.New(goodPassword), secret.New(otherPassword), false, from)
		return err
	}, func(t *testing.T, _ table.Table, death string, _ error) {
		if _, err := d.Service.Store.For("acme").SettleAdminLog(t.Context(), d.watch.Now()); err != nil {
			t.Fatal(err)
		}
		if changed := d.read(t, d.anna.ID).Epoch > 0; changed && !slices.Contains(d.logged(t), "change-password") {
			t.Errorf("%s: the log says nothing", death)
		}
	})
}

// apiToken is an API token of a person's in an organization.
func (d *door) apiToken(t testing.TB, who model.PersonID, org model.OrganizationID) people.Token {
	t.Helper()
	m, err := d.Service.Store.For(org).Member(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	now := d.watch.Now()
	made := model.APIToken{ID: model.TokenID(ulid.Make().String()), Name: "nightly", Owner: who, MemberSince: m.Since, Scopes: []model.Scope{model.ScopeRead}, CreatedAt: now, ExpiresAt: now.Add(model.TokenAge)}
	text, hash, err := people.NewToken(people.APIToken, string(made.ID))
	if err != nil {
		t.Fatal(err)
	}
	made.Hash = hash
	if err := d.dir().AddToken(t.Context(), org, d.change("create-token"), &made); err != nil {
		t.Fatal(err)
	}
	token, err := people.ParseToken(people.APIToken, text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestTokensEndOutOfFear: what somebody does who fears that another has the account, or an
// administrator for somebody, ends the API tokens that the other may have made: of the
// organization, or of all, and of nobody else. The admin log of each says so.
func TestTokensEndOutOfFear(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, c := range map[string]struct {
		do   func(*door) error
		ends []model.OrganizationID
	}{
		"recovery": {func(d *door) error {
			operator := d.change("recover")
			operator.Actor.Kind = model.ActorOperator
			_, link, err := d.Recover(ctx, operator, "acme", d.anna.ID, "")
			if err == nil {
				_, err = d.UseRecovery(ctx, link, secret.New(otherPassword), home)
			}
			return err
		}, []model.OrganizationID{"acme", "other"}},
		"the end of a member's sessions": {func(d *door) error {
			return d.EndMemberSessions(ctx, d.change("end"), "acme", d.anna.ID)
		}, []model.OrganizationID{"acme"}},
		"a password": {func(d *door) error {
			step, err := d.SignIn(ctx, d.anna.Email, secret.New(goodPassword), "acme", home)
			if err == nil {
				_, err = d.ChangePassword(ctx, d.callerOf(t, step.Entry), secret.New(goodPassword), secret.New(otherPassword), false, home)
			}
			return err
		}, nil},
		"a password, and the tokens": {func(d *door) error {
			step, err := d.SignIn(ctx, d.anna.Email, secret.New(goodPassword), "acme", home)
			if err == nil {
				_, err = d.ChangePassword(ctx, d.callerOf(t, step.Entry), secret.New(goodPassword), secret.New(otherPassword), true, home)
			}
			return err
		}, []model.OrganizationID{"acme", "other"}},
	} {
		d := openDoor(t)
		d.organization(t, "other")
		m := model.Member{Person: d.anna.ID, Role: model.RoleClient, Since: d.watch.Now()}
		if err := d.dir().Join(ctx, "other", d.change("join"), &m); err != nil {
			t.Fatal(err)
		}
		carl := d.person(t, "carl@example.com", model.RoleAdmin, "acme")
		tokens := map[model.OrganizationID]people.Token{"acme": d.apiToken(t, d.anna.ID, "acme"), "other": d.apiToken(t, d.anna.ID, "other")}
		his := d.apiToken(t, carl.ID, "acme")
		if err := c.do(d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for org, token := range tokens {
			_, err := d.Service.WhoByAPIToken(ctx, model.TokenID(token.ID), token.Hash())
			want := map[bool]string{true: people.CodeTokenInvalid}[slices.Contains(c.ends, org)]
			if code(err) != want {
				t.Errorf("%s: the token of %s: %v", name, org, err)
			}
			logged := false
			for e, err := range d.Service.Store.For(org).AdminLog(ctx, 0) {
				if err != nil {
					t.Fatal(err)
				}
				logged = logged || e.Object == "token/"+token.ID && e.After == nil
			}
			if logged != (want != "") {
				t.Errorf("%s: the log of %s says that it ended: %t", name, org, logged)
			}
		}
		if _, err := d.Service.WhoByAPIToken(ctx, model.TokenID(his.ID), his.Hash()); err != nil {
			t.Errorf("%s: somebody else's token: %v", name, err)
		}
	}
}

// TestSuspendedSignIn: who has proven to be a member who is suspended is told so.
func TestSuspendedSignIn(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	m, err := d.Service.Store.For("acme").Member(t.Context(), d.anna.ID)
	if err == nil {
		m.Suspended = true
		err = d.Service.Store.For("acme").ChangeMember(t.Context(), d.change("suspend"), &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, org := range []model.OrganizationID{"", "acme"} {
		if _, err := d.SignIn(t.Context(), d.anna.Email, secret.New(goodPassword), org, home); code(err) != people.CodeMemberSuspended {
			t.Errorf("at %q: %v", org, err)
		}
		if _, err := d.SignIn(t.Context(), d.anna.Email, secret.New("wrong wrong wrong"), org, home); code(err) != people.CodeSignInRefused {
			t.Errorf("at %q, by a wrong password: %v", org, err)
		}
	}
	if _, err := d.SignIn(t.Context(), d.anna.Email, secret.New(goodPassword), "nowhere", home); code(err) != people.CodeNotMember {
		t.Errorf("elsewhere: %v", err)
	}
}
