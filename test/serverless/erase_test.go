package serverless_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/test/estate"
	"github.com/cloudarq/cloudarq/test/stack"
)

// TestDeletedOrganization: an organization that is deleted lets nobody in from then on, and
// when the deployed functions have purged it nothing in the table or the bucket has its id
// but the directory.
func TestDeletedOrganization(t *testing.T) {
	h := start(t, "leaving", nil)
	account := newSmall(t, h.install, "777777777752")
	c := h.connect(account.Account, scope())
	a := h.wait(c, h.begin(c, "first").ID)
	token := h.token().Reveal()
	path := h.operatorPath()
	if status := h.call(http.MethodDelete, path, nil, nil, nil); status != http.StatusPreconditionRequired {
		t.Errorf("without If-Match: status %d", status)
	}
	var o model.Organization
	if status := h.call(http.MethodDelete, path, map[string]string{"If-Match": h.tagOf(path)}, nil, &o); status != http.StatusAccepted || o.DeletedAt.IsZero() {
		t.Fatalf("status %d, %+v", status, o)
	}
	if status, said := h.as(token, http.MethodGet, "/v1/connections", nil, nil, nil); status != http.StatusUnauthorized || !strings.Contains(said, "organization_gone") {
		t.Errorf("whoever was let in: status %d, %s", status, said)
	}
	records := h.records().For("leaving")
	// The clock says later, when nothing can write about it any more: here nothing runs.
	audit, err := records.Audit(t.Context(), model.ConnectionID(c.ID), model.AuditID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	audit.EndedAt = audit.EndedAt.Add(-time.Hour)
	if err := records.PutAudit(t.Context(), &audit); err != nil {
		t.Fatal(err)
	}
	if err := records.PutPurge(t.Context(), "organization", time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Fire(t.Context(), "SchedulerFunctionEveryMinute", time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Idle(ctx); err != nil {
		t.Fatal(err)
	}
	if status := h.call(http.MethodGet, path, nil, nil, &o); status != http.StatusOK || o.PurgedAt.IsZero() {
		t.Errorf("status %d, %+v", status, o)
	}
	table := h.stack.Resources["Table"].ID
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(estate.Owner(h.emulator.URL, stack.Account)), &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			text := text(item)
			if strings.Contains(text, "leaving") && !strings.Contains(text, "D#ORGANIZATIONS") && !strings.Contains(text, "#LIMIT#") && !strings.Contains(text, "#ONCE#") {
				t.Errorf("left: %s", text)
			}
		}
	}
	if status := h.call(http.MethodPost, "/operator/v1/organizations", nil, map[string]string{"id": "leaving"}, nil); status != http.StatusConflict {
		t.Errorf("its id again: status %d", status)
	}
}
