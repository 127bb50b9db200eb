package people

// The codes of why somebody is not let in, for programs.
const (
	CodeTokenInvalid    = "token_invalid"    // it is no token that is good here
	CodeTokenExpired    = "token_expired"    // it was good, and is over
	CodeSessionEnded    = "session_ended"    // the person has to sign in again
	CodeRefreshReused   = "refresh_reused"   // a refresh token was used again: the session has ended
	CodeRefreshRaced    = "refresh_raced"    // another request has the next refresh token; that one is good
	CodeNotMember       = "not_a_member"     // of this organization, any more
	CodeMemberSuspended = "member_suspended" // an administrator has suspended the member
)

// RefusedError says that somebody is not let in. Its text is no secret, and says no more
// than the code does.
type RefusedError struct {
	Code  string
	cause error // for whoever looks for it: not for clients
}

// Error implements error.
func (e *RefusedError) Error() string {
	switch e.Code {
	case CodeTokenExpired:
		return "the token is over"
	case CodeSessionEnded:
		return "the session has ended; sign in again"
	case CodeRefreshReused:
		return "a refresh token was used a second time, so that the session has ended; sign in again"
	case CodeRefreshRaced:
		return "another request used the refresh token a moment ago; use the one that it got"
	case CodeNotMember:
		return "you are no member of this organization"
	case CodeMemberSuspended:
		return "an administrator has suspended your membership"
	}
	return "the token is not valid"
}

// Unwrap is why, in words that are not for clients; nil if the code says it all.
func (e *RefusedError) Unwrap() error { return e.cause }

func refuse(code string, cause error) error { return &RefusedError{Code: code, cause: cause} }
