package serverless_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/lambdahost"
	"github.com/cloudarq/cloudarq/test/stack"
)

// verify asks whether a connection's account can be audited.
func (h *house) verify(c connection) (audit, connection) {
	h.t.Helper()
	var a audit
	if status := h.call(http.MethodPost, "/v1/connections/"+c.ID+"/verify", nil, nil, &a); status != http.StatusAccepted {
		h.t.Fatalf("verify: status %d", status)
	}
	a = h.wait(c, a.ID)
	var now connection
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID, nil, nil, &now); status != http.StatusOK {
		h.t.Fatalf("read connection: status %d", status)
	}
	return a, now
}

// TestVerify: a role that anybody could assume through CloudArq is refused.
func TestVerify(t *testing.T) {
	h := start(t, "verify", nil)
	account := newSmall(t, h.install, "777777777711")
	c := h.connect(account.Account, scope())
	if a, now := h.verify(c); a.State != "done" || now.State != "active" {
		t.Errorf("verification is %s: %v; connection is %s", a.State, a.Problems, now.State)
	}
	// The owner forgets the condition.
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + c.CheckerRole + `"}}]}`
	roles := iam.NewFromConfig(estate.Owner(h.emulator.URL, account.ID))
	if _, err := roles.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("CloudArqAuditRole"), PolicyDocument: &open}); err != nil {
		t.Fatal(err)
	}
	a, now := h.verify(c)
	if a.State != "failed" || now.State != "pending" || !strings.Contains(now.Reason, "trust_missing_external_id") || !strings.Contains(now.Reason, "sts:ExternalId") {
		t.Errorf("verification is %s: %v; connection is %s: %s", a.State, a.Problems, now.State, now.Reason)
	}
	if len(h.list(c)) != 0 {
		t.Error("a verification made findings")
	}
	if err := trust(t.Context(), h.emulator.URL, account.Account, c.CheckerRole, c.ExternalID); err != nil {
		t.Fatal(err)
	}
	if a, now = h.verify(c); a.State != "done" || now.State != "active" {
		t.Errorf("mended, the verification is %s: %v; connection is %s", a.State, a.Problems, now.State)
	}
}

// TestTrustIsLoosenedLater: the next audit refuses a role whose owner took its condition
// away, and leaves a finding, which goes when the role is mended.
func TestTrustIsLoosenedLater(t *testing.T) {
	h := start(t, "loosened", nil)
	account := newSmall(t, h.install, "777777777717")
	what := scope()
	what["services"] = []string{"kms", "cloudarq"}
	c := h.connect(account.Account, what)
	audited := func(key, want string) audit {
		t.Helper()
		a := h.wait(c, h.begin(c, key).ID)
		if a.State != want {
			t.Errorf("%s: the audit is %s: %v", key, a.State, a.Problems)
		}
		return a
	}
	open := func() bool {
		t.Helper()
		for _, f := range h.list(c) {
			if f.Check == "cloudarq-access-external-id" && f.State != "resolved" {
				return true
			}
		}
		return false
	}
	audited("closed", "done")
	loose := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + c.CheckerRole + `"}}]}`
	roles := iam.NewFromConfig(estate.Owner(h.emulator.URL, account.ID))
	if _, err := roles.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("CloudArqAuditRole"), PolicyDocument: &loose}); err != nil {
		t.Fatal(err)
	}
	a := audited("loosened", "failed")
	if !strings.Contains(strings.Join(a.Problems, " "), "trust_missing_external_id") || !open() {
		t.Errorf("loosened: %v, and the finding is open: %v", a.Problems, open())
	}
	var now connection
	if status := h.call(http.MethodGet, "/v1/connections/"+c.ID, nil, nil, &now); status != http.StatusOK || now.State != "pending" {
		t.Errorf("the connection is %s (%s), status %d", now.State, now.Reason, status)
	}
	if err := trust(t.Context(), h.emulator.URL, account.Account, c.CheckerRole, c.ExternalID); err != nil {
		t.Fatal(err)
	}
	audited("mended", "done")
	if open() {
		t.Error("mended, and the finding is open")
	}
}

// TestExternalIDRotates: while the ID is replaced, roles may ask for either.
func TestExternalIDRotates(t *testing.T) {
	h := start(t, "rotation", nil)
	account := newSmall(t, h.install, "777777777712")
	c := h.connect(account.Account, scope())
	state := func(what, want string) {
		t.Helper()
		if a, now := h.verify(c); now.State != want {
			t.Errorf("%s: connection is %s (%s), audit %s: %v", what, now.State, now.Reason, a.State, a.Problems)
		}
	}
	state("at first", "active")
	var next struct {
		ExternalID string `json:"external_id"`
	}
	rotate := map[string]string{"If-Match": h.tagOf("/v1/external-id")}
	if status := h.call(http.MethodPost, "/v1/external-id/rotate", rotate, nil, &next); status != http.StatusOK || next.ExternalID == c.ExternalID || next.ExternalID == "" {
		t.Fatalf("rotate: status %d", status)
	}
	if status := h.call(http.MethodPost, "/v1/external-id/rotate", rotate, nil, nil); status != http.StatusPreconditionFailed {
		t.Errorf("rotate again: status %d", status)
	}
	retire := func() int { return h.call(http.MethodPost, "/v1/external-id/retire", nil, nil, nil) }
	state("the role still asks for the old one", "active")
	if status := retire(); status != http.StatusConflict {
		t.Errorf("retire while it is in use: status %d", status)
	}
	if err := trust(t.Context(), h.emulator.URL, account.Account, c.CheckerRole, next.ExternalID); err != nil {
		t.Fatal(err)
	}
	state("the role asks for the new one", "active")
	if status := retire(); status != http.StatusNoContent {
		t.Errorf("retire: status %d", status)
	}
	state("the old one is retired", "active")
	if err := trust(t.Context(), h.emulator.URL, account.Account, c.CheckerRole, c.ExternalID); err != nil {
		t.Fatal(err)
	}
	state("the role asks for the retired one", "revoked")
}

// TestDelete: a deleted connection is hidden at once, and after its purge nothing
// in the table or the bucket speaks of it but the receipt.
func TestDelete(t *testing.T) {
	h := start(t, "delete", func(o *lambdahost.Options) {
		o.Environ["ApiFunction"] = map[string]string{"PURGE_AFTER": "1ms"}
	})
	account := newSmall(t, h.install, "777777777713")
	account.rotate(t, false)
	c := h.connect(account.Account, scope())
	if a := h.wait(c, h.begin(c, "one").ID); a.State != "done" || len(h.list(c)) == 0 {
		t.Fatalf("audit is %s: %v", a.State, a.Problems)
	}
	records, objects := h.traces(c)
	if records < 10 || objects < 5 {
		t.Fatalf("%d records and %d objects speak of the connection", records, objects)
	}
	status, body, err := h.request(http.MethodDelete, "/v1/connections/"+c.ID, map[string]string{"If-Match": h.tag(c)}, nil)
	if err != nil || status != http.StatusAccepted {
		t.Fatalf("delete: status %d, %s, %v", status, body, err)
	}
	for _, path := range []string{"", "/findings"} {
		if status := h.call(http.MethodGet, "/v1/connections/"+c.ID+path, nil, nil, nil); status != http.StatusNotFound {
			t.Errorf("GET %s of a deleted connection: status %d", path, status)
		}
	}
	for range 2 { // purging twice does no harm
		if _, err := h.Fire(t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
			t.Fatal(err)
		}
		h.idle()
	}
	var receipt struct {
		Records  int
		Objects  int
		PurgedAt time.Time `json:"purged_at"`
	}
	if status := h.call(http.MethodGet, "/v1/receipts/"+c.ID, nil, nil, &receipt); status != http.StatusOK || receipt.PurgedAt.IsZero() || receipt.Objects != objects || receipt.Records < 10 {
		t.Errorf("receipt %+v (status %d) of %d records and %d objects", receipt, status, records, objects)
	}
	if records, objects := h.traces(c); records != 2 || objects != 0 { // the receipt, and the request that made the connection, for a day
		t.Errorf("after the purge %d records and %d objects speak of the connection", records, objects)
	}
}

// tag is the ETag of a connection.
func (h *house) tag(c connection) string { return h.tagOf("/v1/connections/" + c.ID) }

// tagOf is the ETag of whatever is at a path.
func (h *house) tagOf(path string) string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.URL()+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := h.enter(r).Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.Header.Get("ETag")
}

// traces counts the records and objects in which a connection's id occurs, by
// looking at all there are.
func (h *house) traces(c connection) (records, objects int) {
	h.t.Helper()
	cfg := estate.Owner(h.emulator.URL, stack.Account)
	table := h.stack.Resources["Table"].ID
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(cfg), &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, item := range page.Items {
			if pk, _ := item["pk"].(*types.AttributeValueMemberS); pk != nil && strings.HasSuffix(pk.Value, "#ADMINLOG") {
				continue // which outlives what it speaks of
			}
			if strings.Contains(text(item), c.ID) {
				records++
			}
		}
	}
	bucket := h.stack.Resources["EvidenceBucket"].ID
	listing := sdks3.NewListObjectsV2Paginator(sdks3.NewFromConfig(cfg, func(o *sdks3.Options) { o.UsePathStyle = true }), &sdks3.ListObjectsV2Input{Bucket: &bucket})
	for listing.HasMorePages() {
		page, err := listing.NextPage(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, o := range page.Contents {
			if strings.Contains(aws.ToString(o.Key), c.ID) {
				objects++
			}
		}
	}
	return records, objects
}

// text is all that an item says.
func text(item map[string]types.AttributeValue) string {
	var b strings.Builder
	for _, v := range item {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			b.WriteString(v.Value + "\n")
		case *types.AttributeValueMemberB:
			b.Write(v.Value)
		default:
			data, _ := json.Marshal(v)
			b.Write(data)
		}
	}
	return b.String()
}
