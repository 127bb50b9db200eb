package memory_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/blobtest"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/memory"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(testing.TB) blob.Store { return memory.New() })
}
