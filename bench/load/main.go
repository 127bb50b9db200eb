// Command load serves data directories of many findings with cloudarq serve, and asks them
// for pages by vegeta, at fixed rates and as fast as it can, while others write. Then it kills
// the server under that load, starts it again, and holds what is there to what was
// acknowledged, and the lists to a scan of the table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cloudarq/cloudarq/bench/load/drive"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// options are those of the bench.
type options struct {
	binary string
	sizes  []drive.Size
	rates  []int         // requests a second; 0 is as many as there can be
	each   time.Duration // how long each rate lasts
}

// limit ends the bench on a machine that is too slow for it.
const limit = 10 * time.Minute

func main() {
	o := options{}
	flag.StringVar(&o.binary, "binary", "bin/cloudarq", "the command that serves")
	sizes := flag.String("sizes", "50:100000,10000:500000", "connections:findings of each data directory")
	rates := flag.String("rates", "20,50,0", "reads a second, one after the other; 0 is as many as there can be")
	flag.DurationVar(&o.each, "each", 10*time.Second, "how long each rate lasts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := o.read(*sizes, *rates)
	for _, size := range o.sizes {
		if err == nil {
			err = o.bench(ctx, size)
		}
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func (o *options) read(sizes, rates string) error {
	for word := range strings.SplitSeq(sizes, ",") {
		var size drive.Size
		if _, err := fmt.Sscanf(word, "%d:%d", &size.Connections, &size.Findings); err != nil {
			return fmt.Errorf("size %q: want connections:findings", word)
		}
		o.sizes = append(o.sizes, size)
	}
	for word := range strings.SplitSeq(rates, ",") {
		rate, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("rate %q: %w", word, err)
		}
		o.rates = append(o.rates, rate)
	}
	return nil
}

// bench loads a server of so much.
func (o *options) bench(ctx context.Context, size drive.Size) (err error) {
	dir, err := os.MkdirTemp("", "cloudarq-load-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	state, err := local.Open(ctx, dir, catalog)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	start := time.Now()
	if err := drive.Fill(ctx, state, dir, size); err != nil {
		return err
	}
	fmt.Printf("%d findings of %d connections, made in %s\n\n", size.Findings, size.Connections, time.Since(start).Round(time.Second))
	server, err := drive.Start(exec.Command(o.binary), dir) //nolint:gosec,noctx // the command under test, which is killed below
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	access, err := server.Join(ctx, state)
	if err != nil {
		return err
	}
	l := &load{state: state, size: size, server: server, access: access, writer: &drive.Writer{Server: server, Access: access, Size: size}}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	for _, rate := range o.rates {
		if err := l.run(ctx, rate, o.each); err != nil {
			return err
		}
	}
	fmt.Printf("the server's memory at its peak: %d MB\n\n", server.Peak()>>20)
	again, err := l.killed(ctx, func() (*drive.Server, error) {
		return drive.Start(exec.Command(o.binary), dir) //nolint:gosec,noctx // the same again
	})
	if again != nil {
		server = again
	}
	return err
}
