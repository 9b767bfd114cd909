package node

import (
	"fmt"
	"net/netip"
	"sync"
)

// addresses gives each pod an address of its own. One that was given back is
// used again only after all others, so that nobody meets another pod at an
// address that he still remembers.
type addresses struct {
	mu     sync.Mutex
	prefix netip.Prefix
	last   netip.Addr
	used   map[netip.Addr]bool
}

func newAddresses(prefix netip.Prefix) *addresses {
	prefix = prefix.Masked()
	return &addresses{prefix: prefix, last: prefix.Addr(), used: map[netip.Addr]bool{}}
}

// take returns an address that nobody has.
func (a *addresses) take() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for address, first := a.after(a.last), a.last; address != first; address = a.after(address) {
		if !a.used[address] {
			a.used[address] = true
			a.last = address
			return address.String(), nil
		}
	}
	return "", fmt.Errorf("no free address for a pod in %s", a.prefix)
}

func (a *addresses) free(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if parsed, err := netip.ParseAddr(address); err == nil {
		delete(a.used, parsed)
	}
}

// after is the next address, never the network's own first one.
func (a *addresses) after(address netip.Addr) netip.Addr {
	next := address.Next()
	if !a.prefix.Contains(next) {
		next = a.prefix.Addr().Next()
	}
	return next
}
