// Package grant compares what somebody's policy grants with what CloudArq
// needs: what is missing and which checks that blinds, and what is granted
// beyond it.
package grant

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// ErrNoPolicy says that a file holds no policy document.
var ErrNoPolicy = errors.New("there is no policy document in it")

// Policy is one or more policy documents as they are attached together.
type Policy struct {
	all    iampolicy.Policy
	strict iampolicy.Policy // without what allows under conditions only
	within *Policy          // a permissions boundary, if there is one
}

// Within is the policy under a permissions boundary: it allows what both allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (p Policy) Within(boundary Policy) Policy {
	p.within = &boundary
	return p
}

// Parse reads policy documents from JSON: a document, a list of them, or what
// the AWS CLI (get-policy-version, get-role-policy) and cloudarq policy show
// print around them.
func Parse(data []byte) (Policy, error) {
	documents, err := documents(data)
	if err != nil {
		return Policy{}, err
	}
	if len(documents) == 0 {
		return Policy{}, ErrNoPolicy
	}
	return Join(documents...)
}

// Join is policy documents as they are attached together; none allow nothing.
func Join(documents ...string) (Policy, error) {
	var p Policy
	for _, text := range documents {
		d, err := iampolicy.ParseURLEncoded(text)
		if err != nil {
			return Policy{}, err
		}
		p.all.Statements = append(p.all.Statements, d.Statements...)
	}
	p.strict.Statements = slices.DeleteFunc(slices.Clone(p.all.Statements), func(s iampolicy.Statement) bool {
		return s.Effect == iampolicy.Allow && len(s.Conditions) > 0
	})
	return p, nil
}

// Version is that of the published policy which this one was made of: the oldest,
// if there are several. It is empty if there is none.
func (p Policy) Version() string {
	var oldest string
	for _, s := range p.all.Statements {
		if found := publishedSid.FindStringSubmatch(s.Sid); found != nil && (oldest == "" || found[1] < oldest) {
			oldest = found[1]
		}
	}
	return oldest
}

// publishedSid is how package policy names the statements of the role.
var publishedSid = regexp.MustCompile(`^CloudArq(\d{8}[a-z]?)(?:Read\d+|Never)$`)

// documents finds the policy documents in JSON, however they are wrapped.
func documents(data []byte) ([]string, error) {
	var list []json.RawMessage
	if json.Unmarshal(data, &list) == nil {
		return each(list)
	}
	var encoded string
	if json.Unmarshal(data, &encoded) == nil {
		return []string{encoded}, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	if _, ok := object["Statement"]; ok {
		return []string{string(data)}, nil
	}
	for _, wrapper := range []string{"PolicyVersion", "PolicyDocument", "Document", "document", "policies"} {
		if inner, ok := object[wrapper]; ok {
			return documents(inner)
		}
	}
	return nil, ErrNoPolicy
}

func each(list []json.RawMessage) ([]string, error) {
	var all []string
	for _, item := range list {
		found, err := documents(item)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// allows tells that the action is allowed on some resource, at times.
func (p Policy) allows(action string) bool {
	return p.all.Allows(action, "") && (p.within == nil || p.within.allows(action))
}

// lacks says what is in the way of an action on resources; empty if nothing is.
func (p Policy) lacks(action string, resources []string) string {
	if p.within != nil {
		if why := p.within.lacks(action, resources); why != "" {
			return why + " by the permissions boundary"
		}
	}
	missing := fewest(resources, func(r string) bool { return p.all.Allows(action, r) })
	switch {
	case !p.all.Allows(action, "") && p.denies(action):
		return "denied"
	case !p.all.Allows(action, ""):
		return "not allowed"
	case len(resources) == 0 && len(missing) > 0:
		return "allowed on some resources only"
	case len(missing) > 0:
		return "not allowed on " + strings.Join(missing, ", ")
	case len(fewest(resources, func(r string) bool { return p.strict.Allows(action, r) })) > 0:
		return "allowed under conditions only"
	case p.denies(action):
		return "denied at times or on some resources"
	default:
		return ""
	}
}

// fewest lists the resources that are not covered, in the partition in which most
// are: a policy is written for one. No resources mean all.
func fewest(resources []string, covered func(string) bool) []string {
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	least := resources
	for _, of := range model.Partitions() {
		partition := of.Name
		missing := []string{}
		for _, r := range resources {
			if r = within(r, partition); !covered(r) {
				missing = append(missing, r)
			}
		}
		if len(missing) < len(least) {
			least = missing
		}
	}
	return least
}

// within writes a pattern of ARNs of all partitions as one of a single partition.
// An account of * stands for one that most of the resources do not have.
func within(pattern, partition string) string {
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) != 6 {
		return pattern
	}
	parts[1] = partition
	if parts[4] == "*" {
		parts[4] = ""
	}
	return strings.Join(parts, ":")
}

// byService gives, for an action, the part of the policy that speaks of its
// service. AWS has twenty thousand actions, and asking for each of the whole
// policy takes long.
func (p Policy) byService() func(action string) Policy {
	parts, speaks := map[string]Policy{}, p.services()
	return func(action string) Policy {
		service := prefix(action)
		if _, ok := parts[service]; !ok {
			var part Policy
			if speaks == nil || speaks[service] {
				part = p.of(service)
			}
			parts[service] = part
		}
		return parts[service]
	}
}

// services are those that the policy speaks of; nil is all.
func (p Policy) services() map[string]bool {
	named := map[string]bool{}
	for _, s := range p.all.Statements {
		if len(s.NotActions) > 0 {
			return nil
		}
		for _, pattern := range s.Actions {
			service := strings.ToLower(prefix(pattern))
			if strings.ContainsAny(service, "*?") {
				return nil
			}
			named[service] = true
		}
	}
	return named
}

// of is the part of the policy that speaks of a service's actions.
func (p Policy) of(service string) Policy {
	about := func(pattern string) bool {
		return strings.EqualFold(prefix(pattern), service) || strings.ContainsAny(prefix(pattern), "*?")
	}
	filter := func(statements []iampolicy.Statement) (kept []iampolicy.Statement) {
		for _, s := range statements {
			others := func(pattern string) bool { return !about(pattern) }
			switch {
			case len(s.NotActions) > 0:
				// One must stay, or the statement would be of another form.
				s.NotActions = append(slices.DeleteFunc(slices.Clone(s.NotActions[1:]), others), s.NotActions[0])
			default:
				s.Actions = slices.DeleteFunc(slices.Clone(s.Actions), others)
				if len(s.Actions) == 0 {
					continue
				}
			}
			kept = append(kept, s)
		}
		return kept
	}
	part := Policy{all: iampolicy.Policy{Statements: filter(p.all.Statements)}, strict: iampolicy.Policy{Statements: filter(p.strict.Statements)}}
	if p.within != nil {
		part.within = new(p.within.of(service))
	}
	return part
}

// denies tells that some statement denies the action on some resource, at times.
func (p Policy) denies(action string) bool {
	return slices.ContainsFunc(p.all.Statements, func(s iampolicy.Statement) bool {
		if s.Effect != iampolicy.Deny {
			return false
		}
		s.Effect, s.Conditions = iampolicy.Allow, nil
		return iampolicy.Policy{Statements: []iampolicy.Statement{s}}.Allows(action, "")
	})
}
