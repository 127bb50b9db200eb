package sso

// The codes of why somebody is not signed in, for programs. They are all that a browser is
// told: what a provider says is nobody's words but its own.
const (
	CodeOff               = "sso_off"                // the organization has none, or there is no such organization
	CodeState             = "sso_state"              // begun in another browser, too long ago, or never
	CodeReplayed          = "sso_replayed"           // that sign-in was answered before
	CodeIssuer            = "sso_issuer"             // another provider answered than was asked
	CodeDenied            = "sso_denied"             // the provider says no: somebody changed his mind, or is not assigned
	CodeProvider          = "sso_provider"           // the provider cannot be reached, or does not do what it has to
	CodeCode              = "sso_code"               // the provider does not take the code that it gave, or the client secret
	CodeToken             = "sso_token"              // the ID token is not right
	CodeAddress           = "sso_address"            // no verified e-mail address in an allowed domain
	CodeGroupsNotTold     = "sso_groups_not_told"    // the provider leaves out which groups somebody is in
	CodeGroups            = "sso_groups"             // in no group that may do anything; a member is suspended
	CodeNotMember         = "sso_not_a_member"       // and nobody becomes one by signing in
	CodeSuspended         = "sso_suspended"          // the membership is
	CodeLastAdministrator = "sso_last_administrator" // whom the groups would take the role; nothing was changed

	// CodeOrganizationSuspended is told of those alone that have single sign-on.
	CodeOrganizationSuspended = "organization_suspended"
)

// RefusedError says that somebody is not signed in.
type RefusedError struct {
	Code  string
	cause error // for the log; never has what a provider said
}

// Error implements error.
func (e *RefusedError) Error() string {
	switch e.Code {
	case CodeOff:
		return "single sign-on is not set up"
	case CodeState:
		return "the sign-in was not begun in this browser within the last ten minutes; begin it again"
	case CodeReplayed:
		return "the sign-in was answered before; begin it again"
	case CodeIssuer:
		return "another provider answered than was asked"
	case CodeDenied:
		return "the provider did not sign you in"
	case CodeProvider:
		return "the provider cannot be reached, or answers wrongly"
	case CodeCode:
		return "the provider did not take its own code; the client secret may be wrong or over"
	case CodeAddress:
		return "the provider gives no verified e-mail address in an allowed domain"
	case CodeGroupsNotTold:
		return "the provider does not tell which groups you are in"
	case CodeGroups:
		return "you are in no group that may use CloudArq"
	case CodeNotMember:
		return "you are no member of this organization"
	case CodeSuspended:
		return "your membership is suspended"
	case CodeOrganizationSuspended:
		return "whoever operates this installation has suspended the organization"
	case CodeLastAdministrator:
		return "your groups would take the role of administrator from you, and there is no other administrator"
	}
	return "the ID token of the provider is not right"
}

// Unwrap is why, for the log.
func (e *RefusedError) Unwrap() error { return e.cause }

func refuse(code string, cause error) error { return &RefusedError{code, cause} }
