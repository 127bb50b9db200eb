// Package config knows AWS Config: what its recorder records in a region, where
// that goes, and what is right of it.
package config

import (
	_ "embed"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of Config.
func Service() check.Service {
	return check.Service{
		Name:  "config",
		Title: "AWS Config",
		Kinds: []check.Kind{check.KindOf[RegionSettings]().Stateless("a setting of the region; recorders' states are read by the rules")},
		Rules: rules(),
		Texts: texts,
	}
}

// RegionSettings is Config in one region, which has one recorder of the
// customer's or none. It exists without a recorder, too.
type RegionSettings struct {
	model.Resource
	Recorders fact.Of[[]Recorder] `json:"recorders"`
	Statuses  fact.Of[[]Status]   `json:"statuses"`
	Channels  fact.Of[[]Channel]  `json:"channels"`
}

// Kind implements check.Resource.
func (RegionSettings) Kind() string { return "AWS::Config::RegionSettings" }

// Recorder is a configuration recorder of the customer's.
type Recorder struct {
	Name string `json:"name"`
	Role string `json:"role"`
	// AllSupported is whether it records every type, the global ones left aside.
	AllSupported bool `json:"all_supported"`
	// Global is whether AllSupported includes the global types of IAM.
	Global   bool     `json:"global"`
	Included []string `json:"included,omitempty"` // types, if it records only these
	Excluded []string `json:"excluded,omitempty"` // types, if it records all but these
}

// globalTypes are recorded in any region, so that one region is enough.
// https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html#select-resources-all
var globalTypes = []string{"AWS::IAM::User", "AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::Policy"}

// LeavesOut names the types that the recorder does not record, the global ones
// left aside; all is false if it records only those it lists.
func (r Recorder) LeavesOut() (types []string, all bool) {
	if r.AllSupported {
		return nil, true
	}
	for _, t := range r.Excluded {
		if !slices.Contains(globalTypes, t) {
			types = append(types, t)
		}
	}
	return types, len(r.Excluded) > 0
}

// RecordsGlobal reports whether the recorder records the global types of IAM.
func (r Recorder) RecordsGlobal() bool {
	switch {
	case r.AllSupported:
		return r.Global
	case len(r.Excluded) > 0:
		return !slices.ContainsFunc(globalTypes, func(t string) bool { return slices.Contains(r.Excluded, t) })
	default:
		return !slices.ContainsFunc(globalTypes, func(t string) bool { return !slices.Contains(r.Included, t) })
	}
}

// Status is what a recorder does.
type Status struct {
	Name      string `json:"name"`
	Recording bool   `json:"recording"`
	Last      string `json:"last"`            // of its deliveries: Success, Failure, Pending
	Error     string `json:"error,omitempty"` // AWS's code for a failure
}

// Channel is where recordings are delivered.
type Channel struct {
	Bucket string `json:"bucket"`
}
