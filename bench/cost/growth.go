package main

import (
	"strings"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/pkg/platform/metrics"
)

// hours is how many hours of a day audits are under way and write custom metrics:
// few accounts are done in one, many are spread over the day.
func hours(accounts int) float64 {
	if accounts < 1000 {
		return 1
	}
	return 24
}

// customMetrics is what a month's custom metrics cost when they are written in so
// many hours of each day.
func (w *writer) customMetrics(hoursOfDay float64) float64 {
	return w.reckon(w.dollars("metric", float64(count(w.metered.Metrics))*hoursOfDay/24))
}

func count(byFunction map[string][]metrics.Name) int {
	n := 0
	for _, names := range byFunction {
		n += len(names)
	}
	return n
}

func (w *writer) growth() {
	w.f("## How it grows\n\n**With accounts.** Each of 1,000 resources, audited every day, 10 %% of it changed since the day before, in\n"+
		"dollars a month. Storage is given twice, after a month and after %.0f days, when the first evidence is removed:\n\n"+
		"| accounts | audits | fixed | custom metrics | the clock | storage, first month | storage, day %.0f | cents for an audit, all in |\n|--:|--:|--:|--:|--:|--:|--:|--:|\n",
		w.deployed.evidence, w.deployed.evidence)
	day := w.find(tenth)
	_, fixed, err := w.idle(w.idleAt(0))
	w.reckon(fixed, err)
	clockless := w.reckon(w.dollars(meter.ReadUnits, w.idleAt(0)[meter.ReadUnits]*minutesOfMonth))
	for _, n := range []int{1, 100, 10000} {
		audits := float64(n) * daysOfMonth
		spent := audits * w.cost(day)
		clock := w.reckon(w.dollars(meter.ReadUnits, w.idleAt(n)[meter.ReadUnits]*minutesOfMonth))
		custom := w.customMetrics(hours(n))
		early, late := audits*w.kept(day), float64(n)*w.deployed.evidence*w.kept(day)
		w.f("| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.3f |\n", thousands(float64(n)), spent, fixed-clockless, custom, clock, early, late,
			(spent+fixed-clockless+custom+clock)/audits*100)
	}
	w.f("\nAfter that only the audits themselves add to it: the oldest tasks go as well. The work of an audit does not\n" +
		"depend on how many others there are: `make fanout` starts 10,000 in an hour and finds the same work for each.\n\n")
	w.f("**With resources.** Calls, evidence and findings grow with them; messages, tasks and audit records do not:\n\n| resources | first | unchanged | 10 %% changed |\n|--:|--:|--:|--:|\n")
	for i := 0; i+2 < len(w.metered.Audits); i += 3 {
		three := w.metered.Audits[i : i+3]
		w.f("| %s | %s cents | %s cents | %s cents |\n", thousands(float64(three[0].Resources)), cents(w.cost(three[0])), cents(w.cost(three[1])), cents(w.cost(three[2])))
	}
	none, some, all := w.find(unchanged), w.find(tenth), w.find(first)
	w.f("\n**With changes**, of 1,000 resources: %s findings are written for none changed, %s write units in all; %s for 10 %%, %s write\n"+
		"units; %s in a first audit, %s write units.\n\n", thousands(float64(none.Written)), thousands(none.Work[meter.WriteUnits]),
		thousands(float64(some.Written)), thousands(some.Work[meter.WriteUnits]), thousands(float64(all.Written)), thousands(all.Work[meter.WriteUnits]))
}

// savings names what costs more than it has to.
func (w *writer) savings() {
	day := w.find(tenth)
	perGB := w.reckon(w.tableMonth())
	var names []string
	for _, function := range []string{"scheduler", "checker", "aggregator"} {
		for _, name := range w.metered.Metrics[function] {
			names = append(names, string(name))
		}
	}
	w.f("## What could cost less\n\n")
	w.f("- **The table keeps the tasks of audits as long as their evidence is kept**, %.0f days. A daily audit of 1,000 resources leaves %s KB\n"+
		"  there, and a GB costs $%.2f a month, with its recovery and %.0f daily backups. Nobody needs tasks of months ago but to look at\n"+
		"  their evidence and their calls: a shorter EvidenceRetentionDays makes both go sooner. Findings and audits stay.\n",
		w.deployed.evidence, kb(day.Work[meter.TableBytes]), perGB, w.deployed.backups)
	w.f("- **Custom metrics** cost $0.30 a month each for the hours in which they are written: %d of them (%s), $%.2f a month if all are\n"+
		"  written all the time, $%.2f if audits take an hour of each day.\n", len(names), strings.Join(names, ", "), w.customMetrics(24), w.customMetrics(1))
	w.f("- **Alarms** cost $0.10 a month for each metric that they look at, so putting several into one saves nothing.\n\n")
}

func (w *writer) assumptions() {
	w.f("## What is assumed\n\n")
	w.f("- **Time of functions**, which one process cannot show: a start of %.0f ms (`make size` measures 10 to 40) for every invocation of\n"+
		"  checker and aggregator, as if none were ever used again; %.0f ms for each call to DynamoDB, S3, SQS, SNS, EventBridge and KMS, one after the other; for each task %d calls to the\n"+
		"  account that wait for one another, of %.0f ms; all others %d at a time; what `pkg/aws/client/limits.go` holds them back; %.2f ms of a\n"+
		"  processor for each call and all that follows from it, which is what `make bench` measures, at the share that 1 GB has of one.\n",
		initSeconds*1000, ownCall*1000, chain, latency*1000, atOnce, perCall*1000)
	w.f("- **Calls to the account**: one listing of each type in each region, one description of each resource; of IAM, listings alone.\n" +
		"  Most calls cost the account nothing; S3's are requests of its buckets' owner, at the prices below.\n")
	w.f("- **Verdicts**: resources are set to random values, most switches to what is right. Of a real account fewer would fail.\n")
	w.f("- **SQS**: one receive, one change of its visibility and one delete for each message, as the batches are of one; %d polls of %d seconds at a time for each queue\n"+
		"  when nothing is in it, which is what Lambda is known to do, though AWS does not promise it.\n", pollers, pollSeconds)
	w.f("- **KMS**: one request for each task, as if no function knew the key yet. S3's bucket key and SNS's reuse of data keys make theirs\n" +
		"  too few to count.\n")
	w.f("- **Logs**: %d bytes for each invocation besides the metrics. X-Ray is off.\n", meter.LinesOfInvocation)
	w.f("- **Left out**: the API's requests, of which a thousand cost %s cents (the gateway, and its function for %.0f ms) besides what they\n"+
		"  read; e-mail, data that leaves the region, the logs' storage, which is less than a tenth of what taking them in costs.\n\n",
		cents(1000*w.apiRequest()), apiSeconds*1000)
}

// apiSeconds is how long the API's function takes for a request.
const apiSeconds = 0.05

// apiRequest is what a request to the API costs.
func (w *writer) apiRequest() float64 {
	return w.reckon(w.dollars("api.request", 1)) + w.reckon(w.dollars("lambda.request", 1)) +
		w.reckon(w.dollars("lambda.gb_second", apiSeconds*w.deployed.memory["ApiFunction"]))
}

func (w *writer) pricePage() {
	w.f("## Prices\n\nus-east-1, November 2026. \"AWS\": AWS's own page says so as text; \"others\": it stands in a table there that could\n" +
		"not be read, and others' lists of 2025 and 2026 agree on it.\n\n| service | what | price | source | confirmed by |\n|---|---|--:|---|---|\n")
	for _, p := range w.prices {
		w.f("| %s | %s | %s | <%s> | %s |\n", p.service, p.what, p.list, p.source, p.seen)
	}
}
