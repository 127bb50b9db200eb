package policy

import (
	_ "embed"
	"strings"
)

// Operation is one AWS operation that CloudArq may call.
type Operation struct {
	ID     string   // "<SDK service id>.<operation>", as the guard sees it
	Action string   // the IAM action it needs
	Kinds  []string // the resource types that it is called for; none for connecting
}

//go:embed operations.tsv
var operations string

// Operations lists all operations that CloudArq may call, by id.
func Operations() []Operation {
	var all []Operation
	for line := range strings.Lines(operations) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(cells) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		op := Operation{ID: cells[0], Action: cells[1]}
		if cells[2] != "" {
			op.Kinds = strings.Split(cells[2], ",")
		}
		all = append(all, op)
	}
	return all
}

// Connect lists the operations that connecting to an account takes, before any
// service is collected. GetCallerIdentity needs no permission.
func Connect() []string {
	return []string{"EC2.DescribeRegions", "STS.AssumeRole", "STS.GetCallerIdentity"}
}
