package policy

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed templates
var templates embed.FS

// fill puts a role into one of the templates. (The standard library's templates
// would make the linker keep every operation of every SDK client; internal/arch
// has the reason.)
func (r Role) fill(name string, values ...string) string {
	text, err := templates.ReadFile("templates/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	values = append(values, "@VERSION@", r.Version, "@HASH@", r.Hash, "@COUNT@", strconv.Itoa(len(r.Grants)))
	return strings.NewReplacer(values...).Replace(string(text))
}

// purpose describes a managed policy. It does not name the version: a managed
// policy's description cannot be changed, only the whole policy replaced.
func purpose(m Managed) string {
	if denies(m) {
		return "What CloudArq never does, whatever else the audit role is given"
	}
	return "What CloudArq reads"
}

func denies(m Managed) bool { return m.Document.Statement[0].Effect == "Deny" }

// CloudFormation writes the template that makes the role in one account. The
// stack needs CAPABILITY_NAMED_IAM; its output RoleArn is the role.
func (r Role) CloudFormation() string {
	var policies strings.Builder
	for _, m := range r.Policies {
		fmt.Fprintf(&policies, "  %s:\n    Type: AWS::IAM::ManagedPolicy\n", m.Name)
		if denies(m) { // newer actions than cfn-lint knows are denied, too; our own data has them
			policies.WriteString("    Metadata: {cfn-lint: {config: {ignore_checks: [W3037]}}}\n")
		}
		fmt.Fprintf(&policies, "    Properties:\n      Description: %s\n      Roles: [!Ref AuditRole]\n", purpose(m))
		fmt.Fprintf(&policies, "      PolicyDocument:\n        Version: %q\n        Statement:\n", m.Document.Version)
		for _, s := range m.Document.Statement {
			fmt.Fprintf(&policies, "          - Sid: %s\n            Effect: %s\n", s.Sid, s.Effect)
			fmt.Fprintf(&policies, "            Action:\n%s            Resource:\n%s", yamlList(s.Action), yamlList(s.Resource))
		}
		policies.WriteString("\n")
	}
	return r.fill("audit-role.yaml", "@POLICIES@\n", policies.String())
}

func yamlList(values []string) string {
	var b strings.Builder
	for _, v := range values {
		if strings.Contains(v, "*") {
			v = strconv.Quote(v)
		}
		b.WriteString("              - " + v + "\n")
	}
	return b.String()
}

// StackSet writes the template that makes the role in all accounts of an
// organization or of organizational units, by a service-managed StackSet.
func (r Role) StackSet() string {
	var body strings.Builder
	for line := range strings.Lines(r.CloudFormation()) {
		if line != "\n" {
			body.WriteString("        ")
		}
		body.WriteString(line)
	}
	return r.fill("audit-role-stackset.yaml", "@TEMPLATE@\n", body.String())
}

// Terraform writes the module that makes the role in one account.
func (r Role) Terraform() string {
	var b strings.Builder
	for _, m := range r.Policies {
		name := strings.ToLower(m.Name)
		fmt.Fprintf(&b, "resource \"aws_iam_policy\" %q {\n  name_prefix = \"${var.role_name}-%s-\"\n  description = %q\n", name, name, purpose(m))
		fmt.Fprintf(&b, "  policy = jsonencode({\n    Version = %q\n    Statement = [\n", m.Document.Version)
		for _, s := range m.Document.Statement {
			fmt.Fprintf(&b, "      {\n        Sid    = %q\n        Effect = %q\n", s.Sid, s.Effect)
			fmt.Fprintf(&b, "        Action = [\n%s        ]\n        Resource = [\n%s        ]\n      },\n", hclList(s.Action), hclList(s.Resource))
		}
		b.WriteString("    ]\n  })\n}\n\n")
		fmt.Fprintf(&b, "resource \"aws_iam_role_policy_attachment\" %q {\n  role       = aws_iam_role.audit.name\n  policy_arn = aws_iam_policy.%s.arn\n}\n\n", name, name)
	}
	return r.fill("main.tf", "@POLICIES@\n", b.String())
}

func hclList(values []string) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "          %q,\n", v)
	}
	return b.String()
}
