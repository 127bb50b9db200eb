package connect_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/cloudarq/cloudarq/internal/memtable"
	"github.com/cloudarq/cloudarq/pkg/access/connect"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/keyring"
	"github.com/cloudarq/cloudarq/pkg/platform/secret/kms"
	"github.com/cloudarq/cloudarq/pkg/platform/table"
	"github.com/cloudarq/cloudarq/pkg/platform/table/sqlite"
	"github.com/cloudarq/cloudarq/pkg/store"
)

// rekeyed is a place where keys are changed while others work.
type rekeyed struct {
	store *store.Store
	keys  secret.Wrapper // as those who work have it
	rekey func(t *testing.T) error
	// late says that old master keys stay, so that a data key which was wrapped before
	// a rekeying and stored after it may wait for the next.
	late bool
	// newest reports whether a data key is wrapped by the newest master key.
	newest func(wrapped []byte) bool
}

// onKeyring is a local state; whoever rekeys is another process.
func onKeyring(t *testing.T) rekeyed {
	t.Helper()
	file, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	path := filepath.Join(t.TempDir(), "keyring")
	open := func() *keyring.Keyring {
		k, err := keyring.Open(path, keyring.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	records := store.New(file, nil)
	return rekeyed{
		store: records, keys: open(),
		rekey: func(t *testing.T) error {
			keys := open()
			if err := keys.AddKey(); err != nil {
				return err
			}
			r := connect.Rekeying{Store: records, Keys: keys}
			if _, err := r.All(t.Context(), "acme"); err != nil {
				return err
			}
			_, err := keys.DropKeys(r.Wrapped(t.Context(), "acme"))
			return err
		},
		newest: func(wrapped []byte) bool {
			raw, err := os.ReadFile(path)
			var content struct{ Keys []struct{ ID string } }
			if err != nil || json.Unmarshal(raw, &content) != nil || len(content.Keys) != 1 {
				t.Fatalf("%v, the keyring has %d master keys, want the newest alone", err, len(content.Keys))
			}
			return bytes.Contains(wrapped, []byte(content.Keys[0].ID))
		},
	}
}

// onKMS is a deployment: a KMS key that is rotated, and the functions' caches.
func onKMS(t *testing.T) rekeyed {
	t.Helper()
	var mu sync.Mutex
	generation := byte(1)
	plain := map[string][]byte{} // by ciphertext, in which the generation comes first
	wrap := func(context map[string]string, key []byte) []byte {
		blob := append([]byte{generation}, rand.Text()...)
		plain[string(blob)+fmt.Sprint(context)] = bytes.Clone(key)
		return blob
	}
	open := func(context map[string]string, blob []byte) ([]byte, error) {
		key, ok := plain[string(blob)+fmt.Sprint(context)]
		if !ok {
			return nil, &types.InvalidCiphertextException{}
		}
		return bytes.Clone(key), nil
	}
	f := fake.New()
	fake.On(f, func(in *awskms.GenerateDataKeyInput) (*awskms.GenerateDataKeyOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		key := make([]byte, secret.KeySize)
		_, _ = rand.Read(key)
		return &awskms.GenerateDataKeyOutput{CiphertextBlob: wrap(in.EncryptionContext, key), Plaintext: key}, nil
	})
	fake.On(f, func(in *awskms.DecryptInput) (*awskms.DecryptOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		key, err := open(in.EncryptionContext, in.CiphertextBlob)
		return &awskms.DecryptOutput{Plaintext: key}, err
	})
	fake.On(f, func(in *awskms.ReEncryptInput) (*awskms.ReEncryptOutput, error) {
		mu.Lock()
		defer mu.Unlock()
		key, err := open(in.SourceEncryptionContext, in.CiphertextBlob)
		if err != nil {
			return nil, err
		}
		return &awskms.ReEncryptOutput{CiphertextBlob: wrap(in.DestinationEncryptionContext, key), KeyId: aws.String("key")}, nil
	})
	wrapper := kms.New(awskms.NewFromConfig(f.Config(t)), "key")
	records := store.New(memtable.New(time.Now), nil)
	return rekeyed{
		store: records, keys: secret.Cached(wrapper, 10, time.Minute, nil),
		rekey: func(t *testing.T) error {
			mu.Lock()
			generation++
			mu.Unlock()
			r := connect.Rekeying{Store: records, Keys: secret.Cached(wrapper, 10, time.Minute, nil)}
			for cursor := ""; ; {
				_, next, err := r.Page(t.Context(), "acme", cursor, 7)
				if err != nil || next == "" {
					return err
				}
				cursor = next
			}
		},
		late:   true,
		newest: func(wrapped []byte) bool { return wrapped[0] == generation },
	}
}

// worker adds, opens, replaces and deletes the keys of connections of its own.
type worker struct {
	name  string
	keys  connect.AccessKeys
	alive map[model.ConnectionID]secret.AccessKey // what each has to open to
	dead  []model.ConnectionID
}

func (w *worker) fresh() secret.AccessKey {
	return secret.AccessKey{ID: secret.New("AKIA" + rand.Text()[:16]), Secret: secret.New(rand.Text())}
}

func (w *worker) step(t *testing.T, n int) error {
	id := model.ConnectionID(fmt.Sprintf("%s-%d", w.name, n))
	records := w.keys.Store.For("acme")
	for known := range w.alive { // any one of them
		if mathrand.IntN(4) > 0 {
			id = known
		}
		break
	}
	want, known := w.alive[id]
	c := model.Connection{ID: id}
	if known {
		var err error
		if c, err = records.Connection(t.Context(), id); err != nil {
			return err
		}
		if got, err := w.keys.Open(t.Context(), "acme", c); err != nil || !same(got, want) {
			return fmt.Errorf("connection %s opens to another key: %w", id, err)
		}
	}
	if known && mathrand.IntN(3) == 0 {
		delete(w.alive, id)
		w.dead = append(w.dead, id)
		return purge(t.Context(), records, id)
	}
	w.alive[id] = w.fresh()
	return w.keys.Set(t.Context(), model.Change{}, "acme", &c, w.alive[id], time.Now())
}

// TestRekeyUnderTraffic: keys are changed twice, and then by two at once, while
// others work. Nothing is lost, what was deleted stays away, and nothing is wrapped
// by an older master key.
func TestRekeyUnderTraffic(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) rekeyed{"keyring": onKeyring, "KMS": onKMS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t)
			var steps atomic.Int64
			stop := make(chan struct{})
			var traffic sync.WaitGroup
			workers := make([]*worker, 4)
			for i := range workers {
				w := &worker{name: fmt.Sprintf("w%d", i), alive: map[model.ConnectionID]secret.AccessKey{}}
				w.keys = connect.AccessKeys{Store: p.store, Keys: p.keys, Now: time.Now}
				workers[i] = w
				traffic.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						if err := w.step(t, n); err != nil {
							t.Error(err)
							return
						}
						steps.Add(1)
					}
				})
			}
			// work waits until there was some, so that each rekeying has traffic around it.
			work := func() {
				for want := steps.Load() + 40; steps.Load() < want && !t.Failed(); {
					time.Sleep(time.Millisecond)
				}
			}
			work()
			for range 2 {
				if err := p.rekey(t); err != nil {
					t.Error(err)
				}
				work()
			}
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if err := p.rekey(t); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			close(stop)
			traffic.Wait()
			if p.late {
				if err := p.rekey(t); err != nil {
					t.Error(err)
				}
			}

			opened, gone := 0, 0
			for _, w := range workers {
				for id, want := range w.alive {
					c, err := p.store.For("acme").Connection(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := w.keys.Open(t.Context(), "acme", c); err != nil || !same(got, want) {
						t.Errorf("%s is lost: %v", id, err)
					}
					opened++
				}
				for _, id := range w.dead {
					if _, err := p.store.For("acme").DataKey(t.Context(), string(id)); !errors.Is(err, store.ErrNotFound) {
						t.Errorf("the data key of %s is back: %v", id, err)
					}
					gone++
				}
			}
			if opened == 0 || gone == 0 {
				t.Errorf("%d connections are left and %d were deleted: that is no traffic", opened, gone)
			}
			all, _, err := p.store.For("acme").DataKeysPage(t.Context(), "", 1000)
			if err != nil || len(all) != opened {
				t.Errorf("%d data keys of %d connections, %v", len(all), opened, err)
			}
			for _, k := range all {
				if !p.newest(k.Wrapped) {
					t.Errorf("the data key of %s is wrapped by an older master key", k.Record)
				}
			}
			t.Logf("%d steps, %d connections left, %d deleted", steps.Load(), opened, gone)
		})
	}
}

// What does not open stays as it is, is named, and holds nothing up.
func TestRekeyWithADamagedKey(t *testing.T) {
	t.Parallel()
	p := onKeyring(t)
	k := connect.AccessKeys{Store: p.store, Keys: p.keys, Now: time.Now}
	records := p.store.For("acme")
	for _, id := range []model.ConnectionID{"a", "c"} {
		give(t, k, "acme", id, given)
	}
	if err := records.PutDataKey(t.Context(), "b", []byte("damaged")); err != nil {
		t.Fatal(err)
	}
	n, err := connect.Rekeying{Store: p.store, Keys: p.keys}.All(t.Context(), "acme")
	if n != 2 || !errors.Is(err, secret.ErrSealed) || !strings.Contains(err.Error(), "data key of b of organization acme") {
		t.Errorf("rekeyed %d, %v; want the two others, and the damaged one named", n, err)
	}
	if left, err := records.DataKey(t.Context(), "b"); err != nil || string(left.Wrapped) != "damaged" {
		t.Errorf("the damaged one is now %q, %v", left.Wrapped, err)
	}
	// Another organization's keys are not touched.
	if n, err := (connect.Rekeying{Store: p.store, Keys: p.keys}).All(t.Context(), "other"); n != 0 || err != nil {
		t.Errorf("another organization: %d, %v", n, err)
	}
}

// meddling is a table that lets something happen after a data key was read.
type meddling struct {
	table.Table
	after func()
}

func (m *meddling) Get(ctx context.Context, key table.Key) (table.Item, error) {
	item, err := m.Table.Get(ctx, key)
	if strings.HasSuffix(key.PK, "#KEY") && m.after != nil {
		after := m.after
		m.after = nil
		after()
	}
	return item, err
}

// late is a keyring that is opened when a data key is unwrapped.
type late struct {
	secret.Wrapper
	open func() secret.Wrapper
}

func (l late) Unwrap(ctx context.Context, owner secret.Owner, wrapped []byte) (secret.DataKey, error) {
	return l.open().Unwrap(ctx, owner, wrapped)
}

// A data key that is wrapped anew, and whose old master key is dropped, between the
// moment when it was read and the one when it is opened.
func TestRekeyBetweenTwoLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyring")
	open := func() secret.Wrapper {
		k, err := keyring.Open(path, keyring.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	records := memtable.New(time.Now)
	k := connect.AccessKeys{Store: store.New(records, nil), Keys: open(), Now: time.Now}
	c := give(t, k, "acme", "a", given)
	rekeyed := false
	k.Store, k.Keys = store.New(&meddling{records, func() {
		keys := open().(*keyring.Keyring)
		r := connect.Rekeying{Store: store.New(records, nil), Keys: keys}
		if err := keys.AddKey(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.All(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		dropped, err := keys.DropKeys(r.Wrapped(t.Context(), "acme"))
		if rekeyed = dropped == 1; err != nil {
			t.Fatal(err)
		}
	}}, nil), late{open: open}
	if got, err := k.Open(t.Context(), "acme", c); err != nil || !same(got, given) || !rekeyed {
		t.Errorf("rekeyed %v: %v", rekeyed, err)
	}
}
