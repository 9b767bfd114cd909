package sample

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var errNoServer = errors.New("no name server")

func TestANameIsLookedUpNowAndThen(t *testing.T) {
	asked := 0
	want := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	n := newNames()
	n.lookup = func(_ context.Context, network, host string) ([]netip.Addr, error) {
		if asked++; asked == 1 {
			return nil, errNoServer
		}
		return []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1"), want[1]}, nil
	}
	if _, err := n.of(t.Context(), "gateway.example"); !errors.Is(err, errNoServer) {
		t.Errorf("got %v, want the name server's error", err)
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if got, err := n.of(t.Context(), "gateway.example"); err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
	all.Wait()
	if asked != 2 {
		t.Errorf("asked %d times, want once more after the error and not again", asked)
	}
	n.known["gateway.example"] = resolved{want, time.Now()}
	if _, err := n.of(t.Context(), "gateway.example"); err != nil || asked != 3 {
		t.Errorf("asked %d times (%v), want again after a while", asked, err)
	}
}

func TestAnAddressIsNotLookedUp(t *testing.T) {
	n := newNames()
	n.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, errNoServer }
	for _, host := range []string{"127.0.0.1", "::1", "fe80::1%lo"} {
		if got, err := n.of(t.Context(), host); err != nil || len(got) != 1 || got[0].String() != host {
			t.Errorf("%s: got %v, %v", host, got, err)
		}
	}
}

// Where one of a gateway's addresses is dead the next one is tried.
func TestTheNextAddressIsTried(t *testing.T) {
	_, port, err := net.SplitHostPort(serve(t, says(blueAnswer)))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Timeout: 10 * time.Second}
	n := newNames()
	n.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, nil
	}
	x := newExchanger(&o, nil, n, new(atomic.Int64), time.Now())
	conn, err := x.dial(t.Context(), "gateway.example", port, time.Now().Add(o.Timeout))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	if got, _ := io.ReadAll(conn); string(got) != blueAnswer {
		t.Errorf("got %q", got)
	}
	if _, err := x.dial(t.Context(), "gateway.example", "1", time.Now().Add(o.Timeout)); err == nil {
		t.Error("nobody listens there")
	} else if fault, _ := dialFault(err); fault != Refused {
		t.Errorf("fault %q of %v, want %q", fault, err, Refused)
	}
}
