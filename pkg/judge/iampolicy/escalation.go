package iampolicy

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Escalation is a way by which a holder can have more rights than it was given.
type Escalation struct {
	ID       string   // of pathfinding.cloud ("iam-005"), or with its set before a colon
	Actions  []string // that it takes
	Policies []string // that allow them, by name
}

// String is the way as people are told it: iam-005 by iam:PutRolePolicy.
func (e Escalation) String() string { return e.ID + " by " + strings.Join(e.Actions, " and ") }

//go:embed escalations.tsv
var escalationData string

// escalationPath is a row of the data.
type escalationPath struct {
	id, category string
	actions      []string
	passTo       []string // services, any of which must take the role that is passed
}

// category is what a path leads to, in the words of pathfinding.cloud.
const (
	selfEscalation   = "self-escalation"   // the holder writes its own rights
	principalAccess  = "principal-access"  // it becomes somebody else
	newPassRole      = "new-passrole"      // it gives a role to something new that it controls
	existingPassRole = "existing-passrole" // it takes over something that has a role
)

type paths struct {
	all     []escalationPath
	actions map[string][]string // of all paths, by service in lower case
}

var pathTable = sync.OnceValue(func() paths {
	t := paths{actions: map[string][]string{}}
	for line := range strings.Lines(escalationData) {
		column := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || len(column) != 6 {
			continue
		}
		p := escalationPath{category: column[1], actions: strings.Split(column[2], "+")}
		p.id, _, _ = strings.Cut(column[0], ",")
		if column[3] != "" {
			p.passTo = strings.Split(column[3], "|")
		}
		t.all = append(t.all, p)
		for _, action := range p.actions {
			service, _, _ := strings.Cut(strings.ToLower(action), ":")
			if !slices.Contains(t.actions[service], action) {
				t.actions[service] = append(t.actions[service], action)
			}
		}
	}
	return t
})

// need is on what an action must be allowed for a path to be one.
type need uint8

const (
	// anything will do: the action makes something new, or writes rights. Who may
	// write the rights of one role may give it all of them.
	anything need = iota
	// anyOf is needed where the rights are those of the resource. A single role that
	// may be passed, or function that may be changed, was chosen by whoever wrote the
	// policy; a pattern that leaves the name open was not.
	anyOf
	// others is anything but the holder's own user: to change one's own password is
	// no new right.
	others
)

// needs says what a path asks of one of its actions.
func (p *escalationPath) needs(action string) need {
	switch {
	case action == "iam:PassRole", action == "sts:AssumeRole" && len(p.actions) == 1, action == "iam:AddUserToGroup", p.category == existingPassRole:
		return anyOf
	case p.category == principalAccess && credentials[action]:
		return others
	}
	return anything
}

// credentials are the actions that make or change what a user signs in with.
var credentials = map[string]bool{
	"iam:CreateAccessKey": true, "iam:CreateLoginProfile": true, "iam:UpdateLoginProfile": true, "iam:CreateServiceSpecificCredential": true,
	"iam:ResetServiceSpecificCredential": true, "iam:UploadSSHPublicKey": true, "iam:UploadSigningCertificate": true,
	"iam:DeleteAccessKey": true,
}

// mostWork bounds the comparisons that are made for one holder. Policies as AWS takes
// them can be written so that all of them are compared with all others.
const mostWork = 5_000_000

// Escalations gives the known ways by which the holder can have more rights, each
// with the policies that allow it; of ways that include another one, the other alone.
// What a path takes may come from several policies. Denies of any policy count where
// they are sure, and the permissions boundary bounds. It is false if the policies are
// too much to compare, and the ways then say nothing.
//
// Whether a role that can be passed, or a user that can be changed, has more rights
// than the holder is not looked at: the policies alone decide. Whoever is an
// [Holder.Administrator] has them all; ask that first.
func (h Holder) Escalations() ([]Escalation, bool) {
	type question struct {
		action, passTo string
		need           need
	}
	work := mostWork
	known := map[question][]int{}
	var found []Escalation
	for _, p := range pathTable().all {
		e := Escalation{ID: p.id, Actions: p.actions}
		for _, action := range p.actions {
			q := question{action: action, need: p.needs(action)}
			s := step{action: action, need: q.need, work: &work}
			if action == "iam:PassRole" {
				s.passTo, q.passTo = p.passTo, strings.Join(p.passTo, "|")
			}
			by, asked := known[q]
			if !asked {
				s.targets = h.targets(action)
				by = h.grants(&s)
				known[q] = by
			}
			if len(by) == 0 {
				e.ID = ""
				break
			}
			for _, i := range by {
				push(&e.Policies, h.Policies[i].Name)
			}
		}
		if e.ID != "" {
			found = append(found, e)
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(e Escalation) bool {
		return slices.ContainsFunc(found, func(o Escalation) bool { return o.within(e) })
	}), work >= 0
}

// within reports whether a way takes less than another one, or says it in fewer words:
// who may do iam:* may do each of them.
func (e Escalation) within(o Escalation) bool {
	if e.ID == o.ID {
		return false
	}
	if wild(e.Actions[0]) {
		return !slices.ContainsFunc(o.Actions, func(action string) bool { return !covers(foldAction(e.Actions[0]), foldAction(action)) })
	}
	return !slices.ContainsFunc(e.Actions, func(action string) bool { return !slices.Contains(o.Actions, action) })
}

// targets are the resources that an action of IAM can work on; nil for others.
func (h Holder) targets(action string) []string {
	kinds, ours := iamResources[action]
	switch {
	case !ours:
		return nil
	case action == "sts:AssumeRole":
		return []string{"arn:" + h.Partition + ":iam::*:role/*"}
	}
	var all []string
	for kind := range strings.FieldsSeq(kinds) {
		all = append(all, "arn:"+h.Partition+":iam::"+h.Account+":"+kind+"/*")
	}
	return all
}

// effective is what of a resource pattern an action can work on, as far as that is
// simple to say.
func (q *step) effective(resource string) string {
	if len(q.targets) == 1 && covers(resource, q.targets[0]) {
		return q.targets[0]
	}
	return resource
}

// reaches reports whether a resource pattern reaches what a step needs.
func (h Holder) reaches(resource string, q *step) bool {
	if q.targets != nil && !slices.ContainsFunc(q.targets, func(target string) bool { return overlap(fillVariables(resource), target) }) {
		return false // of another account, or what AWS itself owns, or of another type
	}
	if a, ok := parseARN(resource); ok && !wild(a.service) && !worksOn(q.action, a.service) {
		return false
	}
	switch q.need {
	case anyOf:
		// Whom another account's roles trust is that account's to say.
		return leavesOpen(resource) && (q.action != "sts:AssumeRole" || overlap(resource, "arn:"+h.Partition+":iam::"+h.Account+":role/*"))
	case others:
		return resource != h.ARN && !own(resource)
	case anything:
		// A right to change oneself that is written for users means nothing to a role.
		return !own(resource) || h.ARN == "" || h.isUser()
	}
	return true
}

// worksOn reports whether an action can work on resources of a service: its own, and
// a few that reach into EC2's or IAM's.
func worksOn(action, service string) bool {
	own, _, _ := strings.Cut(strings.ToLower(action), ":")
	switch own {
	case "ssm", "ec2-instance-connect":
		return service == own || service == "ec2"
	case "sts":
		return service == "iam"
	}
	return service == own
}

// iamResources are the types, between blanks, that IAM's actions of the paths work on.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
var iamResources = func() map[string]string {
	all := map[string]string{}
	for kind, actions := range map[string]string{
		"user": `CreateAccessKey DeleteAccessKey CreateLoginProfile UpdateLoginProfile CreateServiceSpecificCredential ResetServiceSpecificCredential
			UploadSSHPublicKey UploadSigningCertificate AttachUserPolicy PutUserPolicy DeleteUserPermissionsBoundary PutUserPermissionsBoundary`,
		"group":            "AddUserToGroup AttachGroupPolicy PutGroupPolicy",
		"role":             "PassRole AttachRolePolicy PutRolePolicy UpdateAssumeRolePolicy DeleteRolePermissionsBoundary PutRolePermissionsBoundary",
		"policy":           "CreatePolicyVersion SetDefaultPolicyVersion",
		"instance-profile": "AddRoleToInstanceProfile",
		"saml-provider":    "UpdateSAMLProvider",
		"oidc-provider":    "UpdateOpenIDConnectProviderThumbprint",
	} {
		for _, action := range strings.Fields(actions) {
			all["iam:"+action] = kind
		}
	}
	all["iam:Put*"] = "user group role"
	all["iam:*"] = "user group role policy instance-profile saml-provider oidc-provider"
	all["sts:AssumeRole"] = "role"
	return all
}()

// own reports whether a pattern of users is the holder's own user, whoever that is.
func own(resource string) bool {
	return strings.HasSuffix(resource, "/${aws:username}")
}

// fillVariables makes policy variables what they may become: anything.
func fillVariables(pattern string) string {
	for {
		before, rest, ok := strings.Cut(pattern, "${")
		if !ok {
			return pattern
		}
		_, after, ok := strings.Cut(rest, "}")
		if !ok {
			return pattern
		}
		pattern = before + "*" + after
	}
}

// leavesOpen reports whether a resource pattern leaves open which of its type it is:
// nothing of the name stands before the first wildcard.
func leavesOpen(resource string) bool {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 {
		return wild(resource)
	}
	name := parts[5]
	if i := strings.IndexAny(name, "*?"); i >= 0 {
		fixed := name[:i]
		// The type is no part of the name, and what all ids begin with (i-) fixes none.
		return len(fixed)-1-strings.IndexAny(fixed, "/:") <= len("i-")
	}
	return false
}
