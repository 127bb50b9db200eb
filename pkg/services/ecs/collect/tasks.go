package collect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
)

// nameOf is the last part of an ARN: the name, or family and revision.
func nameOf(arn string) string { return path.Base(arn) }

// walk is the state of one walk over services and task definitions, which
// several goroutines share.
type walk struct {
	session *collect.Session
	client  *sdk.Client

	mu      sync.Mutex
	failed  error           // what makes the listing incomplete
	used    map[string]bool // ARNs of the task definitions that services run
	emitted map[string]bool // ARNs of task definitions
}

func tasks(ctx context.Context, s *collect.Session) error {
	w := &walk{session: s, client: sdk.NewFromConfig(s.Config), used: map[string]bool{}, emitted: map[string]bool{}}
	clusters, err := listClusters(ctx, s, w.client)
	w.fail(err)
	w.fail(collect.EachOf(ctx, s, clusters, func(_ *collect.Reading, cluster string) *ecs.TaskService {
		w.fail(w.services(ctx, cluster))
		return nil
	}))

	// A family's name stands for its newest active revision.
	pages := sdk.NewListTaskDefinitionFamiliesPaginator(w.client, &sdk.ListTaskDefinitionFamiliesInput{
		Status: types.TaskDefinitionFamilyStatusActive, MaxResults: aws.Int32(100),
	})
	families, err := collect.Pages(ctx, pages, func(o *sdk.ListTaskDefinitionFamiliesOutput) []string { return o.Families })
	w.fail(err)
	w.fail(collect.EachOf(ctx, s, families, w.task(ctx)))
	var rest []string
	for arn := range w.used {
		if !w.emitted[arn] {
			rest = append(rest, arn)
		}
	}
	w.fail(collect.EachOf(ctx, s, rest, w.task(ctx)))
	return w.failed
}

func (w *walk) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = errors.Join(w.failed, err)
}

// describable is how many services DescribeServices takes at a time.
const describable = 10

// services emits the services of one cluster.
func (w *walk) services(ctx context.Context, cluster string) error {
	pages := sdk.NewListServicesPaginator(w.client, &sdk.ListServicesInput{Cluster: aws.String(cluster), MaxResults: aws.Int32(100)})
	arns, err := collect.Pages(ctx, pages, func(o *sdk.ListServicesOutput) []string { return o.ServiceArns })
	if collect.HasCode(err, "ClusterNotFoundException") {
		return nil // deleted since it was listed, and its services before it
	}
	for some := range slices.Chunk(arns, describable) {
		out, failed := w.client.DescribeServices(ctx, &sdk.DescribeServicesInput{Cluster: aws.String(cluster), Services: some})
		var all fact.Of[map[string]ecs.ServiceDetail]
		if failed != nil {
			gap := collect.GapOf(failed)
			gap.Region = w.session.Region
			// Which task definitions these services run stays unknown, too.
			all, err = fact.Unknown[map[string]ecs.ServiceDetail](gap), errors.Join(err, failed)
		} else {
			all = collect.From(collect.NewReading(ctx, w.session), out.Services, w.serviceDetails)
		}
		for _, arn := range some {
			w.session.Emit(ecs.TaskService{Resource: w.session.Resource(arn, nameOf(arn)), Detail: pick(w.session, all, arn, "ecs:DescribeServices")})
		}
	}
	return err
}

func (w *walk) serviceDetails(all []types.Service) map[string]ecs.ServiceDetail {
	w.mu.Lock()
	defer w.mu.Unlock()
	details := map[string]ecs.ServiceDetail{}
	for _, service := range all {
		d := ecs.ServiceDetail{
			State:    aws.ToString(service.Status),
			Family:   aws.ToString(service.PlatformFamily),
			Platform: aws.ToString(service.PlatformVersion),
			PublicIP: publicIP(service.NetworkConfiguration, service.PlatformVersion != nil),
		}
		running := []string{aws.ToString(service.TaskDefinition)}
		for _, set := range service.TaskSets {
			d.PublicIP = d.PublicIP || publicIP(set.NetworkConfiguration, false)
			running = append(running, aws.ToString(set.TaskDefinition))
		}
		for _, arn := range running {
			if arn != "" {
				w.used[arn] = true
			}
		}
		details[aws.ToString(service.ServiceArn)] = d
	}
	return details
}

// publicIP tells whether tasks get public addresses, which needs interfaces of their
// own; on Fargate they always have them.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html, 29 November 2026.
func publicIP(n *types.NetworkConfiguration, fargate bool) bool {
	if fargate {
		collect.Required("awsvpcConfiguration", collect.Required("networkConfiguration", n).AwsvpcConfiguration)
	}
	if n == nil || n.AwsvpcConfiguration == nil {
		return false
	}
	assign := n.AwsvpcConfiguration.AssignPublicIp
	return collect.Known("assignPublicIp", assign, assign.Values()...) == types.AssignPublicIpEnabled
}

// task reads one task definition by its ARN or family.
func (w *walk) task(ctx context.Context) func(*collect.Reading, string) *ecs.TaskDefinition {
	return func(r *collect.Reading, name string) *ecs.TaskDefinition {
		o, err := w.client.DescribeTaskDefinition(ctx, &sdk.DescribeTaskDefinitionInput{TaskDefinition: aws.String(name)})
		if err == nil && (o.TaskDefinition == nil || o.TaskDefinition.TaskDefinitionArn == nil) {
			err = fmt.Errorf("%w: taskDefinition", collect.ErrGarbled)
		}
		if err != nil {
			w.fail(fmt.Errorf("describe task definition %s: %w", name, err))
			return nil
		}
		arn := *o.TaskDefinition.TaskDefinitionArn
		w.mu.Lock()
		w.emitted[arn] = true
		w.mu.Unlock()
		return &ecs.TaskDefinition{Resource: w.session.Resource(arn, nameOf(arn)), Detail: collect.From(r, o.TaskDefinition, func(t *types.TaskDefinition) ecs.TaskDetail {
			return taskDetail(ctx, w.session, t)
		})}
	}
}

func taskDetail(ctx context.Context, s *collect.Session, t *types.TaskDefinition) ecs.TaskDetail {
	d := ecs.TaskDetail{
		State:   string(t.Status),
		Network: string(t.NetworkMode),
		PID:     string(collect.Known("pidMode", t.PidMode, append(t.PidMode.Values(), "")...)),
		IPC:     string(collect.Known("ipcMode", t.IpcMode, append(t.IpcMode.Values(), "")...)),
	}
	if t.RuntimePlatform != nil {
		system := string(t.RuntimePlatform.OperatingSystemFamily)
		d.Windows = strings.HasPrefix(system, "WINDOWS")
		if !d.Windows && system != "" && system != "LINUX" {
			collect.Garbled("unknown operating system %q", system)
		}
	}
	search := collect.NewSearch(ctx) // of all containers together
	for _, c := range collect.RequiredList("containerDefinitions", t.ContainerDefinitions) {
		environment := map[string]string{}
		for _, variable := range c.Environment {
			environment[collect.RequiredText("environment.name", variable.Name)] = collect.Required("environment.value", variable.Value)
		}
		container := ecs.Container{
			Name: collect.RequiredText("name", c.Name), Privileged: aws.ToBool(c.Privileged), ReadOnlyRoot: aws.ToBool(c.ReadonlyRootFilesystem),
			User: aws.ToString(c.User), SecretVariables: search.Names(environment), SecretParts: secretParts(search, c),
		}
		if c.LogConfiguration != nil {
			container.LogDriver = string(c.LogConfiguration.LogDriver)
		}
		d.Containers = append(d.Containers, container)
	}
	d.UnreadVariables = search.Gap(s, "ecs:DescribeTaskDefinition")
	return d
}

// secretParts are what of a container's definition, beside its environment, holds what
// looks like a credential.
func secretParts(search *collect.Search, c types.ContainerDefinition) []string {
	var found []string
	words := map[string][]string{"the command": c.Command, "the entry point": c.EntryPoint}
	if c.HealthCheck != nil {
		words["the health check"] = c.HealthCheck.Command
	}
	for _, what := range slices.Sorted(maps.Keys(words)) {
		if search.Text(strings.Join(words[what], " ")) {
			found = append(found, what)
		}
	}
	options := map[string]map[string]string{"label ": c.DockerLabels}
	if c.LogConfiguration != nil {
		options["log option "] = c.LogConfiguration.Options
	}
	if c.FirelensConfiguration != nil {
		options["FireLens option "] = c.FirelensConfiguration.Options
	}
	for _, kind := range slices.Sorted(maps.Keys(options)) {
		for _, name := range search.Names(options[kind]) {
			found = append(found, kind+name)
		}
	}
	return found
}
