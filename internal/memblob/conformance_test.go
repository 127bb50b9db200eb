package memblob_test

import (
	"testing"

	"github.com/cloudarq/cloudarq/internal/memblob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/blob/blobtest"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(testing.TB) blob.Store { return memblob.New() })
}
