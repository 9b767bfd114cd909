package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestDispatchOrderWithoutHoles(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		var n atomic.Int64
		url := web(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1)%7 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
			blue(w, r)
		})
		last := time.Duration(-1)
		for i, o := range collect(t, Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Portable: portable, Workers: 20}, 2000) {
			if o.Number != int64(i) || o.Outcome != "blue" {
				t.Fatalf("observation %d: %+v", i, o)
			}
			if o.At < last-time.Second { // a worker may have to wait for a processor
				t.Errorf("request %d was sent at %s, one before it at %s", i, o.At, last)
			}
			last = max(last, o.At)
		}
	})
}

func TestCasesTakeTurns(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		url := web(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"color":%q}`, map[string]string{"a": "blue", "b": "green", "c": "yellow"}[r.UserAgent()])
		})
		o := Options{Classifier: tutorial(), Portable: portable, Workers: 5}
		for _, agent := range []string{"a", "b", "c"} {
			o.Cases = append(o.Cases, Request{URL: url, Header: http.Header{"User-Agent": {agent}}})
		}
		for i, got := range collect(t, o, 300) {
			if want := []string{"blue", "green", "canary"}[i%3]; got.Case != i%3 || got.Outcome != want {
				t.Fatalf("request %d: case %d, %s", i, got.Case, got.Outcome)
			}
		}
	})
}

// What goes over the wire is what was asked, once per connection, and nothing
// that an earlier answer or the environment suggested.
func TestRequestAsAsked(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
		var mu sync.Mutex
		peers := map[string]int{}
		url := web(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			peers[r.RemoteAddr]++
			mu.Unlock()
			body, _ := io.ReadAll(r.Body)
			if r.Method != "POST" || r.Host != "shop.example" || r.URL.Path != "/api" || r.URL.RawQuery != "x=1" || string(body) != "hello" ||
				r.Header.Get("X-Who") != "me" || r.Header.Get("Cookie") != "" || !r.Close || r.UserAgent() != "assay" {
				t.Errorf("%s %s %s %q %v", r.Method, r.Host, r.URL, body, r.Header)
			}
			http.SetCookie(w, &http.Cookie{Name: "route", Value: "blue"})
			blue(w, r)
		})
		c := Request{URL: url + "/api?x=1", Method: "POST", Host: "shop.example", Header: http.Header{"X-Who": {"me"}}, Body: []byte("hello")}
		collect(t, Options{Cases: []Request{c}, Classifier: tutorial(), Portable: portable, Workers: 3}, 50)
		mu.Lock()
		defer mu.Unlock()
		for peer, n := range peers {
			if n != 1 {
				t.Errorf("%d requests on the connection of %s", n, peer)
			}
		}
	})
}

func TestBadOptionsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{}, "no request to send"},
		{Options{Cases: []Request{{URL: "ftp://x/"}}}, `case 1: url "ftp://x/": want http://host[:port]/path or https://…`},
		{Options{Cases: []Request{{URL: "http://x"}, {URL: "http://"}}}, `case 2: url "http://": want`},
		{Options{Cases: []Request{{URL: "http://x", Method: "G T"}}}, `case 1: net/http: invalid method "G T"`},
		{Options{Cases: []Request{{URL: "http://x", Header: http.Header{"A b": {"c"}}}}}, `case 1: header "A b": not a header name`},
		{Options{Cases: []Request{{URL: "http://x", Header: http.Header{"A": {"c\r\nd: e"}}}}}, "case 1: header A: a value cannot have a line break"},
		{Options{Cases: []Request{{URL: "http://x", Header: http.Header{"Host": {"c"}}}}}, "case 1: header Host: say it as the request's host"},
		{Options{Cases: []Request{{URL: "http://x", Header: http.Header{"connection": {"c"}}}}}, "case 1: header connection: it follows from the request and cannot be set"},
		{Options{Cases: []Request{{URL: "http://x", Host: "a b"}}}, `case 1: host "a b": not a host`},
		{Options{Cases: []Request{{URL: "http://x"}}, Rate: -1}, "cannot be negative"},
		{Options{Cases: []Request{{URL: "http://x"}}, Rate: 1e-12}, "at least one request a day"},
		{Options{Cases: []Request{{URL: "http://x"}}, Workers: 100_000}, "100000 workers: at most 65535"},
		{Options{Cases: []Request{{URL: "http://x"}}, Open: true}, "an open loop needs a rate of at most 1000000 a second"},
		{Options{Cases: []Request{{URL: "http://x"}}, Open: true, Rate: 1e7}, "an open loop needs a rate of at most 1000000 a second"},
		{Options{Cases: []Request{{URL: "http://x"}}, Protocol: 3}, "protocol 3: want HTTP1 or HTTP2"},
	} {
		err := Run(context.Background(), tt.o, func([]Observation) bool { t.Error("a request was sent"); return false })
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
	}
}

// When ctx ends, what came back is delivered as far as there is no hole, and
// what was under way counts for nothing.
func TestEndOfContext(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		for _, workers := range []int{1, 4} {
			var n atomic.Int64
			ctx, cancel := context.WithCancel(context.Background())
			url := web(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) > 30 {
					cancel()
					<-r.Context().Done() // the sampler hangs up
					return
				}
				blue(w, r)
			})
			var got []Observation
			err := Run(ctx, Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Portable: portable, Workers: workers}, func(b []Observation) bool {
				got = append(got, b...)
				return true
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run says %v", err)
			}
			// With several workers one may have come late, and then it is a hole.
			if len(got) > 30 || workers == 1 && len(got) < 30 {
				t.Errorf("%d workers: %d delivered of the 30 that were answered", workers, len(got))
			}
			for i, o := range got {
				if o.Number != int64(i) || o.Outcome != "blue" {
					t.Errorf("observation %d: %+v", i, o)
				}
			}
		}
	})
}

// The end may come while a phase sets its deadline; it must not wait for that.
func TestADeadlineDoesNotUndoTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conn, other := net.Pipe()
	defer other.Close()
	defer conn.Close()
	cancel()
	conn.SetDeadline(longAgo) // as ctx's end does
	setDeadline(ctx, conn, time.Now().Add(time.Hour))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading ended with %v", err)
	}
}

// Nothing goes on after Run has returned.
func TestNothingStaysBehind(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		url := web(t, blue)
		before := runtime.NumGoroutine()
		for range 20 {
			collect(t, Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Portable: portable, Workers: 30}, 30)
		}
		deadline := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > before+5 {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
			}
			runtime.Gosched()
		}
	})
}

// Ports never run out: far more requests than there are ephemeral ports, at
// full speed, to one address.
func TestPortsNeverRunOut(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		n := 41_000
		if testing.Short() || raceEnabled || portable {
			n = 5_000 // the same way of hanging up
		}
		address := trivial(t)
		tally := NewTally()
		o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Portable: portable, Workers: 32}
		begin := time.Now()
		err := Run(context.Background(), o, func(b []Observation) bool { tally.Add(b); return tally.N < int64(n) })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%.0f a second", float64(tally.N)/time.Since(begin).Seconds())
		if len(tally.Faults) > 0 || tally.Outcomes["blue"] != tally.N {
			t.Errorf("%v, %v", tally.Outcomes, tally.Faults)
		}
		// Those that were just being opened when the run ended may wait.
		if n := timeWaits(t, address); n > o.Workers {
			t.Errorf("%d ports wait for a minute", n)
		}
	})
}

// timeWaits counts the connections with address whose port is still taken on
// this side although they are closed.
func timeWaits(t *testing.T, address string) int {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Logf("not counted here: %v", err)
		return 0
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, remote := 0, fmt.Sprintf("%04X", at.Port())
	for line := range strings.Lines(string(table)) {
		// number, local address, remote address, state: 06 is TIME_WAIT
		if f := strings.Fields(line); len(f) > 3 && f[3] == "06" && strings.HasSuffix(f[2], ":"+remote) {
			n++
		}
	}
	return n
}

func BenchmarkFreshConnections(b *testing.B) {
	for _, workers := range []int{8, 64} {
		b.Run(fmt.Sprint(workers, " workers"), func(b *testing.B) {
			address := trivial(b)
			var examples Examples
			o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Workers: workers, Examples: &examples}
			seen := 0
			b.ReportAllocs()
			b.ResetTimer()
			if err := Run(context.Background(), o, func(batch []Observation) bool { seen += len(batch); return seen < b.N }); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(seen)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
