package serverless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/table/dynamo"
	"github.com/cloudarq/cloudarq/pkg/store"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// enter has a request come from who makes it: the operator signs what is under /operator,
// and all else has the token of an administrator of the test's organization. How people
// come to have one, TestPeople walks.
func (h *house) enter(r *http.Request) *http.Client {
	h.t.Helper()
	if strings.HasPrefix(r.URL.Path, "/operator/") {
		return h.client
	}
	r.Header.Set("Authorization", "Bearer "+h.token().Reveal())
	return http.DefaultClient
}

// token is an API token of an administrator of the test's organization, for everything.
func (h *house) token() secret.String {
	h.t.Helper()
	h.tokens.Lock()
	defer h.tokens.Unlock()
	if made, ok := h.tokens.of[h.organization]; ok {
		return made
	}
	token, err := administrate(h.t.Context(), h.records(), model.OrganizationID(h.organization))
	if err != nil {
		h.t.Fatal(err)
	}
	if h.tokens.of == nil {
		h.tokens.of = map[string]secret.String{}
	}
	h.tokens.of[h.organization] = token
	return token
}

// records are those of the installation, as its owner has them.
func (in *install) records() *store.Store {
	client := dynamodb.NewFromConfig(estate.Owner(in.emulator.URL, stack.Account))
	return store.New(dynamo.New(client, in.stack.Resources["Table"].ID, dynamo.Options{}), nil)
}

// administrate makes an organization, if there is none, and an administrator with an API
// token for everything.
func administrate(ctx context.Context, s *store.Store, org model.OrganizationID) (secret.String, error) {
	now := time.Now().UTC()
	o := model.Organization{ID: org, CreatedAt: now}
	if err := s.CreateOrganization(ctx, model.Change{}, &o, 1<<20); err != nil && !errors.Is(err, store.ErrConflict) {
		return secret.String{}, err
	}
	who := model.Person{ID: model.PersonID(ulid.Make().String()), Email: strings.ToLower(ulid.Make().String()) + "@example.com", CreatedAt: now}
	if err := s.People().Create(ctx, &who); err != nil {
		return secret.String{}, err
	}
	m := model.Member{Person: who.ID, Role: model.RoleAdmin, Since: now}
	if err := s.People().Join(ctx, org, model.Change{}, &m); err != nil {
		return secret.String{}, err
	}
	t := model.APIToken{
		ID: model.TokenID(ulid.Make().String()), Name: "test", Owner: who.ID, MemberSince: m.Since, Scopes: model.RoleAdmin.Scopes(),
		CreatedAt: now, ExpiresAt: now.Add(model.TokenAge),
	}
	text, hash, err := people.NewToken(people.APIToken, string(t.ID))
	if err != nil {
		return secret.String{}, err
	}
	t.Hash = hash
	return text, s.People().AddToken(ctx, org, model.Change{}, &t)
}

// operatorPath is where the operator has the test's organization.
func (h *house) operatorPath() string { return "/operator/v1/organizations/" + h.organization }

// as makes a request with a token, or with none, and decodes what is answered.
func (h *house) as(token, method, path string, header map[string]string, in, out any) (status int, answered string) {
	h.t.Helper()
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			h.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL()+path, &body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && out != nil && response.StatusCode < http.StatusMultipleChoices {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		h.t.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	return response.StatusCode, string(text)
}

// etag is the ETag of what is at a path.
func (h *house) etag(token, path string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.URL()+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.Header.Get("ETag")
}
