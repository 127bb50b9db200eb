package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/cloudarq/cloudarq/bench/load/drive"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// TestServeKilled kills the server while people and audits write: after the next start every
// write that was acknowledged is there, and lists are what a scan of the table gives.
func TestServeKilled(t *testing.T) {
	const acknowledged = 24 // writes, before it is killed
	catalog, err := services.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	dir, size := t.TempDir(), drive.Size{Connections: 6, Findings: 600}
	state, err := local.Open(t.Context(), dir, catalog)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	if err := drive.Fill(t.Context(), state, dir, size); err != nil {
		t.Fatal(err)
	}
	start := func() *drive.Server {
		t.Helper()
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0]) //nolint:gosec // this program
		cmd.Env = []string{otherEnv + "=" + plainly}
		s, err := drive.Start(cmd, dir)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	server := start()
	access, err := server.Join(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	writer := &drive.Writer{Server: server, Access: access, Size: size}
	var writers sync.WaitGroup
	enough, gone := make(chan struct{}), make(chan struct{})
	writers.Go(func() { // until nobody answers
		defer close(gone)
		for n := 1; ; n++ {
			did := writer.Next(t.Context())
			if did.Code == 0 {
				return
			}
			if did.Err != nil {
				t.Errorf("%s: %v", did.Kind, did.Err)
			}
			if n == acknowledged {
				close(enough)
			}
		}
	})
	writers.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-gone:
				return
			default:
				if did := drive.Audit(t.Context(), state, size, n); did.Err != nil {
					t.Errorf("%s: %v", did.Kind, did.Err)
				}
			}
		}
	})
	select {
	case <-enough:
	case <-gone:
	}
	err = server.Kill()
	writers.Wait()

	again := start()
	defer func() {
		if err := again.Kill(); err != nil {
			t.Error(err)
		}
	}()
	// It has another address, by which sessions are not those of before.
	session, e := again.SignIn(t.Context())
	if err = errors.Join(err, e); err != nil {
		t.Fatal(err)
	}
	writer.Access.Session = session
	if err := writer.Kept(t.Context(), again); err != nil {
		t.Error(err)
	}
	if compared, findings, err := drive.Compare(t.Context(), again, access.Token, state); err != nil || findings != size.Findings {
		t.Errorf("%d lists compared with %d findings: %v", compared, findings, err)
	}
	if writer.Acknowledged() == 0 {
		t.Error("nothing was written")
	}
}
