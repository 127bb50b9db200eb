package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"

	"github.com/cloudarq/cloudarq/pkg/collect"
)

// unpackedLimit bounds what is unpacked of user data, of which AWS takes 16 KB.
const unpackedLimit = 1 << 20

// secretUserData reduces user data to whether it looks like it holds a
// credential.
func secretUserData(encoded string) bool {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		data = []byte(encoded)
	}
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		// What could be unpacked of a damaged file is still worth a look.
		data, _ = io.ReadAll(io.LimitReader(packed, unpackedLimit))
	}
	return collect.LooksSecret(string(data))
}
