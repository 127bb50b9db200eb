package api

import (
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// indexed are the operations that wait for the index of findings.
var indexed = []string{
	"attest-requirement", "get-check", "get-compliance", "get-coverage", "get-finding", "get-requirement", "get-total-score", "get-trend",
	"list-checks", "list-compliance", "list-findings", "list-findings-of-connection", "list-resources", "list-scores",
}

// ownRefusals are the codes that operations have to themselves, beside those that refusalsOf
// gives to all of a kind. All tests of this package hold each answer to the document: one
// with a code that is missing here fails the test that meets it.
var ownRefusals = map[string]map[int][]string{
	"accept-invitation": {
		http.StatusUnauthorized: {people.CodeSignInRefused, "organization_gone"}, http.StatusForbidden: {people.CodeMemberSuspended, "organization_suspended"},
		http.StatusNotFound: {people.CodeLinkOver}, http.StatusConflict: {"already_member", people.CodeAddressOfAnother}, http.StatusUnprocessableEntity: weakPasswords,
	},
	"approve-attestation": {http.StatusConflict: {"own_request", "not_requested"}},
	"attest-requirement":  {http.StatusConflict: {"too_many_attestations"}},
	"get-compliance":      {http.StatusNotFound: {"not_found"}, http.StatusConflict: {"audit_not_ended"}},
	"get-requirement":     {http.StatusNotFound: {"not_found"}, http.StatusConflict: {"audit_not_ended"}},
	"list-attestations":   {http.StatusNotFound: {"not_found"}},
	"list-compliance":     {http.StatusNotFound: {"not_found"}, http.StatusConflict: {"audit_not_ended"}},
	"change-address":      {http.StatusNotFound: {"not_found"}, http.StatusConflict: {"email_taken"}},
	"change-email":        {http.StatusForbidden: ofOneself, http.StatusNotFound: {people.CodeLinkOver}, http.StatusConflict: {"email_taken"}},
	"change-organization": {http.StatusUnauthorized: {people.CodeNotMember}, http.StatusForbidden: {people.CodeMemberSuspended, people.CodeNotBySSO}},
	"change-password":     {http.StatusForbidden: ofOneself, http.StatusUnprocessableEntity: weakPasswords},
	"confirm-totp":        {http.StatusForbidden: append([]string{people.CodeWrongCode, people.CodeUsedCode}, ofOneself...), http.StatusConflict: {people.CodeNothingToConfirm}},
	"create-connection":   {http.StatusConflict: {"too_many_connections"}, http.StatusUnprocessableEntity: {"schedule_too_often"}},
	"create-invitation":   {http.StatusConflict: {"already_member", "already_made"}},
	"create-organization": {http.StatusConflict: {"organization_exists", "too_many_organizations"}},
	"create-project":      {http.StatusConflict: {"project_exists", "too_many_projects"}},
	"create-token":        {http.StatusForbidden: {people.CodeBeyondOwner}, http.StatusConflict: {"too_many_tokens", "already_made"}},
	"delete-sso":          {http.StatusNotFound: {sso.CodeOff}},
	"enrol-totp":          {http.StatusForbidden: ofOneself},
	"get-coverage":        {http.StatusNotFound: {"not_found"}},
	"get-sso":             {http.StatusNotFound: {sso.CodeOff}},
	"get-total-score":     {http.StatusNotFound: {"not_found"}},
	"get-trend":           {http.StatusNotFound: {"not_found"}},
	"give-access-key":     {http.StatusForbidden: {model.CodeAccessKeysDisabled}, http.StatusUnprocessableEntity: {"account_mismatch"}},

	"invite-administrator":    {http.StatusConflict: {"already_member", "already_made"}},
	"compare-audits":          {http.StatusConflict: {"audit_forgotten"}, http.StatusInternalServerError: {"altered"}},
	"list-calls":              {http.StatusInternalServerError: {"altered"}},
	"list-resources":          {http.StatusInternalServerError: {"altered"}},
	"list-verdicts":           {http.StatusConflict: {"audit_forgotten"}, http.StatusInternalServerError: {"altered"}},
	"list-scores":             {http.StatusNotFound: {"not_found"}},
	"look-up-invitation":      {http.StatusNotFound: {people.CodeLinkOver}},
	"look-up-recovery":        {http.StatusNotFound: {people.CodeLinkOver}},
	"passkey-options":         {http.StatusForbidden: ofOneself, http.StatusConflict: {"passkeys_off"}},
	"recover-member":          {http.StatusConflict: {people.CodeMemberOfOthers, people.CodeOwnRecovery, "already_made"}},
	"recover-person":          {http.StatusConflict: {"already_made"}},
	"refresh-session":         {http.StatusUnauthorized: append([]string{people.CodeRefreshReused, "factor_required", people.CodeNotMember}, ofTokens...), http.StatusForbidden: {people.CodeMemberSuspended, "organization_suspended"}, http.StatusConflict: {people.CodeRefreshRaced}},
	"register-passkey":        {http.StatusForbidden: append([]string{people.CodeChallengeOver, people.CodePasskeyRefused}, ofOneself...)},
	"remove-member":           {http.StatusConflict: {"last_administrator"}},
	"remove-project":          {http.StatusConflict: {"project_in_use"}},
	"remove-passkey":          {http.StatusForbidden: ofOneself, http.StatusConflict: {people.CodeFactorRequired}},
	"remove-totp":             {http.StatusNotFound: {"not_found"}, http.StatusForbidden: ofOneself, http.StatusConflict: {people.CodeFactorRequired, people.CodeNoSecondFactor}},
	"renew-backup-codes":      {http.StatusForbidden: ofOneself, http.StatusConflict: {people.CodeNoSecondFactor}},
	"retire-external-id":      {http.StatusConflict: {"external_id_in_use"}},
	"retry-audit":             {http.StatusConflict: {"nothing_to_retry", "audit_forgotten", "audit_running"}},
	"rotate-external-id":      {http.StatusConflict: {"external_id_replacing"}},
	"sign-in":                 {http.StatusUnauthorized: {people.CodeSignInRefused, people.CodeNotMember}, http.StatusForbidden: {people.CodeMemberSuspended, "organization_suspended"}},
	"sign-in-enrolment":       {http.StatusForbidden: ofSteps},
	"sign-in-handover":        {http.StatusUnauthorized: {people.CodeSessionEnded, people.CodeNotMember, "organization_gone", "factor_required"}, http.StatusForbidden: ofSteps},
	"sign-in-organization":    {http.StatusUnauthorized: {people.CodeNotMember}, http.StatusForbidden: ofSteps},
	"sign-in-passkey-options": {http.StatusForbidden: ofSteps},
	"sign-in-second-factor":   {http.StatusUnauthorized: {people.CodeNotMember}, http.StatusForbidden: append([]string{people.CodeWrongCode, people.CodeUsedCode, people.CodePasskeyRefused, people.CodePasskeyCloned}, ofSteps...)},
	"start-audit":             {http.StatusForbidden: {model.CodeAccessKeysDisabled}, http.StatusNotFound: {"not_found"}, http.StatusConflict: {"audit_running", "connection_pending"}},
	"update-connection":       {http.StatusUnprocessableEntity: {"schedule_too_often"}},
	"update-member":           {http.StatusForbidden: {people.CodeNotByToken}, http.StatusConflict: {"last_administrator"}},
	"use-recovery":            {http.StatusForbidden: {people.CodeMemberSuspended}, http.StatusNotFound: {people.CodeLinkOver}, http.StatusConflict: {people.CodeMemberOfOthers}, http.StatusUnprocessableEntity: weakPasswords},
	"verify-audit":            {http.StatusInternalServerError: {"altered"}},
	"verify-connection":       {http.StatusForbidden: {model.CodeAccessKeysDisabled}, http.StatusConflict: {"audit_running", "connection_pending"}},
}

// What several operations refuse by.
var (
	weakPasswords = []string{people.PasswordShort, people.PasswordLong, people.PasswordCharacters, people.PasswordPersonal, people.PasswordRepeats, people.PasswordCommon}
	ofOneself     = []string{people.CodeWrongPassword, people.CodeNotBySSO}
	ofSteps       = []string{people.CodeChallengeOver, people.CodeMemberSuspended, "organization_suspended"}
	ofTokens      = []string{people.CodeTokenInvalid, people.CodeTokenExpired, people.CodeSessionEnded, "organization_gone"}
)

// refusalsOf are the statuses and codes with which an operation refuses.
func refusalsOf(op *huma.Operation, n need) map[int][]string {
	all := map[int][]string{
		http.StatusBadRequest:                  {"invalid"},
		http.StatusRequestURITooLong:           {"uri_too_long"},
		http.StatusUnprocessableEntity:         {"invalid"},
		http.StatusTooManyRequests:             {people.LimitedCode},
		http.StatusRequestHeaderFieldsTooLarge: {"header_too_large"},
		http.StatusInternalServerError:         {"internal", "installation_denied"},
	}
	add := func(status int, codes ...string) { all[status] = append(all[status], codes...) }
	changes := !safe(op.Method)
	switch n { //nolint:exhaustive // the others are scopes
	case anybody:
	case operates:
		add(http.StatusUnauthorized, "not_signed")
	default:
		add(http.StatusUnauthorized, append([]string{"not_signed_in", people.CodeNotMember}, ofTokens...)...)
		if n == mayLetIn {
			add(http.StatusForbidden, people.CodeNotByToken)
		}
		add(http.StatusForbidden, map[bool]string{true: "session_needed", false: "forbidden"}[n == signedIn], people.CodeMemberSuspended, "organization_suspended")
	}
	if changes && n != operates {
		add(http.StatusForbidden, "cross_origin")
		if n != anybody {
			add(http.StatusForbidden, "csrf_token")
		}
	}
	if strings.Contains(op.Path, "{") {
		add(http.StatusNotFound, "not_found")
	}
	if changes {
		add(http.StatusConflict, "conflict")
	}
	if op.RequestBody != nil {
		add(http.StatusRequestEntityTooLarge, "too_large")
		add(http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	for _, p := range op.Parameters {
		switch p.Name {
		case "If-Match":
			add(http.StatusPreconditionRequired, "precondition_required")
			add(http.StatusPreconditionFailed, "stale")
		case "Idempotency-Key":
			add(http.StatusUnprocessableEntity, "idempotency_key_reused")
			add(http.StatusConflict, "request_in_flight")
		}
	}
	if slices.Contains(indexed, op.OperationID) {
		add(http.StatusServiceUnavailable, "index_building")
	}
	for status, codes := range ownRefusals[op.OperationID] {
		add(status, codes...)
	}
	if followed(op) {
		delete(all, http.StatusTooManyRequests)
	}
	for status, codes := range all {
		slices.Sort(codes)
		all[status] = slices.Compact(codes)
	}
	return all
}

// The header fields that several answers have.
var sharedHeaders = map[string]*huma.Header{
	"X-Request-Id":        {Required: true, Description: "Leads to the log. That of the request, if it had one that can be.", Schema: &huma.Schema{Type: huma.TypeString}},
	"WWW-Authenticate":    {Required: true, Description: "How to come in.", Schema: &huma.Schema{Type: huma.TypeString}},
	"Retry-After":         {Required: true, Description: "In seconds, until all tries are there again.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}},
	"RateLimit-Policy":    {Description: "The limit that is the next to refuse: its name, how many tries, in how many seconds.", Schema: &huma.Schema{Type: huma.TypeString}},
	"RateLimit":           {Description: "How it stands: what remains, until when in seconds.", Schema: &huma.Schema{Type: huma.TypeString}},
	"RateLimit-Limit":     {Description: "As in RateLimit-Policy, for clients that read earlier drafts.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}},
	"RateLimit-Remaining": {Description: "As in RateLimit.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}},
	"RateLimit-Reset":     {Description: "As in RateLimit.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}},
}

var allowanceFields = []string{"RateLimit-Policy", "RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}

// examples.json is what a walk through all operations asked and was answered; `make generate`
// makes it anew.
//
//go:embed examples.json
var examplesText []byte

// shownExamples are of each operation a request and its answer, and of each status and code
// the problem that it was.
var shownExamples = sync.OnceValue(func() (all struct {
	Operations map[string]struct{ Request, Answer json.RawMessage }
	Problems   map[string]json.RawMessage
},
) {
	if err := json.Unmarshal(examplesText, &all); err != nil {
		panic("api: examples.json: " + err.Error())
	}
	return all
})

// openRoutes are the routes that no operation is behind: anybody may read what is there, and
// it is no record of anybody's.
func openRoutes() []*huma.Operation {
	text := func(kind string, more ...string) map[string]*huma.MediaType {
		all := map[string]*huma.MediaType{}
		for _, k := range append(more, kind) {
			all[k] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		return all
	}
	object := map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}
	policy := maps.Clone(object)
	maps.Copy(policy, text("application/yaml", "text/plain"))
	tag := &huma.Header{Required: true, Schema: &huma.Schema{Type: huma.TypeString}}
	version := map[string]*huma.Header{"ETag": tag, "CloudArq-Policy-Version": tag}
	get := func(id, path, summary string, responses map[string]*huma.Response, params ...*huma.Param) *huma.Operation {
		return &huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"published"}, Responses: responses, Parameters: params,
			Security: anybody.security(), Metadata: map[string]any{needKey: anybody},
		}
	}
	document := get("get-document", "/v1/openapi.json", "Show this document", nil)
	conditions(document)
	document.Responses["200"].Description, document.Responses["200"].Content = "OK", map[string]*huma.MediaType{"application/openapi+json": object["application/json"]}
	return []*huma.Operation{
		document,
		get(
			"get-policy", policyPath, "Show what the audit role of an account may do",
			map[string]*huma.Response{"200": {Description: "OK", Headers: maps.Clone(version), Content: policy}, "304": {Description: "Not Modified", Headers: version}},
			&huma.Param{Name: "format", In: "query", Description: "The policy alone, or a template that makes the role", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"json", "cloudformation", "stackset", "terraform"}, Default: "json"}},
			&huma.Param{Name: "If-None-Match", In: "header", Description: "The ETag of what one has", Schema: &huma.Schema{Type: huma.TypeString}},
		),
		get("get-security-contact", securityPath, "Tell whom to tell of a hole (RFC 9116)", map[string]*huma.Response{"200": {Description: "OK", Content: text("text/plain")}}),
	}
}

// describe completes the document, when all operations are in it: by which codes each
// refuses, which header fields its answers have, and examples.
func describe(doc *huma.OpenAPI) {
	c := doc.Components
	c.Headers, c.Responses = maps.Clone(sharedHeaders), map[string]*huma.Response{}
	for _, op := range openRoutes() {
		doc.AddOperation(op)
	}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			_, limited := limits[op.OperationID]
			for _, p := range op.Parameters {
				form(p)
			}
			delete(op.Responses, "default")
			for status, r := range op.Responses {
				if status >= "400" {
					delete(op.Responses, status) // what the library supposes
					continue
				}
				if r.Headers == nil {
					r.Headers = map[string]*huma.Header{}
				}
				share(r.Headers, http.StatusOK, limited)
				if status == "303" {
					r.Headers["Retry-After"] = &huma.Header{Description: "In seconds; to the page that says that it was tried too often.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}}
				}
				if lines, _ := op.Metadata[linesKey].(bool); lines && r.Content != nil {
					r.Content[ndjson] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "One entry of the list in each line"}}
				}
			}
			shown := shownExamples().Operations[op.OperationID]
			if op.RequestBody != nil && shown.Request != nil {
				op.RequestBody.Content["application/json"].Example = shown.Request
			}
			for _, r := range op.Responses {
				if answer := r.Content["application/json"]; answer != nil && shown.Answer != nil {
					answer.Example = shown.Answer
				}
			}
			n, _ := op.Metadata[needKey].(need)
			for status, codes := range refusalsOf(op, n) {
				op.Responses[strconv.Itoa(status)] = refuses(c, status, codes, limited)
			}
		}
	}
}

// form says what the guard and names ask of all parameters.
func form(p *huma.Param) {
	if p.Schema.Type != huma.TypeString || p.Schema.Pattern != "" {
		return
	}
	switch {
	case p.In == "path":
		p.Schema.Pattern = recordName.String()
	case p.Name == "cursor":
		p.Schema.Pattern = "^[A-Za-z0-9_-]*$"
	default:
		p.Schema.Pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" // what text says
	}
}

// share adds the header fields that answers of a status have anywhere.
func share(to map[string]*huma.Header, status int, limited bool) {
	names := []string{"X-Request-Id"}
	if limited || status == http.StatusTooManyRequests {
		names = append(names, allowanceFields...)
	}
	switch status {
	case http.StatusUnauthorized:
		names = append(names, "WWW-Authenticate")
	case http.StatusTooManyRequests:
		names = append(names, "Retry-After")
	}
	for _, name := range names {
		to[name] = &huma.Header{Ref: "#/components/headers/" + name}
	}
}

// refuses is the answer of a status with one of some codes, which is in the document once.
func refuses(c *huma.Components, status int, codes []string, limited bool) *huma.Response {
	name := strconv.Itoa(status) + "." + strings.Join(codes, ".")
	if limited && status != http.StatusTooManyRequests {
		name += ".limited"
	}
	if _, ok := c.Responses[name]; !ok {
		r := &huma.Response{Description: http.StatusText(status) + ": " + strings.Join(codes, ", "), Headers: map[string]*huma.Header{}}
		share(r.Headers, status, limited)
		if slices.Contains(codes, "request_in_flight") {
			r.Headers["Retry-After"] = &huma.Header{Description: "In seconds; of request_in_flight.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}}
		}
		if status == http.StatusServiceUnavailable {
			r.Headers["Retry-After"] = &huma.Header{Required: true, Description: "In seconds.", Schema: &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$"}}
		}
		if slices.Contains(codes, "already_made") {
			r.Headers["Location"] = &huma.Header{Description: "Of what was made; of already_made.", Schema: &huma.Schema{Type: huma.TypeString}}
		}
		var enum []any
		shown := map[string]*huma.Example{}
		for _, code := range codes {
			enum = append(enum, code)
			if p := shownExamples().Problems[strconv.Itoa(status)+" "+code]; p != nil {
				shown[code] = &huma.Example{Value: p}
			}
		}
		r.Content = map[string]*huma.MediaType{(*Problem)(nil).ContentType(""): {Examples: shown, Schema: &huma.Schema{
			AllOf: []*huma.Schema{
				{Ref: "#/components/schemas/Problem"},
				{Properties: map[string]*huma.Schema{"code": {Enum: enum}, "status": {Enum: []any{status}}}},
			},
		}}}
		c.Responses[name] = r
	}
	return &huma.Response{Ref: "#/components/responses/" + name}
}
