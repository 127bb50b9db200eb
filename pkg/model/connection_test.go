package model_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestWhatMayBeSaidOfAConnection has at least one thing too much, too long or of another
// form for each field, and what is just possible.
func TestWhatMayBeSaidOfAConnection(t *testing.T) {
	t.Parallel()
	minutes := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		said  model.Connection
		field string // that is refused; empty: none
	}{
		"nothing":                 {model.Connection{}, ""},
		"the longest name":        {model.Connection{Name: strings.Repeat("ü", model.MaxConnectionName)}, ""},
		"a longer name":           {model.Connection{Name: strings.Repeat("x", model.MaxConnectionName+1)}, "name"},
		"a name of spaces":        {model.Connection{Name: "   "}, "name"},
		"a name of wide spaces":   {model.Connection{Name: "\u3000\u2003"}, "name"},
		"a name of joiners":       {model.Connection{Name: "\u200d\u200c"}, "name"},
		"a name of fillers":       {model.Connection{Name: "\u3164\u2800"}, "name"},
		"a name of marks alone":   {model.Connection{Name: "\u0301"}, "name"},
		"a name with spaces":      {model.Connection{Name: " \u2713 "}, ""},
		"a name with marks":       {model.Connection{Name: "e\u0301\u0939\u093f"}, ""},
		"a name of two lines":     {model.Connection{Name: "a\nb"}, "name"},
		"a name that reverses":    {model.Connection{Name: "a\u202eb"}, "name"},
		"a name that is no text":  {model.Connection{Name: "a\xffb"}, "name"},
		"a project":               {model.Connection{Project: "shop.prod-1_x"}, ""},
		"markup as project":       {model.Connection{Project: "<script>#"}, "project"},
		"a long project":          {model.Connection{Project: strings.Repeat("p", 2000)}, "project"},
		"a role":                  {model.Connection{RoleARN: "arn:aws:iam::111122223333:role/CloudArqAuditRole"}, ""},
		"a user":                  {model.Connection{RoleARN: "arn:aws:iam::111122223333:user/x"}, "role_arn"},
		"an endless role":         {model.Connection{RoleARN: "arn:aws:iam::111122223333:role/" + strings.Repeat("x", 3000)}, "role_arn"},
		"regions":                 {model.Connection{AuditOptions: model.AuditOptions{Regions: []string{"eu-west-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"}}}, ""},
		"a path as region":        {model.Connection{AuditOptions: model.AuditOptions{Regions: []string{"eu-west-1", "../../x#y"}}}, "regions[1]"},
		"an endless region":       {model.Connection{AuditOptions: model.AuditOptions{Regions: []string{strings.Repeat("eu-", 9000) + "west-1"}}}, "regions[0]"},
		"too many regions":        {model.Connection{AuditOptions: model.AuditOptions{Regions: slices.Repeat([]string{"eu-west-1"}, model.MaxRegions+1)}}, "regions"},
		"an endless service":      {model.Connection{AuditOptions: model.AuditOptions{Services: []string{strings.Repeat("s", model.MaxWord+1)}}}, "services[0]"},
		"an endless check":        {model.Connection{AuditOptions: model.AuditOptions{Checks: []string{"s3-*", strings.Repeat("*", model.MaxWord+1)}}}, "checks[1]"},
		"too many checks":         {model.Connection{AuditOptions: model.AuditOptions{Checks: slices.Repeat([]string{"s3-*"}, model.MaxChecks+1)}}, "checks"},
		"accounts":                {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: []string{"111122223333", "000000000001"}}}, ""},
		"the most accounts":       {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: slices.Repeat([]string{"111122223333"}, model.MaxTrustedAccounts)}}, ""},
		"more accounts":           {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: slices.Repeat([]string{"111122223333"}, model.MaxTrustedAccounts+1)}}, "trusted_accounts"},
		"a short account":         {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: []string{"11112222333"}}}, "trusted_accounts[0]"},
		"an ARN as account":       {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: []string{"arn:aws:iam::111122223333:root"}}}, "trusted_accounts[0]"},
		"an empty account":        {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: []string{"111122223333", ""}}}, "trusted_accounts[1]"},
		"an account of two lines": {model.Connection{AuditOptions: model.AuditOptions{TrustedAccounts: []string{"111122223333\n"}}}, "trusted_accounts[0]"},
		"a budget":                {model.Connection{AuditOptions: model.AuditOptions{CallBudget: model.MinCallBudget}}, ""},
		"no budget worth it":      {model.Connection{AuditOptions: model.AuditOptions{CallBudget: model.MinCallBudget - 1}}, "call_budget"},
		"a budget below nothing":  {model.Connection{AuditOptions: model.AuditOptions{CallBudget: -1}}, "call_budget"},
		"a budget without end":    {model.Connection{AuditOptions: model.AuditOptions{CallBudget: model.MaxCallBudget + 1}}, "call_budget"},
		"an endless schedule":     {model.Connection{Schedule: model.Schedule{Expression: "cron(" + strings.Repeat("1,", 200_000) + "1 * * * ? *)"}}, "schedule.expression"},
		"an endless time zone":    {model.Connection{Schedule: model.Schedule{Timezone: strings.Repeat("Europe/", 100)}}, "schedule.timezone"},
		"jitter before the time":  {model.Connection{Schedule: model.Schedule{JitterMinutes: minutes(-1)}}, "schedule.jitter_minutes"},
		"jitter of two days":      {model.Connection{Schedule: model.Schedule{JitterMinutes: minutes(2 * 24 * 60)}}, "schedule.jitter_minutes"},
	} {
		err := c.said.Check()
		var field *model.FieldError
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.field != "" && !errors.As(err, &field):
			t.Errorf("%s: %v, want a mistake in %s", name, err, c.field)
		case c.field != "" && (field.Field != c.field || len(field.Reason) > 4096):
			t.Errorf("%s: %s: %d characters, want one about %s", name, field.Field, len(field.Reason), c.field)
		}
	}
}
