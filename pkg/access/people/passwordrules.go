package people

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// How long a password is, in characters as they are hashed.
const (
	MinPassword = 12
	MaxPassword = 128
)

// Why a password is refused. Clients tell them apart; they stay the same.
const (
	PasswordShort      = "password_too_short"
	PasswordLong       = "password_too_long"
	PasswordCharacters = "password_characters" // some cannot be typed again
	PasswordPersonal   = "password_personal"   // has the e-mail address or this product's name
	PasswordRepeats    = "password_repetitive" // repeats few characters, or counts
	PasswordCommon     = "password_too_common" // many have it
)

// WeakPasswordError says why a password is refused. It does not quote the password.
type WeakPasswordError struct {
	Code   string // one of the constants
	Reason string // for people
}

// Error implements error.
func (e *WeakPasswordError) Error() string { return e.Reason }

func weak(code, format string, args ...any) error {
	return &WeakPasswordError{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// product is a word that whoever guesses passwords tries here first.
const product = "cloudarq"

// minName is how long the name of an e-mail address is before no password may have it:
// shorter ones are in many words.
const minName = 4

// CheckPassword refuses a new password that others would guess, with a
// *WeakPasswordError. It asks for length and not for kinds of characters, and looks for
// what NIST has verifiers look for: what is common, what repeats or counts, and words of
// the context (SP 800-63B-4, section 3.1.1.2). NIST compares whole passwords with a list;
// here such words count wherever they stand, and common ones with digits and signs around
// them, since those are what guessing programs put there.
func CheckPassword(password secret.String, email string) error {
	text, ok := normalize(password.Reveal())
	if !ok && utf8.ValidString(password.Reveal()) {
		return weak(PasswordLong, "a password has at most %d characters", MaxPassword)
	}
	if !ok || strings.ContainsFunc(text, untypable) {
		return weak(PasswordCharacters, "the password has a character that cannot be shown, and may not be typed the same again")
	}
	switch n := utf8.RuneCountInString(text); {
	case n < MinPassword:
		return weak(PasswordShort, "the password has %d characters; it takes at least %d, such as four words", n, MinPassword)
	case n > MaxPassword:
		return weak(PasswordLong, "the password has %d characters; it takes at most %d", n, MaxPassword)
	}
	folded := fold(text)
	if word, ok := personal(folded, email); ok {
		return weak(PasswordPersonal, "the password contains %s", word)
	}
	if repeats([]rune(strings.ToLower(text))) {
		return weak(PasswordRepeats, "the password repeats fewer than %d characters, or counts", MinPassword)
	}
	if isCommon(folded) {
		return weak(PasswordCommon, "the password is one that many people have, or such a one with digits and signs around it")
	}
	return nil
}

// fold makes one text of those that read the same to whoever guesses: wide letters,
// ligatures, capitals.
func fold(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

// untypable reports whether a character cannot be seen or is none yet: what is no
// character today has no normal form that stays.
func untypable(r rune) bool {
	return !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r) // joiners, which emoji are made of
}

// personal finds the product's name and the address's in a password, whatever stands
// between their letters.
func personal(folded, email string) (what string, found bool) {
	password := letters(folded)
	if strings.Contains(password, product) {
		return "this product's name", true
	}
	name, _, _ := strings.Cut(fold(email), "@")
	name, _, _ = strings.Cut(name, "+")
	name = letters(name)
	return "the name in your e-mail address", utf8.RuneCountInString(name) >= minName && strings.Contains(password, name)
}

// letters is a text without all that is neither letter nor digit.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
}

// repeats reports whether a password is as easy as a shorter one: it is a text of fewer
// than MinPassword characters at least twice, or each character is the one after, or
// before, the one that precedes it.
func repeats(text []rune) bool {
	// The border of a text is the longest that it both begins and ends with (Knuth,
	// Morris, Pratt): a text repeats what lies before its border.
	border := make([]int, len(text))
	for i, k := 1, 0; i < len(text); i++ {
		for k > 0 && text[i] != text[k] {
			k = border[k-1]
		}
		if text[i] == text[k] {
			k++
		}
		border[i] = k
	}
	period := len(text) - border[len(text)-1]
	if period < MinPassword && 2*period <= len(text) {
		return true
	}
	return counts(text, 1) || counts(text, -1)
}

// counts reports whether all characters follow each other by a step; nine is followed by
// nought.
func counts(text []rune, step rune) bool {
	for i := range len(text) - 1 {
		a, b := text[i], text[i+1]
		around := step > 0 && a == '9' && b == '0' || step < 0 && a == '0' && b == '9'
		if b != a+step && !around {
			return false
		}
	}
	return true
}

// isCommon reports whether a password in lower case, or what is left of it without the
// digits and signs at both ends, is on the list.
func isCommon(folded string) bool {
	core := strings.TrimFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, text := range []string{folded, core} {
		if _, found := slices.BinarySearch(commonPasswords(), text); found {
			return true
		}
	}
	return false
}

// common/README says where the list comes from.
//
//go:embed common/passwords.txt.gz
var packedPasswords []byte

// commonPasswords is the list, sorted. It is unpacked the first time.
var commonPasswords = sync.OnceValue(func() []string {
	r, err := gzip.NewReader(bytes.NewReader(packedPasswords))
	if err != nil {
		panic("the list of common passwords: " + err.Error()) // it was built so
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic("the list of common passwords: " + err.Error())
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})
