package acm_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/acm"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
)

// certificate is one that ACM issued and something uses, changed as a case needs.
func certificate(change func(*acm.Detail)) acm.Certificate {
	d := acm.Detail{
		Status: "ISSUED", Type: "AMAZON_ISSUED", Names: []string{"www.example.com"}, KeyAlgorithm: "RSA_2048", InUse: true,
		Until: in(200), Renewal: "ELIGIBLE",
	}
	if change != nil {
		change(&d)
	}
	return acm.Certificate{Resource: checktest.Ref("acm", "certificate/1"), Detail: fact.Known(d), RenewalStatus: fact.Known("SUCCESS")}
}

func in(days int) *time.Time {
	day := checktest.Now.AddDate(0, 0, days)
	return &day
}

func until(days int) acm.Certificate { return certificate(func(d *acm.Detail) { d.Until = in(days) }) }

func state(status string) acm.Certificate {
	return certificate(func(d *acm.Detail) { d.Status, d.Until, d.KeyAlgorithm = status, nil, "" })
}

func renewed(status string) acm.Certificate {
	c := certificate(nil)
	c.RenewalStatus = fact.Known(status)
	return c
}

func TestChecks(t *testing.T) {
	t.Parallel()
	good := certificate(nil)
	imported := certificate(func(d *acm.Detail) { d.Type, d.Renewal = "IMPORTED", "INELIGIBLE" })
	imported.RenewalStatus = fact.Of[string]{}
	pending := state("PENDING_VALIDATION")
	names := func(names ...string) acm.Certificate { return certificate(func(d *acm.Detail) { d.Names = names }) }

	checktest.Run(t, acm.Service(), checktest.Table{
		"acm-certificate-not-expired": {
			{Name: "valid", Resource: good, Want: check.Pass},
			{Name: "one day left", Resource: until(1), Want: check.Pass},
			{Name: "expired", Resource: until(-1), Want: check.Fail},
			{Name: "not issued", Resource: pending, Want: check.NotApplicable},
		},
		"acm-certificate-valid-for-30-days": {
			{Name: "valid", Resource: good, Want: check.Pass},
			{Name: "30 days left", Resource: until(30), Want: check.Pass},
			{Name: "29 days left", Resource: until(29), Want: check.Fail},
			{Name: "expired", Resource: until(-1), Want: check.NotApplicable},
			{Name: "not issued", Resource: pending, Want: check.NotApplicable},
		},
		"acm-certificate-renewal": {
			{Name: "renewed", Resource: good, Want: check.Pass},
			{Name: "not yet", Resource: renewed(""), Want: check.Pass},
			{Name: "failed", Resource: renewed("FAILED"), Want: check.Fail},
			{Name: "waits", Resource: renewed("PENDING_VALIDATION"), Want: check.Fail},
			{Name: "renewed by a word of tomorrow", Resource: renewed("PENDING_REVIEW"), Want: check.NotAssessed},
			{Name: "ineligible", Resource: certificate(func(d *acm.Detail) { d.Renewal = "INELIGIBLE" }), Want: check.Fail},
			{Name: "unused", Resource: certificate(func(d *acm.Detail) { d.InUse, d.Renewal = false, "INELIGIBLE" }), Want: check.NotApplicable},
			{Name: "imported", Resource: imported, Want: check.NotApplicable},
			{Name: "not issued", Resource: pending, Want: check.NotApplicable},
		},
		"acm-certificate-key-strength": {
			{Name: "RSA 2048", Resource: good, Want: check.Pass},
			{Name: "EC 256", Resource: certificate(func(d *acm.Detail) { d.KeyAlgorithm = "EC_prime256v1" }), Want: check.Pass},
			{Name: "RSA 1024", Resource: certificate(func(d *acm.Detail) { d.KeyAlgorithm = "RSA_1024" }), Want: check.Fail},
			{Name: "an algorithm of tomorrow", Resource: certificate(func(d *acm.Detail) { d.KeyAlgorithm = "ML_DSA_44" }), Want: check.NotAssessed},
			{Name: "none", Resource: pending, Want: check.NotApplicable},
		},
		"acm-certificate-no-wildcard": {
			{Name: "a host", Resource: good, Want: check.Pass},
			{Name: "wildcard", Resource: names("*.example.com"), Want: check.Fail},
			{Name: "among others", Resource: names("example.com", "*.example.com"), Want: check.Fail},
		},
		"acm-certificate-issued": {
			{Name: "issued", Resource: good, Want: check.Pass},
			{Name: "pending", Resource: pending, Want: check.Fail},
			{Name: "timed out", Resource: state("VALIDATION_TIMED_OUT"), Want: check.Fail},
			{Name: "failed", Resource: state("FAILED"), Want: check.Fail},
			{Name: "revoked", Resource: state("REVOKED"), Want: check.Fail},
			{Name: "expired", Resource: state("EXPIRED"), Want: check.NotApplicable},
		},
	})
}
