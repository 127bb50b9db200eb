package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/constant"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/cloudarq/cloudarq/pkg/policy"
)

// service is what the skeleton says of a service and of its first resource type, as
// the SDK describes the operations that give it.
type service struct {
	Name, Title string
	Client      string   // the SDK's package: "athena"
	SDKID       string   // the service's id: "Athena"
	Prefix      string   // IAM's, with which ARNs go mostly: "athena"
	Namespace   string   // of the resource type: "Athena"
	Kind        string   // the resource type: "WorkGroup"
	List        string   // "ListWorkGroups"
	Paginator   bool     // the SDK has one of the listing
	Next        string   // without one, the member of the listing's answer that names the next page: "NextToken"; empty if it is one page
	Token       string   // the member that the next page is asked with: "NextToken"
	Items       string   // the member of the listing's answer: "WorkGroups"
	Item        string   // its type: "types.WorkGroupSummary", "string"
	Key         string   // the item's member that names it: "Name"; empty if the item is the name
	ARN         string   // the item's member that is its ARN; empty if it has none
	Describe    string   // "GetWorkGroup"; empty if the listing tells all
	Ask         string   // the member of what it is asked with: "WorkGroup"
	Asked       bool     // the item has that member, too
	Answer      string   // the member of its answer: "WorkGroup"; empty for the answer itself
	State       string   // the member that is the state: "State"; empty if there is none
	Judged      []string // its words in which settings count, the usual one first
	Passed      []string // its words in which they do not
}

var word = regexp.MustCompile(`[A-Z]+[a-z0-9]*`)

// Noun is the resource type in a sentence: "work group".
func (s service) Noun() string {
	return strings.ToLower(strings.Join(word.FindAllString(s.Kind, -1), " "))
}

// A is the article that goes with the noun: "a".
func (s service) A() string {
	if strings.ContainsRune("aeio", rune(s.Noun()[0])) { // not u: a user, a usage plan
		return "an"
	}
	return "a"
}

// plural is a word for many: "work groups", "policies", "buses".
func plural(word string) string {
	switch {
	case sibilant.MatchString(word):
		return word + "es"
	case consonantY.MatchString(word):
		return strings.TrimSuffix(word, "y") + "ies"
	}
	return word + "s"
}

var (
	sibilant   = regexp.MustCompile(`(s|x|z|ch|sh)$`)
	consonantY = regexp.MustCompile(`[^aeiou]y$`)
)

// Run is the resource type's collector: "workGroups".
func (s service) Run() string { return plural(strings.ToLower(s.Kind[:1]) + s.Kind[1:]) }

// ID is how ids of checks begin: "athena-work-group".
func (s service) ID() string { return s.Name + "-" + strings.ReplaceAll(s.Noun(), " ", "-") }

// clientOf is the client of a service of the SDK: its package is called as the service's
// id, in small letters without spaces.
func clientOf(sdkID string) string {
	return sdkClients + strings.ToLower(strings.ReplaceAll(sdkID, " ", ""))
}

// describe finds in the SDK's client how resources are listed and, if a second operation
// is given, described.
func describe(name, title, sdkID string, operations ...string) (service, error) {
	s := service{Name: name, Title: title, Client: path.Base(clientOf(sdkID)), List: operations[0]}
	if len(operations) > 1 {
		s.Describe = operations[1]
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps}, clientOf(sdkID))
	if err != nil {
		return s, fmt.Errorf("load the SDK's client: %w", err)
	}
	for _, e := range loaded[0].Errors {
		err = errors.Join(err, e)
	}
	scope := loaded[0].Types.Scope()
	id, ok := scope.Lookup("ServiceID").(*types.Const)
	if err != nil || !ok {
		return s, fmt.Errorf("%s is no client of the SDK: %w", clientOf(sdkID), err)
	}
	s.SDKID = constant.StringVal(id.Val())
	s.Namespace = strings.ReplaceAll(s.SDKID, " ", "")
	s.Prefix, _, _ = strings.Cut(policy.Name(s.SDKID, s.List), ":")
	item, err := s.listed(scope)
	if err != nil {
		return s, err
	}
	s.Kind = around.ReplaceAllString(cmp.Or(s.Describe, s.Item), "")
	told := item
	if s.Describe != "" {
		if told, err = s.described(scope); err != nil {
			return s, err
		}
	}
	s.ARN = s.named(item, "Arn")
	s.Key = s.named(item, "Name", "Id", "Arn")
	s.Asked = member(item, s.Ask) != nil
	if s.Key == "" && s.Item != "string" {
		return s, fmt.Errorf("nothing in %s names the %s", s.Item, s.Noun())
	}
	s.states(told)
	return s, nil
}

// around is what stands around a resource type in the names of what tells of it.
var around = regexp.MustCompile(`^(types\.|Get|Describe)|(Summary|Description|Attributes)$`)

// token is the name of a member that a page is asked with, or that an answer names the
// next page by.
var token = regexp.MustCompile(`^(Next|Page|NextPage|Pagination|Continuation)?(Token|Marker)$|^Position$`)

// listed finds what the listing lists, and how one gets from page to page.
func (s *service) listed(scope *types.Scope) (types.Type, error) {
	in, answer := scope.Lookup(s.List+"Input"), scope.Lookup(s.List+"Output")
	if in == nil || answer == nil {
		return nil, fmt.Errorf("%s has no operation %s", s.Client, s.List)
	}
	pageOf := func(structure types.Object) string {
		for _, m := range members(structure.Type()) {
			if token.MatchString(m.Name()) && isText(m) {
				return m.Name()
			}
		}
		return ""
	}
	if s.Paginator = scope.Lookup("New"+s.List+"Paginator") != nil; !s.Paginator {
		s.Next, s.Token = pageOf(answer), pageOf(in)
		if (s.Next == "") != (s.Token == "") {
			return nil, fmt.Errorf("how to ask for the next page of %s is not clear", s.List)
		}
	}
	for _, m := range members(answer.Type()) {
		if list, ok := m.Type().(*types.Slice); ok {
			s.Items, s.Item = m.Name(), written(list.Elem())
			return list.Elem(), nil
		}
	}
	return nil, fmt.Errorf("%s answers with no list", s.List)
}

// described finds what the description is asked with, and what of its answer tells of
// the resource: a structure that is named as the resource type is, or that is all of the
// answer; else the answer itself.
func (s *service) described(scope *types.Scope) (types.Type, error) {
	answer := scope.Lookup(s.Describe + "Output")
	if answer == nil {
		return nil, fmt.Errorf("%s has no operation %s", s.Client, s.Describe)
	}
	for _, m := range members(scope.Lookup(s.Describe + "Input").Type()) {
		if isText(m) {
			s.Ask = m.Name()
			break
		}
	}
	if s.Ask == "" {
		return nil, fmt.Errorf("%s is not asked by a name", s.Describe)
	}
	all := members(answer.Type())
	for _, m := range all {
		pointer, ok := m.Type().(*types.Pointer)
		if ok && members(pointer.Elem()) != nil && (m.Name() == s.Kind || len(all) == 1) {
			s.Answer = m.Name()
			return pointer.Elem(), nil
		}
	}
	return answer.Type(), nil
}

// named is the text of an item that the resource type is named by: "Arn", "KeyArn",
// "Name". Of other things' names and ARNs an item has more than enough.
func (s service) named(item types.Type, ends ...string) string {
	for _, end := range ends {
		for _, name := range []string{end, s.Kind + end} {
			for _, m := range members(item) {
				if strings.EqualFold(m.Name(), name) && isText(m) {
					return m.Name()
				}
			}
		}
	}
	return ""
}

// passing are the words of states in which a resource is being made, was never made,
// or is going, as far as a word alone tells. usual is the word of one that is in use.
var (
	passing = regexp.MustCompile(`(?i)^creat(ing|(e|ion)_?(in_?progress|failed))$|^pending$|delet(ed|ing|ion|e_?(complete|in_?progress))$`)
	usual   = regexp.MustCompile(`(?i)^(active|available|(create_)?completed?|enabled|running)$`)
)

// states finds the member that is the state, and its words.
func (s *service) states(told types.Type) {
	for _, name := range []string{"State", "Status", s.Kind + "State", s.Kind + "Status"} {
		m := member(told, name)
		if m == nil {
			continue
		}
		enumeration, ok := m.Type().(*types.Named)
		if !ok || written(enumeration.Underlying()) != "string" {
			continue
		}
		s.State = name
		scope := enumeration.Obj().Pkg().Scope()
		for _, value := range scope.Names() {
			c, ok := scope.Lookup(value).(*types.Const)
			if !ok || c.Type() != enumeration {
				continue
			}
			if text := constant.StringVal(c.Val()); passing.MatchString(text) {
				s.Passed = append(s.Passed, text)
			} else {
				s.Judged = append(s.Judged, text)
			}
		}
		if i := slices.IndexFunc(s.Judged, usual.MatchString); i > 0 {
			s.Judged[0], s.Judged[i] = s.Judged[i], s.Judged[0]
		}
		return
	}
}

// members are those of a structure of the client, but for what the SDK adds; of what
// is no structure, none.
func members(t types.Type) []*types.Var {
	structure, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	return slices.DeleteFunc(slices.Collect(structure.Fields()), func(f *types.Var) bool { return !f.Exported() || f.Name() == "ResultMetadata" })
}

// member is the one of that name, or nil.
func member(t types.Type, name string) *types.Var {
	all := members(t)
	if i := slices.IndexFunc(all, func(m *types.Var) bool { return m.Name() == name }); i >= 0 {
		return all[i]
	}
	return nil
}

func isText(m *types.Var) bool { return written(m.Type()) == "*string" }

// written is a type as the collector's source names it.
func written(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
