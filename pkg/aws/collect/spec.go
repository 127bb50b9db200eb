// Package collect turns AWS's answers into typed resources. A service's Spec
// lists its walks; a walk lists the resources of one or more types in one
// region and reads each one's facts. What could not be read becomes a gap: of
// one fact, or of a whole listing. Nothing here judges.
package collect

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/cloudarq/cloudarq/pkg/judge/check"
	"github.com/cloudarq/cloudarq/pkg/judge/fact"
	"github.com/cloudarq/cloudarq/pkg/judge/iampolicy"
	"github.com/cloudarq/cloudarq/pkg/model"
)

// Spec is how one service is collected.
type Spec struct {
	Service string // check.Service's name
	Global  bool   // one walk per account instead of one per region
	Walks   []Walk

	// CustomEndpoint adjusts a client's options when AWS is reached under
	// another address, such as an emulator's. It is called for every client
	// with the SDK's service id and a pointer to its Options; nil does nothing.
	CustomEndpoint func(sdkID string, options any)
}

// Walk collects resource types that one listing yields together.
type Walk struct {
	Kinds []string // the types it emits
	// Operations are all that Run can call, as "<SDK service id>.<operation>":
	// they become the guard's table and the customer's role policy.
	Operations []string
	// Run emits every resource through the session. An error means that the
	// listing is incomplete: resources that were not emitted may exist.
	Run func(context.Context, *Session) error
}

// Sink receives what walks find. It is called by several goroutines at once.
type Sink interface {
	Resource(check.Resource)
	// Listed ends the listing of one type in one region; gap is nil when the
	// listing is complete. elsewhere says that it left out resources of regions that
	// the audit does not look at.
	Listed(kind, region string, gap *fact.Gap, elsewhere bool)
}

// Session is one service of one account in one region.
type Session struct {
	Config    aws.Config // of the account, its region set
	Account   string
	Partition string
	Region    string // model.Global for global services
	// Audited are the regions that the audit looks at; empty means all. See Audits.
	Audited []string
	// Trusted are accounts that whoever asked for the audit trusts, by number.
	Trusted []string
	// Caller is whom the account was opened as.
	Caller model.Identity
	// Trust is whether its role lets in others; nil if that is not known.
	Trust *model.Trust

	part  *Part // set where walks may take several tasks
	sink  Sink
	walk  string        // which one this is for, to tell its items apart
	slots chan struct{} // bounds the resources under way
	once  *sync.Map     // what Once has read, by key

	elsewhere *atomic.Bool // something was left out by Audits
}

// resourcesAtOnce bounds how many resources of one walk are being read at a
// time, and with them the memory of a walk. The calls that this makes are
// bounded by aws/client, for the account as a whole.
const resourcesAtOnce = 64

// NewSession makes a session that emits into sink.
func NewSession(cfg aws.Config, account, partition, region string, sink Sink) *Session {
	return &Session{
		Config: cfg, Account: account, Partition: partition, Region: region,
		sink: sink, slots: make(chan struct{}, resourcesAtOnce), once: &sync.Map{}, elsewhere: &atomic.Bool{},
	}
}

// Once reads what several walks of a session need, one time for all of them; key
// names it within the service. What it returns is shared, and must not change.
func Once[T any](s *Session, key string, read func() (T, error)) (T, error) {
	shared, _ := s.once.LoadOrStore(key, sync.OnceValues(read))
	return shared.(func() (T, error))()
}

// Audits reports whether the audit looks at a region. A global service that knows the
// region of its resources leaves out those of other regions: its listing is complete
// for the audited ones.
func (s *Session) Audits(region string) bool {
	if len(s.Audited) == 0 || slices.Contains(s.Audited, region) {
		return true
	}
	s.elsewhere.Store(true)
	return false
}

// Emit hands a finished resource on, unless an earlier part of its walk has done so.
func (s *Session) Emit(r check.Resource) {
	if s.part.emitted(s.walk, r.Kind(), r.Reference()) {
		s.sink.Resource(r)
	}
}

// Policy is a policy document as it may be kept: what only those know who share it is
// masked. Every collector hands its documents through here.
func (s *Session) Policy(document string) string { return iampolicy.Mask(document, s.Account) }

// Resource is the identity of a resource for which AWS gives an ARN.
func (s *Session) Resource(arn, name string) model.Resource {
	return model.Resource{Ref: model.Ref{ARN: arn, Account: s.Account, Region: s.Region, Name: name}}
}

// ARN makes an ARN of this account and region where AWS's answer has none:
// ARN("ec2", "vpc/vpc-1"). Global services leave the region empty.
func (s *Session) ARN(service, resource string) string {
	region := s.Region
	if region == model.Global {
		region = ""
	}
	return "arn:" + s.Partition + ":" + service + ":" + region + ":" + s.Account + ":" + resource
}

// In is the session for one task's part of a walk.
func (s *Session) In(part *Part) *Session {
	own := *s
	own.part = part
	return &own
}

// Quiet is the session for a walk that does not say how listings ended: another will.
func (s *Session) Quiet() *Session {
	own := *s
	own.sink = quiet{s.sink}
	return &own
}

type quiet struct{ Sink }

// Listed implements Sink.
func (quiet) Listed(string, string, *fact.Gap, bool) {}

// Name tells a walk from the others of its service.
func (w Walk) Name() string { return w.Kinds[0] }

// Run makes one walk and tells the sink how the listing of its types ended. It reports
// whether it came to an end: a walk that its part stopped says nothing yet of the
// listing.
func (s *Session) Run(ctx context.Context, w Walk) (ended bool) {
	var gap *fact.Gap
	own := *s // what one walk leaves out is its own affair
	own.elsewhere, own.walk = &atomic.Bool{}, w.Name()
	s = &own
	if _, err := recovering(func() (struct{}, error) { return struct{}{}, w.Run(ctx, s) }); errors.Is(err, ErrStopped) {
		return false
	} else if err != nil {
		gap = new(GapOf(err))
		gap.Region = s.Region
	}
	for _, kind := range w.Kinds {
		s.sink.Listed(kind, s.Region, gap, s.elsewhere.Load())
	}
	return true
}
