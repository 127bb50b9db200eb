package people_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// FuzzTOTP: a code is taken if it is of this step or one beside it and of none that was
// used; once.
func FuzzTOTP(f *testing.F) {
	key := secret.New("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	now := begin.Unix() / 30
	for step := now - 3; step <= now+3; step++ {
		f.Add(codeAt(f, key, step).Reveal(), int64(0))
		f.Add(" "+codeAt(f, key, step).Reveal()[:3]+" "+codeAt(f, key, step).Reveal()[3:], now)
	}
	f.Add("", int64(-1))
	f.Add("000000", int64(1<<62))
	f.Fuzz(func(t *testing.T, code string, last int64) {
		step, err := people.CheckTOTP(key, secret.New(code), last, begin)
		if err != nil {
			if step != 0 {
				t.Fatalf("%q is refused, of step %d", code, step)
			}
			return
		}
		if step < now-1 || step > now+1 || step <= last || strings.ReplaceAll(code, " ", "") != codeAt(t, key, step).Reveal() {
			t.Fatalf("%q is taken for step %d after %d", code, step, last)
		}
		if _, err := people.CheckTOTP(key, secret.New(code), step, begin); err == nil {
			t.Fatalf("%q is taken twice", code)
		}
	})
}

// FuzzBackupCode: what is taken for a backup code is one, however it is typed, and once.
func FuzzBackupCode(f *testing.F) {
	codes, hashes := people.NewBackupCodes()
	for _, c := range codes[:3] {
		text := c.Reveal()
		f.Add(text)
		f.Add(strings.ToUpper(strings.ReplaceAll(text, "-", " ")))
		f.Add(text[:len(text)-1])
		f.Add(strings.NewReplacer("0", "o", "1", "l").Replace(text))
	}
	f.Add(strings.Repeat("-", 64))
	plain := strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1")
	f.Fuzz(func(t *testing.T, typed string) {
		left, err := people.UseBackupCode(hashes, secret.New(typed))
		if err != nil {
			return
		}
		is := false
		for _, c := range codes {
			is = is || plain.Replace(strings.ToLower(typed)) == strings.ReplaceAll(c.Reveal(), "-", "")
		}
		if !is || len(left) != len(hashes)-1 {
			t.Fatalf("%q is taken for a code, and leaves %d", typed, len(left))
		}
		if _, err := people.UseBackupCode(left, secret.New(typed)); err == nil {
			t.Fatalf("%q is taken twice", typed)
		}
	})
}

// FuzzChallenge: what is given for a challenge is one that was made, or the sign-in begins
// anew, whichever step it is given to.
func FuzzChallenge(f *testing.F) {
	d := openDoor(f)
	d.withTOTP(f)
	step, err := d.enter(goodPassword, home)
	if err != nil {
		f.Fatal(err)
	}
	good := step.Challenge.Reveal()
	for _, text := range []string{"", "caqc_", good[:len(good)-1], good + "A", good + "\n", good[:10] + "A" + good[11:], strings.ToUpper(good), strings.Repeat("A", 40<<10), "caqc_AAAA"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == good {
			return
		}
		challenge := secret.New(text)
		for name, try := range map[string]func() error{
			"code":    func() error { _, err := d.TOTP(t.Context(), challenge, secret.New("000000"), home); return err },
			"backup":  func() error { _, err := d.BackupCode(t.Context(), challenge, secret.New("x"), home); return err },
			"passkey": func() error { _, err := d.Passkey(t.Context(), challenge, []byte("{}"), home); return err },
			"choice":  func() error { _, err := d.Choose(t.Context(), challenge, "acme", home); return err },
		} {
			if err := try(); code(err) != people.CodeChallengeOver {
				t.Fatalf("%s with %q: %v", name, text, err)
			}
		}
	})
}

// FuzzLinks: what is given for a one-time link is one that was made, or it is over, whatever
// it is given for.
func FuzzLinks(f *testing.F) {
	d := openDoor(f)
	_, link, err := d.Invite(f.Context(), model.Change{Actor: model.Actor{Kind: model.ActorOperator, ID: "o"}, At: d.watch.Now()}, "acme", model.Invitation{Email: "new@example.com", Role: model.RoleClient})
	if err != nil {
		f.Fatal(err)
	}
	good := link.Reveal()
	for _, text := range []string{"", good[:len(good)-1], good + "A", strings.Replace(good, "caqi", "caqv", 1), "caqi_" + strings.Repeat("0", 26) + "_" + strings.Repeat("0", 49), "https://x/#" + good, good + "\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == good {
			return
		}
		d.watch.Pass(3 * time.Minute) // no limit holds
		for name, try := range map[string]func() error{
			"invitation": func() error { _, _, err := d.Invitation(t.Context(), secret.New(text), home); return err },
			"acceptance": func() error {
				_, err := d.Accept(t.Context(), secret.New(text), "New", secret.New(goodPassword), home)
				return err
			},
			"recovery": func() error { _, _, _, err := d.Recovery(t.Context(), secret.New(text), home); return err },
			"use": func() error {
				_, err := d.UseRecovery(t.Context(), secret.New(text), secret.New(goodPassword), home)
				return err
			},
		} {
			if err := try(); code(err) != people.CodeLinkOver {
				t.Fatalf("%s with %q: %v", name, text, err)
			}
		}
	})
}
