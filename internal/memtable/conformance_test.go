package memtable_test

import (
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/tabletest"
)

func TestConformance(t *testing.T) {
	tabletest.Run(t, func(_ testing.TB, clock func() time.Time) table.Table { return memtable.New(clock) })
}
