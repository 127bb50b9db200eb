package collect

import (
	"cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// operator is the service that holds a managed resource, empty for none.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_OperatorResponse.html
func operator(o *types.OperatorResponse) string {
	if o == nil || !aws.ToBool(o.Managed) {
		return ""
	}
	return cmp.Or(aws.ToString(o.Principal), someService)
}

// requester is the service that holds what the API calls requester-managed. By id
// there may stand an account of AWS, or a name such as amazon-elb.
func requester(managed *bool, id *string) string {
	if !aws.ToBool(managed) {
		return ""
	}
	return cmp.Or(aws.ToString(id), someService)
}

const someService = "an AWS service"
