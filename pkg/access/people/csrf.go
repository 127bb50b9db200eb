package people

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// CSRFToken is what a page of ours sends beside the cookie with an access token: whoever
// makes a browser send the cookie cannot read it, and so does not know this. It needs no
// record and no key, since nobody can guess the signature that an access token ends with.
// https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html (30 November 2026)
func CSRFToken(access secret.String) string {
	sum := sha256.Sum256([]byte("cloudarq csrf\x00" + access.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// IsCSRFToken reports whether a token is that of an access token, in the same time for each.
func IsCSRFToken(access secret.String, token string) bool {
	return !access.Empty() && subtle.ConstantTimeCompare([]byte(CSRFToken(access)), []byte(token)) == 1
}
