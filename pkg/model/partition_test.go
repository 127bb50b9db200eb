package model_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// TestPartitions holds our data to the SDK's: each partition that it knows, all regions of
// it, and the domains of its endpoints.
func TestPartitions(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "endpoints", "awsrulesfn", "partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sdk struct {
		Partitions []struct {
			ID      string
			Regions map[string]any
			Outputs struct{ DNSSuffix, DualStackDNSSuffix, ImplicitGlobalRegion string }
		}
	}
	if err := json.Unmarshal(data, &sdk); err != nil {
		t.Fatal(err)
	}
	if len(sdk.Partitions) != len(model.Partitions()) {
		t.Errorf("%d partitions, and the SDK has %d", len(model.Partitions()), len(sdk.Partitions))
	}
	for _, want := range sdk.Partitions {
		p, known := model.PartitionNamed(want.ID)
		if !known {
			t.Errorf("nobody knows %s", want.ID)
			continue
		}
		if o := want.Outputs; !slices.Contains(p.Domains, "."+o.DNSSuffix) || !slices.Contains(p.Domains, "."+o.DualStackDNSSuffix) {
			t.Errorf("%s has %q, not %s and %s", p.Name, p.Domains, o.DNSSuffix, o.DualStackDNSSuffix)
		}
		if _, ok := want.Regions[p.Home]; !ok {
			t.Errorf("%s has no region %s", p.Name, p.Home)
		}
		for region := range want.Regions {
			if strings.HasSuffix(region, "-global") {
				continue
			}
			if got := model.PartitionOf(region); got.Name != p.Name {
				t.Errorf("%s is taken for a region of %s, and is one of %s", region, got.Name, p.Name)
			}
			if !slices.Contains(model.KnownRegions(), region) {
				t.Errorf("nobody knows the region %s", region)
			}
			c := model.Connection{AuditOptions: model.AuditOptions{Regions: []string{region}}}
			if err := c.Check(); err != nil {
				t.Errorf("%s: %v", region, err)
			}
		}
		if account, ok := model.AccountOfRole("arn:" + p.Name + ":iam::111122223333:role/CloudArqAuditRole"); !ok || account != "111122223333" {
			t.Errorf("a role of %s is not taken for one", p.Name)
		}
	}
}

// TestPartitionsByName: what is deployed names no partition. Example values and names that
// AWS itself writes that way may.
func TestPartitionsByName(t *testing.T) {
	t.Parallel()
	fixed := regexp.MustCompile(`arn:aws:|[a-z0-9]\.(amazonaws\.com|amazonaws\.com\.cn|aws\.amazon\.com)`)
	service := regexp.MustCompile(`"?Service"?: +\[?"?[a-z-]+\.amazonaws\.com`) // a principal, the same in all partitions
	for _, file := range []string{
		"../../template.yaml", "../../cloudformation/audit-role.yaml", "../../cloudformation/audit-role-stackset.yaml", "../../terraform/audit-role/main.tf",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			code, _, _ := strings.Cut(line, " #")
			if strings.Contains(code, "Description:") || strings.HasPrefix(strings.TrimSpace(code), "#") || strings.Contains(code, "docs.aws.amazon.com") {
				continue
			}
			if fixed.MatchString(service.ReplaceAllString(code, "")) {
				t.Errorf("%s:%d names a partition: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}
