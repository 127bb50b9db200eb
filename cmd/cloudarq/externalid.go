package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cloudarq/cloudarq/pkg/local"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
)

// externalIDVariable is where the External ID is looked for when no flag says
// otherwise.
const externalIDVariable = "CLOUDARQ_EXTERNAL_ID"

// keyringVariable is the same for the passphrase of the keyring.
const keyringVariable = "CLOUDARQ_KEYRING_PASSPHRASE"

// externalIDSyntax is AWS's,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var externalIDSyntax = regexp.MustCompile(`^[\w+=,.@:/-]+$`)

// source is where a secret is: it is never an argument itself, which every
// process of the machine could read.
type source struct{ what, flag, variable string }

// externalID reads the External ID from where the flag points, or the environment.
// It is empty if there is none.
func (c *cli) externalID(from string) (secret.String, error) {
	value, err := c.secret(source{"External ID", "--external-id", externalIDVariable}, from)
	if err != nil || value.Empty() && from == "" {
		return secret.String{}, err
	}
	if id := value.Reveal(); len(id) < 2 || len(id) > 1224 || !externalIDSyntax.MatchString(id) {
		return secret.String{}, usagef("the External ID is not one that AWS accepts: want 2 to 1224 letters, digits and +=,.@:/-_")
	}
	return value, nil
}

// remindOfShort says that an External ID that somebody chose is soon guessed.
func (c *cli) remindOfShort(id secret.String) {
	if n := len(id.Reveal()); n > 0 && n < shortExternalID {
		c.note("the External ID has %d characters, which somebody may guess; cloudarq connections rotate-external-id makes a longer one", n)
	}
}

// shortExternalID is what the published templates ask for at least.
const shortExternalID = 16

// secret reads a secret: from is "-" for stdin, "prompt", "env:NAME" or
// "file:PATH"; empty is the variable.
func (c *cli) secret(s source, from string) (secret.String, error) {
	var value string
	var err error
	kind, name, _ := strings.Cut(from, ":")
	switch {
	case from == "":
		value = os.Getenv(s.variable)
	case from == "-":
		value, err = c.line()
	case from == "prompt":
		value, err = c.prompt(s.what + ": ")
	case kind == "env":
		var set bool
		if value, set = os.LookupEnv(name); !set {
			err = fmt.Errorf("%s is not set", name)
		}
	case kind == "file":
		var data []byte
		data, err = os.ReadFile(name)
		value = string(data)
	default:
		return secret.String{}, usagef("%s takes where the %s is, not the %s itself: -, prompt, env:NAME or file:PATH; or set %s", s.flag, s.what, s.what, s.variable)
	}
	if err != nil {
		return secret.String{}, usagef("read the %s: %w", s.what, err)
	}
	return secret.New(strings.TrimSpace(value)), nil
}

// line is the next line of stdin, whose last one may lack its end.
func (c *cli) line() (string, error) {
	if c.lines == nil {
		c.lines = bufio.NewReader(c.stdin)
	}
	text, err := c.lines.ReadString('\n')
	if text != "" {
		err = nil
	}
	return text, err
}

func (c *cli) prompt(question string) (string, error) {
	in, ok := c.terminal()
	if !ok {
		return "", fmt.Errorf("stdin is not a terminal to ask on")
	}
	fmt.Fprint(c.stderr, question)
	answer, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.stderr)
	return string(answer), err
}

// terminal is stdin if somebody can be asked there.
func (c *cli) terminal() (*os.File, bool) {
	in, ok := c.stdin.(*os.File)
	return in, ok && term.IsTerminal(int(in.Fd()))
}

// keyringFlag lets a command open the keyring.
func (c *cli) keyringFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.keyringPassphrase, "keyring-passphrase", "",
		"where the passphrase of the keyring is: - (stdin), prompt, env:NAME or file:PATH (default $"+keyringVariable+", or a prompt if the keyring has one)")
}

// keys is the keyring of the state, whose passphrase is asked for once.
func (c *cli) keys(s *local.State) secret.Wrapper {
	if c.keyring == nil {
		c.keyring = s.Keys(c.passphrase)
	}
	return c.keyring
}

// passphrase obtains the passphrase of the keyring. A keyring that is made with a
// passphrase from the prompt asks for it twice: a slip would lock it for good.
func (c *cli) passphrase(protected, exists bool) (secret.String, error) {
	from := c.keyringPassphrase
	if _, ok := c.terminal(); ok && from == "" && protected && os.Getenv(keyringVariable) == "" {
		from = "prompt"
	}
	where := source{"passphrase of the keyring", "--keyring-passphrase", keyringVariable}
	word, err := c.secret(where, from)
	if err != nil {
		return word, err
	}
	if word.Empty() && from != "" {
		return word, usagef("the passphrase of the keyring is empty")
	}
	if from == "prompt" && !exists {
		again, err := c.prompt("once more: ")
		if err != nil {
			return word, usagef("read the passphrase of the keyring: %w", err)
		}
		if strings.TrimSpace(again) != word.Reveal() {
			return word, usagef("the two passphrases differ")
		}
	}
	return word, nil
}
