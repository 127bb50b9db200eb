package across_test

import (
	"strings"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/accessanalyzer"
	"github.com/cloudarq/cloudarq/pkg/services/across"
	"github.com/cloudarq/cloudarq/pkg/services/autoscaling"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/cloudtrail"
	"github.com/cloudarq/cloudarq/pkg/services/cloudwatch"
	"github.com/cloudarq/cloudarq/pkg/services/config"
	"github.com/cloudarq/cloudarq/pkg/services/ec2"
	"github.com/cloudarq/cloudarq/pkg/services/efs"
	"github.com/cloudarq/cloudarq/pkg/services/guardduty"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
	"github.com/cloudarq/cloudarq/pkg/services/lambda"
	"github.com/cloudarq/cloudarq/pkg/services/logs"
	"github.com/cloudarq/cloudarq/pkg/services/macie"
	"github.com/cloudarq/cloudarq/pkg/services/organizations"
	"github.com/cloudarq/cloudarq/pkg/services/policytest"
	"github.com/cloudarq/cloudarq/pkg/services/s3"
	"github.com/cloudarq/cloudarq/pkg/services/securityhub"
	"github.com/cloudarq/cloudarq/pkg/services/sns"
)

func trailCases() checktest.Table {
	objects := func(way string) []checktest.Case {
		return []checktest.Case{
			with("all", check.Pass, same),
			with("none", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "All", Management: true})),
			with("the other way", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: way, Management: true, Objects: []string{"arn:aws:s3"}})),
			with("each bucket", check.Pass, func(e *estate) {
				selecting(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3:::shop/"}})(e)
				e.buckets = []s3.Bucket{bucket("shop", nil)}
			}),
			with("one bucket of two", check.Fail, func(e *estate) {
				selecting(cloudtrail.BasicSelector{ReadWrite: "All", Objects: []string{"arn:aws:s3:::shop/"}})(e)
				e.buckets = []s3.Bucket{bucket("shop", nil), bucket("log", nil)}
			}),
			with("no trail", check.Fail, noTrails),
			with("trail off", check.Fail, switchedOff),
		}
	}
	return checktest.Table{
		"cloudtrail-all-regions": {
			with("trail", check.Pass, same),
			with("of the organization", check.Pass, ofOrganization),
			with("none", check.Fail, noTrails),
			with("off", check.Fail, switchedOff),
			with("of one region", check.Fail, oneRegion),
			with("at home elsewhere", check.NotAssessed, unread),
			{Name: "no region read", Resource: account, Want: check.NotAssessed},
		},
		"cloudtrail-management-events": {
			with("all", check.Pass, same),
			with("writes", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "WriteOnly", Management: true})),
			with("reads", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "ReadOnly", Management: true})),
			with("none", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "All"})),
			with("without KMS", check.Fail, selecting(cloudtrail.BasicSelector{ReadWrite: "All", Management: true, Without: []string{"kms.amazonaws.com"}})),
			with("no trail", check.Fail, noTrails),
		},
		"cloudtrail-s3-write-events": objects("ReadOnly"),
		"cloudtrail-s3-read-events":  objects("WriteOnly"),
	}
}

func regionCases() checktest.Table {
	detector := func(administrator fact.Of[string], members bool) guardduty.RegionSettings {
		return guardduty.RegionSettings{
			Resource: checktest.Ref("guardduty", "region-settings"), Detector: fact.Known(guardduty.Detector{ID: "1", Status: "ENABLED"}),
			Administrator: administrator, Members: fact.Known(members),
		}
	}
	off := detector(fact.Known(""), false)
	off.Detector = fact.Known(guardduty.Detector{})
	membership := func(id string) []check.Resource {
		return []check.Resource{organizations.Membership{Resource: checktest.Ref("organizations", "membership"), Organization: fact.Known(organizations.Organization{ID: id})}}
	}
	inOrganization, alone := membership("o-1234567890"), membership("")
	region := func(status string) macie.RegionSettings {
		return macie.RegionSettings{Resource: checktest.Ref("macie2", "region-settings"), Status: fact.Known(status)}
	}
	elsewhere := bucket("shop", func(b *s3.Bucket) { b.Region = "us-east-1" })
	recording := func(r config.Recorder, on bool) config.RegionSettings {
		r.Name = "default"
		return config.RegionSettings{
			Resource:  checktest.Ref("config", "region-settings"),
			Recorders: fact.Known([]config.Recorder{r}), Statuses: fact.Known([]config.Status{{Name: "default", Recording: on}}),
		}
	}
	global := config.Recorder{AllSupported: true, Global: true}
	return checktest.Table{
		"guardduty-centrally-managed": {
			{Name: "by another account", Resource: detector(fact.Known("999988887777"), false), Others: inOrganization, Want: check.Pass},
			{Name: "manages others", Resource: detector(fact.Known(""), true), Others: alone, Want: check.Pass},
			{Name: "manages others, administrator denied", Resource: detector(fact.Missing[string](fact.Denied, "guardduty:GetAdministratorAccount"), true), Others: inOrganization, Want: check.Pass},
			{Name: "by nobody", Resource: detector(fact.Known(""), false), Others: inOrganization, Want: check.Fail},
			{Name: "in no organization", Resource: detector(fact.Known(""), false), Others: alone, Want: check.NotApplicable},
			{Name: "no detector", Resource: off, Others: inOrganization, Want: check.Fail},
		},
		"macie-enabled": {
			{Name: "enabled", Resource: region(macie.Enabled), Others: []check.Resource{bucket("shop", nil)}, Want: check.Pass},
			{Name: "not", Resource: region(""), Others: []check.Resource{bucket("shop", nil)}, Want: check.Fail},
			{Name: "paused", Resource: region("PAUSED"), Others: []check.Resource{bucket("shop", nil)}, Want: check.Fail},
			{Name: "no bucket in the region", Resource: region(""), Others: []check.Resource{elsewhere}, Want: check.NotApplicable},
		},
		"config-global-types-recorded": {
			{Name: "recorded", Resource: account, Others: []check.Resource{recording(config.Recorder{AllSupported: true}, true), recording(global, true)}, Want: check.Pass},
			{Name: "not", Resource: account, Others: []check.Resource{recording(config.Recorder{AllSupported: true}, true)}, Want: check.Fail},
			{Name: "stopped", Resource: account, Others: []check.Resource{recording(global, false)}, Want: check.Fail},
		},
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	texts, err := check.ParseTexts(across.Service().Texts)
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{}
	for id, text := range texts {
		commands[string(id)] = text.Remediation.CLI
	}
	table := trailCases()
	for _, more := range []checktest.Table{bucketCases(), regionCases(), everyRegionCases(), networkCases()} {
		for id, cases := range more {
			table[id] = cases
		}
	}
	for _, rule := range across.Service().Rules {
		if strings.HasPrefix(string(rule.ID), "monitoring-") {
			table[rule.ID] = monitoringCases(pattern(t, commands, string(rule.ID)))
		}
	}
	table["monitoring-kms-key-deletion"] = append(table["monitoring-kms-key-deletion"],
		with("trail leaves out KMS", check.Fail, func(e *estate) {
			e.filter.Pattern = pattern(t, commands, "monitoring-kms-key-deletion")
			e.selectors.Basic[0].Without = []string{"kms.amazonaws.com"}
		}))
	checktest.Run(t, across.Service(), table, accessanalyzer.Service(), autoscaling.Service(), ec2.Service(), efs.Service(), lambda.Service(), securityhub.Service(),
		cloudtrail.Service(), cloudwatch.Service(), config.Service(), guardduty.Service(), iam.Service(), logs.Service(), macie.Service(), organizations.Service(), s3.Service(), sns.Service(), policytest.Zones())
}
