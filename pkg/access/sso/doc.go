// Package sso signs people in by their organization's own provider of OpenID Connect: the
// authorization code flow with PKCE, state and nonce, over an HTTP client that reaches
// nothing but the internet. It knows nothing of the server's side of HTTP.
package sso
