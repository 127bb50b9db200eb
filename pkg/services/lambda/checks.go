package lambda

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/check/policyrule"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
)

func rules() []check.Rule {
	return []check.Rule{
		check.For("lambda-function-not-public", model.Critical, policies().Asking(policyrule.NotPublic)),
		check.Across("lambda-function-policy-no-other-accounts", model.Medium, policies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.For("lambda-function-policy-services-scoped", model.Medium, policies().Asking(policyrule.ServicesScoped)),
		check.For("lambda-layer-not-public", model.Medium, layerPolicies().Asking(policyrule.NotPublic)),
		check.Across("lambda-layer-policy-no-other-accounts", model.Low, layerPolicies().AskingZone(policyrule.NoOtherAccounts), check.Using[policyrule.Zone]()),
		check.For("lambda-function-url-authenticated", model.High, urlAuthenticated),
		check.For("lambda-function-url-cors", model.Medium, urlCORS),
		check.For("lambda-function-no-secrets-in-environment", model.High, noSecrets),
		check.For("lambda-function-environment-customer-key", model.Low, functions.Unless(
			check.When(func(d Detail) bool { return !d.Environment }, "there are no environment variables")).Asks(customerKey)),
		check.For("lambda-function-runtime-supported", model.Medium, runtimeSupported),
		check.For("lambda-function-code-signing", model.Low, codeSigning),
		// Prowler: high. Most layers of other accounts are those of AWS and of vendors,
		// fixed to a version that nobody can change.
		check.For("lambda-function-layers-of-account", model.Low, layersOfAccount),
		check.For("lambda-function-in-vpc", model.Low, functions.Asks(inVPC)).OnlyIfAsked("most functions have no business in a VPC"),
		check.For("lambda-function-tracing", model.Low, functions.Must(
			func(d Detail) bool { return d.Tracing == "Active" }, "X-Ray traces the function", "X-Ray does not trace the function")).OnlyIfAsked("a matter of taste and cost"),
		check.For("lambda-function-dead-letter-queue", model.Low, deadLetterQueue),
		check.For("lambda-function-reserved-concurrency", model.Low, reservedConcurrency).OnlyIfAsked("a matter of taste"),
	}
}

var functions = check.On(func(f Function) fact.Of[Detail] { return f.Detail })

func urlAuthenticated(e *check.Evidence, f Function) check.Verdict {
	urls := check.Read(e, f.URLs)
	for _, url := range urls {
		if url.Auth != "AWS_IAM" {
			return check.Failed("the URL " + url.Address + " asks nobody for credentials")
		}
	}
	if len(urls) == 0 {
		return check.Inapplicable("the function has no URL")
	}
	return check.Passed("callers of the URL must sign their requests")
}

func urlCORS(e *check.Evidence, f Function) check.Verdict {
	urls := check.Read(e, f.URLs)
	for _, url := range urls {
		for _, origin := range url.Origins {
			if strings.Contains(origin, "*") {
				return check.Failed(fmt.Sprintf("the URL %s allows calls by pages of %s", url.Address, origin))
			}
		}
	}
	if len(urls) == 0 {
		return check.Inapplicable("the function has no URL")
	}
	return check.Passed("no URL allows calls by pages of every origin")
}

func noSecrets(e *check.Evidence, f Function) check.Verdict {
	if names := check.Read(e, f.SecretVariables); len(names) > 0 {
		return check.Failed("environment variables look like credentials: " + check.List(names))
	}
	return check.Passed("no environment variable looks like a credential")
}

func customerKey(d Detail) check.Verdict {
	return check.Must(d.KMSKey != "", "the environment is encrypted under "+d.KMSKey, "the environment is encrypted under the AWS managed key")
}

func runtimeSupported(e *check.Evidence, f Function) check.Verdict {
	d := check.Read(e, f.Detail)
	if d.Runtime == "" {
		return check.Inapplicable("the function is a container image")
	}
	switch day, over := ended(d.Runtime, e.Now()); {
	case slices.Contains(newRuntimes, d.Runtime) && e.Now().UTC().Format(time.DateOnly) <= newUntil:
		return check.Passed(d.Runtime + " is new, and AWS has announced no end of it")
	case day == "":
		return check.Unfamiliar("runtime", d.Runtime)
	case over:
		return check.Failed(fmt.Sprintf("support of %s ended on %s", d.Runtime, day))
	default:
		return check.Passed(fmt.Sprintf("%s is supported until %s", d.Runtime, day))
	}
}

func codeSigning(e *check.Evidence, f Function) check.Verdict {
	if check.Read(e, f.Detail).Package != "Zip" {
		return check.Inapplicable("only functions of zip archives can be signed")
	}
	return check.Must(check.Read(e, f.CodeSigning) != "", "deployed code must be signed", "unsigned code can be deployed")
}

func layersOfAccount(e *check.Evidence, f Function) check.Verdict {
	d := check.Read(e, f.Detail)
	for _, layer := range d.Layers {
		// arn:aws:lambda:region:account:layer:name:version
		if parts := strings.Split(layer, ":"); len(parts) > 4 && parts[4] != f.Account {
			return check.Failed("the layer " + layer + " is of another account")
		}
	}
	if len(d.Layers) == 0 {
		return check.Inapplicable("the function has no layers")
	}
	return check.Passed("all layers are of this account")
}

func inVPC(d Detail) check.Verdict {
	return check.Must(d.VPC != "", "the function runs in "+d.VPC, "the function runs in no VPC")
}

func deadLetterQueue(e *check.Evidence, f Function) check.Verdict {
	if target := check.Read(e, f.Detail).DeadLetter; target != "" {
		return check.Passed("failed events go to " + target)
	}
	to := check.Read(e, f.Destinations)
	return check.Must(len(to) > 0, "failed events go to "+check.List(to), "the function has neither a dead-letter queue nor a destination for events that fail")
}

func reservedConcurrency(e *check.Evidence, f Function) check.Verdict {
	reserved := check.Read(e, f.ReservedConcurrency)
	if reserved == nil {
		return check.Failed("the function may use up the concurrency of the whole region")
	}
	return check.Passed(fmt.Sprintf("%d concurrent executions are reserved", *reserved))
}
