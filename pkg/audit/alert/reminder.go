package alert

import "github.com/cloudarq/cloudarq/pkg/model"

// Reminder is what the API and the alert say after the one audit of an account that
// is audited once; see model.Audit.Reminder.
func Reminder(audit model.Audit) string {
	return audit.Reminder("DELETE /v1/connections/" + string(audit.Connection))
}
