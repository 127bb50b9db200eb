package people_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// quick is as little work as a hash can be.
var quick = people.Params{Memory: 8, Passes: 1, Lanes: 1}

const good = "a quiet harbour at dusk"

func TestPasswords(t *testing.T) {
	t.Parallel()
	h := people.NewHasher(quick)
	stored, err := h.Hash(t.Context(), secret.New(good))
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Hash(t.Context(), secret.New(good))
	if err != nil || bytes.Equal(again, stored) {
		t.Errorf("two hashes of one password: %q, %v", string(again), err)
	}
	more := people.NewHasher(people.Params{Memory: 16, Passes: 1, Lanes: 1})
	for name, c := range map[string]struct {
		hasher       *people.Hasher
		stored       model.Hidden
		password     string
		match, stale bool
	}{
		"right":                        {h, stored, good, true, false},
		"another":                      {h, stored, good + "!", false, false},
		"none":                         {h, stored, "", false, false},
		"of nobody":                    {h, nil, good, false, false},
		"none, of nobody":              {h, nil, "", false, false},
		"with less work than today":    {more, stored, good, true, true},
		"wrong, with less work":        {more, stored, "x", false, false},
		"no text":                      {h, stored, "\xff", false, false},
		"more than anybody can choose": {h, stored, strings.Repeat("x", 1<<20), false, false},
	} {
		match, stale, err := c.hasher.Verify(t.Context(), c.stored, secret.New(c.password))
		if match != c.match || stale != c.stale || err != nil {
			t.Errorf("%s: match %v, stale %v, %v", name, match, stale, err)
		}
	}
}

// The list is searched as it lies, in every function that starts.
func TestCommonPasswords(t *testing.T) {
	t.Parallel()
	list := people.CommonPasswords()
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("the list is not sorted, or has something twice")
	}
	if len(list) != 30_806 || people.PackedPasswords() > 100_000 {
		t.Errorf("%d passwords in %d bytes", len(list), people.PackedPasswords())
	}
	for _, p := range list {
		if len(p) < 4 || p != strings.ToLower(strings.TrimSpace(p)) {
			t.Errorf("%q is never found", p)
		}
		if len(p) < people.MinPassword {
			p += "2026!?2026!?"
		}
		if people.CheckPassword(secret.New(p), "") == nil {
			t.Errorf("%q is accepted", p)
		}
	}
}

// A password that is no text must not be the empty one.
func TestNoTextIsNoPassword(t *testing.T) {
	t.Parallel()
	h := people.NewHasher(quick)
	stored, err := h.Hash(t.Context(), secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	if match, _, err := h.Verify(t.Context(), stored, secret.New("\xff")); match || err != nil {
		t.Errorf("%v, %v", match, err)
	}
}

func TestKnownHashes(t *testing.T) {
	t.Parallel()
	// The tests of the reference implementation: "password" with the salt "somesalt",
	// 64 MiB and 256 KiB (https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c).
	for _, stored := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		if match, stale, err := people.NewHasher(quick).Verify(t.Context(), model.Hidden(stored), secret.New("password")); !match || !stale || err != nil {
			t.Errorf("%s: %v, %v, %v", stored, match, stale, err)
		}
	}
}

// What was altered in the table takes neither the memory of the process nor its time.
func TestForeignHashes(t *testing.T) {
	t.Parallel()
	const salt, key = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, stored := range []string{
		"x", "$", "$$$$$", "$2y$10$abcdefghijklmnopqrstuv",
		"$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=4294967295,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=256$" + salt + "$" + key,
		"$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2$" + salt + "$" + key,
		"$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=1$$" + key,
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key + "$",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("A", 1<<20),
	} {
		if match, _, err := people.NewHasher(quick).Verify(t.Context(), model.Hidden(stored), secret.New("password")); match || !errors.Is(err, people.ErrHash) {
			t.Errorf("%.80s: %v, %v", stored, match, err)
		}
	}
}

// TestEverybodyWaits holds hashers to two hashes at a time, and lets those who wait go.
func TestEverybodyWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := people.NewHasher(quick)
	if _, err := h.Hash(ctx, secret.New(good)); !errors.Is(err, context.Canceled) {
		t.Errorf("a hash for somebody who left: %v", err)
	}
	if match, _, err := h.Verify(ctx, nil, secret.New(good)); match || !errors.Is(err, context.Canceled) {
		t.Errorf("a check for somebody who left: %v, %v", match, err)
	}
}

func TestHasherHasTwoPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := people.NewHasher(quick)
		give1, give2 := h.TakePlace(), h.TakePlace()
		ctx, leave := context.WithCancel(t.Context())
		var left, served error
		var wait sync.WaitGroup
		wait.Go(func() { _, left = h.Hash(ctx, secret.New(good)) })
		synctest.Wait() // for a place
		leave()
		wait.Wait()
		if !errors.Is(left, context.Canceled) {
			t.Errorf("somebody waited for a place and left: %v", left)
		}
		wait.Go(func() { _, served = h.Hash(t.Context(), secret.New(good)) })
		synctest.Wait()
		give1()
		wait.Wait()
		if served != nil {
			t.Errorf("a place was free: %v", served)
		}
		give2()
	})
}

// TestNobodyTakesAsLong shows by the places that are waited for that the work is done for
// people who are not there, and for what can be no password.
func TestNobodyTakesAsLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := people.NewHasher(quick)
		stored, err := h.Hash(t.Context(), secret.New(good))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			stored   model.Hidden
			password string
		}{{nil, good}, {nil, ""}, {nil, "\xff"}, {stored, good}, {stored, ""}, {stored, "\xff"}} {
			give1, give2 := h.TakePlace(), h.TakePlace()
			done := false
			var wait sync.WaitGroup
			wait.Go(func() {
				if _, _, err := h.Verify(t.Context(), c.stored, secret.New(c.password)); err != nil {
					t.Error(err)
				}
				done = true
			})
			synctest.Wait()
			if done {
				t.Errorf("%q for the hash %q took no work", c.password, string(c.stored))
			}
			give1()
			wait.Wait()
			give2()
		}
	})
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	const email = "Jane.Doe+work@example.com"
	for password, code := range map[string]string{
		good:                                 "",
		"correcthorsebatterystaple":          "",
		"Tr0ub4dor&3xkcd936":                 "",
		"пароль из пяти слов":                "",
		"密碼是一條很長很長的句子":                       "",
		"👩‍💻 likes 🧀 and 🍷":                  "",
		"83920174650192837465":               "", // no rule says that letters must be there
		strings.Repeat("ab c", 32):           people.PasswordRepeats,
		"elevenchars":                        people.PasswordShort,
		"":                                   people.PasswordShort,
		"👩‍👩‍👧‍👦🧀":                           people.PasswordShort,
		sentence(128):                        "",
		sentence(129):                        people.PasswordLong,
		sentence(1 << 20):                    people.PasswordLong,
		"ﷺ":                                  people.PasswordShort, // though it stands for eighteen
		"a quiet harbour\nat dusk":           people.PasswordCharacters,
		"a quiet harbour\x00at dusk":         people.PasswordCharacters,
		"a quiet harbour \xff at dusk":       people.PasswordCharacters,
		"a quiet harbour \U000EFFFF at dusk": people.PasswordCharacters,
		"jane.doe's harbour":                 people.PasswordPersonal,
		"my-JANE_DOE-1985":                   people.PasswordPersonal,
		"ＪａｎｅＤｏｅ in the harbour":             people.PasswordPersonal,
		"I love CloudArq!":                   people.PasswordPersonal,
		"Cloud-Arq auditor":                  people.PasswordPersonal,
		"aaaaaaaaaaaa":                       people.PasswordRepeats,
		"k9#k9#k9#k9#k9#":                    people.PasswordRepeats,
		"harbourlight!harbourlight!":         "", // each half would do
		"quiet4lagooq":                       "", // ends as it begins
		"harbourharbour":                     people.PasswordRepeats,
		"123456789012345":                    people.PasswordRepeats,
		"98765432109876":                     people.PasswordRepeats,
		"ABCDEFGHIJKLM":                      people.PasswordRepeats,
		"password12345":                      people.PasswordCommon,
		"!!!Dragon!!!2026":                   people.PasswordCommon,
		"qwertyuiop[]":                       people.PasswordCommon,
		"1qaz2wsx3edc4rfv":                   people.PasswordCommon,
		"ｐａｓｓｗｏｒｄ１２３４５":                      people.PasswordCommon,
	} {
		err := people.CheckPassword(secret.New(password), email)
		var weak *people.WeakPasswordError
		switch {
		case code == "" && err != nil:
			t.Errorf("%.40q is refused: %v", password, err)
		case code != "" && (!errors.As(err, &weak) || weak.Code != code):
			t.Errorf("%.40q: %v, want %s", password, err, code)
		case err != nil && len(password) > 3 && strings.Contains(err.Error(), password):
			t.Errorf("%.40q is quoted: %v", password, err)
		}
	}
}

// Short names are in too many words to be looked for.
func TestShortNames(t *testing.T) {
	t.Parallel()
	for email, refused := range map[string]bool{"bo@example.com": false, "bo.+x@example.com": false, "": false, "@": false, "bohe@example.com": true, "b-o.h_e@example.com": true} {
		if err := people.CheckPassword(secret.New("a bohemian quiet harbour"), email); (err != nil) != refused {
			t.Errorf("%s: %v", email, err)
		}
	}
}

// Everything that is accepted can be used, in every way that it can be typed.
func TestPasswordsAreTyped(t *testing.T) {
	t.Parallel()
	h := people.NewHasher(quick)
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringN(10, 140, -1).Draw(t, "password")
		if people.CheckPassword(secret.New(password), "") != nil {
			t.Skip("refused")
		}
		stored, err := h.Hash(t.Context(), secret.New(password))
		if err != nil {
			t.Fatal(err)
		}
		if match, _, err := h.Verify(t.Context(), stored, secret.New(password)); !match || err != nil {
			t.Fatalf("not accepted again: %v", err)
		}
	})
	stored, err := h.Hash(t.Context(), secret.New("Zoë's café, 2nd floor"))
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{"Zoe\u0308's cafe\u0301, 2nd floor", "Zoë's\u00a0café,\u30002nd\u202ffloor"} {
		if match, _, err := h.Verify(t.Context(), stored, secret.New(typed)); !match || err != nil {
			t.Errorf("%q: %v, %v", typed, match, err)
		}
	}
}

// sentence is n characters that no rule but that of length refuses.
func sentence(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString("word" + strconv.Itoa(i*i) + " ")
	}
	return b.String()[:n]
}

// child makes a run of the tests one that only hashes.
const child = "CLOUDARQ_HASH_AND_TELL"

// TestPeakMemory hashes for twenty people at once in a process of its own, which must stay
// under half of the 512 MB that the function has.
func TestPeakMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the peak is read from /proc")
	}
	if os.Getenv(child) != "" {
		hashForMany(t)
		return
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector has a memory of its own")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPeakMemory$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, _ := strings.Cut(string(out), "VmHWM:")
	fields := strings.Fields(after)
	if len(fields) < 2 || fields[1] != "kB" {
		t.Fatalf("no peak in %s", out)
	}
	peak, err := strconv.Atoi(fields[0])
	t.Logf("%d KiB", peak)
	if err != nil || peak > 256*1024 {
		t.Errorf("the peak is %d KiB, over 256 MiB (%v)", peak, err)
	}
}

func hashForMany(t testing.TB) {
	h := people.NewHasher(people.Standard)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := h.Hash(t.Context(), secret.New(good)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	t.Log(peak(t))
}

// peak is the line of the process's largest resident size.
func peak(t testing.TB) string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	return "VmHWM: " + strings.TrimSpace(line)
}

// BenchmarkHasher hashes two passwords at once.
func BenchmarkHasher(b *testing.B) {
	h := people.NewHasher(people.Standard)
	for b.Loop() {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, err := h.Hash(b.Context(), secret.New(good)); err != nil {
					b.Error(err)
				}
			})
		}
		both.Wait()
	}
	b.Log(peak(b))
}

// FuzzHash holds what is taken for a hash to the work that one may be, and to one way to
// write it.
func FuzzHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Add("")
	f.Fuzz(func(t *testing.T, stored string) {
		again, p, err := people.HashAgain(stored)
		switch {
		case err != nil:
			if !errors.Is(err, people.ErrHash) {
				t.Fatal(err)
			}
		case again != stored, p.Memory < 1, p.Memory > 128*1024, p.Passes < 1, p.Passes > 16, p.Lanes < 1, p.Lanes > 16:
			t.Fatalf("%q is taken for %q, %+v", stored, again, p)
		}
	})
}

// FuzzCheckPassword holds what is accepted to its length, and what is refused to a reason.
func FuzzCheckPassword(f *testing.F) {
	for _, p := range []string{good, "", "\xff", "ﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺﷺ", strings.Repeat("x", 4000), "👩‍💻 likes 🧀 and 🍷"} {
		f.Add(p, "jane@example.com")
	}
	f.Fuzz(func(t *testing.T, password, email string) {
		err := people.CheckPassword(secret.New(password), email)
		var weak *people.WeakPasswordError
		switch {
		case err == nil:
			if n := utf8.RuneCountInString(norm.NFC.String(password)); n < people.MinPassword || n > people.MaxPassword {
				t.Fatalf("%d characters", n)
			}
		case !errors.As(err, &weak) || !strings.HasPrefix(weak.Code, "password_") || weak.Reason == "":
			t.Fatalf("%#v", err)
		}
	})
}
