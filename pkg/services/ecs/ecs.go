// Package ecs knows Amazon Elastic Container Service: its clusters, services and
// task definitions, and what is right of them.
package ecs

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of ECS.
func Service() check.Service {
	return check.Service{
		Name:  "ecs",
		Title: "Amazon Elastic Container Service",
		Kinds: []check.Kind{check.KindOf[Cluster](), check.KindOf[TaskService](), check.KindOf[TaskDefinition]()},
		Rules: rules(),
		Texts: texts,
	}
}

// Cluster is an ECS cluster.
type Cluster struct {
	model.Resource
	Detail fact.Of[ClusterDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Cluster) Kind() string { return "AWS::ECS::Cluster" }

// ClusterDetail is what DescribeClusters tells.
type ClusterDetail struct {
	State             string `json:"state"`              // AWS's word
	ContainerInsights string `json:"container_insights"` // disabled, enabled or enhanced
	// ExecLogging is where the output of ECS Exec goes: DEFAULT (the container's
	// own log), OVERRIDE (as configured) or NONE.
	ExecLogging string `json:"exec_logging"`
}

// TaskService is an ECS service: it keeps a number of tasks running.
type TaskService struct {
	model.Resource
	Detail fact.Of[ServiceDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (TaskService) Kind() string { return "AWS::ECS::Service" }

// ServiceDetail is what DescribeServices tells.
type ServiceDetail struct {
	State    string `json:"state"`              // AWS's word
	Family   string `json:"family,omitempty"`   // of the Fargate platform: Linux or Windows…
	Platform string `json:"platform,omitempty"` // its version, or LATEST; empty without Fargate
	// PublicIP tells that the tasks, or those of a task set, get public addresses.
	PublicIP bool `json:"public_ip"`
}

// TaskDefinition is one revision of a task definition: the newest active one of
// its family, or one that a service runs. The others cannot be counted: every
// deployment makes one.
type TaskDefinition struct {
	model.Resource
	Detail fact.Of[TaskDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (TaskDefinition) Kind() string { return "AWS::ECS::TaskDefinition" }

// TaskDetail is what DescribeTaskDefinition tells.
type TaskDetail struct {
	State      string      `json:"state"`             // AWS's word
	Network    string      `json:"network,omitempty"` // awsvpc, bridge, host or none
	PID        string      `json:"pid,omitempty"`     // host or task; empty for each container's own
	IPC        string      `json:"ipc,omitempty"`     // host, task or none; empty for the daemon's default
	Windows    bool        `json:"windows"`
	Containers []Container `json:"containers"`
	// UnreadVariables says why not all environment variables, arguments, options and
	// labels were looked at; nil if all were.
	UnreadVariables *fact.Gap `json:"unread_variables,omitempty"`
}

// Container is a container of a task definition.
type Container struct {
	Name         string `json:"name"`
	Privileged   bool   `json:"privileged"`
	ReadOnlyRoot bool   `json:"read_only_root"` // of the file system
	User         string `json:"user,omitempty"` // empty for the image's
	LogDriver    string `json:"log_driver,omitempty"`
	// SecretVariables names the environment variables that look like a credential.
	SecretVariables []string `json:"secret_variables,omitempty"`
	// SecretParts says what else of the definition holds what looks like one: "the
	// command", "log option splunk-token".
	SecretParts []string `json:"secret_parts,omitempty"`
}

// Root reports whether the container's user is root, as far as the task definition
// tells: the image's user counts as root where none is named. A user is a name or a
// number, with or without a group behind a colon; numbers may have leading zeros.
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
func (c Container) Root() bool {
	user, _, _ := strings.Cut(c.User, ":")
	number, err := strconv.Atoi(user) // as Docker reads it, +0 and -0 included
	return user == "" || user == "root" || err == nil && number == 0
}
