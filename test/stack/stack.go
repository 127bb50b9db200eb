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

// Deploy makes the resources of a SAM template in the emulator. It fails, with the
// name, if the template has a resource that would be missing without a word.
func Deploy(ctx context.Context, endpoint, templatePath, stackName string, parameters map[string]string) (*Stack, error) {
	root, err := emulator.Root()
	if err != nil {
		return nil, err
	}
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
	cmd := exec.CommandContext(ctx, filepath.Join(root, "test", "emulator", "python"), "-m", "deployer",
		"--endpoint", endpoint, "--account", Account, "--region", Region,
		"--template", template, "--name", stackName, "--parameters", string(values))
	cmd.Dir = filepath.Join(root, "test", "stack")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "AWS_CA_BUNDLE=",
		"PYTHONPATH="+filepath.Join(root, "test", "estate")) // whose Account reaches the emulator from the inside
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w\n%s", templatePath, err, bytes.TrimSpace(stderr.Bytes()))
	}
	s := &Stack{}
	if err := json.Unmarshal(out, s); err != nil {
		return nil, fmt.Errorf("read what became of %s: %w", templatePath, err)
	}
	return s, nil
}
