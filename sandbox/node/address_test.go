package node

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	a := newAddresses(netip.MustParsePrefix("10.244.64.0/30"))
	take := func(want string) {
		t.Helper()
		got, err := a.take()
		if err != nil || got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	take("10.244.64.1")
	take("10.244.64.2")
	a.free("10.244.64.1")
	take("10.244.64.3") // an unused one comes before one that was given back
	take("10.244.64.1")
	if _, err := a.take(); err == nil || !strings.Contains(err.Error(), "10.244.64.0/30") {
		t.Errorf("no address is free: got error %v, want one that names the network", err)
	}
	a.free("10.244.64.2")
	take("10.244.64.2")
}
