package sample

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// resolvedFor is how long the addresses of a name are used.
const resolvedFor = 5 * time.Second

// names finds the addresses of gateways, and asks for each name only now and
// then: a load balancer has a name in some clouds, Go remembers none, and a
// name server that thousands of questions a second are too many for would
// count against the gateway. It is safe for use by several goroutines at once.
type names struct {
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

	mu    sync.Mutex // held while a name is looked up: those who want it too wait
	known map[string]resolved
}

type resolved struct {
	addresses []netip.Addr
	until     time.Time
}

func newNames() *names {
	return &names{lookup: net.DefaultResolver.LookupNetIP, known: make(map[string]resolved)}
}

// of returns the addresses of a host, in the order in which they are to be
// tried. Errors are not remembered.
func (n *names) of(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.known[host]; time.Now().Before(r.until) {
		return r.addresses, nil
	}
	found, err := n.lookup(ctx, "ip", host)
	if err == nil && len(found) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, err
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	n.known[host] = resolved{found, time.Now().Add(resolvedFor)}
	return found, nil
}

// dial connects to the first address of a host that takes a connection until
// the deadline. Each gets its part of the time, so that a dead one does not
// use up that of the others. The error is that of the first.
func (x *exchanger) dial(ctx context.Context, host, port string, deadline time.Time) (net.Conn, error) {
	limited, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	addresses, err := x.names.of(limited, host)
	if err != nil {
		return nil, err
	}
	var first error
	for i, address := range addresses {
		now := time.Now()
		x.dialer.Deadline = now.Add(deadline.Sub(now) / time.Duration(len(addresses)-i))
		conn, err := x.dialer.DialContext(ctx, "tcp", net.JoinHostPort(address.String(), port))
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}
