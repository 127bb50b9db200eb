package lambdahost

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/cloudarq/cloudarq/test/stack"
)

const (
	// pollEvery is how often an empty queue is looked at when nothing that the host
	// sees says that it should be. Long polls would not do: one that is broken off
	// takes messages with it for the length of their visibility timeout.
	pollEvery = 100 * time.Millisecond
	// shuffled is how many messages are held back to choose from.
	shuffled = 50
	// receives is how many messages one call may receive.
	receives = 10
)

// poller is one event source mapping at work.
type poller struct {
	host    *Host
	mapping stack.Mapping
	queue   stack.Queue
	fn      *function
	role    *sqs.Client // receives and deletes, as Lambda does, with the function's role
	account *sqs.Client // what only the host does

	slots  chan struct{} // one for each batch there may be at once
	wake   chan struct{}
	done   chan struct{} // closed when it receives no more
	random *rand.Rand    // nil keeps the queue's order
	buffer []*delivery   // only of run

	mu      sync.Mutex
	failure error // of the last receive
}

// message is one that was received and is neither deleted nor given back.
type message struct {
	types.Message
	received time.Time
	mu       sync.Mutex
	copies   int  // deliveries under way or to come
	done     bool // a delivery succeeded
}

// delivery is one of the times that a message is delivered.
type delivery struct{ *message }

// newPoller checks that the function's role may do what its mapping needs.
func (h *Host) newPoller(ctx context.Context, m stack.Mapping) (*poller, error) {
	f, ok := h.functions[m.Function]
	if !ok {
		return nil, fmt.Errorf("lambdahost: mapping %s has no function %q", m.LogicalID, m.Function)
	}
	q, ok := h.stack.QueueByARN(m.QueueARN)
	if !ok {
		return nil, fmt.Errorf("lambdahost: mapping %s has no queue %q", m.LogicalID, m.QueueARN)
	}
	keys, err := f.credentials()
	if err != nil {
		return nil, err
	}
	n := cap(f.slots)
	if m.MaxConcurrency > 0 {
		n = min(n, m.MaxConcurrency)
	}
	p := &poller{
		host: h, mapping: m, queue: q, fn: f,
		role:    sqs.NewFromConfig(h.aws(&keys)),
		account: sqs.NewFromConfig(h.aws(nil)),
		slots:   make(chan struct{}, n),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	if h.options.Shuffle != 0 && !q.FIFO {
		p.random = rand.New(rand.NewPCG(h.options.Shuffle, uint64(len(h.pollers))))
	}
	_, err = p.role.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, fmt.Errorf("lambdahost: function %s may not read its queue: %w", m.Function, err)
	}
	return p, nil
}

// run polls until the host closes.
func (p *poller) run() {
	defer p.giveBackBuffer()
	defer close(p.done)
	for {
		select {
		case p.slots <- struct{}{}:
		case <-p.host.life.Done():
			return
		}
		batch := p.nextBatch()
		if batch == nil {
			return
		}
		if !p.host.spawn(func() {
			defer func() { <-p.slots }()
			p.deliver(batch)
		}) {
			p.buffer = append(p.buffer, batch...)
			return
		}
	}
}

// nextBatch waits for messages; it is nil when the host closes.
func (p *poller) nextBatch() []*delivery {
	timer := time.NewTicker(pollEvery)
	defer timer.Stop()
	for p.host.life.Err() == nil {
		p.fill()
		if batch := p.take(); len(batch) > 0 {
			return batch
		}
		select {
		case <-p.wake:
		case <-timer.C:
		case <-p.host.life.Done():
		}
	}
	return nil
}

// fill receives until the buffer holds a batch, or enough to choose from, or there
// is no more.
func (p *poller) fill() {
	want := p.mapping.BatchSize
	if p.random != nil {
		want = max(want, shuffled)
	}
	for len(p.buffer) < want && p.host.life.Err() == nil {
		n := p.receive(min(receives, want-len(p.buffer)))
		if n == 0 {
			return
		}
	}
}

// receive is never broken off: the messages would be lost for hours.
func (p *poller) receive(limit int) int {
	ctx, cancel := p.host.afterwards()
	defer cancel()
	out, err := p.role.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    &p.queue.URL,
		MaxNumberOfMessages:         int32(limit),
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	p.mu.Lock()
	p.failure = err
	p.mu.Unlock()
	if err != nil {
		p.fn.log(fmt.Sprintf("event source mapping %s: %v", p.mapping.LogicalID, err))
		return 0
	}
	copies := 1
	if p.host.options.Duplicate && !p.queue.FIFO {
		copies = 2
	}
	for _, received := range out.Messages {
		p.host.activity.begin() // ends when the message is settled
		m := &message{Message: received, received: time.Now(), copies: copies}
		for range copies {
			p.buffer = append(p.buffer, &delivery{m})
		}
	}
	return len(out.Messages)
}

// take chooses a batch from the buffer.
func (p *poller) take() []*delivery {
	var batch []*delivery
	for len(p.buffer) > 0 && len(batch) < p.mapping.BatchSize {
		i := 0
		if p.random != nil {
			i = p.random.IntN(len(p.buffer))
		}
		batch = append(batch, p.buffer[i])
		p.buffer = append(p.buffer[:i], p.buffer[i+1:]...)
	}
	return batch
}

// look makes the poller look at its queue now.
func (p *poller) look() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// lastFailure is the error of the last receive.
func (p *poller) lastFailure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}
