package pages

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/access/sso"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// fault is what is wrong with a form, and with which of its fields; with none if that is
// empty.
type fault struct{ field, text string }

// in is what is wrong with a field.
func (f fault) in(field string) string {
	if f.field == field {
		return f.text
	}
	return ""
}

// sentences are what people read of the API's codes, where its own words are for programs.
var sentences = map[string]string{ //nolint:gosec // codes and words, and no credentials
	"limited":                "You tried too often. Try again later.",
	"internal":               "Something went wrong here. Try again in a moment.",
	"invalid":                "Something in the form is missing, too long, or has characters that are not possible.",
	"too_large":              "What was sent is too large.",
	"cross_origin":           "A page of another site sent this form, so nothing was changed.",
	"conflict":               "Somebody else changed it at the same moment. Look at it again, and do it once more.",
	"not_found":              "It is not there any more.",
	"email_taken":            "Somebody else has this e-mail address.",
	"passkeys_off":           "There are no passkeys here: whoever operates this installation has not said at which address it is.",
	"organization_gone":      "The organization is not there any more.",
	"factor_required":        "Your organization asks for a second factor since. Sign in to set one up.",
	people.LimitedCode:       "You tried too often. Try again later.",
	people.CodeLinkOver:      "This link does not work: it was used, taken back, is too old, or was not copied as a whole. Ask for another one.",
	sso.CodeToken:            "Your organization's sign-in answered in a way that cannot be trusted. Ask your administrator.",
	sso.CodeDenied:           "Your organization's sign-in did not let you in.",
	sso.CodeProvider:         "Your organization's sign-in cannot be reached, or answers wrongly. Try again in a moment.",
	sso.CodeOff:              "That organization has no single sign-on, or is called otherwise.",
	people.CodeSessionEnded:  "Your session has ended. Sign in again.",
	people.CodeTokenInvalid:  "Your session has ended. Sign in again.",
	people.CodeTokenExpired:  "Your session has ended. Sign in again.",
	people.CodeRefreshReused: "Your session was ended, because somebody used an old key of it. If you have copied this browser's data elsewhere, that is why; else change your password once you are in.",
	people.CodeNotMember:     "You are no member of this organization. If you were invited to it, open the link of the invitation again.",
	"organization_suspended": "Whoever operates this installation has suspended the organization.",
	"signed_out":             "You are signed out.",
}

// ours are the codes that a URL of ours may have besides, which have their words already.
var ours = []error{
	&people.RefusedError{Code: people.CodeMemberSuspended}, &people.RefusedError{Code: people.CodeChallengeOver},
	&sso.RefusedError{Code: sso.CodeState}, &sso.RefusedError{Code: sso.CodeReplayed}, &sso.RefusedError{Code: sso.CodeIssuer}, &sso.RefusedError{Code: sso.CodeCode},
	&sso.RefusedError{Code: sso.CodeAddress}, &sso.RefusedError{Code: sso.CodeGroupsNotTold}, &sso.RefusedError{Code: sso.CodeGroups}, &sso.RefusedError{Code: sso.CodeNotMember},
	&sso.RefusedError{Code: sso.CodeSuspended}, &sso.RefusedError{Code: sso.CodeLastAdministrator},
}

// sentence is what people read of a refusal.
func sentence(r *refusal) string {
	if r.Code == people.LimitedCode && r.wait > 0 {
		return "You tried too often. Try again " + within(r.wait) + "."
	}
	if s := sentences[r.Code]; s != "" && r.Code != "invalid" {
		return s
	}
	if r.Code == "invalid" && (r.Detail == "" || len(r.Errors) == 0 || r.Errors[0].Detail != r.Detail) { // the schema's words
		return sentences["invalid"]
	}
	return asSentence(r.Detail)
}

// ofCode is what people read of a code that stands in a URL: nothing of one that nobody
// knows, since anybody may write it there.
func ofCode(code string, wait time.Duration) string {
	if code == "limited" && wait > 0 {
		return "You tried too often. Try again " + within(wait) + "."
	}
	for _, err := range ours {
		var byUs *people.RefusedError
		var byProvider *sso.RefusedError
		if errors.As(err, &byUs) && byUs.Code == code || errors.As(err, &byProvider) && byProvider.Code == code {
			return asSentence(err.Error())
		}
	}
	return sentences[code]
}

func asSentence(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	return strings.TrimSuffix(text, ".") + "."
}

// faultOf says with which field of a form a refusal is.
func faultOf(r *refusal) fault {
	f := fault{text: sentence(r)}
	if len(r.Errors) > 0 {
		if field, ok := strings.CutPrefix(r.Errors[0].Pointer, "body."); ok {
			f.field = field
		}
	}
	switch r.Code {
	case people.CodeWrongCode, people.CodeUsedCode:
		f.field = "code"
	case people.CodeWrongPassword:
		f.field = "password"
	case "email_taken", people.CodeLinkOver:
		f.field = "token"
	}
	return f
}

// within says when something is over, as a person would.
func within(d time.Duration) string {
	switch {
	case d <= time.Minute:
		return "in a minute"
	case d < time.Hour:
		return fmt.Sprintf("in %d minutes", int((d+time.Minute-1)/time.Minute))
	case d <= 90*time.Minute:
		return "in an hour"
	}
	return fmt.Sprintf("in %d hours", int((d+time.Hour-1)/time.Hour))
}

// moment is a time as people read it, in the one zone that is the same for all.
func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// names are words in what browsers say of themselves, and what people call that. The first
// that fits counts: all say that they are Mozilla, and most that they are Safari.
var browsers = []struct{ word, name string }{
	{"cloudarq", "The cloudarq command"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrom", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
}

var systems = []struct{ word, name string }{
	{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
}

// device is what a person calls what a browser or program says of itself.
func device(client string) string {
	var name, system string
	for _, b := range browsers {
		if name == "" && strings.Contains(client, b.word) {
			name = b.name
		}
	}
	for _, s := range systems {
		if system == "" && strings.Contains(client, s.word) {
			system = s.name
		}
	}
	switch {
	case name != "" && system != "":
		return name + " on " + system
	case name != "" || system != "":
		return name + system
	}
	return cmp.Or(model.Clean(client), "Something that does not say what it is")
}

// role is what somebody may do, by the scopes of the session.
func role(scopes []model.Scope) string {
	for _, s := range scopes {
		if s == model.ScopeAdmin {
			return "Administrator"
		}
	}
	return "Client"
}
