package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/policy"
	"github.com/cloudarq/cloudarq/pkg/policy/grant"
	"github.com/cloudarq/cloudarq/pkg/results/filter"
	"github.com/cloudarq/cloudarq/pkg/results/findings"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
	"github.com/cloudarq/cloudarq/pkg/results/trend"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// completionTime is how long the shell waits for what a state or a server has: it asks while
// somebody types, and what is not there by then is not offered.
const completionTime = 300 * time.Millisecond

// How much is offered of what there may be any number of.
const (
	auditsOffered   = 10 // of each connection, the newest
	findingsOffered = 100
)

// offers are what a shell offers, each with a few words on it if there are any.
type offers = []cobra.Completion

// filterWords are what the filters of lists can ask.
var filterWords = map[string]func() filter.Vocabulary{
	"findings list": findingWords, "resources list": resourceWords, "checks list": checkWords,
}

// paths are the flags that name files and directories.
var paths = map[string]bool{"data-dir": true, "file": true, "config": true, "trail": true, "tls-certificate": true, "tls-key": true}

// completable gives a command's words and flags what a shell offers for them, by the name that
// the line of use has for a word, and by the name of the flag.
func (c *cli) completable(cmd *cobra.Command) {
	if !cmd.HasSubCommands() {
		cmd.ValidArgsFunction = c.completeWord
	}
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if paths[f.Name] || f.NoOptDefVal == "true" {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, _ []string, part string) (offers, cobra.ShellCompDirective) {
			all := c.flagOffers(cmd, f.Name)
			if f.Value.Type() == "stringSlice" {
				all = behindCommas(all, part)
			}
			return fitting(all, part), cobra.ShellCompDirectiveNoFileComp
		}) // fails for a flag that has one, and this is the only place that gives any
	})
}

// completeWord offers what an argument can be.
func (c *cli) completeWord(cmd *cobra.Command, before []string, part string) (offers, cobra.ShellCompDirective) {
	all := arguments(cmd)
	at := len(before)
	if last := len(all) - 1; last >= 0 && all[last].many {
		at = min(at, last)
	}
	if f := cmd.Flags().Lookup("services"); f != nil && f.NoOptDefVal == listServices && strings.HasPrefix(f.Value.String(), "["+listServices) {
		// A flag whose value may be left out leaves it as a word.
		return fitting(behindCommas(c.flagOffers(cmd, f.Name), part), part), cobra.ShellCompDirectiveNoFileComp
	}
	if at >= len(all) {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	var offered offers
	for _, kind := range strings.Split(all[at].name, "|") {
		switch kind {
		case "AUDIT", "OLDER", "NEWER":
			offered = append(offered, c.audits(cmd)...)
		case "CONNECTION":
			offered = append(offered, c.called(cmd)...)
		case "CHECK":
			offered = append(offered, checkOffers()...)
		case "FRAMEWORK":
			offered = append(offered, frameworkOffers()...)
		case "REQUIREMENT":
			offered = append(offered, requirementOffers(before)...)
		case "FINDING":
			offered = append(offered, c.someFindings(cmd, part)...)
		case "FILTER":
			more, open := c.filterOffers(cmd, part)
			offered = append(offered, more...)
			if open && len(fitting(offered, part)) == len(fitting(more, part)) { // a value is to follow
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		case "FILE":
			directive = cobra.ShellCompDirectiveDefault
		default:
			if kind == strings.ToLower(kind) { // a word as it is
				offered = append(offered, kind)
			}
		}
	}
	return fitting(offered, part), directive
}

// optionOffers are the options of checks, as far as to their values.
func optionOffers(catalog *check.Catalog) (all offers) {
	for _, k := range catalog.Checks() {
		for _, o := range k.Options {
			all = append(all, string(k.ID)+"."+o.Name+"=\t"+o.Doc)
		}
	}
	return all
}

// frameworkOffers are the frameworks with what they are called.
func frameworkOffers() (all offers) {
	catalog, err := services.Catalog()
	if err != nil {
		return nil
	}
	frameworks, _ := catalog.Frameworks() // that they parse is tested
	for _, f := range frameworks {
		all = append(all, f.ID+"\t"+f.Title)
	}
	return all
}

// requirementOffers are the requirements of the framework that is named before.
func requirementOffers(before []string) (all offers) {
	catalog, err := services.Catalog()
	if err != nil || len(before) == 0 {
		return nil
	}
	f, _ := catalog.Framework(before[0])
	for _, r := range f.Requirements {
		all = append(all, r.ID)
	}
	return all
}

// fitting are the offers that go on from what is typed.
func fitting(all offers, part string) offers {
	return slices.DeleteFunc(slices.Clone(all), func(o string) bool { return !strings.HasPrefix(o, part) })
}

// behindCommas are offers for the last of several words with commas between them, of which
// none is said twice.
func behindCommas(all offers, part string) offers {
	head := part[:strings.LastIndex(part, ",")+1]
	said := strings.Split(head, ",")
	var offered offers
	for _, o := range all {
		if word, _, _ := strings.Cut(o, "\t"); !slices.Contains(said, word) {
			offered = append(offered, head+o)
		}
	}
	return offered
}

// flagOffers are the values of a flag.
func (c *cli) flagOffers(cmd *cobra.Command, name string) offers {
	catalog, err := services.Catalog()
	if err != nil {
		return nil
	}
	switch name {
	case "services":
		names, _ := catalog.SelectServices(nil) // without words it selects all
		return names
	case "regions":
		return append(offers{allRegions}, model.KnownRegions()...)
	case "region":
		return model.KnownRegions()
	case "checks":
		return append(offers{check.SelectAll, check.SelectDefault}, checkOffers()...)
	case "exclude-checks":
		return checkOffers()
	case "severity", "fail-on":
		return texts(model.Severities())
	case "output":
		return texts(report.Formats())
	case "connection":
		return c.called(cmd)
	case "option":
		return optionOffers(catalog)
	case "framework":
		return frameworkOffers()
	case "state":
		return stateNames()
	case "audit":
		return c.audits(cmd)
	case "project":
		return c.projects(cmd)
	case "by":
		return texts([]trend.Step{trend.ByDay, trend.ByAudit})
	case "resume":
		return c.audits(cmd, model.AuditCancelled)
	case "format":
		return texts([]policy.Format{policy.FormatJSON, policy.FormatCloudFormation, policy.FormatStackSet, policy.FormatTerraform})
	case "mode":
		return append(offers{"exact"}, grant.ManagedNames()...)
	case "external-id", "keyring-passphrase", "access-key-id", "secret-access-key":
		return offers{"prompt\task on the terminal", "-\tread standard input", "env:\tof an environment variable", "file:\tof a file"}
	case "columns", "sort":
		if l := c.listings[cmd]; l != nil {
			sign, names := map[string]string{"columns": "+", "sort": "-"}[name], l.names
			if name == "sort" {
				names = l.sortable
			}
			offered := slices.Clone(names)
			for _, n := range names {
				offered = append(offered, sign+n)
			}
			return offered
		}
	}
	return nil
}

func texts[T ~string](all []T) []string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	return words
}

func checkOffers() offers {
	catalog, err := services.Catalog()
	if err != nil {
		return nil
	}
	about, err := catalog.Texts()
	if err != nil {
		return nil
	}
	var offered offers
	for _, k := range catalog.Checks() {
		offered = append(offered, offer(string(k.ID), about[k.ID].Title))
	}
	return offered
}

// offer is a word with an explanation, of what accounts and servers may hold.
func offer(word, about string) cobra.Completion {
	clean := func(text string) string { return report.Plain(strings.NewReplacer("\n", " ", "\t", " ").Replace(text)) }
	return cobra.CompletionWithDesc(clean(word), clean(about))
}

// filterOffers are the words of a filter that go on from a part of one: first the fields, and
// then the values. open says that what they end with goes on.
func (c *cli) filterOffers(cmd *cobra.Command, part string) (offered offers, open bool) {
	vocabulary := filterWords[named(cmd)]
	if vocabulary == nil {
		return nil, false
	}
	words := vocabulary()
	at := strings.IndexAny(part, "=<>!")
	if at < 0 {
		for _, f := range words {
			if strings.HasSuffix(f.Name, ":") {
				offered = append(offered, offer(f.Name, f.Doc))
				continue
			}
			offered = append(offered, offer(f.Name+"=", f.Doc))
		}
		return offered, true
	}
	values := at + len(part[at:]) - len(strings.TrimLeft(part[at:], "=<>!"))
	f, ok := words.Field(part[:at])
	switch {
	case !ok:
		return nil, false
	case f.Name == "account" || f.Name == "connection":
		offered = c.called(cmd)
	case f.Name == "project":
		offered = c.projects(cmd)
	case f.Values != nil:
		offered = f.Values()
	}
	offered = behindCommas(offered, part[values:])
	for i := range offered {
		offered[i] = part[:values] + offered[i]
	}
	return offered, false
}

// called are the words that connections are called by.
func (c *cli) called(cmd *cobra.Command) offers {
	return c.glance(cmd, func(ctx context.Context, b backend) (offered offers) {
		connections, err := b.Connections(ctx)
		if err != nil {
			return nil
		}
		for _, c := range connections {
			if c.Name != "" {
				offered = append(offered, offer(c.Name, c.AccountID))
			}
			if c.AccountID != "" && c.AccountID != c.Name {
				offered = append(offered, offer(c.AccountID, c.Name))
			}
			if c.Name == "" && c.AccountID == "" {
				offered = append(offered, offer(string(c.ID), "has no account yet"))
			}
		}
		return offered
	})
}

// projects are those that connections are in.
func (c *cli) projects(cmd *cobra.Command) offers {
	return c.glance(cmd, func(ctx context.Context, b backend) (offered offers) {
		connections, err := b.Connections(ctx)
		if err != nil {
			return nil
		}
		for _, c := range connections {
			if o := offer(c.Project, ""); c.Project != "" && !slices.Contains(offered, o) {
				offered = append(offered, o)
			}
		}
		return offered
	})
}

// audits are audits that can be named, in one of the states given if any is, and the words that
// stand for one.
func (c *cli) audits(cmd *cobra.Command, in ...model.AuditState) offers {
	offered := c.called(cmd)
	if len(in) > 0 {
		offered = nil
	}
	return append(offered, c.glance(cmd, func(ctx context.Context, b backend) (offered offers) {
		connections, err := b.Connections(ctx)
		if err != nil {
			return nil
		}
		for _, connection := range connections {
			n := 0
			for a, err := range b.Audits(ctx, connection) {
				if err != nil || n == auditsOffered {
					break
				}
				if !a.Verification && (len(in) == 0 || slices.Contains(in, a.State)) {
					n++
					offered = append(offered, offer(string(a.ID), a.Account+" "+a.StartedAt.Local().Format(time.DateTime)+" "+string(a.State)))
				}
			}
		}
		return offered
	})...)
}

func (c *cli) someFindings(cmd *cobra.Command, part string) offers {
	return c.glance(cmd, func(ctx context.Context, b backend) (offered offers) {
		q := findings.Query{All: true}
		if part != "" {
			q.Words = []string{"id=" + part + "*"}
		}
		_, _ = b.Findings(ctx, q, findingsOffered, func(f shape.Finding) error {
			offered = append(offered, offer(string(f.ID), string(f.Check)+" "+f.Resource))
			return nil
		}) // what came before an error is offered
		return offered
	})
}

// glance looks at what is kept, or at what a server has, if that is there at once. It makes
// no state where there is none.
func (c *cli) glance(cmd *cobra.Command, look func(context.Context, backend) offers) offers {
	if _, here := apart[named(cmd)]; here {
		c.server = ""
	}
	if c.server == "" {
		dir := c.dataDir
		if dir == "" {
			dir, _ = local.DefaultDir() // an empty one has no state
		}
		if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	seen := make(chan offers, 1)
	go func() { // which a lock or a keyring may hold up
		var offered offers
		err := c.using(ctx, func(b backend) error {
			offered = look(ctx, b)
			return nil
		})
		if err != nil {
			offered = nil
		}
		seen <- offered
	}()
	select {
	case offered := <-seen:
		return offered
	case <-ctx.Done():
		return nil
	}
}
