package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/platform/table/tabletest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if helper() {
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, path string, o sqlite.Options) *sqlite.Table {
	t.Helper()
	tb, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tb.Close(); err != nil {
			t.Error(err)
		}
	})
	return tb
}

func TestConformance(t *testing.T) {
	tabletest.Run(t, func(t testing.TB, clock func() time.Time) table.Table {
		return open(t, filepath.Join(t.TempDir(), "sub", "t.db"), sqlite.Options{Clock: clock})
	})
}
