// Command cost reckons what CloudArq costs in AWS. "cost record" audits synthetic
// accounts in this process and writes down what AWS would meter; "cost" alone makes
// docs/cost.md of that and of the list prices, which a test holds it to.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Where things lie in the repository.
var (
	meteredPath = filepath.Join("bench", "cost", "metered.json")
	pricesPath  = filepath.Join("bench", "prices.tsv")
	pagePath    = filepath.Join("docs", "cost.md")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "record":
		if err := record(ctx, meteredPath, sizes()); err != nil {
			return err
		}
	case len(args) > 0:
		return fmt.Errorf("usage: cost [record]")
	}
	page, err := render(".")
	if err != nil {
		return err
	}
	return os.WriteFile(pagePath, []byte(page), 0o644) //nolint:gosec // sources are public
}

// render makes the page of what lies in a repository.
func render(root string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, meteredPath))
	if err != nil {
		return "", err
	}
	var metered recording
	if err := json.Unmarshal(data, &metered); err != nil {
		return "", fmt.Errorf("read %s: %w", meteredPath, err)
	}
	prices, err := readPrices(filepath.Join(root, pricesPath))
	if err != nil {
		return "", err
	}
	deployed, err := readTemplate(filepath.Join(root, "template.yaml"))
	if err != nil {
		return "", err
	}
	return page(metered, prices, deployed)
}
