package pipeline

import "github.com/cloudarq/cloudarq/pkg/model"

// Ledger is where the calls of one task of an audit lie.
type Ledger struct {
	Task model.TaskID
	Key  string // in the blob store; empty while the task is not done
}

// Ledgers are those of an audit, in an order that stays: of connecting, then of
// each of its tasks.
func Ledgers(org model.OrganizationID, audit model.Audit, tasks []model.Task) []Ledger {
	all := []Ledger{{Task: connect, Key: Key("ledger", org, audit, connect)}}
	for _, t := range tasks {
		if t.ID != connect {
			all = append(all, Ledger{Task: t.ID, Key: t.Ledger})
		}
	}
	return all
}
