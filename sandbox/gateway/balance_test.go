package gateway

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshassay/assay/sandbox/routing"
)

func TestEndpointsTakeTurns(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", says("1"))
	m.pod(t, "10.244.0.2", says("2"))
	m.pod(t, "10.244.0.3", says("3"))
	m.route(t, to("10.244.0.1", "10.244.0.2", "10.244.0.3"))
	counts := map[string]int{}
	for range 30 {
		_, body := m.get(t, "/")
		counts[body]++
	}
	if counts["1"] != 10 || counts["2"] != 10 || counts["3"] != 10 {
		t.Errorf("answers %v, want 10 each", counts)
	}
}

func TestAnEndpointThatIsDownIsPassedOver(t *testing.T) {
	m := newMesh(t)
	m.net.Refuse("10.244.0.1", 3000)
	m.pod(t, "10.244.0.3", says("up"))
	m.route(t, to("10.244.0.1", "10.244.0.2", "10.244.0.3")) // .2 is not even on the network
	for range 12 {
		if resp, body := m.get(t, "/"); resp.StatusCode != 200 || body != "up" {
			t.Fatalf("answered %d %q", resp.StatusCode, body)
		}
	}
	// Two retries and no more, as Istio's default is.
	m.route(t, to("10.244.1.1", "10.244.1.2", "10.244.1.3", "10.244.0.3"))
	failed := 0
	for range 12 {
		if resp, _ := m.get(t, "/"); resp.StatusCode == 503 {
			failed++
		}
	}
	if failed != 3 { // the turns that begin with the first of the three
		t.Errorf("%d of 12 failed, want 3", failed)
	}
}

// weighted is a route to three pods that answer a, b and c.
func weighted(t *testing.T, m *mesh, how routing.Choice, weights ...uint64) {
	t.Helper()
	r := routing.Route{Choice: how}
	for i, w := range weights {
		ip := "10.244.5." + string(rune('1'+i))
		m.pod(t, ip, says(string(rune('a'+i))))
		r.Destinations = append(r.Destinations, routing.Destination{Host: ip, Weight: w, Endpoints: []string{ip + ":3000"}})
	}
	m.route(t, r)
}

func TestSharesThroughTheGateway(t *testing.T) {
	m := newMesh(t)
	weighted(t, m, routing.Choice{}, 40, 40, 20)
	counts := map[string]float64{}
	const n = 3000
	for range n { // over one connection: each request is drawn by itself
		_, body := m.get(t, "/")
		counts[body]++
	}
	for name, p := range map[string]float64{"a": .4, "b": .4, "c": .2} {
		if math.Abs(counts[name]-n*p) > 6*math.Sqrt(n*p*(1-p))+1 { // once in 10^9 runs
			t.Errorf("answers %v, want %v of %s", counts, n*p, name)
		}
	}
}

func TestStickyIsByConnection(t *testing.T) {
	m := newMesh(t)
	weighted(t, m, routing.Choice{Sticky: true}, 50, 50)
	first := map[string]int{}
	for range 40 {
		_, want := m.get(t, "/")
		for range 5 {
			if _, got := m.get(t, "/"); got != want {
				t.Fatal("a kept connection was moved")
			}
		}
		first[want]++
		m.client.CloseIdleConnections()
	}
	if first["a"] == 0 || first["b"] == 0 { // once in 10^12 runs
		t.Errorf("40 connections went %v: all to one", first)
	}
}

func TestBlocksThroughTheGateway(t *testing.T) {
	m := newMesh(t)
	weighted(t, m, routing.Choice{Block: 10}, 50, 30, 20)
	var got strings.Builder
	for range 20 {
		_, body := m.get(t, "/")
		got.WriteString(body)
	}
	if got.String() != "aaaaabbbcc"+"aaaaabbbcc" {
		t.Errorf("answers %s, want runs of 5, 3 and 2", &got)
	}
}

// Tables are swapped while requests are under way; none fails for it.
func TestSwapUnderLoad(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", says("1"))
	m.pod(t, "10.244.0.2", says("2"))
	m.route(t, to("10.244.0.1"))
	done := load(t, m, 4)
	for i := range 200 {
		m.route(t, to([]string{"10.244.0.1", "10.244.0.2"}[i%2]))
	}
	done(100)
}

// load keeps asking with so many clients, half of them on new connections.
// done waits until so many answers have come since, and ends it; every answer
// must be 200.
func load(t *testing.T, m *mesh, clients int) (done func(answers int)) {
	ctx, cancel := context.WithCancel(context.Background())
	answered := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		wg.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				var resp *http.Response
				var err error
				if i%4 < 2 {
					resp, err = client.Get("http://" + m.Addr())
				} else {
					resp, err = client.Post("http://"+m.Addr(), "text/plain", strings.NewReader("hello"))
				}
				if err != nil {
					t.Error(err)
					return
				}
				if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
					t.Errorf("%s %s", resp.Status, body)
				}
				resp.Body.Close()
				select {
				case answered <- struct{}{}:
				case <-ctx.Done():
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	// Answers before done count for nothing, but must not hold clients up.
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-answered:
			case <-stop:
				return
			case <-ended:
				return
			}
		}
	}()
	return func(answers int) {
		t.Helper()
		close(stop)
		<-stopped
		for range answers {
			select {
			case <-answered:
			case <-ended:
				t.Fatal("a client gave up")
			}
		}
		cancel()
		<-ended
	}
}

// A pod is replaced as a Deployment does it: the new one is there, the gateway
// learns of it, the old one goes off the network and then ends. Nobody sees an
// error, though connections to the old one were kept.
func TestBackendReplaced(t *testing.T) {
	m := newMesh(t)
	old := m.pod(t, "10.244.0.1", says("old"))
	m.route(t, to("10.244.0.1"))
	done := load(t, m, 4)
	for i := range 20 {
		before, after := "10.244.0."+string(rune('a'+i)), "10.244.0."+string(rune('a'+i+1))
		if i == 0 {
			before = "10.244.0.1"
		}
		next := m.pod(t, after, says("new"))
		m.route(t, to(before, after))
		m.net.Unregister(before)
		shutdown(t, old)
		m.route(t, to(after))
		old = next
	}
	done(100)
}

// shutdown ends a server as workload.Close does.
func shutdown(t *testing.T, s *httptest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// A service that closes every idle connection, at the worst of moments, is no
// error either.
func TestBackendClosesIdleConnections(t *testing.T) {
	m := newMesh(t)
	s := httptest.NewUnstartedServer(says("ok"))
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			go c.Close()
		}
	}
	s.Start()
	defer s.Close()
	m.net.Register("10.244.0.1", 3000, s.Listener.Addr().String())
	m.route(t, to("10.244.0.1"))
	for i := range 500 {
		if resp, body := m.get(t, "/"); resp.StatusCode != 200 {
			t.Fatalf("request %d: %d %q", i, resp.StatusCode, body)
		}
	}
}

// Close lets what is under way end.
func TestCloseIsGraceful(t *testing.T) {
	g, err := Listen("cluster1", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{Gateway: g, net: newMesh(t).net, client: &http.Client{}}
	g.Connect(m.net)
	asked, answer := make(chan struct{}), make(chan struct{})
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		io.WriteString(w, "whole")
	})
	m.route(t, to("10.244.0.1"))
	go func() {
		<-asked
		go func() {
			for { // until the listener is gone, that is, Close is at work
				c, err := net.Dial("tcp", g.Addr())
				if err != nil {
					close(answer)
					return
				}
				c.Close()
			}
		}()
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, body := m.get(t, "/"); body != "whole" {
		t.Errorf("got %q", body)
	}
}
