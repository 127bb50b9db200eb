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

// Deploy makes the resources of a SAM template in the emulator, in Region. It fails, with
// the name, if the template has a resource that would be missing without a word.
func Deploy(ctx context.Context, endpoint, templatePath, stackName string, parameters map[string]string) (*Stack, error) {
	return DeployIn(ctx, endpoint, Region, templatePath, stackName, parameters)
}

// DeployIn is Deploy in another region.
func DeployIn(ctx context.Context, endpoint, region, templatePath, stackName string, parameters map[string]string) (*Stack, error) {
	template, err := filepath.Abs(templatePath)
	if err != nil {
		return nil, err
	}
	if parameters == nil {
		parameters = map[string]string{}
	}
	values, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	out, err := deployer(ctx, endpoint, region, stackName, "--template", template, "--parameters", string(values))
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", templatePath, err)
	}
	s := &Stack{}
	if err := json.Unmarshal(out, s); err != nil {
		return nil, fmt.Errorf("read what became of %s: %w", templatePath, err)
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
