package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// listen opens the addresses of the options, all or none.
func (o Options) listen(ctx context.Context) (all []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range all {
				_ = l.Close()
			}
		}
	}()
	slots := make(chan struct{}, o.MaxConns)
	open := func(address string) (net.Listener, error) {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
		bounded := &boundedListener{Listener: l, slots: slots, closed: make(chan struct{})}
		all = append(all, bounded)
		return l, nil
	}
	for _, address := range o.Listen {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return all, err
		}
		if host != "localhost" {
			if _, err := open(address); err != nil {
				return all, err
			}
			continue
		}
		// net.Listen would take one of the two, and a browser may try the other.
		four, err := open(net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return all, err
		}
		if _, port, err = net.SplitHostPort(four.Addr().String()); err != nil { // it may have been 0
			return all, err
		}
		_, err = open(net.JoinHostPort("::1", port))
		if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EAFNOSUPPORT) { // a machine without IPv6
			return all, err
		}
	}
	return all, nil
}

// boundedListener accepts no connection while as many are open as may be, on it and those
// that share its slots.
type boundedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &boundedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close implements net.Listener.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type boundedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// certificate is a certificate in files, which are read again when they change, so that
// whoever renews it restarts nothing.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	seen   [2]fileState
}

// fileState tells a file from what takes its place.
type fileState struct {
	size    int64
	changed time.Time
}

// load reads the files, which must be good at the start.
func (c *certificate) load() error {
	seen, err := c.look()
	if err != nil {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.loaded, c.seen = &loaded, seen
	return nil
}

func (c *certificate) look() (seen [2]fileState, err error) {
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, err
		}
		seen[i] = fileState{info.Size(), info.ModTime()}
	}
	return seen, nil
}

// get is a tls.Config's GetCertificate. While the files do not belong together, as between
// the writing of the one and the other, or are gone, what was good before is used.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, err := c.look()
	if err == nil && seen == c.seen {
		return c.loaded, nil
	}
	if err == nil {
		err = c.load()
	}
	if err != nil {
		c.log.Warn("the certificate's files cannot be read again; the one before is used", slog.Any("error", err))
		return c.loaded, nil
	}
	c.log.Info("the certificate was read again")
	return c.loaded, nil
}
