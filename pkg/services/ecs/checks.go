package ecs

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return append([]check.Rule{
		check.For("ecs-cluster-container-insights", model.Low, clusters.Asks(containerInsights)),
		check.For("ecs-cluster-exec-logging", model.Low, clusters.Must(
			func(d ClusterDetail) bool { return d.ExecLogging != "NONE" }, "commands in containers are logged", "commands in containers are not logged")),
		check.For("ecs-service-no-public-ip", model.High, services.Must(
			func(d ServiceDetail) bool { return !d.PublicIP }, "tasks get no public address", "tasks get a public address")),
		check.For("ecs-service-fargate-latest-platform", model.Medium, services.Asks(latestPlatform)),
	}, taskRules()...)
}

var (
	clusters = check.On(func(c Cluster) fact.Of[ClusterDetail] { return c.Detail })
	services = check.On(func(s TaskService) fact.Of[ServiceDetail] { return s.Detail })
)

func containerInsights(d ClusterDetail) check.Verdict {
	setting := d.ContainerInsights
	return check.Must(setting == "enabled" || setting == "enhanced", "Container Insights is "+setting, "Container Insights is off")
}

// The newest versions of the Fargate platform.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
const (
	newestLinux   = "1.4.0"
	newestWindows = "1.0.0"
)

func latestPlatform(d ServiceDetail) check.Verdict {
	if d.Platform == "" {
		return check.Inapplicable("the service does not run on Fargate")
	}
	newest := newestLinux
	if strings.HasPrefix(strings.ToLower(d.Family), "windows") {
		newest = newestWindows
	}
	return check.Must(d.Platform == "LATEST" || d.Platform == newest, "the platform version is "+d.Platform,
		"the platform version is "+d.Platform+", and the newest is "+newest)
}
