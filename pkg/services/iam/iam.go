// Package iam knows AWS Identity and Access Management: the identities of an
// account, their credentials and their policies, and what is right of them.
package iam

import (
	_ "embed"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

//go:embed checks.yaml
var texts []byte

// Service is what the catalog knows of IAM.
func Service() check.Service {
	return check.Service{
		Name:  "iam",
		Title: "AWS Identity and Access Management",
		Kinds: []check.Kind{
			check.KindOf[Account]().OnceInAccount().Stateless("a setting of the account"),
			check.KindOf[RootUser]().Stateless("there is always one"),
			check.KindOf[PasswordPolicy]().Stateless("a setting of the account"),
			check.KindOf[User]().Stateless("IAM's resources are there or are not"),
			check.KindOf[AccessKey]().Stateless("whether a key is active is what the rules ask"),
			check.KindOf[Group]().Stateless("IAM's resources are there or are not"),
			check.KindOf[Role]().Stateless("IAM's resources are there or are not"),
			check.KindOf[Policy]().Stateless("IAM's resources are there or are not"),
			check.KindOf[InlinePolicy]().Stateless("IAM's resources are there or are not"),
			check.KindOf[ServerCertificate]().Stateless("IAM's resources are there or are not"),
			check.KindOf[SAMLProvider]().Stateless("IAM's resources are there or are not"),
			check.KindOf[OIDCProvider]().Stateless("IAM's resources are there or are not"),
		},
		Rules: rules(),
		Texts: texts,
	}
}

// Account stands for what an account's IAM must have as a whole.
type Account struct {
	model.Resource
	// Users is the number of IAM users.
	Users fact.Of[int] `json:"users"`
}

// Kind implements check.Resource.
func (Account) Kind() string { return "AWS::IAM::Account" }

// RootUser is the account's root user.
type RootUser struct {
	model.Resource
	Credentials fact.Of[RootCredentials] `json:"credentials"`
	// Usage is from the credential report.
	Usage fact.Of[RootUsage] `json:"usage"`
	// VirtualMFA is whether a virtual MFA device belongs to the root user.
	VirtualMFA fact.Of[bool] `json:"virtual_mfa"`
}

// Kind implements check.Resource.
func (RootUser) Kind() string { return "AWS::IAM::RootUser" }

// PasswordPolicy is the account's policy for the passwords of IAM users.
type PasswordPolicy struct {
	model.Resource
	Rules fact.Of[PasswordRules] `json:"rules"`
}

// Kind implements check.Resource.
func (PasswordPolicy) Kind() string { return "AWS::IAM::PasswordPolicy" }

// User is an IAM user.
type User struct {
	model.Resource
	Detail fact.Of[UserDetail] `json:"detail"`
	// Credentials are the user's row in the credential report. A user made
	// after the report has a gap here.
	Credentials fact.Of[Credentials] `json:"credentials"`
	// VirtualMFA is whether a virtual MFA device is assigned to the user.
	VirtualMFA fact.Of[bool] `json:"virtual_mfa"`
}

// Kind implements check.Resource.
func (User) Kind() string { return "AWS::IAM::User" }

// AccessKey is one of the two access keys that a user can have. The credential
// report tells them apart by number and not by id, so the number is its name.
type AccessKey struct {
	model.Resource
	Detail fact.Of[KeyDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (AccessKey) Kind() string { return "AWS::IAM::AccessKey" }

// Group is a group of IAM users.
type Group struct {
	model.Resource
	Detail fact.Of[GroupDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Group) Kind() string { return "AWS::IAM::Group" }

// Role is an IAM role, of the account or of an AWS service.
type Role struct {
	model.Resource
	Detail fact.Of[RoleDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Role) Kind() string { return "AWS::IAM::Role" }

// Policy is a managed policy: any that the account wrote, and those of AWS that
// the account uses.
type Policy struct {
	model.Resource
	Detail fact.Of[PolicyDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (Policy) Kind() string { return "AWS::IAM::ManagedPolicy" }

// InlinePolicy is a policy written into a user, group or role, whose ARN it has.
type InlinePolicy struct {
	model.Resource
	Detail fact.Of[InlinePolicyDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (InlinePolicy) Kind() string { return "AWS::IAM::InlinePolicy" }

// ServerCertificate is a TLS certificate uploaded to IAM.
type ServerCertificate struct {
	model.Resource
	Detail fact.Of[ServerCertificateDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (ServerCertificate) Kind() string { return "AWS::IAM::ServerCertificate" }

// SAMLProvider is an identity provider for SAML federation.
type SAMLProvider struct {
	model.Resource
	Detail fact.Of[SAMLProviderDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (SAMLProvider) Kind() string { return "AWS::IAM::SAMLProvider" }

// OIDCProvider is an identity provider for OpenID Connect federation.
type OIDCProvider struct {
	model.Resource
	Detail fact.Of[OIDCProviderDetail] `json:"detail"`
}

// Kind implements check.Resource.
func (OIDCProvider) Kind() string { return "AWS::IAM::OIDCProvider" }
