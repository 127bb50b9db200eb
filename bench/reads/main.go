// Command reads prints what a page of an organization's findings reads, of DynamoDB and of
// S3: after an upgrade, for a process that begins, when nothing changed, and after an audit.
// It counts what the drivers would ask for; a test holds that against the drivers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/results/index"
	"github.com/cloudarq/cloudarq/pkg/store"
)

func main() {
	sizes := flag.String("connections", "50,10000", "sizes of the organizations")
	findings := flag.Int("findings", 20, "findings of each connection")
	flag.Parse()
	if err := run(context.Background(), *sizes, *findings); err != nil {
		fmt.Fprintln(os.Stderr, "reads:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sizes string, findings int) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "connections\tpage\tDynamoDB: requests\tread units\tS3: read\twritten\ttime")
	for size := range strings.SplitSeq(sizes, ",") {
		connections, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		bill := &meter.Bill{}
		t, b := memtable.New(time.Now), memblob.New()
		e := estate{
			filled: t, table: meter.NewTable(t, bill), blobs: meter.NewBlobs(b, bill),
			took: func() (c cost) {
				units := bill.Take()
				c.units, c.gets, c.puts = units[meter.ReadUnits], units[meter.ObjectGets], units[meter.ObjectPuts]
				c.requests = units[meter.OwnCalls.Of(function)] - c.gets - c.puts
				return c
			},
		}
		pages, err := e.pages(meter.In(ctx, function), connections, findings)
		if err != nil {
			return err
		}
		for _, p := range pages {
			_, _ = fmt.Fprintf(out, "%d\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\n", connections, p.what, p.requests, p.units, p.gets, p.puts, p.time.Round(time.Millisecond/10))
		}
	}
	return out.Flush()
}

// function is who is counted.
const function = "api"

const organization model.OrganizationID = "acme"

// estate is an organization whose lists are read.
type estate struct {
	filled table.Table // that nobody counts
	table  table.Table
	blobs  blob.Store
	took   func() cost // since it was asked before
}

// cost is what was asked of the drivers.
type cost struct{ requests, units, gets, puts float64 }

type page struct {
	what string
	cost
	time time.Duration
}

func connectionOf(n int) model.ConnectionID { return model.ConnectionID(fmt.Sprintf("c%05d", n)) }

// fill writes connections with findings as a release without an index did.
func (e estate) fill(ctx context.Context, connections, findings int) error {
	records := store.New(e.filled, nil).For(organization)
	for n := range connections {
		account := strconv.Itoa(100_000_000_000 + n)
		c := model.Connection{ID: connectionOf(n), AccountID: account, State: model.ConnectionActive}
		if err := records.PutConnection(ctx, &c); err != nil {
			return err
		}
		record := store.Scope{Parts: 1, Try: 1}
		if err := records.PutScope(ctx, c.ID, "s3", &record); err != nil {
			return err
		}
		for i := range findings {
			ref := model.Ref{ARN: fmt.Sprintf("arn:aws:s3:::bucket-%d-of-%s", i, account), Account: account, Region: "eu-west-1"}
			f := model.Finding{
				ID: model.NewFindingID("s3-bucket-versioning", ref), Check: "s3-bucket-versioning", Service: "s3", Severity: model.Medium, State: model.FindingOpen,
				Connection: c.ID, Resource: ref, Reason: "Versioning is not enabled", History: []model.Event{},
			}
			if err := records.PutFinding(ctx, "s3", 1, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// pages are what is read, one after the other.
func (e estate) pages(ctx context.Context, connections, findings int) (all []page, err error) {
	if err := e.fill(context.WithoutCancel(context.Background()), connections, findings); err != nil {
		return nil, err
	}
	keepers := func() *index.Keepers {
		return &index.Keepers{Store: store.New(e.table, nil), Blobs: e.blobs, Now: time.Now}
	}
	first, second := keepers(), keepers()
	read := func(what string, by *index.Keepers) {
		if err != nil {
			return
		}
		e.took()
		began := time.Now()
		var v *index.View
		if v, err = by.For(organization).View(ctx); err != nil {
			return
		}
		all = append(all, page{what, e.took(), time.Since(began)})
		if v.Len() != connections*findings {
			err = fmt.Errorf("%s: %d findings, want %d", what, v.Len(), connections*findings)
		}
	}
	read("the first after an upgrade from a release without an index", first)
	read("the first of a process that begins", second)
	read("the next, when nothing changed", second)
	if err == nil {
		err = keepers().Renew(ctx, organization, connectionOf(0))
	}
	read("the first of anybody after an audit", first)
	read("the first of another process after it", second)
	return all, err
}
