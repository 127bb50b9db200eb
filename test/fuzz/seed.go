package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/pquerna/otp/totp"

	"github.com/cloudarq/cloudarq/pkg/api/auth"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// seeded is what there is before the first request: values of parameters and fields, by the
// name of the dictionary that schemathesis.toml draws them from.
type seeded map[string][]string

func (s seeded) add(name string, values ...string) { s[name] = append(s[name], values...) }

// write writes a file for each dictionary.
func (s seeded) write(to string) error {
	for name, values := range s {
		var lines strings.Builder
		for _, v := range values {
			fmt.Fprintf(&lines, "%q\n", v)
		}
		if err := os.WriteFile(filepath.Join(to, name+".txt"), []byte(lines.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// each is how many there are of what requests may remove.
const each = 40

// seed makes an organization with what there can be of one, by the API's own routes where
// there are any.
func (d *deployment) seed(ctx context.Context, h http.Handler) (seeded, error) {
	all := seeded{}
	if err := d.open(ctx, organization); err != nil {
		return nil, err
	}
	admin, _, err := d.join(ctx, organization, "seed@acme.example", model.Member{Role: model.RoleAdmin})
	if err != nil {
		return nil, err
	}
	access, _, err := d.session(ctx, admin)
	if err != nil {
		return nil, err
	}
	token := access
	call := func(method, path string, body any) (map[string]any, error) {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		if strings.HasPrefix(path, "/operator/") {
			r = r.WithContext(auth.WithOperator(ctx, "arn:aws:iam::999999999999:user/fuzz"))
		} else {
			r.Header.Set("Authorization", "Bearer "+token.Reveal())
			r.Header.Set("If-Match", `"v0"`) // of the settings, which nobody changed
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= http.StatusBadRequest {
			return nil, fmt.Errorf("%s %s: status %d, %s", method, path, w.Code, w.Body)
		}
		out := map[string]any{}
		if w.Body.Len() > 0 {
			err = json.Unmarshal(w.Body.Bytes(), &out)
		}
		return out, err
	}
	text := func(m map[string]any, name string) string {
		value, _ := m[name].(string)
		return value
	}
	post := func(into, field, path string, body any) (map[string]any, error) {
		out, err := call(http.MethodPost, path, body)
		if err == nil && into != "" {
			all.add(into, text(out, field))
		}
		return out, err
	}
	role := "arn:aws:iam::" + accountID + ":role/" + auditRole
	all.add("roles", role)
	all.add("services", audited...)
	all.add("passwords", password, "quite another sentence")
	all.add("emails", "seed@acme.example", "nobody@acme.example")
	all.add("etags", `"v0"`, `"v1"`, `"v2"`, `"v3"`, `"v4"`, `"v5"`)
	all.add("schedules", "rate(1 day)", "once", "cron(0 6 * * ? *)", "rate(1 minute)")
	all.add("zones", "UTC", "Europe/Berlin")
	all.add("projects", "shop", "bank")
	if _, err := call(http.MethodPut, "/v1/settings", map[string]any{"access_keys_allowed": true}); err != nil {
		return nil, err
	}
	for _, name := range []string{"shop", "bank"} {
		if _, err := post("", "", "/v1/projects", map[string]any{"name": name}); err != nil {
			return nil, err
		}
	}
	for i := range each {
		c, err := post("connections", "id", "/v1/connections", map[string]any{"name": fmt.Sprint("account ", i), "role_arn": role, "project": "shop", "services": audited})
		if err != nil {
			return nil, err
		}
		if i == 2 {
			a, err := post("audits", "id", "/v1/audits", map[string]any{"connection": c["id"]})
			if err != nil {
				return nil, err
			}
			if _, err := post("audited", "connection", "/v1/connections/"+text(c, "id")+"/audits/"+text(a, "id")+"/cancel", nil); err != nil {
				return nil, err
			}
		}
		if i < 2 {
			if err := d.audit(ctx, call, all, text(c, "id")); err != nil {
				return nil, err
			}
		}
		if _, err := post("projects", "name", "/v1/projects", map[string]any{"name": fmt.Sprint("project-", i)}); err != nil {
			return nil, err
		}
		invited, err := post("invitations", "id", "/v1/invitations", map[string]any{"email": fmt.Sprintf("guest-%d@acme.example", i), "role": "client"})
		if err != nil {
			return nil, err
		}
		all.add("invitation-tokens", text(invited, "token"))
		who, m, err := d.join(ctx, organization, fmt.Sprintf("member-%d@acme.example", i), model.Member{Role: model.RoleClient, Projects: []string{"shop"}})
		if err != nil {
			return nil, err
		}
		all.add("persons", string(who.ID))
		all.add("emails", who.Email)
		_, session, err := d.session(ctx, who)
		if err != nil {
			return nil, err
		}
		all.add("sessions", string(session.ID))
		_, made, err := d.token(ctx, m, []model.Scope{model.ScopeRead})
		if err != nil {
			return nil, err
		}
		all.add("tokens", string(made.ID))
		recovery, err := post("", "", "/v1/members/"+string(who.ID)+"/recovery", nil)
		if err != nil {
			return nil, err
		}
		all.add("recovery-tokens", text(recovery, "token"))
		step, err := call(http.MethodPost, "/v1/sign-in", map[string]any{"email": who.Email, "password": password})
		if err != nil {
			return nil, err
		}
		all.add("refresh-tokens", text(step, "refresh_token"))
		spare := fmt.Sprint("spare-", i)
		if _, err := post("organizations", "id", "/operator/v1/organizations", map[string]any{"id": spare, "name": "Spare"}); err != nil {
			return nil, err
		}
		if _, _, err := d.join(ctx, model.OrganizationID(spare), "admin@"+spare+".example", model.Member{Role: model.RoleAdmin}); err != nil {
			return nil, err
		}
		all.add("emails", "admin@"+spare+".example")
		if i < 3 {
			if _, err := post("jobs", "id", "/operator/v1/organizations/"+spare+"/rekey", nil); err != nil {
				return nil, err
			}
		}
	}
	for i := range 10 { // people who have to show a second factor
		who, _, err := d.join(ctx, organization, fmt.Sprintf("careful-%d@acme.example", i), model.Member{Role: model.RoleClient})
		if err != nil {
			return nil, err
		}
		if token, _, err = d.session(ctx, who); err != nil {
			return nil, err
		}
		app, err := call(http.MethodPost, "/v1/me/totp", map[string]any{"password": password})
		if err != nil {
			return nil, err
		}
		code, err := totp.GenerateCode(text(app, "secret"), time.Now())
		if err != nil {
			return nil, err
		}
		confirmed, err := call(http.MethodPost, "/v1/me/totp/confirmation", map[string]any{"code": code})
		if err != nil {
			return nil, err
		}
		codes, _ := confirmed["backup_codes"].([]any)
		for _, c := range codes {
			one, _ := c.(string)
			all.add("backup-codes", one)
		}
		if _, err := post("challenges", "challenge", "/v1/sign-in", map[string]any{"email": who.Email, "password": password}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// audit has a connection audited, and waits for that.
func (d *deployment) audit(ctx context.Context, call func(string, string, any) (map[string]any, error), all seeded, connection string) error {
	began, err := call(http.MethodPost, "/v1/audits", map[string]any{"connection": connection})
	if err != nil {
		return err
	}
	id, _ := began["id"].(string)
	all.add("audited", connection)
	all.add("audits", id)
	org := d.store.For(organization)
	for tries := 0; ; tries++ {
		a, err := org.Audit(ctx, model.ConnectionID(connection), model.AuditID(id))
		if err != nil {
			return err
		}
		if a.State.Ended() {
			break
		}
		if tries > 600 {
			return fmt.Errorf("the audit is still %s: %s", a.State, d.log)
		}
		time.Sleep(100 * time.Millisecond)
	}
	found, err := call(http.MethodGet, "/v1/connections/"+connection+"/findings", nil)
	if err != nil {
		return err
	}
	list, _ := found["findings"].([]any)
	if len(list) == 0 {
		return fmt.Errorf("the audit of %s found nothing", connection)
	}
	for _, f := range list[:min(len(list), 10)] {
		one, _ := f.(map[string]any)
		id, _ := one["id"].(string)
		all.add("findings", id)
	}
	return nil
}

// age has an audit be one of which nothing is kept any more but its record.
func (d *deployment) age(ctx context.Context, connection, audit string, now time.Time) error {
	org := d.store.For(organization)
	for { // its tasks may still end
		a, err := org.Audit(ctx, model.ConnectionID(connection), model.AuditID(audit))
		if err != nil {
			return err
		}
		a.DetailUntil = now
		if err := org.PutAudit(ctx, &a); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// working has somebody work on a rekey of some Idempotency-Key.
func (d *deployment) working(ctx context.Context, key string, now time.Time) error {
	sum := sha256.Sum256([]byte("null")) // of the request, which says nothing
	_, err := d.store.For(organization).Once(ctx, "rekey", key, hex.EncodeToString(sum[:]), ulid.Make().String(), now, time.Minute)
	return err
}
