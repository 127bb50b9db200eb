package client

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// TestNothingGoesInTheClear: an endpoint that would be called over plain HTTP is not,
// not even through a proxy that could be reached, whoever names it.
func TestNothingGoesInTheClear(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r.Method+" "+r.URL.String()+" "+string(body))
	}))
	t.Cleanup(proxy.Close)
	serve(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTP_PROXY", proxy.URL)
	for name, endpoint := range map[string]string{"AWS_ENDPOINT_URL": "http://elsewhere.test", "AWS_ENDPOINT_URL_STS": "http://sts.amazonaws.com"} {
		t.Setenv("AWS_ENDPOINT_URL", "")
		t.Setenv(name, endpoint)
		target := Target{RoleARN: "arn:aws:iam::111122223333:role/audit", ExternalID: secret.New("external-id-0123456789"), SessionName: "x"}
		for what, open := range map[string]func() error{
			"open": func() error {
				_, err := New(Options{MaxAttempts: 1}).Open(t.Context(), target, &ledger.Memory{})
				return err
			},
			"assume": func() error {
				_, err := New(Options{MaxAttempts: 1}).CanAssume(t.Context(), target, &ledger.Memory{})
				return err
			},
			"own": func() error {
				cfg, err := Own(t.Context(), "test")
				if err != nil {
					return err
				}
				_, err = Identify(t.Context(), cfg)
				return err
			},
		} {
			if err := open(); err == nil || !strings.Contains(err.Error(), "plain HTTP") {
				t.Errorf("%s by %s: %v", what, name, err)
			}
		}
	}
	if len(heard) > 0 {
		t.Errorf("in the clear: %q", heard)
	}
}

// TestWhereRequestsMayGo is by address: what is not AWS's is told once.
func TestWhereRequestsMayGo(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct{ refused, told bool }{
		"https://s3.eu-west-1.amazonaws.com/":                 {},
		"https://bucket.s3.eu-west-1.amazonaws.com/":          {},
		"https://sts.cn-north-1.amazonaws.com.cn/":            {},
		"https://lambda.eusc-de-east-1.amazonaws.eu/":         {},
		"https://s3.dualstack.eu-west-1.api.aws/":             {},
		"https://sts.us-iso-east-1.c2s.ic.gov/":               {},
		"http://169.254.169.254/latest/meta-data/":            {},
		"http://169.254.170.2/v2/credentials":                 {},
		"http://[fd00:ec2::23]/v1/credentials":                {},
		"http://127.0.0.1:4566/":                              {told: true},
		"http://localhost:4566/":                              {told: true},
		"http://[::1]:4566/":                                  {told: true},
		"https://amazonaws.com.evil.test/":                    {told: true},
		"https://evilamazonaws.com/":                          {told: true},
		"https://10.0.0.1/":                                   {told: true},
		"http://10.0.0.1/":                                    {refused: true},
		"http://169.254.1.1/":                                 {refused: true},
		"http://s3.eu-west-1.amazonaws.com/":                  {refused: true},
		"http://127.0.0.1.evil.test/":                         {refused: true},
		"ftp://s3.eu-west-1.amazonaws.com/":                   {refused: true},
		"https://d-1234567890.execute-api.evil.test/v1":       {told: true},
		"https://oidc.eu-west-1.amazonaws.com/token":          {},
		"https://eu-west-1.signin.aws.amazon.com/v1/token":    {},
		"http://vpce-1.sts.eu-west-1.vpce.amazonaws.com/":     {refused: true},
		"https://vpce-1-x.sts.eu-west-1.vpce.amazonaws.com/x": {},
	} {
		var told []string
		r := &route{elsewhere: func(host string) { told = append(told, host) }}
		req := httptest.NewRequest(http.MethodGet, url, nil)
		_, err := r.choose(req)
		_, _ = r.choose(req)
		if (err != nil) != want.refused || len(told) > 1 || (len(told) == 1) != want.told || want.told && !slices.Contains(told, req.URL.Host) {
			t.Errorf("%s: %v, told %q", url, err, told)
		}
	}
}
