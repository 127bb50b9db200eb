package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/bench/meter"
	"github.com/cloudarq/cloudarq/bench/rig"
)

var root = filepath.Join("..", "..")

func TestPageIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := render(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, pagePath))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is stale; run make generate (-want +got):\n%s", pagePath, d)
	}
}

// drift is how far the work of an audit may move from what is recorded: the order
// of lines in a file, and with it their compressed size, is not always the same.
const drift = 0.1

// TestRecordingIsCurrent meters an audit of 1,000 resources again.
func TestRecordingIsCurrent(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root, meteredPath))
	if err != nil {
		t.Fatal(err)
	}
	var recorded recording
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(recorded.Audits, func(a audit) bool { return a.Resources == 1000 })
	if at < 0 {
		t.Fatal("no audit of 1,000 resources is recorded")
	}
	r, err := rig.New(t.Context(), rig.Options{Connections: 1, Organizations: 1, Regions: recorded.Audits[at].Regions, Resources: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, was := range recorded.Audits[at : at+3] {
		now, err := meterAudit(t.Context(), r, was.Changed)
		if err != nil {
			t.Fatal(err)
		}
		for u, n := range was.Work {
			if is := now.Work[u]; is < n*(1-drift) || is > n*(1+drift) {
				t.Errorf("%s audit: %s is %.1f, recorded are %.1f; run make cost", change(was.Changed), u, is, n)
			}
		}
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	prices, err := readPrices(filepath.Join(root, pricesPath))
	if err != nil {
		t.Fatal(err)
	}
	deployed, err := readTemplate(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m := model{prices, deployed}
	lines, total, err := m.bill(map[meter.Unit]float64{meter.WriteUnits: 1e6, meter.ReadUnits: 1e6, meter.ObjectPuts: 1000})
	if err != nil {
		t.Fatal(err)
	}
	want := []line{{"Lambda", 0}, {"DynamoDB", 0.75}, {"S3", 0.005}, {"SQS", 0}, {"SNS", 0}, {"EventBridge", 0}, {"KMS", 0}, {"CloudWatch", 0}}
	if d := cmp.Diff(want, lines, cmp.AllowUnexported(line{})); d != "" || total != 0.755 {
		t.Errorf("bill of %v (-want +got):\n%s", total, d)
	}
}
