package rds_test

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/rds"
)

func otherCases() checktest.Table {
	snapshot := func(encrypted bool, restorers fact.Of[[]string]) rds.DBSnapshot {
		return rds.DBSnapshot{
			Resource: checktest.Ref("rds", "snapshot:1"), Detail: fact.Known(rds.SnapshotDetail{Encrypted: encrypted}), Restorers: restorers,
		}
	}
	ofCluster := func(encrypted bool, restorers fact.Of[[]string]) rds.DBClusterSnapshot {
		s := snapshot(encrypted, restorers)
		return rds.DBClusterSnapshot(s)
	}
	nobody, all, unasked := fact.Known([]string{"444455556666"}), fact.Known([]string{"all"}), fact.Of[[]string]{}
	denied := fact.Missing[[]string](fact.Denied, "rds:DescribeDBSnapshotAttributes")
	proxy := func(tls, debug bool) rds.DBProxy {
		return rds.DBProxy{Resource: checktest.Ref("rds", "db-proxy:1"), Detail: fact.Known(rds.ProxyDetail{RequireTLS: tls, DebugLogging: debug})}
	}
	return checktest.Table{
		"rds-snapshot-not-public": {
			{Name: "private", Resource: snapshot(false, nobody), Want: check.Pass},
			{Name: "encrypted", Resource: snapshot(true, unasked), Want: check.Pass},
			{Name: "public", Resource: snapshot(false, all), Want: check.Fail},
			{Name: "denied", Resource: snapshot(false, denied), Want: check.NotAssessed},
		},
		"rds-snapshot-encrypted": {
			{Name: "encrypted", Resource: snapshot(true, unasked), Want: check.Pass},
			{Name: "plain", Resource: snapshot(false, nobody), Want: check.Fail},
		},
		"rds-cluster-snapshot-not-public": {
			{Name: "private", Resource: ofCluster(false, nobody), Want: check.Pass},
			{Name: "encrypted", Resource: ofCluster(true, unasked), Want: check.Pass},
			{Name: "public", Resource: ofCluster(false, all), Want: check.Fail},
		},
		"rds-cluster-snapshot-encrypted": {
			{Name: "encrypted", Resource: ofCluster(true, unasked), Want: check.Pass},
			{Name: "plain", Resource: ofCluster(false, nobody), Want: check.Fail},
		},
		"rds-proxy-tls-required": {
			{Name: "required", Resource: proxy(true, false), Want: check.Pass},
			{Name: "not required", Resource: proxy(false, false), Want: check.Fail},
		},
		"rds-proxy-no-debug-logging": {
			{Name: "off", Resource: proxy(true, false), Want: check.Pass},
			{Name: "on", Resource: proxy(true, true), Want: check.Fail},
		},
		"rds-events-of-instances-notified":        eventCases(instance(nil), "db-instance", "maintenance", "configuration change", "failure"),
		"rds-events-of-clusters-notified":         eventCases(cluster(nil), "db-cluster", "maintenance", "failure"),
		"rds-events-of-parameter-groups-notified": eventCases(instance(nil), "db-parameter-group", "configuration change"),
	}
}

func eventCases(database check.Resource, source string, categories ...string) []checktest.Case {
	region := func(subscriptions ...rds.Subscription) rds.RegionSettings {
		return rds.RegionSettings{Resource: checktest.Ref("rds", "region-settings"), Subscriptions: fact.Known(subscriptions)}
	}
	here := []check.Resource{database}
	elsewhere := region()
	elsewhere.Region = "us-east-1"
	split := []rds.Subscription{{Name: "first", Enabled: true, SourceType: source, Categories: categories[:1]}}
	for _, c := range categories[1:] {
		split = append(split, rds.Subscription{Name: c, Enabled: true, SourceType: source, Categories: []string{c}})
	}
	return []checktest.Case{
		{Name: "these categories", Resource: region(rds.Subscription{Name: "all", Enabled: true, SourceType: source, Categories: categories}), Others: here, Want: check.Pass},
		{Name: "everything", Resource: region(rds.Subscription{Name: "all", Enabled: true}), Others: here, Want: check.Pass},
		{Name: "several together", Resource: region(split...), Others: here, Want: check.Pass},
		{Name: "none", Resource: region(), Others: here, Want: check.Fail},
		{Name: "disabled", Resource: region(rds.Subscription{Name: "all", SourceType: source}), Others: here, Want: check.Fail},
		{Name: "of another type", Resource: region(rds.Subscription{Name: "all", Enabled: true, SourceType: "db-security-group"}), Others: here, Want: check.Fail},
		{Name: "another category", Resource: region(rds.Subscription{Name: "all", Enabled: true, SourceType: source, Categories: []string{"backup"}}), Others: here, Want: check.Fail},
		{Name: "of one source", Resource: region(rds.Subscription{Name: "all", Enabled: true, SourceType: source, Sources: []string{"other"}}), Others: here, Want: check.Fail},
		{Name: "no database", Resource: region(), Want: check.NotApplicable},
		{Name: "database in another region", Resource: elsewhere, Others: here, Want: check.NotApplicable},
	}
}
