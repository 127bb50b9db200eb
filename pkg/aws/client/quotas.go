package client

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
)

// Quota is how often AWS lets an account call one operation, or all of a service
// together, in a region: what it works with itself comes out of the same.
type Quota struct {
	Service   string // the SDK's id, "CloudWatch Logs"
	Operation string // empty for all of the service together, "*" for each one by itself
	Limit     Limit
	// Source is where AWS was seen to say so, and Read the day; where both are empty, the
	// limit is what we take it to be.
	Source, Read string
}

// Limit is how fast calls may go: a token bucket, as AWS's own are.
type Limit struct {
	PerSecond rate.Limit
	Burst     int
}

// share is a part of a limit, with at least one call at once.
func (l Limit) share(part float64) Limit {
	return Limit{l.PerSecond * rate.Limit(part), max(1, int(float64(l.Burst)*part))}
}

//go:embed quotas.tsv
var quotasTSV string

// Quotas are those of all operations that are called.
var Quotas = sync.OnceValue(func() []Quota {
	var all []Quota
	for line := range strings.Lines(quotasTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		perSecond, err := strconv.ParseFloat(f[2], 64)
		burst, err2 := strconv.Atoi(f[3])
		if err != nil || err2 != nil {
			panic(fmt.Sprintf("quotas.tsv: %q", line)) // a test reads the file
		}
		q := Quota{Service: f[0], Operation: f[1], Limit: Limit{rate.Limit(perSecond), burst}}
		if len(f) > 5 {
			q.Source, q.Read = f[4], f[5]
		}
		all = append(all, q)
	}
	return all
})

// LeastTime is how long calls take at a share of the quotas, whatever else does not hold
// them up, and the bucket that takes so long.
func LeastTime(calls []ledger.Entry, share float64) (longest time.Duration, bucket string) {
	limiter, counts, limits := NewLimiter(share), map[string]int{}, map[string]Limit{}
	for _, c := range calls {
		limit, name := limiter.rate(c.Service, c.Operation)
		name += " in " + c.Region
		counts[name] += max(1, c.Attempts)
		limits[name] = limit
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		l := limits[name]
		if takes := time.Duration(float64(counts[name]-l.Burst) / float64(l.PerSecond) * float64(time.Second)); takes > longest {
			longest, bucket = takes, name
		}
	}
	return longest, bucket
}

// quotaOf is the quota that an operation counts towards, and the name of its bucket.
func quotaOf(quotas []Quota, service, operation string) (q Quota, bucket string, known bool) {
	for _, q := range quotas {
		if q.Service != service {
			continue
		}
		switch q.Operation {
		case "":
			return q, service, true
		case "*", operation:
			return q, service + "." + operation, true
		}
	}
	return Quota{}, service, false
}
