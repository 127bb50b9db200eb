package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/cloudarq/cloudarq/test/emulator"
)

// Where stacks are deployed: the account that the roles of the sample estate trust.
const (
	Account = "999999999999"
	Region  = "eu-west-1"
)

// Deployment is what is deployed, and where.
type Deployment struct {
	Endpoint   string // the emulator's
	Region     string
	Template   string // path of a SAM template
	Name       string // of the stack
	Parameters map[string]string
	Tags       map[string]string // of the stack, and of what it makes
}

// Deploy makes the resources of a SAM template in the emulator, in Region. It fails, with
// the name, if the template has a resource that would be missing without a word.
func Deploy(ctx context.Context, endpoint, templatePath, stackName string, parameters map[string]string) (*Stack, error) {
	return Deployment{Endpoint: endpoint, Region: Region, Template: templatePath, Name: stackName, Parameters: parameters}.Deploy(ctx)
}

// Deploy makes what the package's Deploy does.
func (d Deployment) Deploy(ctx context.Context) (*Stack, error) {
	template, err := filepath.Abs(d.Template)
	if err != nil {
		return nil, err
	}
	arguments := []string{"--template", template}
	for name, values := range map[string]map[string]string{"--parameters": d.Parameters, "--tags": d.Tags} {
		if values == nil {
			continue
		}
		text, err := json.Marshal(values)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, name, string(text))
	}
	out, err := deployer(ctx, d.Endpoint, d.Region, d.Name, arguments...)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Template, err)
	}
	s := &Stack{}
	if err := json.Unmarshal(out, s); err != nil {
		return nil, fmt.Errorf("read what became of %s: %w", d.Template, err)
	}
	return s, nil
}

// Delete deletes the stack. What the template retains stays.
func (s *Stack) Delete(ctx context.Context) error {
	if _, err := deployer(ctx, s.Endpoint, s.Region, s.Name); err != nil {
		return fmt.Errorf("delete stack %s: %w", s.Name, err)
	}
	return nil
}

// deployer runs the program that deploys.
func deployer(ctx context.Context, endpoint, region, stackName string, more ...string) ([]byte, error) {
	root, err := emulator.Root()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "test", "emulator", "python"), append([]string{
		"-m", "deployer", "--endpoint", endpoint, "--account", Account, "--region", region, "--name", stackName,
	}, more...)...)
	cmd.Dir = filepath.Join(root, "test", "stack")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "AWS_CA_BUNDLE=",
		"PYTHONPATH="+filepath.Join(root, "test", "estate")) // whose Account reaches the emulator from the inside
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}
