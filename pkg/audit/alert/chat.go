package alert

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cloudarq/cloudarq/pkg/model"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
)

// custom is a custom notification of Amazon Q Developer in chat applications (AWS
// Chatbot before), the one form of messages of others' that it brings to Slack, Teams
// and Chime; what is of another form it drops without a word.
// https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html (29 November 2026)
type custom struct {
	Version  string   `json:"version"` // "1.0"
	Source   string   `json:"source"`  // "custom"
	ID       string   `json:"id"`
	Content  content  `json:"content"`
	Metadata metadata `json:"metadata"`
}

type content struct {
	TextType    string   `json:"textType"` // "client-markdown": the chat's own
	Title       string   `json:"title"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

type metadata struct {
	ThreadID          string            `json:"threadId"` // messages of one audit are one thread
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources,omitempty"`
	AdditionalContext map[string]string `json:"additionalContext"`
}

// How much of an alert is told in a chat, less than in a letter: chats show little, and
// cut what is longer.
const (
	chatTitle = 250     // bytes
	chatText  = 2 << 10 // bytes of a description
	chatStep  = 350     // bytes
	chatWorst = 5
)

// Chat is the alert as Amazon Q Developer brings it to a chat. It has the same id and
// attributes as Message.
func (a Alert) Chat() (notify.Message, error) {
	a.bound()
	headline := a.headline("account " + a.account(toldName))
	c := custom{
		Version: "1.0", Source: "custom", ID: a.ID,
		Content: content{
			TextType: "client-markdown", Title: model.Cut(plainText(upper(headline)), chatTitle),
			Description: a.chatText(), NextSteps: a.chatSteps(), Keywords: []string{a.Kind, a.Change},
		},
		Metadata: metadata{
			ThreadID: strings.Join([]string{string(a.Organization), string(a.Connection), string(a.Audit)}, "/"),
			Summary:  model.Cut(plainText(headline), chatTitle), EventType: a.Kind + " " + a.Change,
			AdditionalContext: map[string]string{"organization": string(a.Organization), "connection": string(a.Connection), "audit": string(a.Audit), "account": plainText(a.Account)},
		},
	}
	if f := a.Finding; f != nil {
		c.Content.Keywords = append(c.Content.Keywords, string(f.Severity), string(f.Check))
		if f.Resource != "" {
			c.Metadata.RelatedResources = []string{plainText(f.Resource)}
		}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return notify.Message{}, fmt.Errorf("encode alert %s for a chat: %w", a.ID, err)
	}
	return notify.Message{ID: a.ID, Body: []byte(model.Clean(string(body))), Attributes: a.attributed()}, nil
}

// chatText is what happened, in the few lines of markdown that all chats have.
func (a Alert) chatText() string {
	var lines []string
	finding := func(f Finding) {
		for n, text := range f.told(a) {
			if n == 0 {
				text = plainText(text)
			} else {
				text = code(text)
			}
			lines = append(lines, text)
		}
	}
	if a.Finding != nil {
		finding(*a.Finding)
	}
	if counts := bySeverity(a.Severity); counts != "" {
		lines = append(lines, counts)
	}
	if s := a.Score; s != nil && s.Assessed > 0 {
		lines = append(lines, fmt.Sprintf("Score %.1f of 100, %.0f %% assessed", s.Value, 100*s.Coverage))
	}
	if changed := tell(a.Changes); changed != "" && a.Kind == KindAudit {
		lines = append(lines, "Since the audit before: "+changed)
	}
	for _, f := range a.Worst[:min(len(a.Worst), chatWorst)] {
		finding(f)
	}
	for _, some := range [][]string{a.Problems, a.Actions} {
		for _, text := range list(some, toldProblems, toldText) {
			lines = append(lines, code(text))
		}
	}
	for _, id := range a.Checks[:min(len(a.Checks), toldProblems)] {
		lines = append(lines, code(string(id)))
	}
	if len(lines) == 0 {
		lines = []string{plainText(a.Summary)}
	}
	var b strings.Builder
	for _, line := range lines {
		if b.Len()+len(line) > chatText {
			b.WriteString("\n" + model.CutMark)
			break
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}

func (a Alert) chatSteps() (steps []string) {
	if f := a.Finding; f != nil {
		if way := says(a.about.Texts[f.Check].Remediation.Console); way != "" && model.EventKind(a.Change) != model.EventResolved {
			steps = append(steps, model.Cut(plainText(way), chatStep))
		}
	}
	for _, path := range a.paths() {
		steps = append(steps, code(path))
	}
	return steps
}

// plainText is text that no chat reads as anything but text: no mention of everybody, no
// link under another name, no markup. All of it stays readable.
func plainText(text string) string { return markup.Replace(quote(text, chatText)) }

var markup = strings.NewReplacer("<", "‹", ">", "›", "&", "+", "@", "(at)", "`", "'", "*", "∗", "[", "(", "]", ")", "|", "/", "~", "-")

// code is text of somebody else's as code, which a chat shows as it is; it could still end
// the code, or be taken for one of Slack's references.
func code(text string) string { return "`" + ends.Replace(quote(text, chatText)) + "`" }

var ends = strings.NewReplacer("`", "'", "<", "‹", ">", "›")
