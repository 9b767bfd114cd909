package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshassay/assay/sandbox/routing"
)

// quick retries without making tests wait for Envoy's 25 ms.
func quick(attempts int, on routing.RetryOn) *routing.Retries {
	return &routing.Retries{Attempts: attempts, On: on, Backoff: time.Nanosecond}
}

// fails answers the first calls with a status, and then "well"; each answer
// names the attempt that it was.
func fails(times int64, status int) (http.HandlerFunc, *atomic.Int64) {
	calls := &atomic.Int64{}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Attempt", r.Header.Get("X-Envoy-Attempt-Count"))
		if calls.Add(1) <= times {
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			io.WriteString(w, "ill")
			return
		}
		io.WriteString(w, "well")
	}, calls
}

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name    string
		times   int64 // that the service fails
		how     int   // the status; 0 is a cut connection
		retries *routing.Retries
		status  int
		calls   int64
		attempt string // that answered
	}{
		{"5xx", 2, 500, quick(2, routing.On5xx), 200, 3, "3"},
		{"5xx, once too often", 3, 500, quick(2, routing.On5xx), 500, 3, "3"},
		{"5xx is not 4xx", 1, 429, quick(2, routing.On5xx), 429, 1, "1"},
		{"5xx means resets too", 1, 0, quick(2, routing.On5xx), 200, 2, "2"},
		{"gateway-error", 1, 502, quick(1, routing.OnGatewayError), 200, 2, "2"},
		{"gateway-error is not 500", 1, 500, quick(1, routing.OnGatewayError), 500, 1, "1"},
		{"retriable-4xx", 1, 409, quick(1, routing.OnRetriable4xx), 200, 2, "2"},
		{"a status of its own", 1, 429, &routing.Retries{Attempts: 1, Statuses: []int{429}}, 200, 2, "2"},
		{"reset", 2, 0, quick(2, routing.OnReset), 200, 3, "3"},
		{"reset is not 503", 1, 503, quick(2, routing.OnReset), 503, 1, "1"},
		{"connect-failure is not reset", 1, 0, quick(2, routing.OnConnectFailure), 503, 1, ""},
		{"none", 1, 503, &routing.Retries{On: routing.On5xx}, 503, 1, "1"},
		{"nothing said", 1, 503, nil, 503, 1, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMesh(t)
			h, calls := fails(c.times, c.how)
			m.pod(t, "10.244.0.5", h)
			route := to("10.244.0.5")
			route.Retries = c.retries
			m.route(t, route)
			resp, _ := m.get(t, "/api")
			if resp.StatusCode != c.status || calls.Load() != c.calls || resp.Header.Get("Attempt") != c.attempt {
				t.Errorf("answered %d after %d calls, by attempt %q; want %d after %d, by %q",
					resp.StatusCode, calls.Load(), resp.Header.Get("Attempt"), c.status, c.calls, c.attempt)
			}
		})
	}
}

// A retry goes to an endpoint that was not tried, as long as there is one.
func TestRetryGoesElsewhere(t *testing.T) {
	m := newMesh(t)
	ill, calls := fails(1<<40, 503)
	m.pod(t, "10.244.0.5", ill)
	m.pod(t, "10.244.0.6", says("well"))
	route := to("10.244.0.5", "10.244.0.6")
	route.Retries = quick(1, routing.On5xx)
	m.route(t, route)
	for range 20 {
		if resp, body := m.get(t, "/"); resp.StatusCode != 200 || body != "well" {
			t.Fatalf("answered %d %q", resp.StatusCode, body)
		}
	}
	if calls.Load() != 10 {
		t.Errorf("the ill endpoint was asked %d times, want every other of 20", calls.Load())
	}
}

// An attempt that takes too long is given up, and the next one has its own time.
func TestPerTryTimeout(t *testing.T) {
	m := newMesh(t)
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	var calls atomic.Int64
	expected := make(chan string, 9)
	m.pod(t, "10.244.0.5", func(w http.ResponseWriter, r *http.Request) {
		expected <- r.Header.Get("X-Envoy-Expected-Rq-Timeout-Ms")
		if calls.Add(1) == 1 {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
			return
		}
		io.WriteString(w, "well")
	})
	route := to("10.244.0.5")
	route.Timeout = time.Hour
	route.Retries = quick(1, routing.OnReset)
	route.Retries.PerTry = 2 * time.Second
	m.route(t, route)
	if resp, body := m.get(t, "/"); resp.StatusCode != 200 || body != "well" {
		t.Errorf("answered %d %q", resp.StatusCode, body)
	}
	if got := <-expected; got != "2000" {
		t.Errorf("the service was told to answer within %q ms", got)
	}

	// Without a condition that means it, the first such attempt is the last.
	calls.Store(0)
	route.Retries = &routing.Retries{Attempts: 5, On: routing.OnConnectFailure, PerTry: 20 * time.Millisecond}
	m.route(t, route)
	if resp, body := m.get(t, "/"); resp.StatusCode != 504 || body != "upstream request timeout" || calls.Load() > 1 {
		t.Errorf("answered %d %q after %d calls", resp.StatusCode, body, calls.Load())
	}
}

// The route's timeout is for all attempts and the waits between them.
func TestTimeoutEndsRetries(t *testing.T) {
	m := newMesh(t)
	ill, _ := fails(1<<40, 503)
	m.pod(t, "10.244.0.5", ill)
	route := to("10.244.0.5")
	route.Timeout = 30 * time.Millisecond
	route.Retries = &routing.Retries{Attempts: 1 << 30, On: routing.On5xx}
	m.route(t, route)
	if resp, body := m.get(t, "/"); resp.StatusCode != 504 || body != "upstream request timeout" {
		t.Errorf("answered %d %q", resp.StatusCode, body)
	}
}

// The last word on a request that got no answer says that it was retried.
func TestRetriedResetSaysSo(t *testing.T) {
	m := newMesh(t)
	cut, calls := fails(1<<40, 0)
	m.pod(t, "10.244.0.5", cut)
	route := to("10.244.0.5")
	route.Retries = quick(2, routing.OnReset)
	m.route(t, route)
	want := "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection termination"
	if resp, body := m.get(t, "/"); resp.StatusCode != 503 || body != want || calls.Load() != 3 {
		t.Errorf("answered %d %q after %d calls", resp.StatusCode, body, calls.Load())
	}
}

// A body is sent again from its beginning, if it is not too long to be kept.
func TestRetrySendsTheBodyAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		size    int
		chunked bool
		status  int
	}{
		{"short", 3, false, 200},
		{"of unknown length", 70_000, true, 200},
		{"as long as can be", bodyLimit, false, 200},
		{"too long", bodyLimit + 1, false, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMesh(t)
			sent := bytes.Repeat([]byte("x"), c.size)
			var calls atomic.Int64
			m.pod(t, "10.244.0.5", func(w http.ResponseWriter, r *http.Request) {
				if body, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(body, sent) {
					t.Errorf("attempt %s brought %d bytes of %d: %v", r.Header.Get("X-Envoy-Attempt-Count"), len(body), len(sent), err)
				}
				if calls.Add(1) == 1 {
					w.WriteHeader(503)
				}
			})
			route := to("10.244.0.5")
			route.Retries = quick(1, routing.On5xx)
			m.route(t, route)
			var body io.Reader = bytes.NewReader(sent)
			if c.chunked {
				body = struct{ io.Reader }{body}
			}
			if resp, _ := m.do(t, m.request(t, "POST", "/", body)); resp.StatusCode != c.status {
				t.Errorf("answered %d, want %d", resp.StatusCode, c.status)
			}
		})
	}
}

// Whatever the base, the nth wait is drawn from [0, (2^n-1)*base), at most ten
// times the base.
func TestBackoff(t *testing.T) {
	for base, name := range map[time.Duration]string{0: "Envoy's", time.Second: "1s"} {
		r := &routing.Retries{Backoff: base}
		unit := base
		if base == 0 {
			unit = 25 * time.Millisecond
		}
		for n, limit := range []time.Duration{1: unit, 2: 3 * unit, 3: 7 * unit, 4: 10 * unit, 40: 10 * unit, 99: 10 * unit} {
			if limit == 0 {
				continue
			}
			var longest time.Duration
			for range 1000 {
				longest = max(longest, r.Wait(n))
			}
			if longest >= limit || longest < limit*9/10 { // below with probability 0.9^1000
				t.Errorf("%s: retry %d waits up to %s, want nearly %s", name, n, longest, limit)
			}
		}
	}
}

// Of a body's two readers the later one gets all of it, even what the earlier
// one took from the client after it was given up.
func TestReplay(t *testing.T) {
	from, client := io.Pipe()
	r := &replay{from: from, limit: 100, length: -1}
	first, _ := r.again()
	late := make(chan string)
	go func() {
		p := make([]byte, 10)
		n, err := first.Read(p)
		if err != nil {
			t.Error(err)
		}
		late <- string(p[:n])
	}()
	io.WriteString(client, "one")
	if got := <-late; got != "one" {
		t.Errorf("the first reader got %q", got)
	}
	if _, ok := r.again(); ok {
		t.Error("a body that has not ended was given again")
	}
	go func() {
		io.WriteString(client, " two")
		client.Close()
	}()
	rest, err := io.ReadAll(first)
	if err != nil || string(rest) != " two" {
		t.Errorf("the first reader got %q, %v", rest, err)
	}
	first.Close()
	second, ok := r.again()
	all, err := io.ReadAll(second)
	if !ok || err != nil || string(all) != "one two" {
		t.Errorf("the second reader got %q, %v", all, err)
	}
	if n, err := first.Read(make([]byte, 1)); n != 0 || err != errAbandoned {
		t.Errorf("a closed reader reads on: %d, %v", n, err)
	}
}

// FuzzReplay reads a body in pieces of any size by any number of readers.
func FuzzReplay(f *testing.F) {
	f.Add("some body", uint8(3), uint8(2), uint16(100))
	f.Add("", uint8(1), uint8(1), uint16(0))
	f.Fuzz(func(t *testing.T, body string, piece, readers uint8, limit uint16) {
		r := &replay{from: strings.NewReader(body), limit: int(limit), length: int64(len(body))}
		for range int(readers%5) + 1 {
			d, ok := r.again()
			if !ok {
				if len(body) <= int(limit) {
					t.Error("a body within the limit was not kept")
				}
				return
			}
			var got []byte
			p := make([]byte, int(piece)+1)
			for {
				n, err := d.Read(p)
				got = append(got, p[:n]...)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if string(got) != body {
				t.Fatalf("got %q, want %q", got, body)
			}
		}
	})
}

// A client that goes away while its request is held back is no longer served.
func TestClientGoneWhileDelayed(t *testing.T) {
	m := newMesh(t)
	h, calls := fails(0, 0)
	m.pod(t, "10.244.0.5", h)
	route := to("10.244.0.5")
	route.Delays = []routing.Delay{{Share: 1, For: time.Hour}}
	m.route(t, route)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := m.client.Do(m.request(t, "GET", "/", nil).WithContext(ctx)); err == nil {
		t.Error("answered at once")
	}
	if calls.Load() != 0 {
		t.Error("the service was asked")
	}
}
