// Package emulatortest gives the tests of a package one emulator, and clients
// for it:
//
//	var aws emulatortest.Shared
//
//	func TestMain(m *testing.M) { os.Exit(aws.Run(m)) }
//
//	func TestX(t *testing.T) { client := sqs.NewFromConfig(aws.Config(t)) … }
package emulatortest

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/cloudarq/cloudarq/internal/buffered"
	"github.com/cloudarq/cloudarq/test/emulator"
)

// Shared is an emulator that starts when the first test asks for it. The zero
// value is ready.
type Shared struct {
	once   sync.Once
	server *emulator.Server
	err    error
	http   http.Transport
	names  atomic.Int64
}

// checks is how many histories a property is tried on, a quarter of rapid's own
// number: each step of one is a call of some milliseconds. -rapid.checks says
// otherwise.
const checks = "25"

// Run runs the package's tests, ends the emulator and returns the exit code.
func (s *Shared) Run(m *testing.M) int {
	if flag.Lookup("rapid.checks") != nil {
		_ = flag.Set("rapid.checks", checks) // before m.Run reads the command line
	}
	code := m.Run()
	if s.server == nil {
		return code
	}
	s.http.CloseIdleConnections()
	if err := s.server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "close emulator:", err)
		return max(code, 1)
	}
	return code
}

// Server is the emulator.
func (s *Shared) Server(t testing.TB) *emulator.Server {
	t.Helper()
	s.once.Do(func() { s.server, s.err = emulator.Start(context.Background(), emulator.Options{Stderr: os.Stderr}) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

// Config is a configuration whose clients reach the emulator. It is made without
// looking at the environment, so that no test can meet AWS itself.
func (s *Shared) Config(t testing.TB) aws.Config {
	t.Helper()
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(s.Server(t).URL),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient:   &http.Client{Transport: buffered.Transport(&s.http)},
	}
}

// Name is a name that no other caller got: "<prefix>-<number>".
func (s *Shared) Name(prefix string) string {
	return fmt.Sprintf("%s-%d", strings.ToLower(prefix), s.names.Add(1))
}
