package gateway

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

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
	c := load(t, m, 4)
	defer c.end()
	for i := range 200 {
		m.route(t, to([]string{"10.244.0.1", "10.244.0.2"}[i%2]))
	}
	c.goOn(t, 20)
}

// clients keep asking, half of them on new connections, half of them with POST;
// every answer must be 200.
type clients struct {
	mu      sync.Mutex
	changed *sync.Cond
	answers []int // of each client; -1 once it has given up
	stop    context.CancelFunc
	working sync.WaitGroup
}

func load(t *testing.T, m *mesh, n int) *clients {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clients{answers: make([]int, n), stop: cancel}
	c.changed = sync.NewCond(&c.mu)
	for i := range n {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		c.working.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				err := ask(client, "http://"+m.Addr(), i%4 < 2)
				c.mu.Lock()
				c.answers[i]++
				if err != nil {
					t.Error(err)
					c.answers[i] = -1
				}
				c.changed.Broadcast()
				c.mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	return c
}

func ask(client *http.Client, url string, get bool) error {
	r, err := http.NewRequest("POST", url, strings.NewReader("hello"))
	if get {
		r, err = http.NewRequest("GET", url, nil)
	}
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != 200 {
		err = fmt.Errorf("%s %s", resp.Status, body)
	}
	return err
}

// goOn waits until each client has had so many more answers. After two, no
// request is under way that was begun before.
func (c *clients) goOn(t *testing.T, answers int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	want := slices.Clone(c.answers)
	for i := range c.answers {
		for c.answers[i] >= 0 && c.answers[i] < want[i]+answers {
			c.changed.Wait()
		}
	}
}

func (c *clients) end() {
	c.stop()
	c.working.Wait()
}

// A pod is replaced as a Deployment does it: the new one is there, the gateway
// learns that the old one is not to be used, and when what is under way has
// ended the old one goes off the network and ends. Nobody sees an error, though
// connections to the old one were kept.
func TestBackendReplaced(t *testing.T) {
	m := newMesh(t)
	old, before := m.pod(t, "10.244.0.100", says("old")), "10.244.0.100"
	m.route(t, to(before))
	c := load(t, m, 4)
	defer c.end()
	for i := range 10 {
		after := fmt.Sprintf("10.244.0.%d", i+1)
		next := m.pod(t, after, says("new"))
		m.route(t, to(before, after))
		c.goOn(t, 3)
		m.route(t, to(after))
		c.goOn(t, 2)
		m.net.Unregister(before)
		old.Close()
		old, before = next, after
	}
	c.goOn(t, 10)
}

// A request that was routed to a pod which has been replaced since, before it
// could be sent, goes to the one that is there now.
func TestRetryAsksWhoIsThereNow(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.2", says("new"))
	m.route(t, to("10.244.0.1"))
	r := m.request(t, "POST", "/", strings.NewReader("hello"))
	now := m.inForce.Load()
	rule, path := now.table.Find(r)
	c := &call{gateway: m.Gateway, guard: now.guard, rule: rule, target: rule.Choose(&routing.Connection{}), path: path}
	m.route(t, to("10.244.0.2"))
	resp, err := c.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "new" {
		t.Errorf("answered %s %q", resp.Status, body)
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
