package client

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/cloudarq/cloudarq/pkg/model"
)

// route decides where requests may go: credentials and External IDs travel in them. It
// tells, once, of each host that is not AWS's.
type route struct {
	elsewhere func(host string) // nil tells nobody
	told      sync.Map
}

// choose is an http.Transport's Proxy: the transport asks it about every request,
// whichever client, credential provider or redirect makes it.
func (r *route) choose(req *http.Request) (*url.URL, error) {
	host := req.URL.Hostname()
	if req.URL.Scheme != "https" && !nearby(host) {
		return nil, &clearError{req.URL.Host}
	}
	if !owned(host) {
		r.tell(req.URL.Host)
	}
	return http.ProxyFromEnvironment(req)
}

// clearError is of a request that would have gone in the clear.
type clearError struct{ host string }

func (e *clearError) Error() string {
	return fmt.Sprintf("%s is not called: it would be plain HTTP, which anybody on the way may read", e.host)
}

// RetryableError tells the SDK that another try is of no use.
func (*clearError) RetryableError() bool { return false }

func (r *route) tell(host string) {
	if _, again := r.told.LoadOrStore(host, true); !again && r.elsewhere != nil {
		r.elsewhere(host)
	}
}

// nearby reports whether a host is this machine, or what the machine that it runs on
// gives it credentials by: neither is reached over a network.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
func nearby(host string) bool { return loopback(host) || metadata(host) }

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func metadata(host string) bool {
	switch host {
	case "169.254.169.254", "fd00:ec2::254", // instances
		"169.254.170.2", "169.254.170.23", "fd00:ec2::23": // containers
		return true
	}
	return false
}

// owned reports whether a host is one of AWS's.
func owned(host string) bool {
	if metadata(host) {
		return true
	}
	return slices.ContainsFunc(model.Partitions(), func(p model.Partition) bool {
		return slices.ContainsFunc(p.Domains, func(domain string) bool { return strings.HasSuffix(host, domain) })
	})
}
