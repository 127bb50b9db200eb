package ecs_test

import (
	"maps"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/checktest"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
)

func cluster(insights, logging string) ecs.Cluster {
	return ecs.Cluster{Resource: checktest.Ref("ecs", "cluster/web"), Detail: fact.Known(ecs.ClusterDetail{ContainerInsights: insights, ExecLogging: logging})}
}

func service(d ecs.ServiceDetail) ecs.TaskService {
	return ecs.TaskService{Resource: checktest.Ref("ecs", "service/web/shop"), Detail: fact.Known(d)}
}

func platform(family, version string) ecs.TaskService {
	return service(ecs.ServiceDetail{Family: family, Platform: version})
}

// task is a task definition of two containers in good order, of which the second
// is changed as a case needs.
func task(change func(*ecs.TaskDetail, *ecs.Container)) ecs.TaskDefinition {
	container := ecs.Container{Name: "app", ReadOnlyRoot: true, User: "app", LogDriver: "awslogs"}
	d := ecs.TaskDetail{Network: "awsvpc", Containers: []ecs.Container{container, container}}
	d.Containers[1].Name = "proxy"
	if change != nil {
		change(&d, &d.Containers[1])
	}
	return ecs.TaskDefinition{Resource: checktest.Ref("ecs", "task-definition/shop:7"), Detail: fact.Known(d)}
}

func container(change func(*ecs.Container)) ecs.TaskDefinition {
	return task(func(_ *ecs.TaskDetail, c *ecs.Container) { change(c) })
}

func detail(change func(*ecs.TaskDetail)) ecs.TaskDefinition {
	return task(func(d *ecs.TaskDetail, _ *ecs.Container) { change(d) })
}

func TestChecks(t *testing.T) {
	t.Parallel()
	table := taskCases()
	maps.Copy(table, checktest.Table{
		"ecs-cluster-container-insights": {
			{Name: "enabled", Resource: cluster("enabled", "DEFAULT"), Want: check.Pass},
			{Name: "enhanced", Resource: cluster("enhanced", "DEFAULT"), Want: check.Pass},
			{Name: "disabled", Resource: cluster("disabled", "DEFAULT"), Want: check.Fail},
		},
		"ecs-cluster-exec-logging": {
			{Name: "container's log", Resource: cluster("disabled", "DEFAULT"), Want: check.Pass},
			{Name: "own log", Resource: cluster("disabled", "OVERRIDE"), Want: check.Pass},
			{Name: "none", Resource: cluster("disabled", "NONE"), Want: check.Fail},
		},
		"ecs-service-no-public-ip": {
			{Name: "none", Resource: service(ecs.ServiceDetail{}), Want: check.Pass},
			{Name: "public", Resource: service(ecs.ServiceDetail{PublicIP: true}), Want: check.Fail},
		},
		"ecs-service-fargate-latest-platform": {
			{Name: "latest", Resource: platform("Linux", "LATEST"), Want: check.Pass},
			{Name: "newest", Resource: platform("Linux", "1.4.0"), Want: check.Pass},
			{Name: "newest of Windows", Resource: platform("WindowsServer2022Core", "1.0.0"), Want: check.Pass},
			{Name: "old", Resource: platform("Linux", "1.3.0"), Want: check.Fail},
			{Name: "version of Windows on Linux", Resource: platform("", "1.0.0"), Want: check.Fail},
			{Name: "no Fargate", Resource: platform("", ""), Want: check.NotApplicable},
		},
	})
	checktest.Run(t, ecs.Service(), table)
}

func taskCases() checktest.Table {
	good := task(nil)
	onWindows := task(func(d *ecs.TaskDetail, c *ecs.Container) { d.Windows, c.ReadOnlyRoot, c.User = true, false, "" })
	user := func(name string) ecs.TaskDefinition { return container(func(c *ecs.Container) { c.User = name }) }
	onHost := func(change func(*ecs.Container)) ecs.TaskDefinition {
		return task(func(d *ecs.TaskDetail, c *ecs.Container) {
			d.Network = "host"
			change(c)
		})
	}
	return checktest.Table{
		"ecs-task-definition-no-privileged": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "one", Resource: container(func(c *ecs.Container) { c.Privileged = true }), Want: check.Fail},
		},
		"ecs-task-definition-no-host-namespaces": {
			{Name: "own", Resource: good, Want: check.Pass},
			{Name: "of the task", Resource: detail(func(d *ecs.TaskDetail) { d.PID, d.IPC = "task", "task" }), Want: check.Pass},
			{Name: "processes", Resource: detail(func(d *ecs.TaskDetail) { d.PID = "host" }), Want: check.Fail},
			{Name: "IPC", Resource: detail(func(d *ecs.TaskDetail) { d.IPC = "host" }), Want: check.Fail},
		},
		"ecs-task-definition-host-network-user": {
			{Name: "a user", Resource: onHost(func(*ecs.Container) {}), Want: check.Pass},
			{Name: "root", Resource: onHost(func(c *ecs.Container) { c.User = "root" }), Want: check.Fail},
			{Name: "the image's user", Resource: onHost(func(c *ecs.Container) { c.User = "" }), Want: check.Fail},
			{Name: "privileged", Resource: onHost(func(c *ecs.Container) { c.Privileged = true }), Want: check.Fail},
			{Name: "own network", Resource: user("root"), Want: check.NotApplicable},
		},
		"ecs-task-definition-read-only-root": {
			{Name: "read-only", Resource: good, Want: check.Pass},
			{Name: "writable", Resource: container(func(c *ecs.Container) { c.ReadOnlyRoot = false }), Want: check.Fail},
			{Name: "Windows", Resource: onWindows, Want: check.NotApplicable},
		},
		"ecs-task-definition-no-root-user": {
			{Name: "a user", Resource: good, Want: check.Pass},
			{Name: "a number", Resource: user("1000:1000"), Want: check.Pass},
			{Name: "root by number", Resource: user("0"), Want: check.Fail},
			{Name: "root with a group", Resource: user("0:1000"), Want: check.Fail, Reports: []string{"docker/docker-bench-security#358", "prowler-cloud/prowler#5088", "turbot/steampipe-mod-aws-compliance#592"}},
			{Name: "root by name, with a group", Resource: user("root:app"), Want: check.Fail},
			{Name: "root with leading zeros", Resource: user("00"), Want: check.Fail},
			{Name: "root with a sign", Resource: user("+0"), Want: check.Fail},
			{Name: "a user whose name begins with root", Resource: user("rootless:root"), Want: check.Pass},
			{Name: "group 0 of another user", Resource: user("1000:0"), Want: check.Pass},
			{Name: "not said", Resource: user(""), Want: check.Fail},
			{Name: "Windows", Resource: onWindows, Want: check.NotApplicable},
		},
		"ecs-task-definition-no-secrets-in-environment": {
			{Name: "none", Resource: good, Want: check.Pass},
			{Name: "one", Resource: container(func(c *ecs.Container) { c.SecretVariables = []string{"DB_PASSWORD"} }), Want: check.Fail},
			{Name: "one in the command", Resource: container(func(c *ecs.Container) { c.SecretParts = []string{"the command"} }), Want: check.Fail},
			{Name: "too many", Resource: detail(func(d *ecs.TaskDetail) { d.UnreadVariables = &fact.Gap{Reason: fact.NotCollected} }), Want: check.NotAssessed},
			{Name: "too many, and one", Resource: task(func(d *ecs.TaskDetail, c *ecs.Container) {
				d.UnreadVariables, c.SecretVariables = &fact.Gap{Reason: fact.NotCollected}, []string{"DB_PASSWORD"}
			}), Want: check.Fail},
		},
		"ecs-task-definition-logging": {
			{Name: "logged", Resource: good, Want: check.Pass},
			{Name: "not logged", Resource: container(func(c *ecs.Container) { c.LogDriver = "" }), Want: check.Fail},
		},
	}
}
