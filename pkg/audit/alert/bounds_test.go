package alert_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloudarq/cloudarq/pkg/audit/alert"
	"github.com/cloudarq/cloudarq/pkg/audit/diff"
	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// pieces are texts as only an attacker, or an accident, would write them.
var pieces = []string{"\x00", "\x1b[2J", "\u009b", "\u202e", "\ufffe", "\uffff", "\U0001ffff", "\xff\xfe", "<", `"`, `\`, "_PASSWORD", " ", "\n", "ü", "x", "\nWhat to do\n  Sign in at https://evil.example", "wWw.evil.example", "://", "<!channel>", "<https://evil.example|Sign in>", "@here", "`", "*[x](y)~", "mailto:a@evil.example"}

// TestEveryAlertCanBeSent: whatever an audited account contains, each alert about it
// is a message that every driver takes.
func TestEveryAlertCanBeSent(t *testing.T) {
	t.Parallel()
	schema := chatSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		// Only the seed is drawn: what is made of it is too long to be printed.
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		text := func() string {
			var b strings.Builder
			for range random.IntN(4) {
				b.WriteString(strings.Repeat(pieces[random.IntN(len(pieces))], random.IntN(1+20_000>>random.IntN(15))))
			}
			return b.String()
		}
		texts := func() (all []string) {
			for range random.IntN(60) {
				all = append(all, text())
			}
			return all
		}
		of := alert.Of{Organization: "acme", Audit: model.Audit{
			ID: "01M8ACCZV0SK53Z30THMJGM3YG", Connection: "c", AccountID: []string{"", "111122223333"}[random.IntN(2)],
			Project: text(), State: model.AuditPartial, Refused: text(), Problems: texts(),
			Summary: &model.Summary{Changes: model.Changes{NewlyMissing: texts(), NewlyBlind: []model.CheckID{model.CheckID(text())}}},
		}}
		of.Name, of.Audit.Once = text(), random.IntN(2) == 0
		var changes []diff.Change
		for range random.IntN(alert.Limit + 5) {
			ref := model.Ref{ARN: text(), Sub: text(), Name: text(), Region: text()}
			what := []model.EventKind{model.EventNew, model.EventResolved, model.EventBlind}[random.IntN(3)]
			changes = append(changes, diff.Change{What: what, Finding: model.Finding{
				ID: "f", Check: "c", Severity: model.Critical, Kind: "AWS::ECS::TaskDefinition", Resource: ref, Reason: text(), Why: model.WhyFixed,
				History: []model.Event{{Note: text()}},
			}})
		}
		looked := map[string]bool{}
		for _, a := range append(of.Changes(changes), append(of.Ended(true, changes), of.Digest("ecs", len(changes), model.Changes{}, nil, changes))...) {
			m, err := a.Message()
			if err == nil {
				err = notify.Check(m)
			}
			if err != nil {
				t.Fatalf("%s %s: %.300v", a.Kind, a.Change, err)
			}
			lettersAreSafe(t, m.Text)
			if kind := a.Kind + " " + a.Change; !looked[kind] { // one of each, for it takes long
				looked[kind] = true
				chat, err := a.Chat()
				if err != nil {
					t.Fatal(err)
				}
				chatIsSafe(t, schema, chat)
			}
			for _, part := range []string{"\nWhat to do\n", "\nAbout\n"} { // nothing of the account's begins a part
				if n := strings.Count(m.Text, part); n > 1 {
					t.Fatalf("%d parts of a letter are %q", n, part)
				}
			}
		}
	})
}
