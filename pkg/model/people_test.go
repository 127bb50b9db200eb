package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
)

const anULID = "01KBA0Q7Z3M2X9V5T1R8N4C6DE"

// TestWhatMayBeSaidOfPeople has what is just possible, and for each field at least one
// thing that is not.
func TestWhatMayBeSaidOfPeople(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	person := func(change func(*model.Person)) error {
		p := model.Person{ID: anULID, Email: "anna@example.com"}
		change(&p)
		return p.Check()
	}
	member := func(change func(*model.Member)) error {
		m := model.Member{Person: anULID, Role: model.RoleClient}
		change(&m)
		return m.Check()
	}
	project := func(p model.Project) error { return p.Check() }
	invitation := func(change func(*model.Invitation)) error {
		i := model.Invitation{ID: anULID, Email: "anna@example.com", Role: model.RoleAdmin, CreatedAt: now, ExpiresAt: now.Add(model.InvitationAge)}
		change(&i)
		return i.Check()
	}
	recovery := func(change func(*model.Recovery)) error {
		r := model.Recovery{ID: anULID, Person: anULID, CreatedAt: now, ExpiresAt: now.Add(model.RecoveryAge)}
		change(&r)
		return r.Check()
	}
	token := func(change func(*model.APIToken)) error {
		k := model.APIToken{ID: anULID, Name: "x", Owner: anULID, Scopes: []model.Scope{model.ScopeRead}, CreatedAt: now, ExpiresAt: now.Add(model.TokenAge)}
		change(&k)
		return k.Check()
	}
	many := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprint("p", i))
		}
		return names
	}
	mail := func(address string) error { return person(func(p *model.Person) { p.Email = address }) }
	for name, c := range map[string]struct {
		err   error
		field string // that is refused; empty: none
	}{
		"a person":                      {person(func(*model.Person) {}), ""},
		"no id":                         {person(func(p *model.Person) { p.ID = "" }), "id"},
		"an id that leads elsewhere":    {person(func(p *model.Person) { p.ID = "x#SESSION" }), "id"},
		"an id in small letters":        {person(func(p *model.Person) { p.ID = model.PersonID(strings.ToLower(anULID)) }), "id"},
		"a long name":                   {person(func(p *model.Person) { p.Name = strings.Repeat("ü", 100) }), ""},
		"a longer name":                 {person(func(p *model.Person) { p.Name = strings.Repeat("ü", 101) }), "name"},
		"a name that reverses":          {person(func(p *model.Person) { p.Name = "a\u202eb" }), "name"},
		"a name of spaces":              {person(func(p *model.Person) { p.Name = " " }), "name"},
		"a token called by spaces":      {token(func(k *model.APIToken) { k.Name = "  " }), "name"},
		"a passkey called by spaces":    {model.Passkey{ID: anULID, Name: "\u2003"}.Check(), "name"},
		"an organization of spaces":     {model.Organization{ID: "acme", Name: " "}.Check(), "name"},
		"a description of spaces":       {project(model.Project{Name: "a", Description: "  "}), "description"},
		"a tag":                         {mail("anna+aws@mail.example.co.uk"), ""},
		"the longest local part":        {mail(strings.Repeat("a", 64) + "@example.com"), ""},
		"a longer local part":           {mail(strings.Repeat("a", 65) + "@example.com"), "email"},
		"a long address":                {mail("a@" + strings.Repeat("a.", 300) + "com"), "email"},
		"no address":                    {mail(""), "email"},
		"no domain":                     {mail("anna@"), "email"},
		"a host":                        {mail("anna@localhost"), "email"},
		"two addresses":                 {mail("anna@example.com,bert@example.com"), "email"},
		"a name with the address":       {mail("Anna <anna@example.com>"), "email"},
		"a header":                      {mail("anna@example.com\r\nBcc: bert@example.com"), "email"},
		"a line":                        {mail("anna@example.com\n"), "email"},
		"a Kelvin sign":                 {mail("\u212aarl@example.com"), "email"},
		"a dotless i":                   {mail("m\u0131ke@example.com"), "email"},
		"a Cyrillic domain":             {mail("anna@ex\u0430mple.com"), "email"},
		"NUL":                           {mail("anna\x00@example.com"), "email"},
		"a member":                      {member(func(*model.Member) {}), ""},
		"somebody":                      {member(func(m *model.Member) { m.Person = "anna" }), "person"},
		"no role":                       {member(func(m *model.Member) { m.Role = "" }), "role"},
		"a role in capitals":            {member(func(m *model.Member) { m.Role = "Admin" }), "role"},
		"grants":                        {member(func(m *model.Member) { m.Projects = many(100) }), ""},
		"too many grants":               {member(func(m *model.Member) { m.Projects = many(101) }), "projects"},
		"a grant of nothing":            {member(func(m *model.Member) { m.Projects = []string{"a", ""} }), "projects[1]"},
		"a grant twice":                 {member(func(m *model.Member) { m.Projects = []string{"a", "b", "a"} }), "projects[2]"},
		"a grant of markup":             {member(func(m *model.Member) { m.Projects = []string{"<b>"} }), "projects[0]"},
		"an admin with grants":          {member(func(m *model.Member) { m.Role, m.Projects = model.RoleAdmin, []string{"a"} }), "projects"},
		"a project":                     {project(model.Project{Name: "shop.prod-1_x"}), ""},
		"a project without name":        {project(model.Project{}), "name"},
		"a project of two lines":        {project(model.Project{Name: "a\n"}), "name"},
		"a long project":                {project(model.Project{Name: strings.Repeat("a", 101)}), "name"},
		"an endless description":        {project(model.Project{Name: "a", Description: strings.Repeat("a", 501)}), "description"},
		"an invitation":                 {invitation(func(*model.Invitation) {}), ""},
		"an invitation of nobody":       {invitation(func(i *model.Invitation) { i.Email = "" }), "email"},
		"an invitation for too long":    {invitation(func(i *model.Invitation) { i.ExpiresAt = i.ExpiresAt.Add(1) }), "expires_at"},
		"an invitation that is over":    {invitation(func(i *model.Invitation) { i.ExpiresAt = i.CreatedAt }), "expires_at"},
		"an invitation to nothing":      {invitation(func(i *model.Invitation) { i.Role = "owner" }), "role"},
		"an invitation without id":      {invitation(func(i *model.Invitation) { i.ID = "" }), "id"},
		"a recovery":                    {recovery(func(*model.Recovery) {}), ""},
		"a recovery for too long":       {recovery(func(r *model.Recovery) { r.ExpiresAt = now.Add(2 * time.Hour) }), "expires_at"},
		"a recovery of nobody":          {recovery(func(r *model.Recovery) { r.Person = "" }), "person"},
		"a recovery without id":         {recovery(func(r *model.Recovery) { r.ID = "" }), "id"},
		"a token":                       {token(func(*model.APIToken) {}), ""},
		"a token for a year":            {token(func(k *model.APIToken) { k.ExpiresAt = now.Add(model.MaxTokenAge) }), ""},
		"a token for longer":            {token(func(k *model.APIToken) { k.ExpiresAt = now.Add(model.MaxTokenAge + 1) }), "expires_at"},
		"a token for ever":              {token(func(k *model.APIToken) { k.ExpiresAt = time.Time{} }), "expires_at"},
		"a token without name":          {token(func(k *model.APIToken) { k.Name = "" }), "name"},
		"a token with a long name":      {token(func(k *model.APIToken) { k.Name = strings.Repeat("x", 101) }), "name"},
		"a token of nobody":             {token(func(k *model.APIToken) { k.Owner = "" }), "owner"},
		"a token without id":            {token(func(k *model.APIToken) { k.ID = "" }), "id"},
		"a token for nothing":           {token(func(k *model.APIToken) { k.Scopes = nil }), "scopes"},
		"a token for what is not there": {token(func(k *model.APIToken) { k.Scopes = []model.Scope{"read", "*"} }), "scopes"},
		"a token for the same twice":    {token(func(k *model.APIToken) { k.Scopes = []model.Scope{"read", "read"} }), "scopes"},
		"a token for projects":          {token(func(k *model.APIToken) { k.Projects = []string{"a"} }), ""},
		"a token for too many projects": {token(func(k *model.APIToken) { k.Projects = many(101) }), "projects"},
		"an admin token for a project": {token(func(k *model.APIToken) {
			k.Projects, k.Scopes = []string{"a"}, []model.Scope{model.ScopeAdmin}
		}), "projects"},
	} {
		var wrong *model.FieldError
		if errors.As(c.err, &wrong); c.field == "" && c.err != nil || c.field != "" && (wrong == nil || wrong.Field != c.field) {
			t.Errorf("%s: %v (%+v), want field %q", name, c.err, wrong, c.field)
		}
	}
}

// TestNormalEmail: what is an address is one in its normal form, which is its own.
func TestNormalEmail(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.StringMatching(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,20}@([A-Za-z0-9]{1,9}\.){1,3}[A-Za-z]{2,4}`).Draw(t, "address")
		p := model.Person{ID: anULID, Email: address}
		if err := p.Check(); err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		p.Email = model.NormalEmail(address)
		if err := p.Check(); err != nil || model.NormalEmail(p.Email) != p.Email || !strings.EqualFold(p.Email, address) {
			t.Errorf("%q becomes %q, %v", address, p.Email, err)
		}
	})
}

// TestNothingHiddenIsShown writes records, of which every hidden part has the same
// content, in all ways that there are.
func TestNothingHiddenIsShown(t *testing.T) {
	t.Parallel()
	const content = "c0ntent"
	var fill func(v reflect.Value) (hidden int)
	fill = func(v reflect.Value) (hidden int) {
		switch {
		case v.Type() == reflect.TypeFor[model.Hidden]():
			v.SetBytes([]byte(content))
			return 1
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
			for i := range v.NumField() {
				hidden += fill(v.Field(i))
			}
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			hidden += fill(v.Index(0))
		}
		return hidden
	}
	raw := fmt.Sprintf("%d", []byte(content))
	for _, record := range []any{&model.Person{}, &model.Credentials{}, &model.Session{}, &model.APIToken{}, &model.Invitation{}, &model.Recovery{}, new(model.Hidden)} {
		v := reflect.ValueOf(record).Elem()
		if fill(v) == 0 {
			t.Errorf("%T has nothing hidden", record)
		}
		var log strings.Builder
		timeless := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { // whose digits may be like what is hidden
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}
		slog.New(slog.NewJSONHandler(&log, timeless)).Info("x", "record", v.Interface())
		slog.New(slog.NewTextHandler(&log, timeless)).Info("x", "record", v.Interface())
		body, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		shown := []string{log.String(), string(body)}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown = append(shown, fmt.Sprintf(verb, v.Interface()))
		}
		for _, text := range shown {
			if strings.Contains(text, content) || strings.Contains(text, raw) || strings.Contains(text, "6330") || strings.Contains(text, "YzBudGVudA") {
				t.Errorf("%T is shown as %s", record, text)
			}
		}
		if _, credential := record.(*model.Credentials); !credential && v.Kind() == reflect.Struct && strings.Contains(string(body), "hidden") {
			t.Errorf("%T tells clients that there is something hidden: %s", record, body)
		}
	}
}

// TestSessionsEnd: whenever a session is used, it ends two weeks later, or ninety days
// after it was begun.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		begun := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
		s := model.Session{CreatedAt: begun}
		now := begun
		for s.Use(now); s.Live(now); s.Use(now) {
			if s.ExpiresAt.Sub(now) > model.SessionIdle || s.ExpiresAt.Sub(begun) > model.SessionAge {
				t.Fatalf("used at %s it ends at %s", now, s.ExpiresAt)
			}
			now = now.Add(time.Duration(rapid.Int64Range(1, int64(model.SessionIdle)-1).Draw(t, "until the next use")))
		}
		if now.Before(s.Until()) {
			t.Errorf("it ends at %s", now)
		}
	})
}

// TestRoles: an admin may everything, a client reads, and nobody else may anything.
func TestRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[model.Role][]model.Scope{
		model.RoleAdmin: {"read", "audit", "connections", "admin"}, model.RoleClient: {"read"}, "": nil, "owner": nil,
	} {
		if got := role.Scopes(); !slices.Equal(got, want) {
			t.Errorf("%q: %v", role, got)
		}
	}
}
