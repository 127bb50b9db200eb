package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/api/login"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// tokenVariable has an API token that is used in the place of what is kept.
const tokenVariable = "CLOUDARQ_TOKEN" //nolint:gosec // the name of a variable

// apart are the commands that know no server, with the reason. All others work with
// --server.
var apart = map[string]struct {
	why string
	// missing says that the command is about records, which a server does not give yet:
	// then it does not show those of this machine when CLOUDARQ_SERVER names a server.
	missing bool
}{
	"report html":                    {"reports of a server are made on it, which it does not do yet", true},
	"connections rotate-external-id": {"an organization of a server has one External ID for all connections: POST /v1/external-id/rotate replaces it", true},
	"config show":                    {"a server has options in its settings, projects and connections", false},
	"checks list":                    {"it shows the checks of this version of the command", false},
	"checks show":                    {"it shows the checks of this version of the command", false},
	"policy diff":                    {"it is about a file", false},
	"policy verify":                  {"it is about a file", false},
	"admin invite":                   {"it is for the owner of a data directory: POST /v1/invitations invites people on a server", false},
	"admin recover":                  {"it is for the owner of a data directory", false},
	"admin change-address":           {"it is for the owner of a data directory", false},
	"admin organizations create":     {"it is for the owner of a data directory", false},
	"admin organizations delete":     {"it is for the owner of a data directory", false},
	"admin organizations list":       {"it is for the owner of a data directory", false},
	"admin organizations suspend":    {"it is for the owner of a data directory", false},
	"admin organizations resume":     {"it is for the owner of a data directory", false},
	"admin reindex":                  {"it is about the index of a data directory", false},
	"admin rekey":                    {"it is about the keyring of a data directory", false},
	"admin signing-key":              {"it is about the keyring of a data directory", false},
	"operator inventory":             {"it works with AWS credentials of the deployment's account", false},
	"operator reseal":                {"it works with AWS credentials of the deployment's account", false},
	"operator restore-objects":       {"it works with AWS credentials of the deployment's account", false},
	"serve":                          {"it is a server", false},
	"schemas list":                   {"it shows the schemas of this version of the command", false},
	"schemas show":                   {"it shows the schemas of this version of the command", false},
	"version":                        {"it is about this command", false},
	"help":                           {"it is about this command", false},
	"completion bash":                {"it is about this command", false},
	"completion fish":                {"it is about this command", false},
	"completion powershell":          {"it is about this command", false},
	"completion zsh":                 {"it is about this command", false},
}

// named is how a command is called, without the name of the program.
func named(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// atServer refuses a server to a command that knows none; said is whether --server named it,
// and not the environment.
func (c *cli) atServer(cmd *cobra.Command, said bool) error {
	reason, local := apart[named(cmd)]
	switch {
	case c.server == "" || !local:
		return nil
	case said:
		return usagef("cloudarq %s does not go with --server: %s", named(cmd), reason.why)
	case reason.missing:
		return usagef("cloudarq %s does not go with CLOUDARQ_SERVER: %s; --server '' is this machine", named(cmd), reason.why)
	}
	c.server = ""
	return nil
}

// deployment is the server that --server names, as who is signed in.
func (c *cli) deployment() (*apiclient.Client, error) {
	client, err := apiclient.New(apiclient.Options{URL: c.server, Version: version.String()})
	if err != nil {
		return nil, err
	}
	c.server = client.Server()
	if token := strings.TrimSpace(os.Getenv(tokenVariable)); token != "" {
		return client.Use(login.Given{Server: client.Server(), Of: tokenVariable, Secret: secret.New(token)}), nil
	}
	store, err := c.signedIn()
	if err != nil {
		return nil, err
	}
	return client.Use(&login.Session{Store: store, Client: client, Now: time.Now}), nil
}

// signedIn is where credentials of servers are kept.
func (c *cli) signedIn() (login.Store, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return login.Store{}, fmt.Errorf("find a place for credentials: %w; have an API token in %s", err, tokenVariable)
	}
	return login.Store{Dir: filepath.Join(dir, "cloudarq", "servers"), Keyring: login.SystemKeyring()}, nil
}

// theServer is the one that --server names, or the only one that somebody is signed in to.
func (c *cli) theServer() error {
	if c.server != "" {
		return nil
	}
	store, err := c.signedIn()
	if err != nil {
		return err
	}
	all, err := store.Servers()
	switch {
	case err != nil:
		return err
	case len(all) == 1:
		c.server = all[0]
		return nil
	}
	return usagef("name the server with --server%s", cmp.Or(map[bool]string{true: ": " + strings.Join(all, ", ")}[len(all) > 1], "; nobody is signed in to any"))
}
