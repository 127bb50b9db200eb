package model_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// FuzzRoleARN: what is taken for a role's ARN is one, of an account and of a partition that
// there is.
func FuzzRoleARN(f *testing.F) {
	for _, arn := range []string{
		"arn:aws:iam::111122223333:role/CloudArqAuditRole", "arn:aws-us-gov:iam::111122223333:role/a/b", "arn:aws:iam::11112222333:role/x", "arn:aws:iam::111122223333:user/x",
		"arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:role/x\n", "arn:aws:iam::１１１１２２２２３３３３:role/x", "arn:aws-moon:iam::111122223333:role/x", "",
	} {
		f.Add(arn)
	}
	f.Fuzz(func(t *testing.T, arn string) {
		account, ok := model.AccountOfRole(arn)
		if !ok {
			return
		}
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || parts[4] != account || !model.IsAccountID(account) || !strings.HasPrefix(parts[5], "role/") || strings.ContainsAny(arn, " \t\r\n\x00<>\"'") {
			t.Fatalf("%q is taken for a role of %q", arn, account)
		}
		if _, known := model.PartitionNamed(parts[1]); !known {
			t.Fatalf("%q is of no partition", arn)
		}
	})
}

// FuzzSaid: what may be said of a connection, a person and an organization is text that can
// be kept and shown, within its length; what may not, is refused with the field.
func FuzzSaid(f *testing.F) {
	for _, text := range []string{"", "shop", "a b", "\x00", "\xff", "\u202e", "a\nb", strings.Repeat("x", 101), strings.Repeat("é", 100), "anna@example.com", "a@b@c", "@", "<script>@x.y", "eu-west-1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id := "01KBA0Q7Z3M2X9V5T1R8N4C6DE"
		for name, err := range map[string]error{
			"name":         model.Connection{Name: text}.Check(),
			"project":      model.Connection{Project: text}.Check(),
			"region":       model.AuditOptions{Regions: []string{text}}.Check(),
			"service":      model.AuditOptions{Services: []string{text}}.Check(),
			"account":      model.AuditOptions{TrustedAccounts: []string{text}}.Check(),
			"timezone":     model.Connection{Schedule: model.Schedule{Timezone: text}}.Check(),
			"email":        model.Person{ID: model.PersonID(id), Email: text}.Check(),
			"organization": model.Organization{ID: model.OrganizationID(text)}.Check(),
			"project name": model.Project{Name: text}.Check(),
		} {
			var field *model.FieldError
			if err != nil && (!errors.As(err, &field) || field.Field == "" || field.Reason == "" || !utf8.ValidString(field.Reason)) {
				t.Fatalf("%s: %v", name, err)
			}
			if err == nil && (!utf8.ValidString(text) || strings.ContainsAny(text, "\x00\r\n\x1b") || len(text) > 2048) {
				t.Fatalf("%q is a %s", text, name)
			}
		}
		if n := model.NormalEmail(text); model.NormalEmail(n) != n && utf8.ValidString(text) {
			t.Fatalf("%q and %q", n, model.NormalEmail(n))
		}
		if model.IsULID(text) && len(text) != 26 {
			t.Fatalf("%q is a ULID", text)
		}
	})
}
