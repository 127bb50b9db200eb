package internet_test

import (
	"slices"
	"testing"

	"github.com/cloudarq/cloudarq/pkg/judge/internet"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ranges []string
		by     []string // nil for closed
	}{
		"all of IPv4":              {[]string{"0.0.0.0/0"}, []string{"0.0.0.0/0"}},
		"all of IPv6":              {[]string{"::/0"}, []string{"::/0"}},
		"all of IPv6, long":        {[]string{"0:0:0:0:0:0:0:0/0"}, []string{"0:0:0:0:0:0:0:0/0"}},
		"half":                     {[]string{"128.0.0.0/1"}, []string{"128.0.0.0/1"}},
		"what is in use of IPv6":   {[]string{"2000::/3"}, []string{"2000::/3"}},
		"half of it":               {[]string{"2000::/4"}, []string{"2000::/4"}},
		"with bits of a host":      {[]string{"10.0.0.1/0"}, []string{"10.0.0.1/0"}},
		"two quarters":             {[]string{"10.1.0.0/16", "64.0.0.0/2", "0.0.0.0/2"}, []string{"0.0.0.0/2", "64.0.0.0/2"}},
		"one quarter":              {[]string{"64.0.0.0/2"}, nil},
		"one quarter in two parts": {[]string{"64.0.0.0/2", "64.0.0.0/3", "96.0.0.0/3"}, nil},
		"halves of both families":  {[]string{"64.0.0.0/2", "2000::/5"}, nil},
		"all but the private ranges": {
			[]string{"1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/3"},
			[]string{"64.0.0.0/2", "32.0.0.0/3", "128.0.0.0/3"},
		},
		"an office":        {[]string{"203.0.113.0/24"}, nil},
		"a private range":  {[]string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}, nil},
		"mapped addresses": {[]string{"::ffff:0.0.0.0/96"}, []string{"::ffff:0.0.0.0/96"}},
		"no range":         {[]string{"pl-1", "", "0.0.0.0/33", "anywhere"}, nil},
		"an address":       {[]string{"203.0.113.7"}, nil},
	} {
		by, open := internet.Open(c.ranges)
		if open != (c.by != nil) || !slices.Equal(by, c.by) {
			t.Errorf("%s: %v by %v, want %v", name, open, by, c.by)
		}
	}
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"10.0.0.0/8", "10.1.0.0/16", true},
		{"10.0.0.0/8", "10.0.0.0/8", true},
		{"10.1.0.0/16", "10.0.0.0/8", false},
		{"::/0", "10.0.0.0/8", false},
		{"0.0.0.0/0", "2001:db8::/32", false},
		{"10.0.0.0/8", "10.2.3.4", true},
		{"pl-1", "10.2.3.4", false},
	} {
		if got := internet.Covers(c.wide, c.narrow); got != c.want {
			t.Errorf("%s covers %s: %v", c.wide, c.narrow, got)
		}
	}
}

// FuzzOpen wants that a range more never closes anything, and that nothing panics.
func FuzzOpen(f *testing.F) {
	f.Add("0.0.0.0/1", "128.0.0.0/1", "::/0")
	f.Add("::ffff:1.2.3.4/95", "fe80::1%eth0", "1.2.3.4/99")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if _, open := internet.Open([]string{a, b}); open {
			if _, still := internet.Open([]string{a, b, c}); !still {
				t.Errorf("%q closes %q and %q", c, a, b)
			}
		}
	})
}
