package api

import (
	"net/http"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// The cookies that browsers get. No script reads any of them. The prefixes have browsers
// refuse those that another host, or a page without TLS, would set
// (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis-20, section 4.1.3).
const (
	accessCookie  = "__Host-caq"
	refreshCookie = "__Secure-caqr" // has a path, which __Host- may not
	deviceCookie  = "__Host-caqd"

	refreshPath = "/v1/session"
)

// csrfHeader has what shows that a page of ours made a request.
const csrfHeader = "CloudArq-CSRF"

// sessionCookies are those of a session. The access token's is Lax, so that a link from a
// chat or a letter, and the way back from a provider of sign-ins, finds who is signed in. It
// stays as long as the session goes on, and so for longer than the token is good: one that is
// over tells that there is a session to renew.
func sessionCookies(access, refresh secret.String, s model.Session, now time.Time) []http.Cookie {
	return []http.Cookie{
		{
			Name: accessCookie, Value: access.Reveal(), Path: "/", MaxAge: maxAge(s.ExpiresAt.Sub(now)),
			Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		},
		{
			Name: refreshCookie, Value: refresh.Reveal(), Path: refreshPath, MaxAge: maxAge(s.ExpiresAt.Sub(now)),
			Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		},
	}
}

// knownDevice is the cookie by which a device that somebody signed in on is known again.
func knownDevice(device secret.String) http.Cookie {
	return http.Cookie{
		Name: deviceCookie, Value: device.Reveal(), Path: "/", MaxAge: maxAge(people.DeviceAge),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// noCookies have a browser forget a session; the device stays known.
func noCookies() []http.Cookie {
	return []http.Cookie{
		{Name: accessCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode},
		{Name: refreshCookie, Path: refreshPath, MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode},
	}
}

// maxAge is a MaxAge: 0 would be none.
func maxAge(d time.Duration) int { return max(1, int(d/time.Second)) }
