package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/lambda/collect"
)

func TestCollect(t *testing.T) {
	t.Parallel()
	collecttest.Wire(t, collect.Spec(), lambda.Service())
}

// functions is the account kept with the functions given instead, in JSON.
func functions(t *testing.T, list string) *collecttest.Found {
	t.Helper()
	cloud := collecttest.Scenario(t, "neglected", "-- ListFunctions --\n{\"Functions\": "+list+"}\n-- ListLayers --\n{\"Layers\": []}\n")
	found := collecttest.Walk(t, collect.Spec(), cloud)
	if list == "[]" && cloud.Calls("Lambda.ListCodeSigningConfigs") > 0 {
		t.Error("a region without functions was asked how their code is signed")
	}
	return found
}

func TestEnvironmentTooLong(t *testing.T) {
	t.Parallel()
	for name, variables := range map[string]map[string]string{
		"unread": {"LONG": strings.Repeat("-", 100_000), "Z_PASSWORD": collecttest.Secret},
		"found":  {"A_PASSWORD": collecttest.Secret, "LONG": strings.Repeat("-", 100_000)},
	} {
		data, err := json.Marshal(variables)
		if err != nil {
			t.Fatal(err)
		}
		found := functions(t, `[{"FunctionName": "long", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:long", "PackageType": "Zip",
			"Environment": {"Variables": `+string(data)+`}}]`)
		for _, r := range found.Resources {
			f, _ := r.(lambda.Function)
			if names, gap := f.SecretVariables.Get(); (gap == nil) != (name == "found") || gap != nil && gap.Reason != fact.NotCollected || gap == nil && len(names) != 1 {
				t.Errorf("%s: %v, %+v", name, names, gap)
			}
		}
	}
}

func TestNoFunctions(t *testing.T) {
	t.Parallel()
	if found := functions(t, "[]"); len(found.Resources) > 0 {
		t.Errorf("%d functions", len(found.Resources))
	}
}
