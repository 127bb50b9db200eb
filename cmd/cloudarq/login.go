package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/access/people"
	apiclient "github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/api/login"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/results/report"
)

func (c *cli) login() *cobra.Command {
	var fromStdin, noBrowser bool
	cmd := &cobra.Command{
		Use:   "login --server URL",
		Short: "Sign in to a CloudArq server, to use it with --server",
		Long: `Sign in to a CloudArq server, deployed or of cloudarq serve. A page of the server is
opened in the browser, where you sign in and allow it; it has to be a browser on this
computer. Elsewhere make an API token on the server, and give it with --token-stdin.

What lets in is kept in the keyring of the operating system, or where there is none in
a file that you alone can read. A session goes on for two weeks without a use, and for
90 days at most. Several servers can be signed in to side by side. There is no server
that is meant when you name none: export CLOUDARQ_SERVER, if you want one.

In pipelines have an API token in CLOUDARQ_TOKEN, and do not sign in.`,
		Example: `  cloudarq login --server https://cloudarq.example.com
  cloudarq login --server https://a1b2c3.execute-api.eu-west-1.amazonaws.com --token-stdin < token
  cloudarq findings list --server https://cloudarq.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.signIn(cmd.Context(), fromStdin, noBrowser) },
	}
	cmd.Flags().BoolVar(&fromStdin, "token-stdin", false, "read an API token from stdin, or ask for it on a terminal")
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "open no browser, and print the address of the page alone")
	return cmd
}

func (c *cli) signIn(ctx context.Context, fromStdin, noBrowser bool) error {
	if _, err := c.format(); err != nil {
		return err
	}
	if c.server == "" {
		return usagef("--server is missing")
	}
	client, store, err := c.named()
	if err != nil {
		return err
	}
	// Before anybody signs in in vain.
	before, _, err := store.Get(ctx, c.server)
	if errors.As(err, new(*login.ExposedError)) {
		return err
	}
	var given login.Credentials
	if fromStdin {
		given, err = c.apiToken()
	} else {
		given, err = login.Browser(ctx, client, func(page string) { c.show(page, noBrowser) })
	}
	if err != nil {
		return err
	}
	token := given.APIToken
	if token.Empty() {
		token = given.Access
	}
	me, err := client.With(token).Me(ctx)
	if err != nil {
		return err
	}
	var where login.Where
	err = store.Alone(ctx, c.server, func() (err error) {
		where, err = store.Put(context.WithoutCancel(ctx), given)
		return err
	})
	if err != nil {
		return err
	}
	if !before.Access.Empty() && time.Now().Before(before.Until) { // the session that this one replaces
		_ = client.With(before.Access).SignOut(ctx)
	}
	if where.Why != nil {
		c.note("the keyring of the operating system does not open: %v", where.Why)
	}
	if os.Getenv(tokenVariable) != "" {
		c.note("%s is set, and is used in the place of this", tokenVariable)
	}
	return writeOne(c, identityOf(c.server, me, where.String()), identityColumns())
}

// apiToken reads an API token.
func (c *cli) apiToken() (login.Credentials, error) {
	from := "-"
	if _, terminal := c.terminal(); terminal {
		from = "prompt"
	}
	text, err := c.secret(source{"API token", "--token-stdin", tokenVariable}, from)
	if err != nil {
		return login.Credentials{}, err
	}
	if _, err := people.ParseToken(people.APIToken, text); err != nil {
		return login.Credentials{}, usagef("what was given is no API token (caq_…), or was cut or mistyped")
	}
	return login.Credentials{Server: c.server, APIToken: text}, nil
}

// show prints the page to sign in on, and opens it if that can be.
func (c *cli) show(page string, printOnly bool) {
	fmt.Fprintf(c.stderr, "Sign in on this page within %.0f minutes, in a browser on this computer:\n%s\n", login.Patience.Minutes(), report.Plain(page))
	if printOnly {
		return
	}
	if err := openBrowser(page); err != nil {
		c.note("no browser was opened: %v", err)
	}
}

// openBrowser opens a page as the operating system does.
func openBrowser(page string) error {
	var cmd *exec.Cmd
	switch {
	case runtime.GOOS == "darwin":
		cmd = exec.Command("/usr/bin/open", page)
	case runtime.GOOS == "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", page)
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errors.New("there is no display")
	default:
		cmd = exec.Command("xdg-open", page)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

func (c *cli) logout() *cobra.Command {
	return &cobra.Command{
		Use:   "logout",
		Short: "End the session with a server, and forget what lets in",
		Long: `End the session with a server, and forget what lets in. An API token is forgotten here
and stays good: end it on the server. Without --server the only one is meant that
somebody is signed in to.`,
		Example: `  cloudarq logout
  cloudarq logout --server https://cloudarq.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.signOut(cmd.Context()) },
	}
}

// named is the server that --server names, as it is known from here on, and what keeps who is
// signed in.
func (c *cli) named() (*apiclient.Client, login.Store, error) {
	client, err := apiclient.New(apiclient.Options{URL: c.server, Version: version.String()})
	if err != nil {
		return nil, login.Store{}, err
	}
	c.server = client.Server()
	store, err := c.signedIn()
	return client, store, err
}

func (c *cli) signOut(ctx context.Context) error {
	if err := c.theServer(); err != nil {
		return err
	}
	client, store, err := c.named()
	if err != nil {
		return err
	}
	kept, _, err := store.Get(ctx, c.server)
	if errors.Is(err, login.ErrNone) {
		return usagef("nobody is signed in to %s", c.server)
	}
	var told error
	if err == nil && kept.APIToken.Empty() {
		told = client.Use(&login.Session{Store: store, Client: client, Now: time.Now}).SignOut(ctx)
		if errors.As(told, new(*login.SignInError)) { // it has ended
			told = nil
		}
	}
	err = store.Alone(ctx, c.server, func() error { return store.Delete(context.WithoutCancel(ctx), c.server) })
	if err != nil {
		return err
	}
	if told != nil {
		return fmt.Errorf("it is forgotten here, but the server could not be told to end the session: %w", told)
	}
	if !kept.APIToken.Empty() {
		c.note("the API token is forgotten here, and stays good until it is ended on %s", c.server)
	}
	return nil
}

func (c *cli) whoami() *cobra.Command {
	return &cobra.Command{
		Use:   "whoami",
		Short: "Show as whom you are signed in to a server, and what you may do",
		Long: `Show as whom you are signed in to a server, in which organization, what you may do,
until when, and where it is kept what lets you in. Without --server the only one is
meant that somebody is signed in to.`,
		Example: `  cloudarq whoami
  cloudarq whoami --server https://cloudarq.example.com -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.who(cmd.Context()) },
	}
}

func (c *cli) who(ctx context.Context) error {
	if _, err := c.format(); err != nil {
		return err
	}
	if err := c.theServer(); err != nil {
		return err
	}
	client, err := c.deployment()
	if err != nil {
		return err
	}
	me, err := client.Me(ctx)
	if err != nil {
		return err
	}
	kept := "the variable " + tokenVariable
	if os.Getenv(tokenVariable) == "" {
		store, err := c.signedIn()
		if err != nil {
			return err
		}
		_, where, err := store.Get(ctx, c.server)
		if err != nil {
			return err
		}
		kept = where.String()
	}
	return writeOne(c, identityOf(c.server, me, kept), identityColumns())
}

// identity is who somebody is to a server.
type identity struct {
	Server       string               `json:"server"`
	Email        string               `json:"email"`
	Name         string               `json:"name,omitempty"`
	Token        string               `json:"token,omitempty"` // name of an API token
	Organization model.OrganizationID `json:"organization"`
	Role         model.Role           `json:"role"`
	Scopes       []model.Scope        `json:"scopes"`
	Projects     []string             `json:"projects,omitempty"` // all if left out and all_projects
	AllProjects  bool                 `json:"all_projects"`
	Until        time.Time            `json:"until,omitzero"`
	Kept         string               `json:"kept"`
}

func identityOf(server string, me apiclient.Me, kept string) identity {
	i := identity{
		Server: server, Email: me.Person.Email, Name: me.Person.Name, Organization: me.Organization, Role: me.Role,
		Scopes: me.Scopes, Projects: me.Projects, AllProjects: me.AllProjects, Kept: kept,
	}
	switch {
	case me.Token != nil:
		i.Token, i.Until = me.Token.Name, me.Token.ExpiresAt
	case me.Session != nil:
		i.Until = me.Session.ExpiresAt
	}
	return i
}

func identityColumns() []report.Column[identity] {
	return []report.Column[identity]{
		{Name: "server", Value: func(i identity) string { return i.Server }},
		{Name: "email", Value: func(i identity) string { return i.Email }},
		{Name: "token", Value: func(i identity) string { return i.Token }, Wide: true},
		{Name: "organization", Value: func(i identity) string { return string(i.Organization) }},
		{Name: "role", Value: func(i identity) string { return string(i.Role) }},
		{Name: "scopes", Value: func(i identity) string {
			words := make([]string, len(i.Scopes))
			for n, s := range i.Scopes {
				words[n] = string(s)
			}
			return strings.Join(words, " ")
		}},
		{Name: "projects", Value: func(i identity) string {
			if i.AllProjects {
				return "all"
			}
			return strings.Join(i.Projects, " ")
		}},
		{Name: "until", Value: func(i identity) string { return i.Until.UTC().Format(time.RFC3339) }},
		{Name: "kept", Value: func(i identity) string { return i.Kept }},
	}
}
