package keyring

import "github.com/cloudarq/cloudarq/pkg/platform/secret"

// MakeCheap makes a keyring whose passphrase costs next to nothing to try, for
// tests that open many. Its parameters stay with the file, as any file's do.
func MakeCheap(path string, passphrase secret.String) error {
	d := newDerivation()
	d.Time, d.Memory, d.Threads = 1, 8, 1
	c := content{Format: format, Version: version, Passphrase: d}
	aead, err := c.passphraseCipher(passphrase)
	if err != nil {
		return err
	}
	if err := c.addKey(aead); err != nil {
		return err
	}
	_, err = write(path, c)
	return err
}

// Masters are the ids of the master keys, the newest last.
func (k *Keyring) Masters() (ids []string) {
	for _, m := range k.masters {
		ids = append(ids, m.id)
	}
	return ids
}
