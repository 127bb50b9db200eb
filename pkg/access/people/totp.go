package people

import (
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// What one-time codes are like: the defaults of RFC 6238, the only ones that all apps know.
const (
	totpDigits = 6
	totpStep   = 30 * time.Second
	totpDrift  = 1  // steps that a clock may be off, each way (section 5.2)
	totpSecret = 20 // bytes: as long as SHA-1 is (RFC 4226, section 4, R6)
)

// Why a code is not accepted; compare with errors.Is.
var (
	ErrCode     = errors.New("the code is wrong")
	ErrCodeUsed = errors.New("the code, or a later one, was used already; wait for the next")
	// ErrTOTPSecret says that what is stored for a secret is none.
	ErrTOTPSecret = errors.New("no TOTP secret")
)

// Enrolment is what an app is set up with. All of it is shown once, and only Secret is
// kept, sealed; it counts from when a code has shown that the app has it.
type Enrolment struct {
	Secret secret.String // base32, to be typed if there is no camera
	URI    secret.String // otpauth://
	QR     secret.String // of the URI: an SVG element, to stand within a page
}

// EnrolTOTP makes a secret for an account of an issuer. Both are names that the app shows;
// they may be anything.
func EnrolTOTP(issuer, account string) (Enrolment, error) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random(totpSecret))
	uri := totpURI(text, totpName(issuer), totpName(account))
	picture, err := qrSVG(uri)
	if err != nil {
		return Enrolment{}, fmt.Errorf("draw the QR code of a TOTP secret: %w", err)
	}
	return Enrolment{Secret: secret.New(text), URI: secret.New(uri), QR: secret.New(picture)}, nil
}

// maxTOTPName is how many bytes a name has in a QR code: those with more are so dense that
// cameras fail.
const maxTOTPName = 64

// totpName is a name as a label may have it: one line, and no colon, which parts issuer and
// account.
func totpName(name string) string {
	return strings.TrimSpace(model.Cut(strings.ReplaceAll(name, ":", " "), maxTOTPName))
}

// totpURI is in the key URI format
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format, read on 30 November
// 2026). What is left out there has the defaults; some apps ignore it, if it is said.
func totpURI(secret, issuer, account string) string {
	// Blanks are %20: not all apps know the plus of forms.
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	return "otpauth://totp/" + escape(issuer) + ":" + escape(account) + "?secret=" + secret + "&issuer=" + escape(issuer)
}

// qrSVG draws a QR code as one path, black on white whatever the page is like. Nothing of
// the text stands in it but its modules.
func qrSVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode) // M is the level that screens are read at
	if err != nil {
		return "", err
	}
	const quiet = 4 // modules around it, at least (ISO/IEC 18004, 9.1)
	n := code.Bounds().Dx()
	dark := func(x, y int) bool {
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %[1]d" role="img" aria-label="QR code" shape-rendering="crispEdges">`, n+2*quiet)
	b.WriteString(`<rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="`)
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n && dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%[3]dz", from+quiet, y+quiet, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}

// CheckTOTP checks a code that somebody typed at a moment, and gives the step that it
// belongs to. That is to be stored before anything is granted, by a write that fails if
// somebody else has stored one meanwhile: a code is good for one use, and with it all
// before it. last is what was stored; 0 if there is none yet.
//
// A code is good for its own step, the one before and the one after. The answer is
// ErrCode, ErrCodeUsed, or ErrTOTPSecret, and takes the same time whichever digits are
// right.
func CheckTOTP(key secret.String, code secret.String, last int64, now time.Time) (step int64, err error) {
	typed := []byte(strings.ReplaceAll(code.Reveal(), " ", "")) // apps show 123 456
	current := now.Unix() / int64(totpStep/time.Second)
	var matched int64
	// To the latest of the steps that the code belongs to: it may belong to two, and must
	// not be good again for the other one.
	for s := max(current-totpDrift, 1); s <= current+totpDrift; s++ {
		want, err := hotp.GenerateCodeCustom(key.Reveal(), uint64(s), hotp.ValidateOpts{Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil || key.Empty() {
			return 0, ErrTOTPSecret // and not the library's, which may quote it
		}
		if subtle.ConstantTimeCompare(typed, []byte(want)) == 1 {
			matched = s
		}
	}
	switch {
	case matched == 0:
		return 0, ErrCode
	case matched <= last:
		return 0, ErrCodeUsed
	default:
		return matched, nil
	}
}
