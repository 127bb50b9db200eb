package people_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

var kinds = []people.Kind{people.APIToken, people.RefreshToken, people.InviteToken, people.RecoveryToken, people.DeviceToken}

const tokenID = "01JDVZ8Q6W3X5N7B9C2D4F6G8H"

func newToken(t interface{ Fatal(...any) }, kind people.Kind, id string) (secret.String, model.Hidden) {
	token, hash, err := people.NewToken(kind, id)
	if err != nil {
		t.Fatal(err)
	}
	return token, hash
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		id := ulid.Make().String()
		token, hash := newToken(t, kind, id)
		read, err := people.ParseToken(kind, token)
		if err != nil || read.Kind != kind || read.ID != id || !read.Matches(hash) {
			t.Fatalf("%s: %v, %v", token.Reveal(), read, err)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %#v %d %s", read, read, read, read, &read), token.Reveal()[len(kind)+28:]) {
			t.Error("the token is printed")
		}
		other, otherHash := newToken(t, kind, id)
		if other.Reveal() == token.Reveal() || read.Matches(otherHash) || read.Matches(nil) || read.Matches(hash[:31]) {
			t.Errorf("%s: another's hash is its own", kind)
		}
		for _, k := range kinds {
			if _, err := people.ParseToken(k, token); k != kind && !errors.Is(err, people.ErrToken) {
				t.Errorf("%s is taken for %s", kind, k)
			}
		}
	}
	if (people.Token{}).Matches(make([]byte, 32)) {
		t.Error("no token has a hash")
	}
}

// The form is a promise to whoever scans for tokens: it stays the same.
func TestTokenForm(t *testing.T) {
	t.Parallel()
	const known = "caq_01JDVZ8Q6W3X5N7B9C2D4F6G8H_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg1SHzfN" // its checksum by another implementation
	if _, err := people.ParseToken(people.APIToken, secret.New(known)); err != nil {
		t.Errorf("%s: %v", known, err)
	}
	scanner := regexp.MustCompile(people.ScanPattern)
	for _, kind := range kinds {
		token, _ := newToken(t, kind, tokenID)
		for _, text := range []string{"%s", `{"token":"%s"}`, "https://example.com/join#%s", "export T=%s\n", "Bearer %s."} {
			if got := scanner.FindString(fmt.Sprintf(text, token.Reveal())); got != token.Reveal() {
				t.Errorf("in %q a scanner finds %q", text, got)
			}
		}
	}
	for _, id := range []string{"", "x", strings.ToLower(tokenID), tokenID + "0", "8" + tokenID[1:], tokenID[:25] + "_"} {
		if _, _, err := people.NewToken(people.APIToken, id); !errors.Is(err, people.ErrToken) {
			t.Errorf("a token for %q: %v", id, err)
		}
	}
	if _, _, err := people.NewToken("ghp", tokenID); !errors.Is(err, people.ErrToken) {
		t.Errorf("a token of no kind: %v", err)
	}
}

// No token with a mistake in it is taken for one.
func TestMistypedTokens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		token, _ := newToken(t, kind, ulid.Make().String())
		text := []byte(token.Reveal())
		switch i := rapid.IntRange(0, len(text)-1).Draw(t, "at"); rapid.IntRange(0, 3).Draw(t, "mistake") {
		case 0:
			text[i] = rapid.Byte().Filter(func(b byte) bool { return b != text[i] }).Draw(t, "byte")
		case 1:
			text = append(text[:i:i], text[i+1:]...)
		case 2:
			text = append(text[:i:i], append([]byte{rapid.Byte().Draw(t, "byte")}, text[i:]...)...)
		case 3:
			j := rapid.IntRange(0, len(text)-1).Draw(t, "with")
			text[i], text[j] = text[j], text[i]
		}
		if string(text) == token.Reveal() {
			t.Skip("no mistake")
		}
		if _, err := people.ParseToken(kind, secret.New(string(text))); !errors.Is(err, people.ErrToken) {
			t.Fatalf("%s for %s: %v", text, token.Reveal(), err)
		}
	})
}

// Each character of what is secret is as likely as any other.
func TestTokensAreFair(t *testing.T) {
	t.Parallel()
	seen := map[rune]int{}
	for range 3000 {
		token, _ := newToken(t, people.APIToken, tokenID)
		for _, r := range token.Reveal()[len("caq_"+tokenID+"_"):][:43] {
			seen[r]++
		}
	}
	const want = 3000 * 43 / 62 // 2,080, of which ten standard deviations are 450
	for r, n := range seen {
		if n < want-450 || n > want+450 {
			t.Errorf("%c is there %d times, not about %d", r, n, want)
		}
	}
	if len(seen) != 62 {
		t.Errorf("%d characters", len(seen))
	}
}

// FuzzParseToken holds what is taken for a token to its form, whatever it is given.
func FuzzParseToken(f *testing.F) {
	for _, kind := range kinds {
		token, _, err := people.NewToken(kind, tokenID)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(kind), token.Reveal())
		f.Add(string(kind), token.Reveal()+"\n")
	}
	f.Add("", "")
	f.Add("caq", "caq__")
	form := regexp.MustCompile("^(?:" + people.ScanPattern + ")$")
	f.Fuzz(func(t *testing.T, kind, text string) {
		read, err := people.ParseToken(people.Kind(kind), secret.New(text))
		if err != nil {
			if !errors.Is(err, people.ErrToken) || read != (people.Token{}) {
				t.Fatalf("%v, %v", read, err)
			}
			return
		}
		if !form.MatchString(text) || !strings.HasPrefix(text, kind+"_"+read.ID+"_") || string(read.Kind) != kind {
			t.Fatalf("%q is taken for a token %s", text, kind)
		}
		if _, err := ulid.ParseStrict(read.ID); err != nil {
			t.Fatalf("%q: %v", read.ID, err)
		}
	})
}
