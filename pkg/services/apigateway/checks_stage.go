package apigateway

import (
	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
)

// onStage is a rule on what GetStages tells.
func onStage(judge func(StageDetail) check.Verdict) func(*check.Evidence, Stage) check.Verdict {
	return func(e *check.Evidence, s Stage) check.Verdict { return judge(check.Read(e, s.Detail)) }
}

func logging(d StageDetail) check.Verdict {
	switch {
	case d.AccessLogs != "":
		return check.Passed("access logs go to " + d.AccessLogs)
	case d.ExecutionLogs == "ERROR" || d.ExecutionLogs == "INFO":
		return check.Passed("execution is logged at level " + d.ExecutionLogs)
	default:
		return check.Failed("neither access nor execution is logged")
	}
}

func noDataTrace(d StageDetail) check.Verdict {
	return check.Must(len(d.DataTraced) == 0, "requests are not logged in full", "requests are logged in full for "+check.List(d.DataTraced))
}

func tracing(d StageDetail) check.Verdict {
	return check.Must(check.Told("tracingEnabled", d.Tracing), "X-Ray traces requests", "X-Ray does not trace requests")
}

func waf(d StageDetail) check.Verdict {
	return check.Must(d.WebACL != "", "requests are filtered by "+d.WebACL, "there is no web ACL")
}

func clientCertificate(d StageDetail) check.Verdict {
	return check.Must(d.ClientCertificate != "", "the stage shows backends the certificate "+d.ClientCertificate, "the stage shows backends no certificate")
}

func cacheEncrypted(d StageDetail) check.Verdict {
	if !d.Cache {
		return check.Inapplicable("the stage has no cache")
	}
	if len(d.PlainCaches) == 0 && !d.CacheSettled {
		// Whether a method without a setting is cached, AWS documents both ways: GET by
		// default, and as the setting says, which is off by default.
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html, 29 November 2026.
		return check.Unassessed(fact.Gap{
			Reason: fact.Failed, Operation: "apigateway:GetStages", Detail: "the stage has a cache, and no setting for all methods that tells what it holds",
		})
	}
	return check.Must(len(d.PlainCaches) == 0, "no answer is cached unencrypted", "answers are cached unencrypted for "+check.List(d.PlainCaches))
}

func noSecrets(d StageDetail) check.Verdict {
	if d.UnreadVariables != nil && len(d.SecretVariables) == 0 {
		return check.Unassessed(*d.UnreadVariables)
	}
	return check.Must(len(d.SecretVariables) == 0, "no stage variable looks like a credential",
		"these stage variables look like credentials: "+check.List(d.SecretVariables))
}
