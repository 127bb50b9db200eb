package policy

import (
	"net/url"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// QuickCreate is what a quick-create link fills in.
type QuickCreate struct {
	Region string
	// TemplateURL is of the CloudFormation template in S3, with the bucket and its
	// region in the host. It may be presigned: AWS's own tools for .NET create
	// stacks so (aws/aws-lambda-dotnet#38, #335). A signature by a role makes it
	// longer than the 1,024 characters that CloudFormation took then, and the
	// console's manual still names; its API takes 5,120 by now.
	// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackDefinition.html
	TemplateURL    string
	ExternalID     string
	CheckerRoleARN string
	RoleName       string // empty for the template's own
}

// URL is the link that opens AWS's console with the template and its parameters
// filled in; empty where the partition has no console on the internet. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stacks-quick-create-links.html
func (q QuickCreate) URL() string {
	host := model.PartitionOf(q.Region).Console
	if host == "" {
		return ""
	}
	parameters := []string{
		"templateURL", q.TemplateURL, "stackName", "CloudArq",
		"param_ExternalId", q.ExternalID, "param_CheckerRoleArn", q.CheckerRoleARN,
	}
	if q.RoleName != "" {
		parameters = append(parameters, "param_RoleName", q.RoleName)
	}
	link := "https://" + host + "/cloudformation/home?region=" + escape(q.Region) + "#/stacks/quickcreate"
	for i := 0; i < len(parameters); i += 2 {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		link += separator + parameters[i] + "=" + escape(parameters[i+1])
	}
	return link
}

// escape leaves nothing that has a meaning in a query, a fragment or a form: the
// console reads the fragment by itself, and may not take a + for a space.
func escape(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
