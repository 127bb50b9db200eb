package store

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
)

// Findings are compressed, alone of all records: they are the many, DynamoDB bills a
// write by the kilobyte, and most are a little over one.

// codec compresses and expands. Both halves are safe for concurrent use.
type codec struct {
	to   *zstd.Encoder
	from *zstd.Decoder
}

var newCodec = sync.OnceValues(func() (codec, error) {
	to, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<16), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return codec{}, err
	}
	// What a record expands to is bounded: nothing in the table fills the memory.
	from, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(16<<20), zstd.WithDecoderLowmem(true))
	return codec{to, from}, err
})

func encodeFinding(k table.Key, f model.Finding) (table.Item, error) {
	item, err := encode(k, table.Key{}, f.Version, f)
	if err != nil {
		return item, err
	}
	c, err := newCodec()
	if err != nil {
		return item, fmt.Errorf("compress record %s: %w", k, err)
	}
	item.Body = c.to.EncodeAll(item.Body, nil)
	return item, nil
}

// decodeFinding reads what encodeFinding wrote, and the plain JSON of older versions.
func decodeFinding(item table.Item) (f model.Finding, err error) {
	body := item.Body
	if len(body) > 0 && body[0] != '{' {
		c, err := newCodec()
		if err == nil {
			body, err = c.from.DecodeAll(body, nil)
		}
		if err != nil {
			return f, fmt.Errorf("expand record %s: %w", item.Key, err)
		}
	}
	if err := json.Unmarshal(body, &f); err != nil {
		return f, fmt.Errorf("decode record %s: %w", item.Key, err)
	}
	f.Version = item.Version
	return f, nil
}
