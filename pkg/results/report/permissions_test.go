package report_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func TestPermissionsText(t *testing.T) {
	t.Parallel()
	const role, user = "arn:aws:sts::111122223333:assumed-role/CloudArqAuditRole/x", "arn:aws:iam::111122223333:user/auditor"
	for want, p := range map[string]model.Permissions{
		"the role allows 139 of the 140 actions that are needed, by version 20261125b of the published policy": {
			Principal: role, Needed: 140, Missing: make([]model.MissingAction, 1), Version: "20261125b",
		},
		"the user allows 5 of the 5 actions that are needed; 2 reads more than those; beyond reading (writes, data or credentials): 1 action": {
			Principal: user, Needed: 5, Unused: model.Actions{Count: 2}, Excess: model.Actions{Count: 1},
		},
		"what the role allows could not be read (denied: iam:GetAccountAuthorizationDetails); audits will show what is missing": {
			Principal: role, Needed: 5, Unread: "denied: iam:GetAccountAuthorizationDetails",
		},
	} {
		if got := report.PermissionsText(p); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
