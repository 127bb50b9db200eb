package client

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// TestEveryOperationHasAQuota: what is called is paced by a quota that somebody looked
// up, or by one that says of itself that nobody did.
func TestEveryOperationHasAQuota(t *testing.T) {
	t.Parallel()
	used := map[Quota]bool{}
	for _, op := range policy.Operations() {
		service, operation, _ := strings.Cut(op.ID, ".")
		q, _, known := quotaOf(Quotas(), service, operation)
		if !known {
			t.Errorf("%s has no line in quotas.tsv", op.ID)
			continue
		}
		used[q] = true
		if got := NewLimiter(0).bucket("1", "eu-west-1", service, operation).limit(); got > q.Limit.PerSecond/2 {
			t.Errorf("%s is called %v times a second, of a quota of %v", op.ID, got, q.Limit.PerSecond)
		}
	}
	for _, q := range Quotas() {
		if !used[q] {
			t.Errorf("%s %s: no operation counts towards this quota", q.Service, q.Operation)
		}
		if _, err := time.Parse(time.DateOnly, q.Read); q.Source != "" && (err != nil || !strings.HasPrefix(q.Source, "https://docs.aws.amazon.com/")) {
			t.Errorf("%s %s: source %q, read %q", q.Service, q.Operation, q.Source, q.Read)
		}
		if q.Limit.PerSecond <= 0 || q.Limit.Burst < 1 {
			t.Errorf("%s %s: limit %+v", q.Service, q.Operation, q.Limit)
		}
	}
}

// TestShareOfQuotas: the share is what was asked for, and never more than all of it.
func TestShareOfQuotas(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]rate.Limit{0: 10, 0.1: 2, 0.5: 10, 1: 20, 1.5: 10, -1: 10} {
		if got := NewLimiter(share).bucket("1", "eu-west-1", "EC2", "DescribeVpcs").limit(); got != want {
			t.Errorf("share %v: %v a second, want %v", share, got, want)
		}
	}
}

// TestLeastTime is as long as the limiter makes the calls.
func TestLeastTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls []ledger.Entry
		l, start := NewLimiter(0), time.Now()
		for range 40 {
			for _, operation := range []string{"GetPolicy", "ListAliases", "ListFunctions"} {
				calls = append(calls, ledger.Entry{Service: "Lambda", Operation: operation, Region: "eu-west-1", Attempts: 1})
				done, err := l.wait(t.Context(), "1", "eu-west-1", "Lambda", operation)
				if err != nil {
					t.Fatal(err)
				}
				done()
			}
		}
		got, bucket := LeastTime(calls, DefaultShare)
		if took := time.Since(start); bucket != "Lambda in eu-west-1" || (got-took).Abs() > 200*time.Millisecond {
			t.Errorf("%s for %s; it took %s", got, bucket, took)
		}
	})
}

// TestWorkOfTheAccountGoesOn: an account whose own work takes a part of a quota while an
// audit makes as many calls as it may. AWS throttles whoever comes when the bucket is
// empty.
func TestWorkOfTheAccountGoesOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		work float64 // calls a second of the account's own, of the quota of 20
		want float64 // part of them that AWS takes
	}{
		"half":        {10, 0.999},
		"most of it":  {16, 0.99},
		"nearly all":  {19, 0.97},
		"nothing":     {0, 1},
		"half a call": {0.5, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				aws, random := rate.NewLimiter(20, 100), rand.New(rand.NewPCG(1, 2))
				l := NewLimiter(0)
				over := time.Now().Add(30 * time.Minute)
				audited := 0
				done := make(chan struct{})
				go func() {
					defer close(done)
					jitter := rand.New(rand.NewPCG(3, 4))
					for time.Now().Before(over) {
						release, err := l.wait(t.Context(), "1", "eu-west-1", "EC2", "DescribeVpcs")
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(time.Duration(jitter.ExpFloat64() * float64(10*time.Millisecond)))
						if aws.Allow() {
							audited++
						} else {
							l.bucket("1", "eu-west-1", "EC2", "DescribeVpcs").giveWay()
						}
						release()
					}
				}()
				own, taken := 0, 0
				for test.work > 0 && time.Now().Before(over) {
					time.Sleep(time.Duration(random.ExpFloat64() * float64(time.Second) / test.work))
					own++
					if aws.Allow() {
						taken++
					}
				}
				<-done
				if part := float64(taken) / float64(max(own, 1)); own > 0 && part < test.want {
					t.Errorf("of %d calls of the account's own AWS took %.4f, want %v; the audit made %d", own, part, test.want, audited)
				} else {
					t.Logf("own %.4f of %d; audit %d", part, own, audited)
				}
				if audited == 0 {
					t.Error("the audit got nothing")
				}
			})
		})
	}
}
