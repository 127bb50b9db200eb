package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"

	"golang.org/x/term"

	"github.com/cloudarq/cloudarq/pkg/secret"
)

// externalIDVariable is where the External ID is looked for when no flag says
// otherwise.
const externalIDVariable = "CLOUDARQ_EXTERNAL_ID"

// externalIDSyntax is AWS's,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var externalIDSyntax = regexp.MustCompile(`^[\w+=,.@:/-]+$`)

// externalID reads the External ID from where the flag points: "-" for stdin,
// "prompt", "env:NAME" or "file:PATH". It is never an argument itself, which
// every process of the machine could read.
func (c *cli) externalID(from string) (secret.String, error) {
	var value string
	var err error
	source, name, _ := strings.Cut(from, ":")
	switch {
	case from == "":
		value = os.Getenv(externalIDVariable)
	case from == "-":
		value, err = bufio.NewReader(c.stdin).ReadString('\n')
		if value != "" {
			err = nil // the last line may lack its end
		}
	case from == "prompt":
		value, err = c.prompt("External ID: ")
	case source == "env":
		var set bool
		if value, set = os.LookupEnv(name); !set {
			err = fmt.Errorf("%s is not set", name)
		}
	case source == "file":
		var data []byte
		data, err = os.ReadFile(name)
		value = string(data)
	default:
		return secret.String{}, usagef("--external-id takes where the External ID is, not the ID itself: -, prompt, env:NAME or file:PATH; or set %s", externalIDVariable)
	}
	if err != nil {
		return secret.String{}, usagef("read the External ID: %w", err)
	}
	value = strings.TrimSpace(value)
	if value == "" && from == "" {
		return secret.String{}, nil
	}
	if len(value) < 2 || len(value) > 1224 || !externalIDSyntax.MatchString(value) {
		return secret.String{}, usagef("the External ID is not one that AWS accepts: want 2 to 1224 letters, digits and +=,.@:/-_")
	}
	return secret.New(value), nil
}

func (c *cli) prompt(question string) (string, error) {
	in, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", fmt.Errorf("stdin is not a terminal to ask on")
	}
	fmt.Fprint(c.stderr, question)
	answer, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.stderr)
	return string(answer), err
}
