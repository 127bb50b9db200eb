package ecs

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func taskRules() []check.Rule {
	return []check.Rule{
		check.For("ecs-task-definition-no-privileged", model.High, tasks.Asks(everyContainer(
			func(c Container) bool { return !c.Privileged }, "no container is privileged", "is privileged"))),
		check.For("ecs-task-definition-no-host-namespaces", model.High, tasks.Asks(noHostNamespaces)),
		check.For("ecs-task-definition-host-network-user", model.High, tasks.Asks(hostNetworkUser)),
		check.For("ecs-task-definition-read-only-root", model.Medium, onLinux.Asks(everyContainer(
			func(c Container) bool { return c.ReadOnlyRoot }, "the root file systems are read-only", "can write to its root file system"))),
		check.For("ecs-task-definition-no-root-user", model.Low, onLinux.Asks(everyContainer(
			func(c Container) bool { return !c.Root() }, "every container names a user other than root", "runs as root, or as whom its image says"))),
		check.For("ecs-task-definition-no-secrets-in-environment", model.High, tasks.Asks(noSecrets)),
		check.For("ecs-task-definition-logging", model.Medium, tasks.Asks(everyContainer(
			func(c Container) bool { return c.LogDriver != "" }, "every container is logged", "is not logged"))),
	}
}

var (
	tasks = check.On(func(t TaskDefinition) fact.Of[TaskDetail] { return t.Detail })
	// onLinux is for what containers of Windows do not have.
	onLinux = tasks.Unless(check.When(func(d TaskDetail) bool { return d.Windows }, "the containers run on Windows"))
)

// everyContainer is a rule that each container of a task definition must pass.
func everyContainer(good func(Container) bool, pass, fail string) func(TaskDetail) check.Verdict {
	return func(d TaskDetail) check.Verdict {
		for _, c := range d.Containers {
			if !good(c) {
				return check.Failed("the container " + c.Name + " " + fail)
			}
		}
		return check.Passed(pass)
	}
}

func noHostNamespaces(d TaskDetail) check.Verdict {
	switch "host" {
	case d.PID:
		return check.Failed("the containers share the process namespace of the host")
	case d.IPC:
		return check.Failed("the containers share the IPC namespace of the host")
	default:
		return check.Passed("the containers share neither the process nor the IPC namespace of the host")
	}
}

func hostNetworkUser(d TaskDetail) check.Verdict {
	if d.Network != "host" {
		return check.Inapplicable("the containers do not use the network of the host")
	}
	for _, c := range d.Containers {
		if c.Privileged || c.Root() {
			return check.Failed("the container " + c.Name + " uses the network of the host as root or privileged")
		}
	}
	return check.Passed("no container that uses the network of the host is root or privileged")
}

func noSecrets(d TaskDetail) check.Verdict {
	for _, c := range d.Containers {
		if len(c.SecretVariables) > 0 {
			return check.Failed("environment variables of the container " + c.Name + " look like credentials: " + check.List(c.SecretVariables))
		}
		if len(c.SecretParts) > 0 {
			return check.Failed("the container " + c.Name + " has what looks like a credential in " + check.List(c.SecretParts))
		}
	}
	if d.UnreadVariables != nil {
		return check.Unassessed(*d.UnreadVariables)
	}
	return check.Passed("no environment variable, argument, option or label looks like a credential")
}
