package meter

import (
	"context"
	"io"
	"slices"

	"github.com/cloudarq/cloudarq/pkg/platform/blob"
	"github.com/cloudarq/cloudarq/pkg/platform/bus"
	"github.com/cloudarq/cloudarq/pkg/platform/notify"
	"github.com/cloudarq/cloudarq/pkg/platform/queue"
)

// chunk is what SQS and SNS bill as one request.
// https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/sns/pricing/
const chunk = 64 << 10

// batch is how many messages go with one request to SQS or SNS.
const batch = 10

// partSize is from where on the s3 driver sends a blob in parts, each a request,
// between one that begins and one that ends the upload.
const partSize = 8 << 20

// Blobs is a blob store whose requests are counted as those of the s3 driver.
type Blobs struct {
	blob.Store
	bill *Bill
}

// NewBlobs counts what is done with a store.
func NewBlobs(s blob.Store, bill *Bill) *Blobs { return &Blobs{s, bill} }

// Put implements blob.Store.
func (s *Blobs) Put(ctx context.Context, key string, r io.Reader) error {
	counted := &counter{r: r}
	err := s.Store.Put(ctx, key, counted)
	requests := 1.0
	if counted.n > partSize {
		requests = 2 + units(counted.n, partSize)
	}
	s.bill.call(ctx, map[Unit]float64{ObjectPuts: requests, ObjectBytes: float64(counted.n)})
	return err
}

// Get implements blob.Store.
func (s *Blobs) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	s.bill.call(ctx, map[Unit]float64{ObjectGets: 1})
	return s.Store.Get(ctx, key)
}

// DeleteMany implements blob.Store. S3 asks nothing for deletions.
// https://aws.amazon.com/s3/pricing/
func (s *Blobs) DeleteMany(ctx context.Context, keys []string) error {
	s.bill.call(ctx, nil)
	return s.Store.DeleteMany(ctx, keys)
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// Sender is a queue whose sends are counted.
type Sender struct {
	queue.Sender
	bill *Bill
}

// NewSender counts what is sent to a queue.
func NewSender(s queue.Sender, bill *Bill) *Sender { return &Sender{s, bill} }

// Send implements queue.Sender.
func (s *Sender) Send(ctx context.Context, bodies ...[]byte) error {
	for some := range slices.Chunk(bodies, batch) {
		bytes := 0
		for _, b := range some {
			bytes += len(b)
		}
		s.bill.call(ctx, map[Unit]float64{Messages: units(bytes, chunk)})
	}
	return s.Sender.Send(ctx, bodies...)
}

// Notifier is a notifier whose publishes are counted.
type Notifier struct {
	notify.Notifier
	bill *Bill
}

// NewNotifier counts what is published.
func NewNotifier(n notify.Notifier, bill *Bill) *Notifier { return &Notifier{n, bill} }

// Publish implements notify.Notifier.
func (n *Notifier) Publish(ctx context.Context, messages ...notify.Message) error {
	for some := range slices.Chunk(messages, batch) {
		bytes := 0
		for _, m := range some {
			bytes += m.Size()
		}
		n.bill.call(ctx, map[Unit]float64{Publishes: units(bytes, chunk)})
	}
	return n.Notifier.Publish(ctx, messages...)
}

// Bus is a bus whose events are counted, and go nowhere.
type Bus struct{ bill *Bill }

// NewBus counts what is told.
func NewBus(bill *Bill) Bus { return Bus{bill} }

// Publish implements bus.Publisher.
func (b Bus) Publish(ctx context.Context, events ...bus.Event) error {
	for some := range slices.Chunk(events, batch) {
		n := 0.0
		for _, e := range some { // each by itself, however many go together
			n += units(len(e.Detail)+len(e.Type), chunk)
		}
		b.bill.call(ctx, map[Unit]float64{Events: n})
	}
	return bus.Check(events...)
}

// Handler is a function behind a queue. Lambda's poller receives each message by
// one request, as the batches are of one, and deletes it by another when it was
// handled; the function itself hides it while it works, which takes a second one only
// after 40 seconds, and puts off one that failed.
func Handler(function string, handle queue.Handler, bill *Bill, flush func() error) queue.Handler {
	return func(ctx context.Context, m queue.Message) error {
		bill.Add(Invocations.Of(function), 1)
		bill.Add(Messages, 3)
		bill.Add(LogBytes, LinesOfInvocation)
		err := handle(In(ctx, function), m)
		if e := flush(); e != nil && err == nil {
			err = e
		}
		return err
	}
}

// LinesOfInvocation is the bytes that an invocation logs besides its metrics:
// Lambda's own lines for its start and its end, in JSON, and CloudArq's one line,
// each with the 26 bytes that CloudWatch adds.
const LinesOfInvocation = 1100

// Log counts what is written to a log.
func (b *Bill) Log() io.Writer { return logged{b} }

type logged struct{ bill *Bill }

func (l logged) Write(p []byte) (int, error) {
	l.bill.Add(LogBytes, float64(len(p)+26))
	return len(p), nil
}
