package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/report"
	"github.com/cloudarq/cloudarq/pkg/services"
)

// cli is what all commands share.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	dataDir string
	config  string // --config
	server  string // whose records are used; empty is those of this machine
	output  string
	quiet   bool
	noColor bool

	listings map[*cobra.Command]*listing // of commands that list
	listing  *listing                    // of the one that runs, if it does

	stateDir string // what dataDir came to, once the state was opened

	keyringPassphrase string         // where the passphrase of the keyring is
	keyring           secret.Wrapper // once it was asked for
	lines             *bufio.Reader  // of stdin, which may hold more than one secret

	quotaShare float64  // percentage of AWS's quotas that calls take; 0 is the default
	elsewhere  sync.Map // hosts that are not AWS's, and were named
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:     "cloudarq",
		Short:   "Audit AWS accounts for security and compliance, read-only",
		Version: version.String(),
		Long: `CloudArq audits AWS accounts for security and compliance. It only reads, from
this machine, with the credentials that you have; nothing leaves the machine.
Only connections bootstrap makes something, if you ask for it: the role to audit by.
(operator mends a deployed CloudArq, and touches no account that is audited.)

With --server, or CLOUDARQ_SERVER, most commands are about what a CloudArq server
has, deployed or of cloudarq serve; --server '' is this machine again. Sign in with
cloudarq login, or have an API token in CLOUDARQ_TOKEN.

Exit codes: 0 done; 1 findings at or above --fail-on, or a policy that fails
policy verify; 2 wrong command line or passphrase; 3 coverage below
--min-coverage; 4 AWS refused the credentials or the role, or lets in who it
should not, or a server refuses you; 5 cancelled or out of time; 6 anything else; 7 what is kept of an audit
is not what it wrote.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			said := cmd.Flags().Changed("server")
			if err := fromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			if err := c.atServer(cmd, said); err != nil {
				return err
			}
			return c.begin(cmd)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.dataDir, "data-dir", "", "where audits are kept (default $XDG_DATA_HOME/cloudarq)")
	flags.StringVar(&c.config, "config", "", "configuration (default cloudarq.yaml in the working directory, or that of the user)")
	flags.StringVar(&c.server, "server", "", "URL of the server whose records are meant, such as https://cloudarq.example.com (default those of this machine)")
	flags.StringVarP(&c.output, "output", "o", "table", "output: table, json, ndjson or csv")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "no progress, no summary on stderr")
	flags.BoolVar(&c.noColor, "no-color", false, "no colours (also NO_COLOR)")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(c.audit(), c.connections(), c.findings(), c.resources(), c.trend(), c.compliance(), c.configCommand(), c.checks(), c.schemas(), c.policy(), c.report(), c.admin(), c.operator(), c.serve(), c.login(), c.logout(), c.whoami(), c.version())
	c.alike(root)
	return root
}

// fromEnvironment gives flags that were not set the value of CLOUDARQ_<FLAG>.
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := "CLOUDARQ_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, set := os.LookupEnv(name)
		// The secret itself is in the environment, not the way to it.
		if f.Changed || !set || slices.Contains([]string{externalIDVariable, keyringVariable, keyIDVariable, keySecretVariable}, name) {
			return
		}
		if e := flags.Set(f.Name, value); e != nil && err == nil {
			err = usagef("%s: %w", name, e)
		}
	})
	return err
}

// open opens the state with the catalogue of checks.
func (c *cli) open(ctx context.Context) (*local.State, error) {
	catalog, err := services.Catalog()
	if err != nil {
		return nil, err
	}
	dir := c.dataDir
	if dir == "" {
		if dir, err = local.DefaultDir(); err != nil {
			return nil, err
		}
	}
	c.stateDir = dir
	state, err := local.Open(ctx, dir, catalog)
	if err != nil {
		return nil, fmt.Errorf("open the state in %s: %w", dir, err)
	}
	return state, nil
}

// with runs a command on the opened state.
func (c *cli) with(ctx context.Context, work func(*local.State) error) error {
	state, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(work(state), state.Close())
}

func (c *cli) format() (report.Format, error) {
	f, err := report.ParseFormat(c.output)
	if err != nil {
		return "", usage(err)
	}
	return f, nil
}

// style is how tables look on w.
func (c *cli) style(w io.Writer) report.Style {
	width, terminal := size(w)
	return report.Style{
		Color: terminal && !c.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Width: width,
	}
}

// unknownWidth is that of a terminal that does not tell.
const unknownWidth = 80

// size is the width of a terminal, and whether w is one.
func size(w io.Writer) (width int, terminal bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return unknownWidth, true
	}
	return max(width, 1), true
}
