package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cloudarq/cloudarq/pkg/access/people"
)

// Problem is an error as clients see it: RFC 9457, with a code that stays the
// same and the id that leads to the log.
type Problem struct {
	Type      string   `json:"type" example:"https://cloudarq.dev/problems/not_found"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Code      string   `json:"code" doc:"Stays the same in all versions"`
	Detail    string   `json:"detail"`
	RequestID string   `json:"request_id,omitempty"`
	Errors    []Detail `json:"errors,omitempty"`

	MissingActions []string `json:"missing_actions,omitempty" doc:"IAM actions that AWS denied" example:"[\"kms:GenerateDataKey\"]"`
	DeniedBy       string   `json:"denied_by,omitempty" enum:"denied,scp_denied,resource" doc:"Who denied them: the policies of who called, one of the organization, or the resource's own"`

	header http.Header // that the answer has besides
}

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// Detail is what is wrong with one part of a request.
type Detail struct {
	Pointer string `json:"pointer,omitempty" doc:"Where: body.regions[0]"`
	Detail  string `json:"detail"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func problem(ctx context.Context, status int, code, detail string) *Problem {
	id, _ := ctx.Value(requestIDKey{}).(string)
	p := &Problem{
		Type: "https://cloudarq.dev/problems/" + code, Title: http.StatusText(status), Status: status,
		Code: code, Detail: detail, RequestID: id,
	}
	if status == http.StatusUnauthorized { // says how to come in: RFC 9110, section 11.6.1
		scheme := "Bearer"
		if code == "not_signed" {
			scheme = "AWS4-HMAC-SHA256"
		}
		p.header = http.Header{"Www-Authenticate": {scheme + ` realm="cloudarq"`}}
	}
	return p
}

func invalid(ctx context.Context, pointer, detail string) *Problem {
	p := problem(ctx, http.StatusUnprocessableEntity, "invalid", detail)
	p.Errors = []Detail{{Pointer: pointer, Detail: detail}}
	return p
}

// refusals are the statuses of refusals that are not 401, which tells a client to have the
// person sign in again.
var refusals = map[string]int{
	people.CodeMemberSuspended: http.StatusForbidden,
	people.CodeRefreshRaced:    http.StatusConflict,

	people.CodeWrongCode:        http.StatusForbidden,
	people.CodeUsedCode:         http.StatusForbidden,
	people.CodePasskeyRefused:   http.StatusForbidden,
	people.CodePasskeyCloned:    http.StatusForbidden,
	people.CodeChallengeOver:    http.StatusForbidden,
	people.CodeWrongPassword:    http.StatusForbidden,
	people.CodeBeyondOwner:      http.StatusForbidden,
	people.CodeNotByToken:       http.StatusForbidden,
	people.CodeNotBySSO:         http.StatusForbidden,
	people.CodeLinkOver:         http.StatusNotFound,
	people.CodeAddressOfAnother: http.StatusConflict,
	people.CodeMemberOfOthers:   http.StatusConflict,
	people.CodeFactorRequired:   http.StatusConflict,
	people.CodeNoSecondFactor:   http.StatusConflict,
	people.CodeNothingToConfirm: http.StatusConflict,
	people.CodeOwnRecovery:      http.StatusConflict,
}

// refusal is the problem that somebody is not let in.
func refusal(ctx context.Context, err *people.RefusedError) *Problem {
	status := cmp.Or(refusals[err.Code], http.StatusUnauthorized)
	return problem(ctx, status, err.Code, err.Error())
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone, if anything
}

// setUp gives the errors of huma's own validation the form of all others, and has it
// read names as they are spelled and lists as lists. The library has no other place for
// that than variables of its own.
var setUp = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // no list of ours is null
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		p := problem(ctx.Context(), status, code(status), message)
		for _, err := range errs {
			var d huma.ErrorDetailer
			if errors.As(err, &d) {
				detail := d.ErrorDetail()
				p.Errors = append(p.Errors, Detail{Pointer: detail.Location, Detail: detail.Message})
			} else if err != nil {
				p.Errors = append(p.Errors, Detail{Detail: err.Error()})
			}
		}
		return p
	}
	huma.NewError = func(status int, message string, _ ...error) huma.StatusError {
		return problem(context.Background(), status, code(status), message)
	}
})

func code(status int) string {
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return "invalid"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "unsupported_media_type"
	case http.StatusInternalServerError:
		return "internal"
	default:
		return "refused"
	}
}
