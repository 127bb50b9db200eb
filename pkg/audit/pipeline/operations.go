package pipeline

import (
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/policy"
)

// Planned is an operation that an audit of a selection may call.
type Planned struct {
	Service string // CloudArq's name
	Name    string // "kms:ListKeys"
	Action  string // the IAM action it needs
	Global  bool   // called once, not in every region
}

// Operations lists what an audit of a selection may call: only what the walks of
// the resource types that its checks look at declare.
func Operations(specs map[string]collect.Spec, selection Selection) []Planned {
	wanted := map[string]bool{}
	for _, c := range selection.Checks {
		for _, kind := range append([]string{c.Kind}, c.Uses...) {
			wanted[kind] = true
		}
	}
	var all []Planned
	for _, service := range selection.Services {
		spec := specs[service]
		for _, walk := range spec.Walks {
			if !slices.ContainsFunc(walk.Kinds, func(kind string) bool { return wanted[kind] }) {
				continue
			}
			for _, id := range walk.Operations {
				sdk, operation, _ := strings.Cut(id, ".")
				p := Planned{service, policy.Name(sdk, operation), policy.Action(sdk, operation), spec.Global}
				if !slices.Contains(all, p) {
					all = append(all, p)
				}
			}
		}
	}
	return all
}
