package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// ErrEmailTaken says that somebody else has the e-mail address.
var ErrEmailTaken = errors.New("somebody else has this e-mail address")

// People is who can sign in, and what leads from a person, or from the public id of a link
// or a token, to an organization. There are no transactions: of everything that takes
// several writes, each method says which comes first, so that nothing is left behind by
// whoever dies between two that anybody could ever take for more than it is.
type People struct {
	store *Store
	table table.Table
}

// People is the directory of the people of all organizations.
func (s *Store) People() *People { return &People{s, s.table} }

// person is a person as stored.
type person struct {
	model.Person
	Epoch    int64    `json:"epoch,omitempty"`
	Password []byte   `json:"password,omitempty"`
	TOTP     []byte   `json:"totp_secret,omitempty"`
	TOTPStep int64    `json:"totp_step,omitempty"`
	Backup   [][]byte `json:"backup_codes,omitempty"`
	Devices  []device `json:"devices,omitempty"`

	NewTOTP  []byte    `json:"new_totp_secret,omitempty"`
	Passkeys []passkey `json:"passkeys,omitempty"`
}

type passkey struct {
	model.Passkey
	Credential []byte `json:"credential"`
}

type device struct {
	Hash []byte    `json:"hash"`
	At   time.Time `json:"at"`
}

func stored(p model.Person) person {
	c := p.Credentials
	s := person{Person: p, Epoch: p.Epoch, Password: c.Password, TOTP: c.TOTP, TOTPStep: c.TOTPStep, NewTOTP: c.NewTOTP}
	for _, code := range c.BackupCodes {
		s.Backup = append(s.Backup, code)
	}
	for _, d := range c.Devices {
		s.Devices = append(s.Devices, device{d.Hash, d.At})
	}
	for _, k := range c.Passkeys {
		s.Passkeys = append(s.Passkeys, passkey{k, k.Credential})
	}
	return s
}

func (s person) read(version int64) model.Person {
	p := s.Person
	p.Epoch, p.Version = s.Epoch, version
	p.Credentials = model.Credentials{Password: s.Password, TOTP: s.TOTP, TOTPStep: s.TOTPStep, NewTOTP: s.NewTOTP}
	for _, code := range s.Backup {
		p.Credentials.BackupCodes = append(p.Credentials.BackupCodes, code)
	}
	for _, d := range s.Devices {
		p.Credentials.Devices = append(p.Credentials.Devices, model.Device{Hash: d.Hash, At: d.At})
	}
	for _, k := range s.Passkeys {
		k.Passkey.Credential = k.Credential
		p.Credentials.Passkeys = append(p.Credentials.Passkeys, k.Passkey)
	}
	return p
}

// emailClaim says whose an e-mail address is. One whose person is not there, or has another
// address, counts for nothing: it is of a change that somebody died in.
type emailClaim struct {
	Person model.PersonID `json:"person"` // empty: nobody's any more
}

func personKey(id model.PersonID) table.Key {
	return table.Key{PK: table.Path(personPart, string(id)), SK: "person"}
}

func emailKey(address string) table.Key {
	sum := sha256.Sum256([]byte(model.NormalEmail(address)))
	return table.Key{PK: table.Path(emailPart, hex.EncodeToString(sum[:])), SK: "person"}
}

func (p *People) read(ctx context.Context, id model.PersonID) (person, table.Item, error) {
	var s person
	item, err := p.table.Get(ctx, personKey(id))
	if err == nil {
		err = decode(item, &s)
	}
	if err != nil {
		return s, item, fmt.Errorf("person %s: %w", id, err)
	}
	return s, item, nil
}

// Person reads a person, or is ErrNotFound.
func (p *People) Person(ctx context.Context, id model.PersonID) (model.Person, error) {
	s, item, err := p.read(ctx, id)
	if err != nil {
		return model.Person{}, err
	}
	return s.read(item.Version), nil
}

// ByEmail reads who has an e-mail address, or is ErrNotFound.
func (p *People) ByEmail(ctx context.Context, address string) (model.Person, error) {
	var c emailClaim
	item, err := p.table.Get(ctx, emailKey(address))
	if err == nil {
		err = decode(item, &c)
	}
	if err == nil && c.Person == "" {
		err = ErrNotFound
	}
	if err != nil {
		return model.Person{}, fmt.Errorf("person by e-mail address: %w", err)
	}
	s, item, err := p.read(ctx, c.Person)
	if err == nil && model.NormalEmail(s.Email) != model.NormalEmail(address) {
		err = fmt.Errorf("person by e-mail address: %w", ErrNotFound)
	}
	if err != nil {
		return model.Person{}, err
	}
	if !item.Expires.IsZero() { // whoever created it died with all done but this
		item.Expires = time.Time{}
		if err := p.table.Put(ctx, item); err != nil && !isConflict(err) {
			return model.Person{}, fmt.Errorf("person %s: %w", c.Person, err)
		}
		return p.Person(ctx, c.Person)
	}
	return s.read(item.Version), nil
}

// creationAge is how long creating a person may take.
const creationAge = time.Hour

// Create writes a new person, or is ErrEmailTaken.
//
// The person comes first, and expires; then the e-mail address is claimed, which is what
// makes it a person that can be found; then it does not expire any more, which ByEmail
// does for whoever died before. A death before the claim leaves a record of which nobody
// knows, for an hour; one after it, a person. If an hour passes between, the claim leads
// to nobody and counts for nothing.
func (p *People) Create(ctx context.Context, who *model.Person) error {
	if err := who.Check(); err != nil {
		return err
	}
	item, err := encode(personKey(who.ID), table.Key{}, 0, stored(*who))
	if err != nil {
		return err
	}
	item.Expires = who.CreatedAt.Add(creationAge)
	if err := p.table.Put(ctx, item); err != nil {
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	item.Version++
	if err := p.claim(ctx, who.ID, who.Email); err != nil {
		if errors.Is(err, ErrEmailTaken) {
			err = errors.Join(err, p.table.Delete(ctx, item.Key))
		}
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	item.Expires = time.Time{}
	err = p.table.Put(ctx, item)
	if isConflict(err) { // ByEmail was here first, or the hour is over
		if found, e := p.ByEmail(ctx, who.Email); e == nil && found.ID == who.ID {
			who.Version = found.Version
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("create person %s: %w", who.ID, err)
	}
	who.Version = item.Version + 1
	return nil
}

// claimTries is how often somebody tries to claim an e-mail address while others do.
const claimTries = 10

// claim makes an e-mail address a person's, or is ErrEmailTaken. It is the person's as soon
// as the person's record has it as well; until then whoever else wants it may take it
// away.
func (p *People) claim(ctx context.Context, id model.PersonID, address string) error {
	for try := 1; ; try++ {
		err := p.tryClaim(ctx, id, address)
		if !isConflict(err) || try == claimTries {
			return err
		}
	}
}

func (p *People) tryClaim(ctx context.Context, id model.PersonID, address string) error {
	key := emailKey(address)
	item, err := p.table.Get(ctx, key)
	if err != nil && !isMissing(err) {
		return err
	}
	if err == nil {
		var c emailClaim
		if err := decode(item, &c); err != nil {
			return err
		}
		if c.Person != id && c.Person != "" {
			if err := p.dispossess(ctx, c.Person, address); err != nil {
				return err
			}
		}
	}
	// Also if it is the person's: whoever read that, and is about to take it away, is late.
	written, err := encode(key, table.Key{}, item.Version, emailClaim{id})
	if err != nil {
		return err
	}
	return p.table.Put(ctx, written)
}

// dispossess makes sure that an e-mail address which is claimed for somebody does not
// become that person's: the record is written as it is, so that whoever was about to put
// the address into it finds that it was changed. It is ErrEmailTaken if it has it.
func (p *People) dispossess(ctx context.Context, id model.PersonID, address string) error {
	who, item, err := p.read(ctx, id)
	switch {
	case isMissing(err):
		return nil
	case err != nil:
		return err
	case model.NormalEmail(who.Email) == model.NormalEmail(address):
		return ErrEmailTaken
	}
	return p.table.Put(ctx, item)
}

// release makes an e-mail address nobody's again if the claim is unchanged. Delete would not
// ask whose it is by then; and versions would begin anew, so that whoever read the claim
// before could take a later one for it.
func (p *People) release(ctx context.Context, claimed table.Item, now time.Time) error {
	item, err := encode(claimed.Key, table.Key{}, claimed.Version, emailClaim{})
	if err != nil {
		return err
	}
	item.Expires = now.Add(goneAge)
	if err := p.table.Put(ctx, item); err != nil && !isConflict(err) {
		return err
	}
	return nil
}

// Put writes a person that was read, but for the e-mail address; ErrConflict says that
// somebody else did first.
func (p *People) Put(ctx context.Context, who *model.Person) error {
	if err := who.Check(); err != nil {
		return err
	}
	before, item, err := p.read(ctx, who.ID)
	switch {
	case isMissing(err) || err == nil && item.Version != who.Version:
		err = fmt.Errorf("write person %s: %w", who.ID, ErrConflict)
	case err == nil && before.Email != who.Email:
		err = fmt.Errorf("write person %s: an e-mail address is changed by ChangeEmail", who.ID)
	}
	if err != nil {
		return err
	}
	return p.put(ctx, who, item.Expires)
}

func (p *People) put(ctx context.Context, who *model.Person, expires time.Time) error {
	item, err := encode(personKey(who.ID), table.Key{}, who.Version, stored(*who))
	if err != nil {
		return err
	}
	item.Expires = expires
	if err := p.table.Put(ctx, item); err != nil {
		return fmt.Errorf("write person %s: %w", who.ID, err)
	}
	who.Version++
	return nil
}

// ChangeEmail gives a person that was read another e-mail address, or is ErrEmailTaken or
// ErrConflict.
//
// The new address is claimed first, then the person's record has it, which is the moment
// that it counts from, and the old one does not; then that is released. Whoever dies
// before leaves a claim that counts for nothing, which whoever wants the address takes
// away. The person has one of the two at any moment.
func (p *People) ChangeEmail(ctx context.Context, who *model.Person, address string, now time.Time) error {
	changed := *who
	changed.Email = address
	if err := changed.Check(); err != nil {
		return err
	}
	old, err := p.claimOf(ctx, who)
	if err != nil {
		return fmt.Errorf("e-mail address of person %s: %w", who.ID, err)
	}
	_, item, err := p.read(ctx, who.ID)
	if err != nil {
		return err
	}
	if err := p.claim(ctx, who.ID, address); err != nil {
		return fmt.Errorf("e-mail address of person %s: %w", who.ID, err)
	}
	if err := p.put(ctx, &changed, item.Expires); err != nil {
		return err
	}
	before := who.Email
	*who = changed
	if old.Version == 0 || model.NormalEmail(before) == model.NormalEmail(address) {
		return nil
	}
	if err := p.release(ctx, old, now); err != nil {
		return fmt.Errorf("former e-mail address of person %s: %w", who.ID, err)
	}
	return nil
}

// claimOf is the claim of a person on the e-mail address that it has; none if that is
// somebody else's, as it may be of whom CreateByIdentity made.
func (p *People) claimOf(ctx context.Context, who *model.Person) (table.Item, error) {
	item, err := p.table.Get(ctx, emailKey(who.Email))
	if isMissing(err) {
		return table.Item{}, nil
	}
	var c emailClaim
	if err == nil {
		err = decode(item, &c)
	}
	if err != nil || c.Person != who.ID {
		return table.Item{}, err
	}
	return item, nil
}

// belongs says that a person may be a member of an organization.
type belongs struct {
	Organization model.OrganizationID `json:"organization"`
}

func belongsKey(who model.PersonID, org model.OrganizationID) table.Key {
	return table.Key{PK: table.Path(personPart, string(who), "MEMBERSHIP"), SK: string(org)}
}

// Organizations are those that a person is a member of, in the order of their ids.
func (p *People) Organizations(ctx context.Context, who model.PersonID) (orgs []model.OrganizationID, err error) {
	for b, err := range each[belongs](ctx, p.table, table.Query{PK: belongsKey(who, "").PK}, nil) {
		if err == nil {
			_, err = p.store.For(b.Organization).Member(ctx, who)
			if isMissing(err) {
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("organizations of person %s: %w", who, err)
		}
		orgs = append(orgs, b.Organization)
	}
	return orgs, nil
}

// Join makes a person a member of an organization; ErrConflict says that it is one.
//
// What leads from the person to the organization comes first: without a member there it
// leads to nothing, and Organizations leaves it out. The other way round there could be a
// member who never finds in.
func (p *People) Join(ctx context.Context, org model.OrganizationID, by model.Change, m *model.Member) error {
	if err := m.Check(); err != nil {
		return err
	}
	if m.Version != 0 {
		return fmt.Errorf("join organization %s: %w", org, ErrConflict)
	}
	item, err := encode(belongsKey(m.Person, org), table.Key{}, 0, belongs{org})
	if err == nil {
		err = p.table.PutMany(ctx, []table.Item{item})
	}
	if err != nil {
		return fmt.Errorf("join organization %s: %w", org, err)
	}
	return members.put(ctx, p.store.For(org), by, m)
}

// Leave ends a membership as it was read, and the sessions that depended on it.
//
// The member comes first, which is what sessions and tokens are held to. What is left of
// the rest if somebody dies then is worth nothing: sessions and tokens know since when
// their person was a member, and are not good for a later membership. What leads from the
// person to the organization stays, since somebody else may let the person join meanwhile.
func (p *People) Leave(ctx context.Context, org model.OrganizationID, by model.Change, m model.Member) error {
	if err := members.remove(ctx, p.store.For(org), by, m); err != nil {
		return err
	}
	return p.EndSessions(ctx, m.Person, func(s model.Session) bool { return s.Organization == org })
}

// Lead is where the public id of a link, a session or a token leads. It is no secret, and
// proves nothing.
type Lead struct {
	Organization model.OrganizationID `json:"organization"`
	Person       model.PersonID       `json:"person,omitempty"` // of sessions
}

func leadKey(id string) table.Key {
	return table.Key{PK: table.Path(leadPart, id), SK: "lead"}
}

// Lead is where an id leads, or ErrNotFound. There may be nothing any more.
func (p *People) Lead(ctx context.Context, id string) (l Lead, err error) {
	if !model.IsULID(id) { // it comes from anybody
		return l, fmt.Errorf("an id that is none: %w", ErrNotFound)
	}
	item, err := p.table.Get(ctx, leadKey(id))
	if err == nil {
		err = decode(item, &l)
	}
	if err != nil {
		return l, fmt.Errorf("where id %s leads: %w", id, err)
	}
	return l, nil
}

// lead is written before that which it leads to: without it, it leads to nothing, and
// expires. The other way round there could be a token that its owner sees, and nobody can
// use. What is there leads elsewhere: ids are never given twice.
func (p *People) lead(ctx context.Context, id string, l Lead, until time.Time) error {
	item, err := encode(leadKey(id), table.Key{}, 0, l)
	if err != nil {
		return err
	}
	item.Expires = until
	err = p.table.Put(ctx, item)
	if isConflict(err) {
		if there, e := p.table.Get(ctx, item.Key); e == nil && bytes.Equal(there.Body, item.Body) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("write where id %s leads: %w", id, err)
	}
	return nil
}

// AddInvitation writes a new invitation to an organization, and before it what leads there.
func (p *People) AddInvitation(ctx context.Context, org model.OrganizationID, by model.Change, i *model.Invitation) error {
	if err := i.Check(); err != nil {
		return err
	}
	if err := p.lead(ctx, string(i.ID), Lead{Organization: org}, i.ExpiresAt); err != nil {
		return err
	}
	return invitations.put(ctx, p.store.For(org), by, i)
}

// AddRecovery writes a new recovery link that an organization gives a person, and before it
// what leads there.
func (p *People) AddRecovery(ctx context.Context, org model.OrganizationID, by model.Change, r *model.Recovery) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := p.lead(ctx, string(r.ID), Lead{Organization: org}, r.ExpiresAt); err != nil {
		return err
	}
	return recoveries.put(ctx, p.store.For(org), by, r)
}

// AddToken writes a new API token of an organization, and before it what leads there.
func (p *People) AddToken(ctx context.Context, org model.OrganizationID, by model.Change, t *model.APIToken) error {
	if err := t.Check(); err != nil {
		return err
	}
	if err := p.lead(ctx, string(t.ID), Lead{Organization: org}, t.ExpiresAt); err != nil {
		return err
	}
	return p.store.For(org).putToken(ctx, by, t)
}
