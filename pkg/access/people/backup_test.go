package people_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

func TestBackupCodes(t *testing.T) {
	t.Parallel()
	codes, hashes := people.NewBackupCodes()
	if len(codes) != 10 || len(hashes) != 10 {
		t.Fatalf("%d codes, %d hashes", len(codes), len(hashes))
	}
	form := regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$`)
	seen := map[string]bool{}
	for _, c := range codes {
		if !form.MatchString(c.Reveal()) || seen[c.Reveal()] {
			t.Errorf("%q", c.Reveal())
		}
		seen[c.Reveal()] = true
		if strings.Contains(fmt.Sprint(codes), c.Reveal()) {
			t.Error("printed")
		}
	}
	if !slices.IsSortedFunc(hashes, func(a, b model.Hidden) int { return bytes.Compare(a, b) }) {
		t.Error("the hashes are in the order of the codes")
	}
	for _, foreign := range []model.Hidden{nil, {}, make(model.Hidden, 15), make(model.Hidden, 48), make(model.Hidden, 1<<10)} {
		if _, err := people.UseBackupCode([]model.Hidden{foreign}, codes[0]); !errors.Is(err, people.ErrCode) {
			t.Errorf("a code is good for %d bytes that no code made", len(foreign))
		}
	}
	if again, _ := people.NewBackupCodes(); again[0].Reveal() == codes[0].Reveal() {
		t.Error("the same codes again")
	}
}

func TestBackupCodesAreTyped(t *testing.T) {
	t.Parallel()
	codes, hashes := people.NewBackupCodes()
	code := codes[3].Reveal()
	for name, typed := range map[string]string{
		"as shown":        code,
		"in capitals":     strings.ToUpper(code),
		"without hyphens": strings.ReplaceAll(code, "-", ""),
		"with blanks":     " " + strings.ReplaceAll(code, "-", " ") + " ",
		"with o for 0":    strings.ReplaceAll(code, "0", "o"),
		"with O for 0":    strings.ReplaceAll(code, "0", "O"),
		"with l for 1":    strings.ReplaceAll(code, "1", "l"),
		"with I for 1":    strings.ReplaceAll(code, "1", "I"),
	} {
		left, err := people.UseBackupCode(hashes, secret.New(typed))
		if err != nil || len(left) != 9 {
			t.Errorf("%s: %d left, %v", name, len(left), err)
		}
	}
	for name, typed := range map[string]string{
		"none": "", "half": code[:9], "one more": code + "0", "twice": code + code, "another": "0000-0000-0000-0000",
		"no text": "\xff", "a book": strings.Repeat(code, 1<<16), "with u, which is no digit of it": "u" + code[1:],
	} {
		if left, err := people.UseBackupCode(hashes, secret.New(typed)); left != nil || !errors.Is(err, people.ErrCode) {
			t.Errorf("%s: %d left, %v", name, len(left), err)
		}
	}
}

// Each code is good once, in any order, and what is left are the others.
func TestBackupCodesAreUsedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		codes, hashes := people.NewBackupCodes()
		used := map[int]bool{}
		for range 25 {
			i := rapid.IntRange(0, 9).Draw(t, "code")
			before := len(hashes)
			left, err := people.UseBackupCode(hashes, codes[i])
			switch {
			case used[i]:
				if !errors.Is(err, people.ErrCode) {
					t.Fatalf("code %d twice: %v", i, err)
				}
				continue
			case err != nil || len(left) != before-1 || len(hashes) != before:
				t.Fatalf("code %d: %d of %d left, %v", i, len(left), before, err)
			}
			used[i], hashes = true, left
		}
	})
}
