package main

import (
	"context"
	"fmt"
	"os"
)

// record writes the examples of the OpenAPI document, of a walk through a deployment.
func recorded(ctx context.Context) (examples, error) {
	at, err := os.MkdirTemp("", "cloudarq-walk-")
	if err != nil {
		return examples{}, err
	}
	defer func() { _ = os.RemoveAll(at) }()
	ctx, stop := context.WithCancel(ctx)
	w := &walk{ctx: ctx}
	d, err := newDeployment(ctx, at, w.clock)
	if err != nil {
		stop()
		return examples{}, err
	}
	worked := make(chan struct{})
	go func() { defer close(worked); d.work(ctx) }()
	defer func() { stop(); <-worked }()
	w.d, w.handler = d, d.api.Handler()
	t, err := newTally(w.handler)
	if err != nil {
		return examples{}, err
	}
	w.routes = t.routes
	if err := w.whole(); err != nil {
		return examples{}, fmt.Errorf("walk through all operations: %w", err)
	}
	return w.examples, nil
}
