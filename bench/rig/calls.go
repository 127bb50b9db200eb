package rig

import (
	"fmt"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
)

// callsOf writes the calls to one region of an account into a ledger, and counts
// them with the time that their pace takes at least.
type callsOf struct {
	account *account
	to      ledger.Ledger
	region  string

	mu    sync.Mutex
	made  map[string]int // by service
	paced float64        // milliseconds
}

// pace is how fast a service is asked, in one region of one account: the rates of
// pkg/aws/client that are far from its default, and that.
func pace(service string) (perSecond float64, burst int) {
	switch service {
	case "route53", "apigateway", "organizations":
		return 5, 5
	case "cloudfront", "cloudtrail", "logs", "elb", "elbv2":
		return 10, 10
	case "iam", "lambda", "rds":
		return 15, 30
	case "s3":
		return 100, 200
	}
	return 20, 40
}

// wait counts how long a task is held back: as long as its slowest region is, since
// regions go on side by side.
func (a *account) wait(region float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if more := region - a.paced; more > 0 {
		a.paced = region
		a.estate.bill.Add(meter.PacedMillis.Of(Checker), more)
	}
}

func (c *callsOf) record(service, operation string) {
	c.mu.Lock()
	if c.made == nil {
		c.made = map[string]int{}
	}
	c.made[service]++
	made := c.made[service]
	if rate, burst := pace(service); made > burst {
		c.paced += 1000 / rate
	}
	paced := c.paced
	c.mu.Unlock()
	c.account.estate.bill.Add(meter.AWSCalls.Of(Checker), 1)
	c.account.wait(paced)
	c.to.Record(ledger.Entry{
		At: longAgo().Add(time.Duration(made) * 37 * time.Millisecond), Service: service, Operation: operation, Region: c.region, Outcome: "ok", Attempts: 1,
		DurationMS: 20 + float64(made%50), RequestID: fmt.Sprintf("%08x-5d8e-4c3b-9a2f-%012x", made*2654435761, made*40503),
	})
}
