package iampolicy

import "strings"

// escalation is a set of permissions with which an identity can give itself
// more, and the service that it passes a role to, if it does.
type escalation struct {
	actions string // joined by "+", as reported
	passTo  string
}

// escalations lists the combinations published by Rhino Security Labs
// (https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation) and by
// https://pathfinding.cloud, as far as permissions alone make them.
func escalations() []escalation {
	return []escalation{
		{"iam:CreatePolicyVersion", ""},
		{"iam:SetDefaultPolicyVersion", ""},
		{"iam:CreateAccessKey", ""},
		{"iam:CreateLoginProfile", ""},
		{"iam:UpdateLoginProfile", ""},
		{"iam:AttachUserPolicy", ""},
		{"iam:AttachGroupPolicy", ""},
		{"iam:AttachRolePolicy+sts:AssumeRole", ""},
		{"iam:PutUserPolicy", ""},
		{"iam:PutGroupPolicy", ""},
		{"iam:PutRolePolicy+sts:AssumeRole", ""},
		{"iam:AddUserToGroup", ""},
		{"iam:UpdateAssumeRolePolicy+sts:AssumeRole", ""},
		{"iam:DeleteUserPermissionsBoundary", ""},
		{"iam:DeleteRolePermissionsBoundary", ""},
		{"iam:CreateServiceSpecificCredential", ""},
		{"iam:PassRole+ec2:RunInstances", "ec2.amazonaws.com"},
		{"iam:PassRole+ec2:RequestSpotInstances", "ec2.amazonaws.com"},
		{"iam:PassRole+ec2:AssociateIamInstanceProfile", "ec2.amazonaws.com"},
		{"iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction", "lambda.amazonaws.com"},
		{"iam:PassRole+lambda:CreateFunction+lambda:CreateEventSourceMapping", "lambda.amazonaws.com"},
		{"iam:PassRole+lambda:CreateFunction+lambda:AddPermission", "lambda.amazonaws.com"},
		{"lambda:UpdateFunctionCode", ""},
		{"lambda:UpdateFunctionConfiguration", ""},
		{"iam:PassRole+glue:CreateDevEndpoint", "glue.amazonaws.com"},
		{"glue:UpdateDevEndpoint", ""},
		{"iam:PassRole+glue:CreateJob+glue:StartJobRun", "glue.amazonaws.com"},
		{"iam:PassRole+glue:CreateJob+glue:CreateTrigger", "glue.amazonaws.com"},
		{"iam:PassRole+glue:UpdateJob+glue:StartJobRun", "glue.amazonaws.com"},
		{"iam:PassRole+glue:UpdateJob+glue:CreateTrigger", "glue.amazonaws.com"},
		{"iam:PassRole+cloudformation:CreateStack", "cloudformation.amazonaws.com"},
		{"iam:PassRole+cloudformation:UpdateStack", "cloudformation.amazonaws.com"},
		{"iam:PassRole+cloudformation:CreateStackSet+cloudformation:CreateStackInstances", "cloudformation.amazonaws.com"},
		{"iam:PassRole+cloudformation:UpdateStackSet", "cloudformation.amazonaws.com"},
		{"cloudformation:UpdateStack", ""},
		{"cloudformation:CreateChangeSet+cloudformation:ExecuteChangeSet", ""},
		{"iam:PassRole+datapipeline:CreatePipeline+datapipeline:PutPipelineDefinition+datapipeline:ActivatePipeline", "datapipeline.amazonaws.com"},
		{"iam:PassRole+codestar:CreateProject", "codestar.amazonaws.com"},
		{"codestar:CreateProjectFromTemplate", ""},
		{"codestar:CreateProject+codestar:AssociateTeamMember", ""},
		{"iam:PassRole+codebuild:CreateProject+codebuild:StartBuild", "codebuild.amazonaws.com"},
		{"iam:PassRole+codebuild:UpdateProject+codebuild:StartBuild", "codebuild.amazonaws.com"},
		{"iam:PassRole+codepipeline:CreatePipeline", "codepipeline.amazonaws.com"},
		{"iam:PassRole+sagemaker:CreateNotebookInstance+sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker.amazonaws.com"},
		{"sagemaker:CreatePresignedNotebookInstanceUrl", ""},
		{"iam:PassRole+sagemaker:CreateTrainingJob", "sagemaker.amazonaws.com"},
		{"iam:PassRole+sagemaker:CreateProcessingJob", "sagemaker.amazonaws.com"},
		{"iam:PassRole+ecs:RegisterTaskDefinition+ecs:RunTask", "ecs-tasks.amazonaws.com"},
		{"iam:PassRole+ecs:RegisterTaskDefinition+ecs:CreateService", "ecs-tasks.amazonaws.com"},
		{"iam:PassRole+ecs:RegisterTaskDefinition+ecs:StartTask", "ecs-tasks.amazonaws.com"},
		{"iam:PassRole+autoscaling:CreateLaunchConfiguration+autoscaling:CreateAutoScalingGroup", "ec2.amazonaws.com"},
		{"iam:PassRole+apprunner:CreateService", "tasks.apprunner.amazonaws.com"},
		{"iam:PassRole+states:CreateStateMachine+states:StartExecution", "states.amazonaws.com"},
		{"iam:PassRole+bedrock-agentcore:CreateCodeInterpreter+bedrock-agentcore:InvokeCodeInterpreter", "bedrock-agentcore.amazonaws.com"},
		{"ssm:SendCommand", ""},
		{"ssm:StartSession", ""},
		{"ec2:ModifyInstanceAttribute+ec2:StopInstances+ec2:StartInstances", ""},
		{"ec2-instance-connect:SendSSHPublicKey", ""},
		{"sso:PutInlinePolicyToPermissionSet", ""},
		{"sso:AttachManagedPolicyToPermissionSet", ""},
		{"sso:CreateAccountAssignment", ""},
	}
}

// Escalations gives the well-known privilege escalations that policies attached
// together make possible, named by their permissions. It asks whether each
// action is allowed on some resource; whether that resource (a role to pass, a
// user to change) has more rights than the identity is not in its policies. An
// iam:PassedToService condition on iam:PassRole is honoured.
//
// Whoever [Policy.IsAdmin] has them all; ask that first.
func Escalations(policies []Policy) []string {
	known := map[string]bool{}
	allowed := func(action, passTo string) bool {
		key := action
		var accept func(*Statement) bool
		if action == "iam:PassRole" {
			key += " " + passTo
			accept = func(s *Statement) bool { return s.passesTo(passTo) }
		}
		ok, seen := known[key]
		if !seen {
			ok = allows(policies, action, "", accept)
			known[key] = ok
		}
		return ok
	}
	var out []string
	for _, e := range escalations() {
		ok := true
		for action := range strings.SplitSeq(e.actions, "+") {
			if ok = allowed(action, e.passTo); !ok {
				break
			}
		}
		if ok {
			out = append(out, e.actions)
		}
	}
	return out
}

// passesTo tells that the statement's conditions let a role be passed to the service.
func (s *Statement) passesTo(service string) bool {
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if !c.Is("iam:PassedToService") || !c.Operator.textual() || c.Operator.Negated() {
			continue
		}
		match := false
		for _, v := range c.Values {
			// A partition's suffix (.com.cn) does not make it another service.
			v = strings.TrimSuffix(strings.ToLower(v), ".cn")
			match = match || covers(v, service) || variable(v)
		}
		if !match {
			return false
		}
	}
	return true
}
