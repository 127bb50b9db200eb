package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/pkg/api"
)

// TestDenied has AWS deny the installation itself what a request takes: who asks hears which
// action is missing and who denies it, and nothing else of the message.
func TestDenied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		service, operation, code, message string
		actions                           []string
		by                                string
	}{
		"by its role": {
			"KMS", "GenerateDataKey", "AccessDeniedException",
			"User: arn:aws:sts::111122223333:assumed-role/cloudarq-api/f is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:111122223333:key/k because no identity-based policy allows the kms:GenerateDataKey action",
			[]string{"kms:GenerateDataKey"},
			"denied",
		},
		"by the organization": {
			"DynamoDB", "PutItem", "AccessDeniedException",
			"User: arn:aws:sts::111122223333:assumed-role/cloudarq-api/f is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:111122223333:table/t with an explicit deny in a service control policy",
			[]string{"dynamodb:PutItem"},
			"scp_denied",
		},
		"by the key": {
			"KMS", "Decrypt", "AccessDeniedException",
			"User: arn:aws:sts::111122223333:assumed-role/cloudarq-api/f is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/k because no resource-based policy allows the kms:Decrypt action",
			[]string{"kms:Decrypt"},
			"resource",
		},
		"without a word": {"S3", "PutObject", "AccessDenied", "Access Denied", []string{"s3:PutObject"}, "denied"},
		"hostile":        {"DynamoDB", "PutItem", "AccessDenied", "not authorized to perform: <b>x</b>\x1b[2J", []string{"dynamodb:PutItem"}, "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.people.token(t, "default", "operator")
			s.table.by = fmt.Errorf("write: %w", &smithy.OperationError{ServiceID: c.service, OperationName: c.operation, Err: &smithy.GenericAPIError{Code: c.code, Message: c.message}})
			s.table.fails = "#PROJECT"
			w := s.call(http.MethodPost, "/v1/projects", nil, map[string]any{"name": "shop"})
			p := decode[api.Problem](t, w)
			if w.Code != http.StatusInternalServerError || p.Code != "installation_denied" || !slices.Equal(p.MissingActions, c.actions) || p.DeniedBy != c.by {
				t.Errorf("status %d, %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "111122223333") || strings.Contains(w.Body.String(), "<b>") || strings.ContainsRune(w.Body.String(), 0x1b) {
				t.Errorf("tells %s", w.Body)
			}
			for _, action := range c.actions {
				if !strings.Contains(p.Detail, action) {
					t.Errorf("says %q", p.Detail)
				}
			}
			if !strings.Contains(s.log.String(), "AWS denies this installation a call") {
				t.Errorf("logs %s", s.log)
			}
		})
	}
}
