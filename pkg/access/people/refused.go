package people

import "errors"

// The codes of why somebody is not let in, for programs.
const (
	CodeTokenInvalid    = "token_invalid"    // it is no token that is good here
	CodeTokenExpired    = "token_expired"    // it was good, and is over
	CodeSessionEnded    = "session_ended"    // the person has to sign in again
	CodeRefreshReused   = "refresh_reused"   // a refresh token was used again: the session has ended
	CodeRefreshRaced    = "refresh_raced"    // another request has the next refresh token; that one is good
	CodeNotMember       = "not_a_member"     // of this organization, any more
	CodeMemberSuspended = "member_suspended" // an administrator has suspended the member

	CodeSignInRefused    = "sign_in_refused"        // e-mail address and password are not somebody's
	CodeChallengeOver    = "challenge_over"         // the sign-in has to begin anew
	CodeWrongCode        = "code_wrong"             // of an app, or a backup code
	CodeUsedCode         = "code_used"              // the code of this step, or a later one, was used
	CodePasskeyRefused   = "passkey_refused"        // the passkey is none of the person's, or did not sign this
	CodePasskeyCloned    = "passkey_cloned"         // its counter went back: somebody has a copy
	CodeLinkOver         = "link_over"              // it is used, taken back, too old, or was never one
	CodeAddressOfAnother = "address_of_another"     // somebody has an account under an invitation's address, by another password
	CodeMemberOfOthers   = "member_of_others"       // a recovery would have what is of other organizations
	CodeWrongPassword    = "password_wrong"         // of somebody who is signed in
	CodeFactorRequired   = "second_factor_required" // by an organization of the person's
	CodeNoSecondFactor   = "no_second_factor"       // there is nothing that backup codes stand in for
	CodeNothingToConfirm = "nothing_to_confirm"     // no app is being set up
	CodeBeyondOwner      = "beyond_owner"           // a token would do more than who makes it
	CodeOwnRecovery      = "own_recovery"           // who is signed in changes the password
	CodeNotBySSO         = "not_by_sso"             // what counts in other organizations, too
	CodeNotByToken       = "not_by_token"           // a program may not make what lets people in
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
	case CodeSignInRefused:
		return "the e-mail address or the password is wrong"
	case CodeChallengeOver:
		return "this sign-in is over; begin anew"
	case CodeWrongCode:
		return "the code is wrong"
	case CodeUsedCode:
		return "the code, or a later one, was used already; wait for the next"
	case CodePasskeyRefused:
		return "the passkey does not fit"
	case CodePasskeyCloned:
		return "the passkey's counter went back, so that somebody may have a copy of it; sign in by something else and remove it"
	case CodeLinkOver:
		return "the link is used, taken back or too old; ask for another one"
	case CodeAddressOfAnother:
		return "somebody has an account under this e-mail address, and this is not its password; if it is not yours, whoever operates this installation can give it another address"
	case CodeMemberOfOthers:
		return "this person belongs to other organizations, too; ask an operator"
	case CodeWrongPassword:
		return "the password is wrong"
	case CodeFactorRequired:
		return "an organization that you belong to requires a second factor, and this is the last one"
	case CodeNoSecondFactor:
		return "there is no second factor that backup codes could stand in for"
	case CodeNothingToConfirm:
		return "no authenticator app is being set up"
	case CodeBeyondOwner:
		return "a token does no more than who makes it, and for no other projects"
	case CodeOwnRecovery:
		return "nobody recovers themselves; change the password"
	case CodeNotBySSO:
		return "single sign-on lets you in to one organization; sign in with your password to change what counts in others, too"
	case CodeNotByToken:
		return "a token may not make what lets people in, or loosen how; sign in"
	}
	return "the token is not valid"
}

// Unwrap is why, in words that are not for clients; nil if the code says it all.
func (e *RefusedError) Unwrap() error { return e.cause }

// codeOf is the code of a refusal; empty of any other error.
func codeOf(err error) string {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func refuse(code string, cause error) error { return &RefusedError{Code: code, cause: cause} }
