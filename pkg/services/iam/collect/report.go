package collect

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/cloudarq/cloudarq/pkg/aws/collect"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/services/iam"
)

// reports reads the credential report, which AWS writes on demand and keeps for
// four hours.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
type reports struct{ pause time.Duration }

// looks bounds how often a report is asked for, and longest how the pauses
// between them grow. A small account's report takes a second, a large one's a
// minute.
const (
	looks   = 20
	longest = 8
)

// report is the rows of the credential report by ARN.
type report struct {
	made time.Time
	rows map[string]row
}

// row is one user. created tells a user from an earlier one of the same name.
type row struct {
	user, arn string
	root      bool
	created   *time.Time
	iam.Credentials
}

func (r reports) read(reading *collect.Reading, s *collect.Session) fact.Of[report] {
	return collect.Ask(reading, func(ctx context.Context) (report, error) { return r.shared(ctx, s) })
}

// shared gets the report one time for all walks.
func (r reports) shared(ctx context.Context, s *collect.Session) (report, error) {
	return collect.Once(s, "report", func() (report, error) { return r.get(ctx, sdk.NewFromConfig(s.Config)) })
}

// get waits for AWS to finish the report, having asked for one if there is none
// or an old one.
func (r reports) get(ctx context.Context, client *sdk.Client) (report, error) {
	var err error
	pause := r.pause
	for range looks {
		var out *sdk.GetCredentialReportOutput
		if out, err = client.GetCredentialReport(ctx, &sdk.GetCredentialReportInput{}); err == nil {
			return parse(aws.ToTime(out.GeneratedTime), out.Content)
		}
		switch {
		case collect.HasCode(err, "ReportNotPresent", "ReportExpired"):
			begun, refused := client.GenerateCredentialReport(ctx, &sdk.GenerateCredentialReportInput{})
			if refused != nil {
				return report{}, refused
			}
			if begun.State == types.ReportStateTypeComplete {
				continue
			}
		case !collect.HasCode(err, "ReportInProgress"):
			return report{}, err
		}
		select {
		case <-ctx.Done():
			return report{}, errors.Join(context.Cause(ctx), err)
		case <-time.After(pause):
			pause = min(2*pause, longest*r.pause)
		}
	}
	return report{}, err
}

func parse(made time.Time, content []byte) (report, error) {
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord = -1 // AWS adds columns
	lines, err := reader.ReadAll()
	if err != nil {
		return report{}, fmt.Errorf("%w: credential report: %w", collect.ErrGarbled, err)
	}
	if len(lines) == 0 {
		return report{}, fmt.Errorf("%w: the credential report is empty", collect.ErrGarbled)
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	parsed := report{made: made, rows: map[string]row{}}
	for _, line := range lines[1:] {
		c := cells{column: column, line: line}
		r := c.row(made)
		if c.err != nil {
			return report{}, fmt.Errorf("%w: credential report: %w", collect.ErrGarbled, c.err)
		}
		parsed.rows[r.arn] = r
	}
	return parsed, nil
}

// cells reads the columns of one line and keeps the first error.
type cells struct {
	column map[string]int
	line   []string
	err    error
}

func (c *cells) row(made time.Time) row {
	r := row{
		user: c.text("user"), arn: c.text("arn"), created: c.time("user_creation_time"),
		Credentials: iam.Credentials{
			Reported:        made,
			Password:        c.yes("password_enabled"),
			PasswordUsed:    c.time("password_last_used"),
			PasswordChanged: c.time("password_last_changed"),
			MFA:             c.yes("mfa_active"),
		},
	}
	r.root = r.user == "<root_account>"
	for number := 1; number <= 2; number++ {
		column := fmt.Sprintf("access_key_%d_", number)
		key := iam.KeyDetail{Number: number, Active: c.yes(column + "active"), Rotated: c.time(column + "last_rotated"), Used: c.time(column + "last_used_date")}
		// An old key that is off may have no rotation, and was used all the same.
		if key.Active || key.Rotated != nil || key.Used != nil {
			r.Keys = append(r.Keys, key)
		}
	}
	return r
}

func (c *cells) text(column string) string {
	at, ok := c.column[column]
	if !ok || at >= len(c.line) {
		c.fail(fmt.Errorf("no column %s", column))
		return ""
	}
	return c.line[at]
}

// yes reads true or false. The root user's password was "not_supported" before
// AWS told of it; nobody reads that.
func (c *cells) yes(column string) bool {
	switch text := strings.ToLower(c.text(column)); text {
	case "true":
		return true
	case "false", "not_supported":
	default:
		c.fail(fmt.Errorf("%s is %q", column, text))
	}
	return false
}

// time reads a time, nil for the three words that stand for none: there is no
// such credential, it was never used, or AWS does not track it.
func (c *cells) time(column string) *time.Time {
	text := c.text(column)
	switch strings.ToLower(text) {
	case "n/a", "no_information", "not_supported", "":
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		c.fail(fmt.Errorf("%s is %q", column, text))
		return nil
	}
	return new(at.UTC())
}

func (c *cells) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// credentials is the user's row. No row, or one of a deleted user of the same
// name, means that the user is younger than the report.
func credentials(of fact.Of[report], arn string, created time.Time) fact.Of[iam.Credentials] {
	all, gap := of.Get()
	if gap != nil {
		return fact.Unknown[iam.Credentials](*gap)
	}
	r, ok := all.rows[arn]
	if !ok || r.created == nil || !r.created.Truncate(time.Second).Equal(created.Truncate(time.Second)) {
		return fact.Unknown[iam.Credentials](noRow(all, "this user"))
	}
	return fact.Known(r.Credentials)
}

func rootUsage(of fact.Of[report], arn string) fact.Of[iam.RootUsage] {
	all, gap := of.Get()
	if gap != nil {
		return fact.Unknown[iam.RootUsage](*gap)
	}
	r, ok := all.rows[arn]
	if !ok || !r.root {
		return fact.Unknown[iam.RootUsage](noRow(all, "the root user"))
	}
	usage := iam.RootUsage{Reported: all.made, PasswordUsed: r.PasswordUsed}
	for _, k := range r.Keys {
		if k.Used != nil && (usage.KeyUsed == nil || k.Used.After(*usage.KeyUsed)) {
			usage.KeyUsed = k.Used
		}
	}
	return fact.Known(usage)
}

func noRow(of report, who string) fact.Gap {
	return fact.Gap{
		Reason:    fact.NotCollected,
		Operation: "iam:GetCredentialReport",
		Region:    model.Global,
		Detail: fmt.Sprintf("the credential report of %s has no row of %s; AWS makes a new report every four hours",
			of.made.UTC().Format(time.RFC3339), who),
	}
}

// accessKeys emits the users' keys; those of the root user are judged with it.
func (r reports) accessKeys(ctx context.Context, s *collect.Session) error {
	all, err := r.shared(ctx, s)
	if err != nil {
		return err
	}
	for _, row := range all.rows {
		if row.root {
			continue
		}
		for _, detail := range row.Keys {
			key := iam.AccessKey{
				Resource: s.Resource(row.arn, fmt.Sprintf("%s, access key %d", row.user, detail.Number)),
				Detail:   fact.Known(detail),
			}
			key.Sub = fmt.Sprintf("access-key/%d", detail.Number)
			s.Emit(key)
		}
	}
	return nil
}
