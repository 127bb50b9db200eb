package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cloudarq/cloudarq/internal/version"
	"github.com/cloudarq/cloudarq/pkg/api/client"
	"github.com/cloudarq/cloudarq/pkg/audit/drift"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/secret"
	"github.com/cloudarq/cloudarq/pkg/results/shape"
)

// deploy makes the deployment's stack, and a queue that gets its alerts.
func (r *run) deploy(ctx context.Context) (string, error) {
	if err := r.redeploy(ctx); err != nil {
		return "", err
	}
	if err := r.subscribe(ctx, r.outputs["AlertTopicArn"]); err != nil {
		return "", err
	}
	if err := r.enter(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("version %s answers at %s", r.outputs["Version"], r.outputs["ApiUrl"]), nil
}

// enter makes an organization, as the operator, and its administrator's API token, with
// which the steps call the API from then on.
func (r *run) enter(ctx context.Context) error {
	const organization = "smoke"
	if err := r.api.CreateOrganization(ctx, organization, "Smoke test"); err != nil {
		return err
	}
	link, err := r.api.InviteAdministrator(ctx, organization, "smoke@example.com")
	if err != nil {
		return err
	}
	entered, err := r.api.Accept(ctx, link.Token, "Smoke test", secret.New(rand.Text()))
	if err != nil {
		return err
	}
	person := r.api.With(secret.New(entered.AccessToken))
	if r.token, err = person.CreateToken(ctx, "smoke test", model.RoleAdmin.Scopes()...); err != nil {
		return err
	}
	r.api = r.api.With(r.token)
	return nil
}

// redeploy makes the stack what the parameters say, and a client of its API.
func (r *run) redeploy(ctx context.Context) (err error) {
	if r.outputs, err = r.platform.deploy(ctx, r.template, r.url, r.parameters); err != nil {
		return err
	}
	r.api, err = client.New(client.Options{URL: r.outputs["ApiUrl"], Token: r.token, Profile: r.profile, Version: version.String()})
	return err
}

// subscribe makes a queue that the alerts' topic writes to. The topic's key needs nothing
// for that: SNS opens with it what was published, and the queue has a key of SQS's own.
// https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html (2026-11-30)
func (r *run) subscribe(ctx context.Context, topic string) error {
	name := r.queue()
	arn := fmt.Sprintf("arn:%s:sqs:%s:%s:%s", r.partition, r.Region, r.account, name)
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}},
	}}})
	if err != nil {
		return err
	}
	// SQS gives a name that was just freed again after a minute.
	if err := r.retry(ctx, settling, []string{"AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"}, func(ctx context.Context) error {
		made, err := r.queues.CreateQueue(ctx, &sqs.CreateQueueInput{
			QueueName: &name, Tags: map[string]string{tag: r.prefix}, Attributes: map[string]string{"Policy": string(policy), "SqsManagedSseEnabled": "true"},
		})
		if err == nil {
			r.mailbox = aws.ToString(made.QueueUrl)
		}
		return err
	}); err != nil {
		return err
	}
	_, err = r.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	return err
}

// connect connects the account to itself, as its administrator would: a connection, the role
// of the template that the API publishes, the role's ARN, and a verification.
func (r *run) connect(ctx context.Context) (string, error) {
	template, err := r.published(ctx)
	if err != nil {
		return "", err
	}
	in := client.ConnectionInput{Name: "smoke", AuditOptions: model.AuditOptions{Regions: []string{r.Region}, Services: r.services}}
	if err := r.answered(ctx, "a connection from the API", func(ctx context.Context) (err error) {
		r.connection, err = r.api.Connect(ctx, "smoke", in)
		return err
	}); err != nil {
		return "", err
	}
	outputs, err := r.deployStack(ctx, stackSpec{name: r.auditStack(), body: template, parameters: map[string]string{
		"ExternalId": r.connection.ExternalID, "CheckerRoleArn": r.connection.CheckerRole, "RoleName": r.auditRole(),
	}})
	if err != nil {
		return "", err
	}
	in.RoleARN = outputs["RoleArn"]
	if r.connection, err = r.api.Update(ctx, r.connection, in); err != nil {
		return "", err
	}
	// IAM lets a role be assumed some seconds after it was made.
	said := ""
	if err := r.until(ctx, "the checker to open the account", settling, func(ctx context.Context) (bool, error) {
		if _, err := r.api.Verify(ctx, r.connection.ID); err != nil {
			return false, err
		}
		c, err := r.api.Connection(ctx, r.connection.ID)
		if err != nil {
			return false, err
		}
		r.connection, said = c, string(c.State)+" "+c.Reason
		return c.State == model.ConnectionActive, nil
	}); err != nil {
		return "", fmt.Errorf("%w; the connection is %s", err, said)
	}
	return "the account is connected to itself as " + in.RoleARN, nil
}

// published is the audit role's template as anybody gets it, once the API answers: its
// address and its functions' roles take a while.
func (r *run) published(ctx context.Context) (template string, err error) {
	last := ""
	err = r.until(ctx, "the API", settling, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.outputs["ApiUrl"]+"/policy?format=cloudformation", nil)
		if err != nil {
			return false, err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			last = err.Error()
			return false, nil
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
		if last = answer.Status; err != nil || answer.StatusCode != http.StatusOK {
			return false, err
		}
		template = string(text)
		return true, nil
	})
	if err != nil {
		return "", fmt.Errorf("%w; it says %s", err, last)
	}
	return template, nil
}

// answered repeats a request of the API that may be repeated while its functions cannot do
// what their roles were just allowed.
func (r *run) answered(ctx context.Context, what string, do func(context.Context) error) error {
	var last *client.Problem
	err := r.until(ctx, what, settling, func(ctx context.Context) (bool, error) {
		last = nil
		err := do(ctx)
		if errors.As(err, &last) && last.Status >= http.StatusInternalServerError {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil && last != nil && !errors.As(err, &last) {
		return errors.Join(err, last)
	}
	return err
}

// audit audits the account, and looks at all that there is to see of it.
func (r *run) audit(ctx context.Context) (string, error) {
	a, err := r.auditNow(ctx, "first")
	if err != nil {
		return "", err
	}
	r.audited = a
	if r.found, err = r.findings(ctx); err != nil {
		return "", err
	}
	if a.Summary.Score.Assessed == 0 {
		return "", errors.New("the audit assessed nothing; say SERVICES=… of services that the account uses")
	}
	listed, err := r.listed(ctx, a.ID)
	if err != nil {
		return "", err
	}
	if listed == 0 {
		return "", errors.New("the audit lists no calls")
	}
	if err := r.whole(ctx, a.ID); err != nil {
		return "", err
	}
	if err := r.undrifted(ctx); err != nil {
		return "", err
	}
	if err := r.alerted(ctx, a.ID); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d findings, %.0f %% assessed, %d calls; whole and signed, no drift, and the alert came", a.State, len(r.found), 100*a.Summary.Score.Coverage, listed), nil
}

// auditNow audits, and wants the audit done.
func (r *run) auditNow(ctx context.Context, key string) (a model.Audit, err error) {
	if err := r.answered(ctx, "an audit from the API", func(ctx context.Context) error {
		_, err := r.api.Call(ctx, http.MethodPost, "/v1/audits", map[string]string{"Idempotency-Key": key}, map[string]any{"connection": r.connection.ID}, &a)
		return err
	}); err != nil {
		return a, err
	}
	if err := r.until(ctx, "the audit's end", 5*time.Minute, func(ctx context.Context) (bool, error) {
		_, err := r.api.Call(ctx, http.MethodGet, r.path(a.ID, ""), nil, nil, &a)
		return a.State.Ended(), err
	}); err != nil {
		return a, err
	}
	if a.State != model.AuditDone || a.Summary == nil {
		return a, fmt.Errorf("the audit is %s: %s", a.State, strings.Join(a.Problems, "; "))
	}
	return a, nil
}

func (r *run) path(audit model.AuditID, more string) string {
	return "/v1/connections/" + string(r.connection.ID) + "/audits/" + string(audit) + more
}

// pages asks for all pages of a list; take decodes one.
func (r *run) pages(ctx context.Context, path string, take func(json.RawMessage) error) error {
	for cursor := ""; ; {
		var page json.RawMessage
		if _, err := r.api.Call(ctx, http.MethodGet, path+"&cursor="+cursor, nil, nil, &page); err != nil {
			return err
		}
		if err := take(page); err != nil {
			return err
		}
		var next struct {
			Cursor string `json:"cursor"`
		}
		if err := json.Unmarshal(page, &next); err != nil {
			return err
		}
		if cursor = next.Cursor; cursor == "" {
			return nil
		}
	}
}

// findings are the states of all findings, open and resolved.
func (r *run) findings(ctx context.Context) (map[model.FindingID]model.FindingState, error) {
	all := map[model.FindingID]model.FindingState{}
	err := r.pages(ctx, "/v1/connections/"+string(r.connection.ID)+"/findings?limit=500&all=true", func(text json.RawMessage) error {
		var page struct {
			Findings []shape.Finding `json:"findings"`
		}
		err := json.Unmarshal(text, &page)
		for _, f := range page.Findings {
			all[f.ID] = f.State
		}
		return err
	})
	return all, err
}

// listed counts the calls that an audit lists.
func (r *run) listed(ctx context.Context, audit model.AuditID) (n int, err error) {
	err = r.pages(ctx, r.path(audit, "/calls?limit=5000"), func(text json.RawMessage) error {
		var page struct {
			Calls []json.RawMessage `json:"calls"`
		}
		err := json.Unmarshal(text, &page)
		n += len(page.Calls)
		return err
	})
	return n, err
}

// whole wants an audit to be what it wrote, and signed, which the worker does soon after
// its end.
func (r *run) whole(ctx context.Context, audit model.AuditID) error {
	var v struct {
		Verdict   string   `json:"verdict"`
		Signature string   `json:"signature"`
		Problems  []string `json:"problems"`
	}
	err := r.until(ctx, "the audit's signature", settling, func(ctx context.Context) (bool, error) {
		_, err := r.api.Call(ctx, http.MethodGet, r.path(audit, "/verification"), nil, nil, &v)
		return v.Signature != "unsigned", err
	})
	if err == nil && (v.Verdict != "whole" || v.Signature != "valid") {
		return fmt.Errorf("the audit %s is %s, its signature %s: %s", audit, v.Verdict, v.Signature, strings.Join(v.Problems, "; "))
	}
	return err
}

// undrifted wants the role to allow all that the audit asked for. What the policy of an
// organization or of a key denies is the account's own affair.
func (r *run) undrifted(ctx context.Context) error {
	var report drift.Report
	if _, err := r.api.Call(ctx, http.MethodGet, "/v1/connections/"+string(r.connection.ID)+"/drift", nil, nil, &report); err != nil {
		return err
	}
	for _, m := range report.Missing {
		if m.DeniedBy == drift.ByRole {
			return fmt.Errorf("the role of the published template does not allow %s", m.Action)
		}
	}
	return nil
}

// alerted waits for the alert that says that an audit ended.
func (r *run) alerted(ctx context.Context, audit model.AuditID) error {
	return r.until(ctx, "the alert of the audit's end", settling, func(ctx context.Context) (bool, error) {
		out, err := r.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &r.mailbox, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			return false, err
		}
		came := false
		for _, m := range out.Messages {
			var alert struct {
				Kind   string        `json:"kind"`
				Change string        `json:"change"`
				Audit  model.AuditID `json:"audit"`
			}
			if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &alert); err != nil {
				return false, fmt.Errorf("an alert that is no JSON: %w", err)
			}
			came = came || alert.Kind == "audit" && alert.Change == "finished" && alert.Audit == audit
			if err := r.received(ctx, m); err != nil {
				return false, err
			}
		}
		return came, nil
	})
}

func (r *run) received(ctx context.Context, m sqstypes.Message) error {
	_, err := r.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &r.mailbox, ReceiptHandle: m.ReceiptHandle})
	return err
}
