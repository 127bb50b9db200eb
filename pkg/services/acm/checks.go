package acm

import (
	"fmt"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("acm-certificate-not-expired", model.High, notExpired),
		check.For("acm-certificate-valid-for-30-days", model.High, validFor30Days).With(notice),
		check.For("acm-certificate-renewal", model.Medium, renewal),
		check.For("acm-certificate-key-strength", model.High, keyStrength),
		check.For("acm-certificate-no-wildcard", model.Low, noWildcard),
		check.For("acm-certificate-issued", model.Low, issued).InAnyState(),
	}
}

var notice = check.NewNumber("days", "days", "For how many days more a certificate is valid, at least", 30, 1, 365)

func notExpired(e *check.Evidence, c Certificate) check.Verdict {
	d := check.Read(e, c.Detail)
	if d.Until == nil {
		return check.Inapplicable("the certificate was never issued")
	}
	day := d.Until.UTC().Format(time.DateOnly)
	return check.Must(e.Age(*d.Until) < 0, "the certificate is valid until "+day, "the certificate expired on "+day)
}

func validFor30Days(e *check.Evidence, c Certificate) check.Verdict {
	d := check.Read(e, c.Detail)
	switch {
	case d.Until == nil:
		return check.Inapplicable("the certificate was never issued")
	case e.Age(*d.Until) >= 0:
		return check.Inapplicable("the certificate has expired")
	}
	reason := "the certificate is valid until " + d.Until.UTC().Format(time.DateOnly)
	return check.Must(e.Age(*d.Until) <= -time.Duration(notice.Of(e))*24*time.Hour, reason, reason)
}

func renewal(e *check.Evidence, c Certificate) check.Verdict {
	d := check.Read(e, c.Detail)
	switch {
	case d.Type == "IMPORTED":
		return check.Inapplicable("ACM does not renew imported certificates")
	case d.Status != "ISSUED":
		return check.Inapplicable("the state of the certificate is " + d.Status)
	case !d.InUse:
		return check.Inapplicable("nothing uses the certificate")
	case d.Renewal == "INELIGIBLE":
		return check.Failed("ACM will not renew the certificate")
	}
	// https://docs.aws.amazon.com/acm/latest/APIReference/API_RenewalSummary.html, 29 November 2026.
	switch status := check.Read(e, c.RenewalStatus); status {
	case "", "PENDING_AUTO_RENEWAL", "SUCCESS":
		return check.Passed("ACM renews the certificate")
	case "FAILED":
		return check.Failed("the last renewal failed")
	case "PENDING_VALIDATION":
		return check.Failed("the renewal waits for the proof of who owns the domain")
	default:
		return check.Unfamiliar("renewal status", status)
	}
}

// strong are the key algorithms of ACM, and whether they resist today: RSA needs 2,048
// bits, an elliptic curve 224.
// https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateSummary.html, 29 November 2026;
// NIST SP 800-57 Part 1 Rev. 5, table 2.
var strong = map[string]bool{
	"RSA_1024": false, "RSA_2048": true, "RSA_3072": true, "RSA_4096": true,
	"EC_prime256v1": true, "EC_secp384r1": true, "EC_secp521r1": true,
}

func keyStrength(e *check.Evidence, c Certificate) check.Verdict {
	algorithm := check.Read(e, c.Detail).KeyAlgorithm
	if algorithm == "" {
		return check.Inapplicable("the certificate has no key yet")
	}
	resists, known := strong[algorithm]
	if !known {
		return check.Unfamiliar("key algorithm", algorithm)
	}
	return check.Must(resists, "the key is "+algorithm, "the key is only "+algorithm)
}

func noWildcard(e *check.Evidence, c Certificate) check.Verdict {
	for _, name := range check.Read(e, c.Detail).Names {
		if strings.HasPrefix(name, "*.") {
			return check.Failed("the certificate is for " + name)
		}
	}
	return check.Passed("the certificate names each host")
}

func issued(e *check.Evidence, c Certificate) check.Verdict {
	switch d := check.Read(e, c.Detail); d.Status {
	case "ISSUED":
		return check.Passed("the certificate is issued")
	case "PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED", "REVOKED":
		return check.Failed("the certificate is in state " + d.Status)
	case "INACTIVE", "EXPIRED":
		return check.Inapplicable("the certificate was issued, and its state is " + d.Status)
	default:
		return check.Unassessed(fact.Gap{Reason: fact.Failed, Detail: fmt.Sprintf("the state of the certificate is %q", d.Status)})
	}
}
