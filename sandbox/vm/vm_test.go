package vm

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/meshassay/assay/sandbox/network"
)

// ask calls the VM through the network, on a connection of its own.
func ask(n *network.Network, address string) (map[string]any, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, a string) (net.Conn, error) { return n.Dial(ctx, a) },
	}}
	resp, err := client.Get("http://" + address + ":8080/api")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a map[string]any
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

func TestDownAndUp(t *testing.T) {
	n := network.New()
	v, err := Start("192.168.64.10", n)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()

	a, err := ask(n, "192.168.64.10")
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{"pod": "vm-192.168.64.10", "color": "yellow", "textColor": "black", "count": 0.0} {
		if a[field] != want {
			t.Errorf("%s: %v, want %v", field, a[field], want)
		}
	}

	for range 2 { // down twice is down
		if err := v.Down(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(n, "192.168.64.10"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while down: %v, want connection refused", err)
	}
	for range 2 {
		if err := v.Up(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(n, "192.168.64.10"); err != nil {
		t.Errorf("after coming up: %v", err)
	}

	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := v.Up(); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(n, "192.168.64.10"); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("after Close: %v, want no route to host", err)
	}
}
