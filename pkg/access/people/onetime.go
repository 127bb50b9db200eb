package people

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// Kind is what a token is for. It is the word that the token begins with, so that neither
// people nor programs take one for another.
type Kind string

// Kinds of tokens.
const (
	APIToken      Kind = "caq"  // of a program
	RefreshToken  Kind = "caqr" // of a session
	InviteToken   Kind = "caqi" // of an invitation: in the fragment of its link
	RecoveryToken Kind = "caqv" // of a recovery: in the fragment of its link
	DeviceToken   Kind = "caqd" // of a device that somebody signed in on: in a cookie
)

// A token is
//
//	caq_01JDVZ8Q6W3X5N7B9C2D4F6G8H_<43 characters><6 characters>
//
// the kind; the id of the record that has its hash, a ULID, which is public; 43 characters
// of base62 that nobody can guess, 256 bits; and the CRC-32 of all before it, in base62. By
// that a scanner of source code or logs knows a token from a text that looks like one, with
// no question to anybody: the way of GitHub's tokens
// (https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/, read on
// 30 November 2026).
const (
	tokenSecret   = 43
	tokenChecksum = 6
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// ScanPattern is the regular expression (RE2) by which scanners find tokens of all kinds
// in a text. A scanner that can takes the checksum, too.
const ScanPattern = `\bcaq[rivd]?_[0-7][0-9A-HJKMNP-TV-Z]{25}_[0-9A-Za-z]{49}\b`

var tokenForm = regexp.MustCompile(`^(caq[rivd]?)_([0-7][0-9A-HJKMNP-TV-Z]{25})_[0-9A-Za-z]{49}$`)

// maxToken is the most bytes of a token.
const maxToken = len(DeviceToken) + 1 + ulid.EncodedSize + 1 + tokenSecret + tokenChecksum

// ErrToken says that a text is no token of the kind: mistyped, cut, or something else. It
// never says that one is unknown or over, which takes the record.
var ErrToken = errors.New("no token of this kind")

// Token is a token as somebody brought it. It prints as its kind and id.
type Token struct {
	Kind Kind
	ID   string // of the record that has its hash
	hash [sha256.Size]byte
}

// NewToken makes a token of a kind, for the record with an id, which is a ULID; and the
// hash that the record keeps.
func NewToken(kind Kind, id string) (token secret.String, hash model.Hidden, err error) {
	text := string(kind) + "_" + id + "_" + randomBase62(tokenSecret)
	text += checksum(text)
	t, err := ParseToken(kind, secret.New(text))
	if err != nil {
		return secret.String{}, nil, fmt.Errorf("make a token %s for %q: %w", kind, id, err)
	}
	return secret.New(text), t.hash[:], nil
}

// ParseToken reads a token of a kind, or is ErrToken. What it gives is well formed and
// nothing more: ask Matches.
func ParseToken(kind Kind, token secret.String) (Token, error) {
	text := token.Reveal()
	if len(text) > maxToken {
		return Token{}, ErrToken
	}
	parts := tokenForm.FindStringSubmatch(text)
	if parts == nil || parts[1] != string(kind) {
		return Token{}, ErrToken
	}
	if body, sum := text[:len(text)-tokenChecksum], text[len(text)-tokenChecksum:]; checksum(body) != sum {
		return Token{}, ErrToken
	}
	return Token{Kind: kind, ID: parts[2], hash: sha256.Sum256([]byte(text))}, nil
}

// Matches reports whether a record's hash is that of the token, in the same time for each.
// The hash is of all of the token: that of a record of another kind or id is none of it. A
// plain SHA-256 keeps 256 bits that nobody chose.
func (t Token) Matches(hash model.Hidden) bool {
	return t.Kind != "" && subtle.ConstantTimeCompare(t.hash[:], hash) == 1
}

// Format implements fmt.Formatter, so that no verb prints the hash.
func (t Token) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s_%s", string(t.Kind), t.ID) }

func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [tokenChecksum]byte
	for i := range digits {
		digits[tokenChecksum-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// randomBase62 gives n characters, each of which is as likely as any other.
func randomBase62(n int) string {
	const fair = 256 - 256%len(base62) // bytes from there on would favour some
	var b strings.Builder
	for b.Len() < n {
		for _, r := range random(n) {
			if int(r) < fair && b.Len() < n {
				b.WriteByte(base62[int(r)%len(base62)])
			}
		}
	}
	return b.String()
}
