package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
)

// argument is a word that a command takes, by the name that its line of use has for it.
type argument struct {
	name           string
	optional, many bool
}

// meanings are those of arguments that several commands take.
var meanings = map[string]string{
	"AUDIT":      "AUDIT is an id or the beginning of one, a connection's name, id or\naccount (its newest audit), or latest.",
	"OLDER":      "OLDER and NEWER are ids or beginnings of ids, a connection's name, id or\naccount (its newest audit), or latest.",
	"CONNECTION": "CONNECTION is the name of one, its id or its account.",
	"FINDING":    "FINDING is its id or the beginning of it.",
	"CHECK":      "CHECK is an id, a glob of ids, or another tool's id, such as KMS.4.",
}

// arguments are what a command's line of use names: "show [AUDIT]", "list [FILTER]...".
func arguments(cmd *cobra.Command) []argument {
	var all []argument
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if strings.HasPrefix(word, "--") { // flags that are required follow
			break
		}
		all = append(all, argument{strings.Trim(word, "[]."), strings.HasPrefix(word, "["), strings.HasSuffix(word, "...")})
	}
	return all
}

// shortNames are what verbs can be called as well.
var shortNames = map[string]string{"list": "ls", "show": "get", "remove": "rm", "delete": "rm"}

// alike makes all commands alike: what they are called, what they say of the words that
// they take, and what the shell completes.
func (c *cli) alike(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		c.alike(sub)
	}
	switch one, many := strings.CutSuffix(cmd.Name(), "s"); {
	case shortNames[cmd.Name()] != "":
		cmd.Aliases = append(cmd.Aliases, shortNames[cmd.Name()])
	case cmd.HasSubCommands() && many:
		cmd.Aliases = append(cmd.Aliases, one)
	case cmd.HasSubCommands() && cmd.HasParent():
		cmd.Aliases = append(cmd.Aliases, cmd.Name()+"s")
	}
	for _, a := range arguments(cmd) {
		if text := meanings[a.name]; text != "" {
			if cmd.Long == "" {
				cmd.Long = cmd.Short + "."
			}
			cmd.Long += "\n\n" + text
		}
	}
	c.completable(cmd)
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, words []string) error {
			if args(cmd, words) != nil {
				return usage(argumentError(cmd, words))
			}
			return nil
		}
	}
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	// A command that only groups others refuses words that it does not know.
	cmd.Args = func(cmd *cobra.Command, words []string) error {
		if len(words) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(append(names, sub.Name()), sub.Aliases...)
		}
		return &check.UnknownError{What: "command", Word: words[0], Nearest: check.Nearest(words[0], names)}
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// flagError says which flag was meant by one that there is not.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 { // a letter is near to any
		return usage(err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	word := "--" + unknown.GetSpecifiedName()
	return &check.UnknownError{What: "flag", Word: word, Nearest: check.Nearest(word, names)}
}

// argumentError says which word is missing, or is one too many.
func argumentError(cmd *cobra.Command, words []string) error {
	all := arguments(cmd)
	if len(words) < len(all) && !all[len(words)].optional {
		example, _, _ := strings.Cut(strings.TrimSpace(cmd.Example), "\n")
		return fmt.Errorf("%s is missing; for example: %s", all[len(words)].name, example)
	}
	if slices.ContainsFunc(all, func(a argument) bool { return a.many }) || len(words) <= len(all) {
		return fmt.Errorf("usage: %s", cmd.UseLine())
	}
	return fmt.Errorf("%q is one word too many; usage: %s", words[len(all)], cmd.UseLine())
}
