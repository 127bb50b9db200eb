// Package notifytest is the suite that every driver of notify.Notifier passes.
// It never expects an order, nor that a message comes only once.
package notifytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Driver is a notifier with a way to read what a subscriber got.
type Driver struct {
	Notifier notify.Notifier
	// Published returns all that arrived so far at a program, repetitions included: it
	// gets no text. What was published may be some seconds late.
	Published func() []notify.Message
}

// Open makes a driver to which nothing was published, and closes it in t.Cleanup.
type Open func(t testing.TB) Driver

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for name, f := range map[string]func(*testing.T, Driver){
		"all arrive":          testArrive,
		"optional parts":      testOptional,
		"texts":               testTexts,
		"refusals":            testRefusals,
		"repetitions":         testRepetitions,
		"messages are copies": testCopies,
		"side by side":        testSideBySide,
		"cancelled":           testCancelled,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

const patience = 10 * time.Second

// want waits until exactly these messages arrived, whatever the order.
func want(t *testing.T, d Driver, messages ...notify.Message) {
	t.Helper()
	end := time.Now().Add(patience)
	for {
		got := map[string]notify.Message{}
		for _, m := range d.Published() {
			if before, again := got[m.ID]; again && !cmp.Equal(before, m, cmp.Comparer(bytes.Equal)) {
				t.Fatalf("two messages have the id %s: %s", m.ID, cmp.Diff(before, m))
			}
			got[m.ID] = m
		}
		wanted := map[string]notify.Message{}
		for _, m := range messages {
			m.Text = ""
			wanted[m.ID] = m
		}
		diff := cmp.Diff(wanted, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal))
		if diff == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("-want +got\n%.4000s", diff)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func publish(t *testing.T, d Driver, messages ...notify.Message) {
	t.Helper()
	if err := d.Notifier.Publish(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
}

// message is one with all parts.
func message(id string) notify.Message {
	return notify.Message{
		ID:         id,
		Subject:    "Subject of " + id,
		Attributes: map[string]string{"kind": "new", "of": id},
		Body:       fmt.Appendf(nil, `{"id":%q}`, id),
		Text:       "Text of " + id + "\n",
	}
}

// More than two of SNS's batches, by number and by bytes.
func testArrive(t *testing.T, d Driver) {
	publish(t, d)
	var messages []notify.Message
	for i := range 37 {
		m := message(fmt.Sprintf("m%02d", i))
		m.Body = fmt.Appendf(nil, `{"n":%d,"fill":"%s"}`, i, strings.Repeat("x", 40_000))
		messages = append(messages, m)
	}
	publish(t, d, messages...)
	want(t, d, messages...)
}

func testOptional(t *testing.T, d Driver) {
	messages := []notify.Message{{ID: "bare", Body: []byte("null")}, {ID: "subject", Subject: "x", Body: []byte("1")}, message("all")}
	publish(t, d, messages...)
	want(t, d, messages...)
}

func testTexts(t *testing.T, d Driver) {
	messages := []notify.Message{
		{
			ID: "urn:é/😀 #1&<>\"'", Subject: `!"#$%&'()*+,-./0:;<=>?@A[\]^_a{|}~ ` + strings.Repeat("s", notify.MaxSubject-36),
			Attributes: map[string]string{"a": " ", "A_b-9": "é😀<&>\"'\u2028", strings.Repeat("n", notify.MaxName): strings.Repeat("v", notify.MaxValue)},
			Body:       []byte(`{"é😀":"<&>\u0000\n\"'` + "\u2028\U0010ffff" + `","big":12345678901234567890.10}`),
			Text:       "é😀<&>\"'\u2028\t\r\n{}",
		},
		{ID: strings.Repeat("i", notify.MaxID), Body: []byte(`"` + strings.Repeat("b", notify.MaxBody-2) + `"`), Text: strings.Repeat("é\n", notify.MaxText/3)},
		{ID: "full", Attributes: map[string]string{"1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "6": "6", "7": "7", "8": "8", "9": "9"}, Body: []byte("[]")},
	}
	publish(t, d, messages...)
	want(t, d, messages...)
}

func testRefusals(t *testing.T, d Driver) {
	with := func(change func(m *notify.Message)) notify.Message {
		m := message("bad")
		change(&m)
		return m
	}
	attribute := func(name, value string) notify.Message {
		return with(func(m *notify.Message) { m.Attributes = map[string]string{name: value} })
	}
	subject := func(s string) notify.Message { return with(func(m *notify.Message) { m.Subject = s }) }
	body := func(s string) notify.Message { return with(func(m *notify.Message) { m.Body = []byte(s) }) }
	id := func(s string) notify.Message { return with(func(m *notify.Message) { m.ID = s }) }
	text := func(s string) notify.Message { return with(func(m *notify.Message) { m.Text = s }) }
	for what, c := range map[string]struct {
		message notify.Message
		want    error
	}{
		"no id":                 {id(""), notify.ErrInvalid},
		"id of two lines":       {id("a\nb"), notify.ErrInvalid},
		"id is not UTF-8":       {id("\xff"), notify.ErrInvalid},
		"id too long":           {id(strings.Repeat("i", notify.MaxID+1)), notify.ErrTooLarge},
		"no body":               {body(""), notify.ErrInvalid},
		"body is no JSON":       {body("{"), notify.ErrInvalid},
		"body is two":           {body("{} {}"), notify.ErrInvalid},
		"body is not UTF-8":     {body("\"\xff\""), notify.ErrInvalid},
		"body has a non-char":   {body("\"\uffff\""), notify.ErrInvalid},
		"body too large":        {body(`"` + strings.Repeat("b", notify.MaxBody-1) + `"`), notify.ErrTooLarge},
		"text is not UTF-8":     {text("\xff"), notify.ErrInvalid},
		"text with control":     {text("\x1b[2J"), notify.ErrInvalid},
		"text too large":        {text(strings.Repeat("t", notify.MaxText+1)), notify.ErrTooLarge},
		"subject of two lines":  {subject("a\nb"), notify.ErrInvalid},
		"subject with control":  {subject("a\x7f"), notify.ErrInvalid},
		"subject not ASCII":     {subject("é"), notify.ErrInvalid},
		"subject begins blank":  {subject(" a"), notify.ErrInvalid},
		"subject too long":      {subject(strings.Repeat("s", notify.MaxSubject+1)), notify.ErrTooLarge},
		"attribute id":          {attribute("id", "x"), notify.ErrInvalid},
		"attribute unnamed":     {attribute("", "x"), notify.ErrInvalid},
		"attribute with dot":    {attribute("AWS.x", "x"), notify.ErrInvalid},
		"attribute name long":   {attribute(strings.Repeat("n", notify.MaxName+1), "x"), notify.ErrTooLarge},
		"attribute empty":       {attribute("a", ""), notify.ErrInvalid},
		"attribute with line":   {attribute("a", "x\ny"), notify.ErrInvalid},
		"attribute value large": {attribute("a", strings.Repeat("v", notify.MaxValue+1)), notify.ErrTooLarge},
		"too many attributes": {with(func(m *notify.Message) {
			for i := range notify.MaxAttributes {
				m.Attributes[fmt.Sprint("a", i)] = "x"
			}
		}), notify.ErrInvalid},
	} {
		if err := d.Notifier.Publish(t.Context(), message("good"), c.message); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	publish(t, d, message("marker"))
	want(t, d, message("marker")) // nothing of a refused call was sent
}

func testRepetitions(t *testing.T, d Driver) {
	for range 3 {
		publish(t, d, message("a"), message("a"), message("b"))
	}
	want(t, d, message("a"), message("b"))
}

func testCopies(t *testing.T, d Driver) {
	m := message("a")
	m.Body = bytes.Clone(m.Body)
	publish(t, d, m)
	m.Body[2], m.Attributes["kind"] = 'X', "changed"
	want(t, d, message("a"))
}

func testSideBySide(t *testing.T, d Driver) {
	var wg sync.WaitGroup
	all := make([][]notify.Message, 8)
	for i := range all {
		for j := range 5 {
			all[i] = append(all[i], message(fmt.Sprintf("%d-%d", i, j)))
		}
		wg.Go(func() {
			if err := d.Notifier.Publish(t.Context(), all[i]...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want(t, d, slices.Concat(all...)...)
}

func testCancelled(t *testing.T, d Driver) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Notifier.Publish(ctx, message("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("publish: %v, want context.Canceled", err)
	}
	publish(t, d, message("b"))
	want(t, d, message("b"))
}
