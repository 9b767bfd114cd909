// Package network stands in for the network of the sandbox's clusters: it
// knows which loopback listener answers at a cluster address such as
// 10.244.0.7:3000, which no kernel route leads to. The node registers its pods
// here, the VM itself, and gateways dial through it. It carries no traffic of
// its own and models no latency, loss or policy.
package network

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// Network maps cluster addresses to loopback listeners. It is safe for
// concurrent use.
type Network struct {
	mu    sync.RWMutex
	hosts map[string]map[int]string // IP -> port -> listener
}

// New makes a network without any host.
func New() *Network {
	return &Network{hosts: map[string]map[int]string{}}
}

// Register says that the loopback address listen, such as "127.0.0.1:41811",
// answers at ip:port from now on. A second registration replaces the first.
func (n *Network) Register(ip string, port int, listen string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[ip] == nil {
		n.hosts[ip] = map[int]string{}
	}
	n.hosts[ip][port] = listen
}

// Unregister takes every port of ip off the network. Connections that are open
// stay open.
func (n *Network) Unregister(ip string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.hosts, ip)
}

// Refuse keeps ip on the network with nobody listening at port: the machine is
// there, its service is not.
func (n *Network) Refuse(ip string, port int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[ip] == nil {
		n.hosts[ip] = map[int]string{}
	}
	delete(n.hosts[ip], port)
}

// Resolve gives the loopback listener that answers at ip:port.
func (n *Network) Resolve(ip string, port int) (listen string, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	listen, ok = n.hosts[ip][port]
	return listen, ok
}

// Dial connects to a cluster address "ip:port". Where the network knows no
// such host the error is EHOSTUNREACH, where it knows the host but not the
// port ECONNREFUSED, as a kernel would have said it.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial cluster address %q: %w", address, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("dial cluster address %q: port: %w", address, err)
	}
	listen, ok := n.Resolve(host, port)
	if !ok {
		cause := syscall.EHOSTUNREACH
		if n.knows(host) {
			cause = syscall.ECONNREFUSED
		}
		return nil, fmt.Errorf("dial cluster address %s: %w", address, cause)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("dial cluster address %s: %w", address, err)
	}
	return c, nil
}

func (n *Network) knows(ip string) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	_, ok := n.hosts[ip]
	return ok
}
