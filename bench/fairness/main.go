// Command fairness prints who waits how long in the tasks queues on the morning of a
// large organization: with one queue for all, with SQS's fair queues, and with a queue
// of their own for those who wait in person.
package main

import (
	"fmt"
	"os"

	"github.com/cloudarq/cloudarq/bench/fairness/model"
)

func main() {
	if err := model.Write(os.Stdout, model.Settings()...); err != nil {
		fmt.Fprintln(os.Stderr, "fairness:", err)
		os.Exit(1)
	}
}
