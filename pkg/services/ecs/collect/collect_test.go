package collect_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect/collecttest"
	"github.com/cloudarq/cloudarq/pkg/aws/fake"
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/ecs"
	"github.com/cloudarq/cloudarq/pkg/services/ecs/collect"
)

const password = "correct-horse-battery"

const token = "0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d"

func arn(resource string) string { return "arn:aws:ecs:eu-west-1:111122223333:" + resource }

// The account has two clusters; the first has two services, of which "shop" runs
// an old revision of its family, and "jobs" the newest one.
func full(f *fake.Fake) {
	fake.On(f, func(in *sdk.ListClustersInput) (*sdk.ListClustersOutput, error) {
		if in.NextToken == nil {
			return &sdk.ListClustersOutput{ClusterArns: []string{arn("cluster/web")}, NextToken: aws.String("2")}, nil
		}
		return &sdk.ListClustersOutput{ClusterArns: []string{arn("cluster/empty")}}, nil
	})
	fake.On(f, describeClusters)
	fake.On(f, func(in *sdk.ListServicesInput) (*sdk.ListServicesOutput, error) {
		switch {
		case *in.Cluster != arn("cluster/web"):
			return nil, fake.Error("ClusterNotFoundException")
		case in.NextToken == nil:
			return &sdk.ListServicesOutput{ServiceArns: []string{arn("service/web/shop")}, NextToken: aws.String("2")}, nil
		default:
			return &sdk.ListServicesOutput{ServiceArns: []string{arn("service/web/jobs")}}, nil
		}
	})
	fake.On(f, describeServices)
	fake.On(f, func(in *sdk.ListTaskDefinitionFamiliesInput) (*sdk.ListTaskDefinitionFamiliesOutput, error) {
		if in.NextToken == nil {
			return &sdk.ListTaskDefinitionFamiliesOutput{Families: []string{"shop"}, NextToken: aws.String("2")}, nil
		}
		return &sdk.ListTaskDefinitionFamiliesOutput{Families: []string{"jobs"}}, nil
	})
	fake.On(f, describeTaskDefinition)
}

func describeClusters(in *sdk.DescribeClustersInput) (*sdk.DescribeClustersOutput, error) {
	o := &sdk.DescribeClustersOutput{}
	for _, name := range in.Clusters {
		c := types.Cluster{ClusterArn: aws.String(name), Status: aws.String("ACTIVE")}
		if name == arn("cluster/web") {
			c.Settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: aws.String("enhanced")}}
			c.Configuration = &types.ClusterConfiguration{ExecuteCommandConfiguration: &types.ExecuteCommandConfiguration{Logging: types.ExecuteCommandLoggingNone}}
		}
		o.Clusters = append(o.Clusters, c)
	}
	return o, nil
}

func describeServices(in *sdk.DescribeServicesInput) (*sdk.DescribeServicesOutput, error) {
	o := &sdk.DescribeServicesOutput{}
	public := &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, AssignPublicIp: types.AssignPublicIpEnabled}}
	for _, name := range in.Services {
		s := types.Service{ServiceArn: aws.String(name), Status: aws.String("ACTIVE")}
		if strings.HasSuffix(name, "shop") {
			s.TaskDefinition, s.LaunchType, s.PlatformFamily, s.PlatformVersion = aws.String(arn("task-definition/shop:3")), types.LaunchTypeFargate, aws.String("Linux"), aws.String("1.4.0")
			s.NetworkConfiguration = public
		} else { // deployed by CodeDeploy
			s.TaskSets = []types.TaskSet{{TaskDefinition: aws.String(arn("task-definition/jobs:1")), NetworkConfiguration: public}}
		}
		o.Services = append(o.Services, s)
	}
	return o, nil
}

func describeTaskDefinition(in *sdk.DescribeTaskDefinitionInput) (*sdk.DescribeTaskDefinitionOutput, error) {
	switch *in.TaskDefinition {
	case "jobs":
		return &sdk.DescribeTaskDefinitionOutput{TaskDefinition: &types.TaskDefinition{
			Status:            types.TaskDefinitionStatusActive,
			TaskDefinitionArn: aws.String(arn("task-definition/jobs:1")), NetworkMode: types.NetworkModeHost, PidMode: types.PidModeHost, IpcMode: types.IpcModeHost,
			RuntimePlatform: &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core},
			ContainerDefinitions: []types.ContainerDefinition{{
				Name: aws.String("app"), Privileged: aws.Bool(true), ReadonlyRootFilesystem: aws.Bool(true), User: aws.String("app"),
				LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"splunk-token": token, "awslogs-group": "app"}},
				Command:          []string{"mysqldump", "-u", "root", "-p" + password},
				EntryPoint:       []string{"sh", "-c"},
				HealthCheck:      &types.HealthCheck{Command: []string{"CMD", "curl", "-u", "health:" + password, "http://localhost"}},
				DockerLabels:     map[string]string{"team": "prod", "api_key": token},
				FirelensConfiguration: &types.FirelensConfiguration{
					Type: types.FirelensConfigurationTypeFluentbit, Options: map[string]string{"config-file-type": "s3"},
				},
				Environment: []types.KeyValuePair{{Name: aws.String("DB_PASSWORD"), Value: aws.String(password)}, {Name: aws.String("STAGE"), Value: aws.String("prod")}},
			}},
		}}, nil
	case "shop":
		long := plain("shop:7")
		long.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("LONG"), Value: aws.String(strings.Repeat("-", 100_000))}}
		return &sdk.DescribeTaskDefinitionOutput{TaskDefinition: long}, nil
	default:
		return &sdk.DescribeTaskDefinitionOutput{TaskDefinition: plain("shop:3")}, nil
	}
}

func plain(revision string) *types.TaskDefinition {
	return &types.TaskDefinition{
		Status:            types.TaskDefinitionStatusActive,
		TaskDefinitionArn: aws.String(arn("task-definition/" + revision)), NetworkMode: types.NetworkModeAwsvpc,
		ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("app")}},
	}
}

func resource(path, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn(path), Account: collecttest.Account, Region: collecttest.Region, Name: name}}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	plain := fact.Known(ecs.TaskDetail{State: "ACTIVE", Network: "awsvpc", Containers: []ecs.Container{{Name: "app"}}})
	long := fact.Known(ecs.TaskDetail{State: "ACTIVE", Network: "awsvpc", Containers: []ecs.Container{{Name: "app"}}, UnreadVariables: &fact.Gap{
		Reason: fact.NotCollected, Operation: "ecs:DescribeTaskDefinition", Region: collecttest.Region, Detail: "only the first 64 KiB were looked at",
	}})
	collecttest.Run(t, collect.Spec(), full, []check.Resource{
		ecs.Cluster{Resource: resource("cluster/web", "web"), Detail: fact.Known(ecs.ClusterDetail{State: "ACTIVE", ContainerInsights: "enhanced", ExecLogging: "NONE"})},
		ecs.Cluster{Resource: resource("cluster/empty", "empty"), Detail: fact.Known(ecs.ClusterDetail{State: "ACTIVE", ContainerInsights: "disabled", ExecLogging: "DEFAULT"})},
		ecs.TaskService{Resource: resource("service/web/shop", "shop"), Detail: fact.Known(ecs.ServiceDetail{State: "ACTIVE",
			Family: "Linux", Platform: "1.4.0", PublicIP: true, TaskDefinition: arn("task-definition/shop:3"),
		})},
		ecs.TaskService{Resource: resource("service/web/jobs", "jobs"), Detail: fact.Known(ecs.ServiceDetail{State: "ACTIVE", PublicIP: true})},
		ecs.TaskDefinition{Resource: resource("task-definition/shop:7", "shop:7"), Detail: long},
		ecs.TaskDefinition{Resource: resource("task-definition/shop:3", "shop:3"), Detail: plain},
		ecs.TaskDefinition{Resource: resource("task-definition/jobs:1", "jobs:1"), Detail: fact.Known(ecs.TaskDetail{State: "ACTIVE",
			Network: "host", PID: "host", IPC: "host", Windows: true,
			Containers: []ecs.Container{{
				Name: "app", Privileged: true, ReadOnlyRoot: true, User: "app", LogDriver: "awslogs", SecretVariables: []string{"DB_PASSWORD"},
				SecretParts: []string{"the command", "the health check", "label api_key", "log option splunk-token"},
			}},
		})},
	})
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	cloud := fake.New()
	full(cloud)
	data, err := json.Marshal(collecttest.Walk(t, collect.Spec(), cloud).Resources)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), password) || strings.Contains(string(data), token) || strings.Contains(string(data), "prod") {
		t.Errorf("a value of the environment was kept: %s", data)
	}
}
