package model

import (
	"fmt"
	"strings"
)

// OnceExpression is the schedule of a connection that is audited one time.
const OnceExpression = "once"

// Once reports whether the connection is audited one time, as soon as it can be.
func (s Schedule) Once() bool { return strings.TrimSpace(s.Expression) == OnceExpression }

// Reminder says of the one audit of an account that it is over, and that the role or
// the access key can go, in a sentence with the commands; forget is the one that
// deletes what is known of the account. It is empty for any other audit, and for one
// that told nothing of the account: it will be opened for another try.
func (a Audit) Reminder(forget string) string {
	if !a.Once || !a.State.Ended() || a.Summary == nil {
		return ""
	}
	way := "its role can be deleted now (in that account: aws cloudformation delete-stack --stack-name CloudArq)"
	if strings.Contains(a.CallerARN, ":user/") {
		way = "its access key can be deleted now (in that account: aws iam delete-access-key)"
	}
	return fmt.Sprintf("account %s is audited once, and its audit is %s: %s, and then all that is known of it (here: %s)", a.AccountID, a.State, way, forget)
}
