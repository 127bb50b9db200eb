// Package eventbridge publishes events to a bus of Amazon EventBridge, where CloudArq is
// deployed.
package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/cloudarq/cloudarq/internal/batch"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
)

// Source is the source of all events. IAM lets the functions name no other.
const Source = "cloudarq"

// Bus is a bus.Publisher. Make one with New.
type Bus struct {
	client *eventbridge.Client
	name   string
}

var _ bus.Publisher = (*Bus)(nil)

// New makes the publisher to the bus of a name, or of an ARN. Attempts of single calls
// are the client's to repeat; give it a retryer for that.
func New(client *eventbridge.Client, name string) *Bus { return &Bus{client: client, name: name} }

// Publish implements bus.Publisher. Its errors say how many events were not sent.
func (b *Bus) Publish(ctx context.Context, events ...bus.Event) error {
	err := bus.Check(events...)
	sent := 0
	if err == nil {
		refused := false
		sent, err = batch.Send(ctx, len(events), func(i int) int { return size(events[i]) }, func(entries []int) (batch.Answer, error) {
			a, err := b.put(ctx, events, entries)
			refused = refused || isPermanent(err) || slices.ContainsFunc(a.Refused, func(r batch.Refusal) bool { return r.SenderFault })
			return a, err
		})
		if err != nil && refused {
			err = fmt.Errorf("%w: %w", bus.ErrRefused, err)
		}
	}
	if err != nil {
		return fmt.Errorf("publish to event bus %s: %d of %d events not sent: %w", b.name, len(events)-sent, len(events), err)
	}
	return nil
}

// size is what EventBridge counts of an entry.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size (29 November 2026)
func size(e bus.Event) int {
	const timestamp = 14
	return timestamp + len(Source) + len(e.Type) + len(e.Detail)
}

// permanent are the codes, of entries and of calls, that no repetition helps.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html (29 November 2026)
var permanent = []string{
	"AccessDeniedException", "InvalidArgument", "InvalidAccountIdException", "MalformedDetail", "NotAuthorizedForDetailTypeException",
	"NotAuthorizedForSourceException", "RedactionFailure", "ResourceNotFoundException", "ValidationException",
}

func isPermanent(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains(permanent, api.ErrorCode())
}

func (b *Bus) put(ctx context.Context, events []bus.Event, entries []int) (batch.Answer, error) {
	in := &eventbridge.PutEventsInput{}
	for _, i := range entries {
		e := events[i]
		in.Entries = append(in.Entries, types.PutEventsRequestEntry{
			EventBusName: aws.String(b.name), Source: aws.String(Source), DetailType: aws.String(e.Type),
			Time: aws.Time(e.At), Detail: aws.String(string(e.Detail)),
		})
	}
	out, err := b.client.PutEvents(ctx, in)
	if err != nil {
		return batch.Answer{}, err
	}
	var a batch.Answer
	for n, entry := range out.Entries { // in the order of the request
		code := aws.ToString(entry.ErrorCode)
		switch {
		case n >= len(entries):
		case code == "" && aws.ToString(entry.EventId) != "":
			a.Taken = append(a.Taken, batch.ID(entries[n]))
		default:
			a.Refused = append(a.Refused, batch.Refusal{Code: code, Message: aws.ToString(entry.ErrorMessage), SenderFault: slices.Contains(permanent, code)})
		}
	}
	return a, nil
}
