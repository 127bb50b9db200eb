package check

import (
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// Example is a resource that fails a check, or passes it: what the check says of it, and the
// facts that it read.
type Example struct {
	Says  string `json:"says" doc:"What the check says of it"`
	Facts string `json:"facts" doc:"What it read of the resource, as JSON; empty where that is long, or of other resources"`
}

// Examples are what fails a check and what passes it.
type Examples struct {
	Bad  Example `json:"bad" doc:"What fails"`
	Good Example `json:"good" doc:"What passes"`
}

// ParseExamples reads a table of examples: check, "bad" or "good", what is said, and facts, with
// tabs between them. Lines that begin with # say what the table is.
func ParseExamples(table string) (map[model.CheckID]Examples, error) {
	all := map[model.CheckID]Examples{}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || f[1] != "bad" && f[1] != "good" {
			return nil, fmt.Errorf("example %.60q: want a check, bad or good, a sentence and facts", line)
		}
		one := all[model.CheckID(f[0])]
		if e := (Example{f[2], f[3]}); f[1] == "bad" {
			one.Bad = e
		} else {
			one.Good = e
		}
		all[model.CheckID(f[0])] = one
	}
	return all, nil
}
