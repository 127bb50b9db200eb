package serverless_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// TestAlertsAndSchedule audits two accounts, one by the API and one by the clock,
// and hears only what it subscribed to.
func TestAlertsAndSchedule(t *testing.T) {
	h := start(t, "alerts", nil)
	accounts := []*small{newSmall(t, h.install, "555555555501"), newSmall(t, h.install, "555555555502")}
	everything := subscribe(t, h.install, "alerts-all", `{"organization":["alerts"]}`)
	medium := subscribe(t, h.install, "alerts-medium", `{"organization":["alerts"],"severity":["medium"],"change":["new","reopened"]}`)
	first := subscribe(t, h.install, "alerts-first", `{"organization":["alerts"],"account":["555555555501"],"kind":["finding"]}`)
	var connections []connection
	for _, account := range accounts {
		account.rotate(t, true)
		connections = append(connections, h.connect(account.Account, scope()))
	}
	a := h.wait(connections[0], h.begin(connections[0], "a").ID)
	h.due(connections[1])
	b := h.wait(connections[1], h.latest(connections[1]).ID)
	if a.State != "done" || b.State != "done" {
		t.Fatalf("audits are %s, %s", a.State, b.State)
	}
	// What a first audit finds is no news: one message says how it ended.
	if got := words(everything.empty(t)); !slices.Equal(got, []string{"audit finished", "audit finished"}) {
		t.Errorf("alerts of two first audits: %v", got)
	}
	for i, account := range accounts {
		account.rotate(t, false)
		h.wait(connections[i], h.begin(connections[i], fmt.Sprint("second ", i)).ID)
	}
	want := []string{"audit finished", "audit finished", "finding new kms-key-rotation", "finding new kms-key-rotation"}
	if d := cmp.Diff(want, words(everything.empty(t))); d != "" {
		t.Errorf("alerts (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"finding new kms-key-rotation", "finding new kms-key-rotation"}, words(medium.empty(t))); d != "" {
		t.Errorf("alerts of medium severity (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"finding new kms-key-rotation"}, words(first.empty(t))); d != "" {
		t.Errorf("alerts of the first account (-want +got):\n%s", d)
	}
	// Nothing changed, nothing said but that it is over; and no finding written.
	before := len(h.Calls())
	h.wait(connections[0], h.begin(connections[0], "third").ID)
	if got := words(everything.empty(t)); !slices.Equal(got, []string{"audit finished"}) {
		t.Errorf("alerts of an audit without changes: %v", got)
	}
	// Results that come in at the same moment may all find that they were the last, and all
	// close: each stores the evidence of the rules over the account.
	stored := map[string]bool{}
	for _, c := range h.Calls()[before:] {
		if c.Function == "AggregatorFunction" && c.Is("s3", "PutObject") && !strings.Contains(c.Resource, "/index/") { // which who ends an audit writes
			stored[c.Resource] = true
			if !strings.Contains(c.Resource, "/service=across.") {
				t.Errorf("an audit without changes stored %s in the aggregator", c.Resource)
			}
		}
	}
	if len(stored) == 0 {
		t.Error("an audit without changes stored no evidence of the rules over the account")
	}
}

// TestDuplicatesAndDisorder delivers every message twice and in random order,
// and results of an older audit after those of a newer one.
func TestDuplicatesAndDisorder(t *testing.T) {
	run := func(organization, id string, change func(*lambdahost.Options)) (map[string]found, []string, []string) {
		h := start(t, organization, change)
		account := newSmall(t, h.install, id)
		mail := subscribe(t, h.install, organization, fmt.Sprintf(`{"organization":[%q]}`, organization))
		c := h.connect(account.Account, scope())
		var says []string
		for i, rotating := range []bool{true, false, true, false} {
			account.rotate(t, rotating)
			a := h.wait(c, h.begin(c, fmt.Sprint(i)).ID)
			says = append(says, a.State+" "+score(t, a))
			if i == 2 && change != nil {
				h.repeatResults(c)
			}
		}
		letters := mail.empty(t)
		ids := map[string]bool{}
		for _, l := range letters {
			if ids[l.ID] {
				t.Errorf("%s: alert %s came twice", organization, l.words())
			}
			ids[l.ID] = true
		}
		return h.list(c), says, words(letters)
	}
	findings, says, alerts := run("orderly", "666666666601", nil)
	if len(alerts) != 7 {
		t.Fatalf("alerts %v", alerts)
	}
	gotFindings, gotSays, gotAlerts := run("disorder", "666666666602", func(o *lambdahost.Options) {
		o.Duplicate, o.Shuffle = true, 7
	})
	if d := cmp.Diff(says, gotSays); d != "" {
		t.Errorf("audits (-orderly +disorder):\n%s", d)
	}
	if d := cmp.Diff(alerts, gotAlerts); d != "" {
		t.Errorf("alerts (-orderly +disorder):\n%s", d)
	}
	if d := cmp.Diff(states(findings), states(gotFindings)); d != "" {
		t.Errorf("findings (-orderly +disorder):\n%s", d)
	}
}

// states are the checks of findings with what became of them: two accounts can
// share no more.
func states(all map[string]found) []string {
	var out []string
	for f := range maps.Values(all) {
		out = append(out, f.Check+" "+f.State)
	}
	slices.Sort(out)
	return out
}

// repeatResults sends the results of all audits of a connection again.
func (h *house) repeatResults(c connection) {
	h.t.Helper()
	var page struct{ Audits []audit }
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits", nil, nil, &page); status != http.StatusOK {
		h.t.Fatalf("list audits: status %d", status)
	}
	client := sqs.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account))
	url := h.stack.Resources["ResultsQueue"].ID
	for _, a := range page.Audits {
		var whole struct{ Services []string } // which lists leave out
		if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+"/audits/"+a.ID, nil, nil, &whole); status != http.StatusOK || len(whole.Services) == 0 {
			h.t.Fatalf("read audit %s: status %d, services %v", a.ID, status, whole.Services)
		}
		for _, task := range append(whole.Services, "connect") {
			body := fmt.Sprintf(`{"kind":"result","v":1,"org":%q,"connection":%q,"audit":%q,"task":%q}`, h.organization, c.ID, a.ID, task)
			if _, err := client.SendMessage(h.t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(body)}); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	ctx, cancel := contextWithin(h.t, time.Minute)
	defer cancel()
	if err := h.Idle(ctx); err != nil {
		h.t.Fatal(err)
	}
}
