package network

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestResolve(t *testing.T) {
	n := New()
	n.Register("10.244.0.7", 3000, "127.0.0.1:41811")
	n.Register("10.244.0.7", 9090, "127.0.0.1:41812")
	n.Register("10.244.0.8", 3000, "127.0.0.1:41813")
	n.Register("10.244.0.8", 3000, "127.0.0.1:41814") // replaces
	n.Register("10.244.0.9", 3000, "127.0.0.1:41815")
	n.Unregister("10.244.0.9")
	n.Refuse("10.244.0.7", 80)  // nobody listened anyway
	n.Unregister("10.244.0.10") // was never there

	for _, c := range []struct {
		ip   string
		port int
		want string
	}{
		{"10.244.0.7", 3000, "127.0.0.1:41811"},
		{"10.244.0.7", 9090, "127.0.0.1:41812"},
		{"10.244.0.7", 80, ""},
		{"10.244.0.8", 3000, "127.0.0.1:41814"},
		{"10.244.0.9", 3000, ""},
		{"10.244.0.10", 3000, ""},
	} {
		got, ok := n.Resolve(c.ip, c.port)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Resolve(%s, %d) = %q, %t; want %q", c.ip, c.port, got, ok, c.want)
		}
	}
}

func TestDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.WriteString(c, "hello")
		c.Close()
	}()

	n := New()
	n.Register("192.168.64.10", 8080, l.Addr().String())
	c, err := n.Dial(context.Background(), "192.168.64.10:8080")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v; want hello", got, err)
	}
}

func TestDialFails(t *testing.T) {
	n := New()
	n.Register("192.168.64.10", 8080, "127.0.0.1:1") // nobody listens there
	n.Register("192.168.64.11", 8080, "127.0.0.1:1")
	n.Refuse("192.168.64.11", 8080)
	n.Refuse("192.168.64.12", 8080)
	for _, c := range []struct {
		address string
		want    error
		text    string
	}{
		{"10.244.9.9:3000", syscall.EHOSTUNREACH, "10.244.9.9:3000"},
		{"192.168.64.10:81", syscall.ECONNREFUSED, "192.168.64.10:81"},
		{"192.168.64.10:8080", syscall.ECONNREFUSED, "192.168.64.10:8080"},
		{"192.168.64.11:8080", syscall.ECONNREFUSED, "192.168.64.11:8080"},
		{"192.168.64.12:8080", syscall.ECONNREFUSED, "192.168.64.12:8080"},
		{"192.168.64.10", nil, "missing port"},
		{"192.168.64.10:http", nil, "port"},
	} {
		conn, err := n.Dial(context.Background(), c.address)
		if err == nil {
			conn.Close()
			t.Errorf("Dial(%s) worked, want an error", c.address)
			continue
		}
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("Dial(%s): %v, want %v", c.address, err, c.want)
		}
		if !strings.Contains(err.Error(), c.text) {
			t.Errorf("Dial(%s): %v, want it to mention %q", c.address, err, c.text)
		}
	}
}

// Pods come and go while gateways look others up: the race detector watches.
func TestConcurrentUse(t *testing.T) {
	n := New()
	n.Register("10.244.0.1", 3000, "127.0.0.1:1")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				n.Register("10.244.0.2", 3000, "127.0.0.1:2")
				if _, ok := n.Resolve("10.244.0.1", 3000); !ok {
					t.Error("10.244.0.1 vanished")
					return
				}
				n.Unregister("10.244.0.2")
			}
		})
	}
	wg.Wait()
}
