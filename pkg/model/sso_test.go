package model_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/model"
)

func anSSO() model.SSO {
	return model.SSO{Issuer: "https://id.acme.com/realms/a", ClientID: "caq", Domains: []string{"acme.com"}}
}

// TestSSOCheck names the field that is wrong.
func TestSSOCheck(t *testing.T) {
	t.Parallel()
	many := func(n int) (texts []string) {
		for i := range n {
			texts = append(texts, fmt.Sprintf("t%d.com", i))
		}
		return texts
	}
	group := func(name string, role model.Role, projects ...string) model.SSOGroup {
		return model.SSOGroup{Group: name, Grant: model.Grant{Role: role, Projects: projects}}
	}
	for field, changes := range map[string][]func(*model.SSO){
		"": {
			func(*model.SSO) {},
			func(s *model.SSO) { s.Issuer = "https://id.acme.com/" },
			func(s *model.SSO) { s.Scopes = []string{"openid", "groups", "https://acme.com/all"} },
			func(s *model.SSO) {
				s.Groups = []model.SSOGroup{group("Ops & Audit", "admin"), group("b", "client", "shop")}
			},
			func(s *model.SSO) { s.Otherwise = &model.Grant{Role: "client"} },
		},
		"issuer": {
			func(s *model.SSO) { s.Issuer = "" },
			func(s *model.SSO) { s.Issuer = "http://id.acme.com" },
			func(s *model.SSO) { s.Issuer = "https://" },
			func(s *model.SSO) { s.Issuer = "https:id.acme.com" },
			func(s *model.SSO) { s.Issuer = "https://u:p@id.acme.com" },
			func(s *model.SSO) { s.Issuer = "https://id.acme.com?x=1" },
			func(s *model.SSO) { s.Issuer = "https://id.acme.com#x" },
			func(s *model.SSO) { s.Issuer = "https://id.acme.com\n" },
			func(s *model.SSO) { s.Issuer = `https://id.acme.com\@evil.com` },
			func(s *model.SSO) { s.Issuer = "https://id.аcme.com" },
			func(s *model.SSO) { s.Issuer += strings.Repeat("/a", 200) },
		},
		"client_id":             {func(s *model.SSO) { s.ClientID = "" }, func(s *model.SSO) { s.ClientID = "a\x00" }},
		"scopes":                {func(s *model.SSO) { s.Scopes = many(model.MaxScopes + 1) }},
		"scopes[1]":             {func(s *model.SSO) { s.Scopes = []string{"a", "a b"} }, func(s *model.SSO) { s.Scopes = []string{"a", ""} }},
		"domains":               {func(s *model.SSO) { s.Domains = nil }, func(s *model.SSO) { s.Domains = many(model.MaxDomains + 1) }},
		"domains[0]":            {func(s *model.SSO) { s.Domains = []string{"ACME.com"} }, func(s *model.SSO) { s.Domains = []string{"com"} }, func(s *model.SSO) { s.Domains = []string{"*.acme.com"} }, func(s *model.SSO) { s.Domains = []string{"@acme.com"} }},
		"groups_claim":          {func(s *model.SSO) { s.GroupsClaim = strings.Repeat("g", model.MaxClaimName+1) }},
		"groups[0].group":       {func(s *model.SSO) { s.Groups = []model.SSOGroup{group("", "admin")} }},
		"groups[1].group":       {func(s *model.SSO) { s.Groups = []model.SSOGroup{group("a", "admin"), group("a", "client")} }},
		"groups[0].role":        {func(s *model.SSO) { s.Groups = []model.SSOGroup{group("a", "owner")} }},
		"groups[0].projects":    {func(s *model.SSO) { s.Groups = []model.SSOGroup{group("a", "admin", "shop")} }},
		"otherwise.role":        {func(s *model.SSO) { s.Otherwise = &model.Grant{} }},
		"otherwise.projects[0]": {func(s *model.SSO) { s.Otherwise = &model.Grant{Role: "client", Projects: []string{"a b"}} }},
		"groups": {func(s *model.SSO) {
			s.Groups = []model.SSOGroup{group("a", "client", many(60)...), group("b", "client", slices.Concat([]string{"x"}, many(100)[60:])...)}
		}},
	} {
		for i, change := range changes {
			s := anSSO()
			change(&s)
			err := s.Check()
			var wrong *model.FieldError
			if field == "" && err != nil || field != "" && (!errors.As(err, &wrong) || wrong.Field != field) {
				t.Errorf("%q, %d: %v %+v", field, i, err, wrong)
			}
		}
	}
}

// TestGrantOf: what groups give does not depend on their order, or on others; more groups
// never give less; and a member may have it.
func TestGrantOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[a-d]`), func(s string) string { return s })
		s := anSSO()
		for _, name := range names.Draw(t, "mapped") {
			g := model.SSOGroup{Group: name, Grant: model.Grant{Role: rapid.SampledFrom([]model.Role{model.RoleClient, model.RoleClient, model.RoleAdmin}).Draw(t, "role")}}
			if g.Role == model.RoleClient {
				g.Projects = rapid.SliceOfDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), func(s string) string { return s }).Draw(t, "projects")
			}
			s.Groups = append(s.Groups, g)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		in := names.Draw(t, "in")
		grant, mapped, granted := s.GrantOf(in)
		if mapped != granted || mapped != slices.ContainsFunc(s.Groups, func(g model.SSOGroup) bool { return slices.Contains(in, g.Group) }) {
			t.Fatalf("%v in %+v: %+v, %t, %t", in, s.Groups, grant, mapped, granted)
		}
		if granted {
			if err := (model.Member{Person: "01KBA0Q7Z3M2X9V5T1R8N4C6DE", Role: grant.Role, Projects: grant.Projects}).Check(); err != nil {
				t.Fatal(err)
			}
		}
		slices.Reverse(s.Groups)
		other := append(slices.Clone(in), in...)
		slices.Reverse(other)
		again, _, _ := s.GrantOf(append(other, "e"))
		if again.Role != grant.Role || !slices.Equal(again.Projects, grant.Projects) {
			t.Fatalf("in another order %+v is %+v", grant, again)
		}
		more, _, _ := s.GrantOf(append(names.Draw(t, "more"), in...))
		if grant.Role == model.RoleAdmin && more.Role != model.RoleAdmin {
			t.Fatalf("with more groups %+v is %+v", grant, more)
		}
		if more.Role == model.RoleClient && slices.ContainsFunc(grant.Projects, func(p string) bool { return !slices.Contains(more.Projects, p) }) {
			t.Fatalf("with more groups %+v is %+v", grant, more)
		}
	})
}
