package grant

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

//go:embed universe.tsv
var universe string

// Universe lists all IAM actions that AWS had when the data was made. The list is
// shared and must not change.
var Universe = sync.OnceValue(func() []policy.Access {
	var all []policy.Access
	for line := range strings.Lines(universe) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		for _, name := range strings.Fields(cells[2]) {
			bare := strings.TrimRight(name, "!$")
			all = append(all, policy.Access{
				Action: cells[0] + ":" + bare, Level: cells[1],
				Data: strings.Contains(name, "!"), Credentials: strings.Contains(name, "$"),
			})
		}
	}
	return all
})

// UniverseSource says what the data was made from, and when.
func UniverseSource() string {
	said, _, _ := strings.Cut(strings.TrimPrefix(universe, "# "), "; made by")
	return said
}
