package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// configName is what the command's configuration is called.
const configName = "cloudarq.yaml"

// maxConfig is the most bytes of a configuration.
const maxConfig = 1 << 20

// configuration is what a file says of what audits of this command look at.
type configuration struct {
	options model.CheckOptions
	origin  map[model.CheckID]map[string]string // "cloudarq.yaml:4"
}

// configFile is the configuration that holds: what --config names, cloudarq.yaml in the
// working directory, or that of the user. Empty is none.
func (c *cli) configFile() (string, error) {
	if c.config != "" {
		return c.config, nil
	}
	places := []string{configName}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "cloudarq", configName))
	}
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read the configuration: %w", err)
		}
	}
	return "", nil
}

// configure reads the configuration. What is wrong with it is a matter of usage.
func (c *cli) configure() (configuration, error) {
	none := configuration{}
	path, err := c.configFile()
	if err != nil || path == "" {
		return none, err
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		return none, usagef("%s has %d bytes, at most %d are read", path, info.Size(), maxConfig)
	}
	document, err := os.ReadFile(path) //nolint:gosec // whoever runs the command says which
	if err != nil {
		return none, usagef("read the configuration: %w", err)
	}
	catalog, err := services.Catalog()
	if err != nil {
		return none, err
	}
	read, err := parseConfig(catalog, path, document)
	if err != nil {
		return none, usage(err)
	}
	return read, nil
}

// parseConfig reads a configuration: options by check and name. A key that there is not is
// refused, with the nearest.
func parseConfig(catalog *check.Catalog, path string, document []byte) (configuration, error) {
	read := configuration{model.CheckOptions{}, map[model.CheckID]map[string]string{}}
	var root yaml.Node
	if err := yaml.Unmarshal(document, &root); err != nil {
		return read, fmt.Errorf("%s: %w", path, err)
	}
	if len(root.Content) == 0 {
		return read, nil
	}
	at := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d", path, n.Line) }
	sections := []string{"options"}
	err := members(root.Content[0], at, func(key, checks *yaml.Node) error {
		if key.Value != sections[0] {
			return fmt.Errorf("%s: %w", at(key), &check.UnknownError{What: "key", Word: key.Value, Nearest: check.Nearest(key.Value, sections), Among: sections})
		}
		return members(checks, at, func(id, options *yaml.Node) error {
			return members(options, at, func(name, value *yaml.Node) error {
				var v model.OptionValue
				if value.Kind == yaml.SequenceNode {
					v.Words = []string{}
					if err := value.Decode(&v.Words); err != nil {
						return fmt.Errorf("%s: %w", at(value), err)
					}
				} else if err := value.Decode(&v.Number); err != nil {
					return fmt.Errorf("%s: the value of %s is a whole number, or a list of words", at(value), name.Value)
				}
				one := model.CheckOptions{model.CheckID(id.Value): {name.Value: v}}
				err := one.Check()
				if err == nil {
					err = catalog.CheckOptions(one)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", at(name), err)
				}
				read.options = one.Or(read.options)
				if read.origin[model.CheckID(id.Value)] == nil {
					read.origin[model.CheckID(id.Value)] = map[string]string{}
				}
				read.origin[model.CheckID(id.Value)][name.Value] = at(name)
				return nil
			})
		})
	})
	return read, err
}

// members visits the members of a mapping.
func members(n *yaml.Node, at func(*yaml.Node) string, visit func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want names, each with what it is set to", at(n))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := visit(n.Content[i], n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// optionFlag is --option CHECK.NAME=VALUE, which may come several times.
type optionFlag struct{ to *model.AuditOptions }

func (f optionFlag) Type() string { return "option" }

func (f optionFlag) String() string {
	var all []string
	if f.to != nil {
		for id, values := range f.to.Options {
			for name, v := range values {
				all = append(all, fmt.Sprintf("%s.%s=%s", id, name, v))
			}
		}
	}
	return strings.Join(all, " ")
}

func (f optionFlag) Set(text string) error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	key, value, ok := strings.Cut(text, "=")
	id, name, dotted := strings.Cut(key, ".")
	if !ok || !dotted {
		return fmt.Errorf("%q: want CHECK.NAME=VALUE, such as iam-access-key-rotated.days=60", text)
	}
	k, known := catalog.Check(model.CheckID(id))
	if !known {
		return catalog.CheckOptions(model.CheckOptions{model.CheckID(id): {name: {}}})
	}
	o, err := k.Option(name)
	if err != nil {
		return err
	}
	v := o.Default
	if value != "default" {
		if v, err = o.Parse(value); err != nil {
			return &check.OptionError{Check: k.ID, Option: name, Err: err}
		}
	}
	f.to.Options = model.CheckOptions{k.ID: {name: v}}.Or(f.to.Options)
	return nil
}

var _ pflag.Value = optionFlag{}

func (c *cli) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "What options of checks are set to, and where"}
	var connection string
	var origin, set bool
	show := listOf(c, &cobra.Command{
		Use:   "show [CHECK]",
		Short: "Show what options of checks are set to",
		Long: `Show the options of checks: the thresholds and lists that can be set, and what they are
set to for audits of this machine. A connection's own come first (connections update
--option), then those of the configuration: the file that --config names, ` + configName + `
in the working directory, or the user's. The others have their defaults.

    options:
      iam-access-key-rotated:
        days: 60
      ec2-security-group-only-web-from-internet:
        ports: ["443"]`,
		Example: `  cloudarq config show
  cloudarq config show --origin --set
  cloudarq config show 'iam-*' --connection prod -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.configShow(cmd.Context(), words, connection, origin, set)
		},
	}, "option", report.OptionColumns(true))
	flags := show.Flags()
	flags.StringVar(&connection, "connection", "", "as audits of this connection have them, by name, id or account")
	flags.BoolVar(&origin, "origin", false, "say where each was set")
	flags.BoolVar(&set, "set", false, "only those that somebody set")
	cmd.AddCommand(show)
	return cmd
}

func (c *cli) configShow(ctx context.Context, words []string, connection string, origin, set bool) error {
	catalog, err := services.Catalog()
	if err != nil {
		return err
	}
	if len(words) == 0 {
		words = []string{check.SelectAll}
	}
	checks, err := catalog.Select(words)
	if err != nil {
		return usage(err)
	}
	config, err := c.configure()
	if err != nil {
		return err
	}
	own := model.CheckOptions{}
	if connection != "" {
		err := c.with(ctx, func(s *local.State) error {
			found, err := c.kept(s).Find(ctx, connection)
			own = found.Options
			return err
		})
		if err != nil {
			return err
		}
	}
	var rows []report.Option
	for _, k := range checks {
		for _, o := range k.Options {
			row := report.Option{Check: k.ID, Option: *o, Value: o.Default, Origin: "default"}
			if v, ok := config.options[k.ID][o.Name]; ok {
				row.Value, row.Origin = v, config.origin[k.ID][o.Name]
			}
			if v, ok := own[k.ID][o.Name]; ok {
				row.Value, row.Origin = v, "connection "+connection
			}
			if !set || row.Origin != "default" {
				rows = append(rows, row)
			}
		}
	}
	return write(c, rows, report.OptionColumns(origin))
}

// configured are a run's flags with what the connection and the configuration say where they
// say nothing.
func (c *cli) configured(f runFlags) (runFlags, error) {
	config, err := c.configure()
	f.Options = f.Options.Or(config.options)
	return f, err
}
