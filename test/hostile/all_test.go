//go:build hostile

package hostile_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/test/hostile"
)

// TestAllClasses is TestHostileAudits with every class, those too that the engine cannot
// take yet: evidence that is too large for a record, alerts that are too large or have a
// character that SNS refuses. When it passes, pending is empty and this file goes.
func TestAllClasses(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) { hostileAudits(rt, root, hostile.Classes()) })
}

// Each of them alone, so that it is seen which are left.
func TestPendingClasses(t *testing.T) {
	for _, class := range pending {
		t.Run(class.String(), func(t *testing.T) {
			root := t.TempDir()
			rapid.Check(t, func(rt *rapid.T) { hostileAudits(rt, root, []hostile.Class{class}) })
		})
	}
}
