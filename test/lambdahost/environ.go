package lambdahost

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// inherited are the only variables a function shares with the test.
func inherited() []string { return []string{"PATH", "HOME", "TMPDIR"} }

// environ is the environment of the process, as Lambda documents it:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (e *environment) environ() ([]string, error) {
	spec, region := e.fn.spec, e.fn.host.stack.Region
	keys, err := e.fn.credentials()
	if err != nil {
		return nil, err
	}
	vars := map[string]string{}
	for _, name := range inherited() {
		if value, ok := os.LookupEnv(name); ok {
			vars[name] = value
		}
	}
	maps.Copy(vars, spec.Environment)
	maps.Copy(vars, map[string]string{
		"_HANDLER":                        spec.Handler,
		"AWS_ACCESS_KEY_ID":               keys.id,
		"AWS_DEFAULT_REGION":              region,
		"AWS_ENDPOINT_URL":                e.proxy.url(),
		"AWS_EXECUTION_ENV":               "AWS_Lambda_" + spec.Runtime,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(spec.Memory),
		"AWS_LAMBDA_FUNCTION_NAME":        spec.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + spec.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      time.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + randomHex(16),
		"AWS_LAMBDA_RUNTIME_API":          e.runtime.addr,
		"AWS_REGION":                      region,
		"AWS_SECRET_ACCESS_KEY":           keys.secret,
		"AWS_SESSION_TOKEN":               keys.token,
		"LAMBDA_TASK_ROOT":                filepath.Dir(e.fn.binary),
		"TZ":                              ":UTC",
	})
	maps.Copy(vars, e.fn.host.options.Environ[spec.LogicalID])
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list, nil
}
