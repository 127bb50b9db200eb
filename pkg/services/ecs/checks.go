package ecs

import (
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return append([]check.Rule{
		check.For("ecs-cluster-container-insights", model.Low, containerInsights),
		check.For("ecs-cluster-exec-logging", model.Low, execLogging),
		check.For("ecs-service-no-public-ip", model.High, noPublicIP),
		check.For("ecs-service-fargate-latest-platform", model.Medium, latestPlatform),
	}, taskRules()...)
}

func containerInsights(e *check.Evidence, c Cluster) check.Verdict {
	setting := check.Read(e, c.Detail).ContainerInsights
	return check.Must(setting == "enabled" || setting == "enhanced", "Container Insights is "+setting, "Container Insights is off")
}

func execLogging(e *check.Evidence, c Cluster) check.Verdict {
	return check.Must(check.Read(e, c.Detail).ExecLogging != "NONE", "commands in containers are logged", "commands in containers are not logged")
}

func noPublicIP(e *check.Evidence, s TaskService) check.Verdict {
	return check.Must(!check.Read(e, s.Detail).PublicIP, "tasks get no public address", "tasks get a public address")
}

// The newest versions of the Fargate platform.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
const (
	newestLinux   = "1.4.0"
	newestWindows = "1.0.0"
)

func latestPlatform(e *check.Evidence, s TaskService) check.Verdict {
	d := check.Read(e, s.Detail)
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
