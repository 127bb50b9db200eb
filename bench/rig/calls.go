package rig

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/pkg/aws/client"
	"github.com/cloudarq/cloudarq/pkg/aws/ledger"
	"github.com/cloudarq/cloudarq/pkg/services/collectors"
)

// callsOf writes the calls to one region of an account into a ledger, and counts
// them with the time that their pace takes at least.
type callsOf struct {
	account *account
	to      ledger.Ledger
	region  string

	mu    sync.Mutex
	made  map[string]int // by service and what
	paced float64        // milliseconds
}

// pace is how fast a service is asked, in one region of one account: as fast as the
// deployment asks the slowest of its operations that list, or of the others. What is
// synthetic here has no more names of operations than these two.
var pace = sync.OnceValue(func() map[string]client.Limit {
	limits := client.NewLimiter(0)
	all := map[string]client.Limit{}
	for service, spec := range collectors.ByService() {
		for _, w := range spec.Walks {
			for _, id := range w.Operations {
				sdk, operation, _ := strings.Cut(id, ".")
				limit := limits.Rate(sdk, operation)
				name := service + "." + what(operation)
				if slowest, ok := all[name]; !ok || limit.PerSecond < slowest.PerSecond {
					all[name] = limit
				}
			}
		}
	}
	return all
})

func what(operation string) string {
	if strings.HasPrefix(operation, "List") {
		return "List"
	}
	return "Describe"
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
	name := service + "." + what(operation)
	c.made[name]++
	made := c.made[name]
	if limit, ok := pace()[name]; ok && made > limit.Burst {
		c.paced += 1000 / float64(limit.PerSecond)
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
