package iampolicy

import (
	"slices"
	"strings"
	"time"
)

// holds reports whether the conditions of an Allow can hold for the holder, and leave
// what a path needs.
func (h Holder) holds(s *Statement, q *step) bool {
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !h.can(c, q.action) || h.bounds(c, q) {
			return false
		}
	}
	return true
}

// denies reports whether a Deny surely takes away what a path needs: always, or
// whenever the request is not bounded as it must be.
func (h Holder) denies(d *Statement, q *step) bool {
	switch len(d.Conditions) {
	case 0:
		return true
	case 1:
		c := d.Conditions[0]
		if !c.Operator.Negated() || c.Operator.Quantifier != "" {
			// Deny iam:PassedToService = ec2: what is passed to it is denied.
			return q.action == "iam:PassRole" && c.Is("iam:PassedToService") && !c.Operator.IfExists && c.Operator.textual() &&
				!slices.ContainsFunc(q.passTo, func(service string) bool { return !c.matches(service) })
		}
		c.Operator.Name = strings.Replace(c.Operator.Name, "Not", "", 1)
		return h.bounds(&c, q)
	}
	return false
}

// keysOf are keys that requests for few actions carry: a condition on one of them
// holds for no other action.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html (November 2026)
var keysOf = func() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for key, actions := range map[string]string{
		"iam:passedtoservice":       "PassRole",
		"iam:associatedresourcearn": "PassRole",
		"iam:permissionsboundary": `AttachRolePolicy AttachUserPolicy CreateRole CreateUser DeleteRolePermissionsBoundary DeleteRolePolicy
			DeleteUserPermissionsBoundary DeleteUserPolicy DetachRolePolicy DetachUserPolicy PutRolePermissionsBoundary PutRolePolicy
			PutUserPermissionsBoundary PutUserPolicy`,
		"iam:policyarn":      "AttachGroupPolicy AttachRolePolicy AttachUserPolicy DetachGroupPolicy DetachRolePolicy DetachUserPolicy",
		"iam:awsservicename": "CreateServiceLinkedRole DeleteServiceLinkedRole",
	} {
		all[key] = map[string]bool{}
		for _, action := range strings.Fields(actions) {
			all[key]["iam:"+action] = true
		}
	}
	return all
}()

// longestSession is how long ago a session's token may have been issued, or a
// request be signed, with room to spare.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const longestSession = 36 * time.Hour

// can reports whether a condition can hold for a request of the holder.
func (h Holder) can(c *Condition, action string) bool {
	key, op := strings.ToLower(c.Key), c.Operator
	positive := !op.Negated() && op.Name != "Null" && !op.IfExists && op.Quantifier != "ForAllValues"
	if actions, known := keysOf[key]; known && positive && !actions[action] {
		return false
	}
	switch key {
	case "aws:currenttime", "aws:tokenissuetime", "aws:epochtime":
		if before := strings.HasPrefix(op.Name, "DateLess") || op.Name == "DateEquals"; before && !h.Now.IsZero() {
			return slices.ContainsFunc(c.Values, func(v string) bool {
				at, err := time.Parse(time.RFC3339, v)
				return err != nil || at.After(h.Now.Add(-longestSession))
			})
		}
	case "aws:username":
		name := h.ARN[strings.LastIndexByte(h.ARN, '/')+1:]
		return h.ARN == "" || !op.textual() || op.arnWise() || c.agrees(name) || op.IfExists && !h.isUser()
	case "aws:principalaccount":
		return h.Account == "" || !op.textual() || op.arnWise() || c.agrees(h.Account)
	case "aws:principalarn":
		return h.ARN == "" || !op.textual() || c.agrees(h.ARN)
	}
	return true
}

func (h Holder) isUser() bool { return strings.Contains(h.ARN, ":user/") }

// bounds reports whether a condition bounds what an action can do so that it is no
// step of a path.
func (h Holder) bounds(c *Condition, q *step) bool {
	op := c.Operator
	if !op.textual() || op.Quantifier == "ForAllValues" && !c.Is("iam:PassedToService") {
		return false
	}
	if q.action == "iam:PassRole" && c.Is("iam:PassedToService") {
		return !slices.ContainsFunc(q.passTo, func(service string) bool { return c.agrees(service) })
	}
	if op.Negated() || op.IfExists {
		return false
	}
	key := strings.ToLower(c.Key)
	switch {
	case key == "iam:permissionsboundary":
		// With what the boundary bounds. To take it away is the opposite.
		return !strings.HasPrefix(q.action, "iam:Delete") && keysOf[key][q.action] && !slices.ContainsFunc(c.Values, leavesOpen)
	case key == "iam:policyarn" && keysOf[key][q.action]:
		iam := "arn:" + h.Partition + ":iam::"
		for _, strong := range []string{iam + "aws:policy/AdministratorAccess", iam + "aws:policy/IAMFullAccess", iam + h.Account + ":policy/*"} {
			if slices.ContainsFunc(c.Values, func(v string) bool { return covers(v, strong) }) {
				return false
			}
		}
		return true
	case strings.Contains(key, "resourcetag/"):
		return q.need == anyOf
	}
	return false
}

// agrees reports whether a condition holds for a value that its key may have.
func (c *Condition) agrees(value string) bool { return c.matches(value) != c.Operator.Negated() }

// matches reports whether one of the condition's values matches a value. A variable
// may become anything. Of the operators, only those on likeness and on ARNs know
// wildcards.
func (c *Condition) matches(value string) bool {
	like := c.Operator.arnWise() || strings.HasSuffix(c.Operator.Name, "Like")
	return slices.ContainsFunc(c.Values, func(v string) bool {
		// A partition's suffix (.com.cn) does not make it another service.
		v = strings.TrimSuffix(v, ".cn")
		switch {
		case variable(v):
			return covers(fillVariables(v), value)
		case like:
			return covers(v, value)
		}
		return v == value || strings.EqualFold(v, value) && (strings.HasSuffix(c.Operator.Name, "IgnoreCase") || c.Is("iam:PassedToService"))
	})
}
