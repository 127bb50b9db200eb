package people_test

import (
	"encoding/base32"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/access/people"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// rfcKey is the secret of the tests of RFC 6238, appendix B.
var rfcKey = secret.New(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")))

func TestTOTPOfRFC6238(t *testing.T) {
	t.Parallel()
	for at, code := range map[int64]string{ // the last six of its eight digits, for SHA-1
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step, err := people.CheckTOTP(rfcKey, secret.New(code), 0, time.Unix(at, 0))
		if err != nil || step != at/30 {
			t.Errorf("at %d: step %d, %v", at, step, err)
		}
		spaced := code[:3] + " " + code[3:]
		if _, err := people.CheckTOTP(rfcKey, secret.New(spaced), 0, time.Unix(at, 0)); err != nil {
			t.Errorf("%q: %v", spaced, err)
		}
	}
}

func TestTOTPRefuses(t *testing.T) {
	t.Parallel()
	now := time.Unix(1111111109, 0)
	for name, c := range map[string]struct {
		key  secret.String
		code string
		last int64
		want error
	}{
		"another":           {rfcKey, "081805", 0, people.ErrCode},
		"none":              {rfcKey, "", 0, people.ErrCode},
		"blanks":            {rfcKey, "      ", 0, people.ErrCode},
		"five digits":       {rfcKey, "81804", 0, people.ErrCode},
		"seven digits":      {rfcKey, "0081804", 0, people.ErrCode},
		"eight digits":      {rfcKey, "07081804", 0, people.ErrCode},
		"signed":            {rfcKey, "+81804", 0, people.ErrCode},
		"other digits":      {rfcKey, "٠٨١٨٠٤", 0, people.ErrCode},
		"a book":            {rfcKey, strings.Repeat("081804", 1<<16), 0, people.ErrCode},
		"used":              {rfcKey, "081804", 1111111109 / 30, people.ErrCodeUsed},
		"before a used one": {rfcKey, "081804", 1111111109/30 + 1, people.ErrCodeUsed},
		"without a secret":  {secret.String{}, "081804", 0, people.ErrTOTPSecret},
		"with no secret":    {secret.New("not base32!"), "081804", 0, people.ErrTOTPSecret},
	} {
		step, err := people.CheckTOTP(c.key, secret.New(c.code), c.last, now)
		if step != 0 || !errors.Is(err, c.want) {
			t.Errorf("%s: step %d, %v; want %v", name, step, err, c.want)
		}
	}
}

// codeAt is what an app shows.
func codeAt(t interface{ Fatal(...any) }, key secret.String, step int64) secret.String {
	code, err := totp.GenerateCode(key.Reveal(), time.Unix(step*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	return secret.New(code)
}

// TestTOTPSteps types codes of any steps at any moments: one is accepted if its step is at
// most one off and after all that were accepted before, and none twice.
func TestTOTPSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := secret.New(base32.StdEncoding.EncodeToString(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "key")))
		now := rapid.Int64Range(1<<30, 1<<32).Draw(t, "now")
		var last int64
		for range rapid.IntRange(1, 20).Draw(t, "tries") {
			now += rapid.Int64Range(0, 70).Draw(t, "wait")
			current := now / 30
			off := rapid.Int64Range(-3, 3).Draw(t, "off")
			code := codeAt(t, key, current+off)
			// The code of a step may be that of another, too.
			var good []int64
			for s := current - 1; s <= current+1; s++ {
				if codeAt(t, key, s).Reveal() == code.Reveal() {
					good = append(good, s)
				}
			}
			step, err := people.CheckTOTP(key, code, last, time.Unix(now, 0))
			switch {
			case len(good) == 0:
				if !errors.Is(err, people.ErrCode) {
					t.Fatalf("%d steps off: %v", off, err)
				}
			case good[len(good)-1] <= last:
				if !errors.Is(err, people.ErrCodeUsed) {
					t.Fatalf("step %d after %d: %v", good, last, err)
				}
			case err != nil || step != good[len(good)-1]:
				t.Fatalf("step %d after %d: %d, %v", good, last, step, err)
			default:
				last = step
				if _, err := people.CheckTOTP(key, code, last, time.Unix(now, 0)); !errors.Is(err, people.ErrCodeUsed) {
					t.Fatalf("the code twice: %v", err)
				}
			}
		}
	})
}

// The code of two steps beside each other may be the same one: it is good once.
func TestTOTPOfTwoSteps(t *testing.T) {
	t.Parallel()
	const at = 910738 // the first such step of this secret
	code := codeAt(t, rfcKey, at)
	if before := codeAt(t, rfcKey, at-1); before.Reveal() != code.Reveal() {
		t.Fatalf("%s and %s", before.Reveal(), code.Reveal())
	}
	for _, now := range []int64{at - 1, at} {
		step, err := people.CheckTOTP(rfcKey, code, 0, time.Unix(now*30, 0))
		if err != nil || step != at {
			t.Fatalf("step %d, %v; want %d", step, err, at)
		}
		if _, err := people.CheckTOTP(rfcKey, code, step, time.Unix(now*30, 0)); !errors.Is(err, people.ErrCodeUsed) {
			t.Errorf("the other step of it: %v", err)
		}
	}
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ issuer, account, label, shown string }{
		{"CloudArq", "jane@example.com", "CloudArq:jane@example.com", "CloudArq"},
		{"Big Co. & Sons", "jane+aws@example.com", "Big Co. & Sons:jane+aws@example.com", "Big Co. & Sons"},
		{"a:b", "c:d", "a b:c d", "a b"},
		{"x?secret=AAAA&issuer=y#", "/../%2e%00", "x?secret=AAAA&issuer=y#:/../%2e%00", "x?secret=AAAA&issuer=y#"},
		{`"><script>alert(1)</script>`, "\u202egpj.exe\x00\r\nX: y", "\"><script>alert(1)</script>:\ufffdgpj.exe\ufffd  X  y", `"><script>alert(1)</script>`},
		{"Köln", "\xff", "Köln:\ufffd", "Köln"},
		{"", "", ":", ""},
	} {
		e, err := people.EnrolTOTP(c.issuer, c.account)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(e.URI.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/"+c.label || u.Fragment != "" ||
			q.Get("issuer") != c.shown || q.Get("secret") != e.Secret.Reveal() || len(q) != 2 || len(q["secret"]) != 1 {
			t.Errorf("%q of %q: %s", c.account, c.issuer, e.URI.Reveal())
		}
		if strings.Contains(e.URI.Reveal(), "+") {
			t.Errorf("a plus, which some apps show: %s", e.URI.Reveal())
		}
		if raw, err := base32.StdEncoding.DecodeString(e.Secret.Reveal()); err != nil || len(raw) != 20 {
			t.Errorf("the secret has %d bytes, %v", len(raw), err)
		}
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, e.Secret.Reveal()) || strings.Contains(text, "svg") {
			t.Errorf("printed %s", text)
		}
		// An app that is set up with it has the codes that are accepted.
		key, err := otp.NewKeyFromURL(e.URI.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(1796000000, 0)
		code, err := totp.GenerateCode(key.Secret(), now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := people.CheckTOTP(e.Secret, secret.New(code), 0, now); err != nil {
			t.Error(err)
		}
		checkSVG(t, e.QR.Reveal(), e.URI.Reveal())
	}
}

// checkSVG holds a picture to two elements that draw, and no text, and to the modules of
// the QR code of a URI with a border of four.
func checkSVG(t *testing.T, svg, uri string) {
	t.Helper()
	code, err := qr.Encode(uri, qr.M, qr.Unicode)
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[[2]int]bool{}
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)`).FindAllStringSubmatch(svg, -1) {
		var x, y, n int
		if _, err := fmt.Sscan(strings.Join(run[1:], " "), &x, &y, &n); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			drawn[[2]int{x + i - 4, y - 4}] = true
		}
	}
	for y := range code.Bounds().Dy() {
		for x := range code.Bounds().Dx() {
			at := [2]int{x, y}
			if drawn[at] != (code.At(x, y) == color.Black) {
				t.Fatalf("the module at %d, %d", x, y)
			}
			delete(drawn, at)
		}
	}
	if size := fmt.Sprintf(`viewBox="0 0 %d %[1]d"`, code.Bounds().Dx()+8); len(drawn) > 0 || !strings.Contains(svg, size) {
		t.Errorf("%d modules outside, in %.100s", len(drawn), svg)
	}
	var names []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			names = append(names, token.Name.Local)
			for _, a := range token.Attr {
				if a.Name.Local == "d" && !regexp.MustCompile(`^(M\d+ \d+h\d+v1h-\d+z)+$`).MatchString(a.Value) {
					t.Errorf("a path of %.60s", a.Value)
				}
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
					t.Errorf("the attribute %s", a.Name.Local)
				}
			}
		case xml.EndElement:
		default:
			t.Errorf("%T in the picture", token)
		}
	}
	if got := strings.Join(names, " "); got != "svg rect path" {
		t.Errorf("the picture has %s", got)
	}
}

// However long names are, the picture stays one that cameras read.
func TestEnrolmentsAreBounded(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"x", "ü", "😀", ":", " ", "\x00"} {
		long := strings.Repeat(letter, 1<<16)
		e, err := people.EnrolTOTP(long, long)
		if err != nil || len(e.URI.Reveal()) > 700 {
			t.Errorf("%q: %d bytes, %v", letter, len(e.URI.Reveal()), err)
		}
	}
}
