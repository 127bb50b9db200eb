package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"

	"github.com/cloudarq/cloudarq/pkg/collect"
)

// userDataLimit bounds what is unpacked of user data: AWS takes 16 KB packed.
const userDataLimit = 1 << 20

// secretUserData reports whether user data, as AWS gives it in base64, looks as
// if it held a secret. cloud-init also takes it packed by gzip.
func secretUserData(encoded string) bool {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		data = []byte(encoded)
	}
	if packed, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		// What could be unpacked of a damaged file is still worth a look.
		data, _ = io.ReadAll(io.LimitReader(packed, userDataLimit))
	}
	return collect.LooksSecret(string(data))
}
