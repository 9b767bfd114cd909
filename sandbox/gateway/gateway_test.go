package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/routing"
)

// mesh is a gateway under test, and the network behind it.
type mesh struct {
	*Gateway
	net    *network.Network
	client *http.Client
}

func newMesh(t testing.TB) *mesh {
	t.Helper()
	g, err := Listen("cluster1", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{Gateway: g, net: network.New(), client: &http.Client{Transport: &http.Transport{}}}
	g.Connect(m.net)
	t.Cleanup(func() {
		m.client.CloseIdleConnections()
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	return m
}

// pod runs a handler at a cluster address, port 3000.
func (m *mesh) pod(t testing.TB, ip string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	m.net.Register(ip, 3000, s.Listener.Addr().String())
	return s
}

// says is a service that answers with a text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }
}

func (m *mesh) route(t testing.TB, routes ...routing.Route) {
	t.Helper()
	table, err := routing.New([]routing.Host{{Name: "*", Routes: routes}})
	if err != nil {
		t.Fatal(err)
	}
	m.Swap(table, &authorization.Guard{})
}

// to is a route that leads to the pods of these addresses, port 3000.
func to(ips ...string) routing.Route {
	d := routing.Destination{Host: "service", Weight: 1}
	for _, ip := range ips {
		d.Endpoints = append(d.Endpoints, ip+":3000")
	}
	return routing.Route{Destinations: []routing.Destination{d}}
}

func (m *mesh) do(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := m.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (m *mesh) request(t testing.TB, method, path string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+m.Addr()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (m *mesh) get(t testing.TB, path string) (*http.Response, string) {
	t.Helper()
	return m.do(t, m.request(t, "GET", path, nil))
}

func TestAnswersOfItsOwn(t *testing.T) {
	m := newMesh(t)
	reset := m.pod(t, "10.244.0.9", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	defer reset.Close()
	hang := make(chan struct{})
	m.pod(t, "10.244.0.8", func(w http.ResponseWriter, r *http.Request) { <-hang })
	t.Cleanup(func() { close(hang) })
	m.net.Refuse("10.244.0.7", 3000)

	unknown, aborted, slow := to(), to("10.244.0.9"), to("10.244.0.8")
	unknown.Destinations[0].Unknown = true
	aborted.Aborts = []routing.Abort{{Share: 1, Status: 429}}
	slow.Timeout = 20 * time.Millisecond
	never := to("10.244.0.9")
	never.Match = []routing.Match{{Path: routing.Text{Kind: routing.Exact, Value: "/other"}}}

	for _, c := range []struct {
		name   string
		route  routing.Route
		status int
		body   string
	}{
		{"no route", never, 404, ""},
		{"unknown host", unknown, 503, ""},
		{"no endpoint", to(), 503, "no healthy upstream"},
		{"refused", to("10.244.0.7"), 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused"},
		{"no such host", to("10.244.0.6"), 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: No route to host"},
		{"connection cut", to("10.244.0.9"), 503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination"},
		{"timeout", slow, 504, "upstream request timeout"},
		{"fault", aborted, 429, "fault filter abort"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.route(t, c.route)
			resp, body := m.get(t, "/api")
			if resp.StatusCode != c.status || body != c.body {
				t.Errorf("answered %d %q, want %d %q", resp.StatusCode, body, c.status, c.body)
			}
			wantType := "text/plain"
			if c.body == "" {
				wantType = ""
			}
			if got := resp.Header.Get("Content-Type"); got != wantType {
				t.Errorf("content-type %q, want %q", got, wantType)
			}
			if resp.Header.Get("Server") != "istio-envoy" || resp.ContentLength != int64(len(c.body)) || resp.Header.Get("Date") == "" {
				t.Errorf("headers %v", resp.Header)
			}
		})
	}
}

func TestUnconfigured(t *testing.T) {
	if resp, body := newMesh(t).get(t, "/"); resp.StatusCode != 404 || body != "" {
		t.Errorf("answered %d %q, want 404 and nothing", resp.StatusCode, body)
	}
}

func TestRequestIsPassedOn(t *testing.T) {
	m := newMesh(t)
	var got *http.Request
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		w.Header().Set("Server", "node")
		w.Header().Set("Connection", "X-Secret")
		w.Header().Set("X-Secret", "1")
		w.Header().Set("X-Own", "1")
	})
	m.route(t, to("10.244.0.1"))

	r := m.request(t, "GET", "/a%2Fb?q=%zz;x&y", nil)
	r.Host = "shop.example.com"
	for name, value := range map[string]string{"User-Agent": "curl/8.5.0", "X-Forwarded-For": "1.2.3.4", "X-Request-Id": "mine",
		"Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "1", "X-End": "1"} {
		r.Header.Set(name, value)
	}
	resp, _ := m.do(t, r)

	if got.RequestURI != "/a%2Fb?q=%zz;x&y" || got.Host != "shop.example.com" {
		t.Errorf("the service was asked for %s at %s", got.RequestURI, got.Host)
	}
	for name, want := range map[string]string{"User-Agent": "curl/8.5.0", "X-Forwarded-For": "1.2.3.4,127.0.0.1", "X-Forwarded-Proto": "http",
		"X-Request-Id": "mine", "X-End": "1", "X-Hop": "", "Keep-Alive": "", "Connection": "", "X-Envoy-Original-Path": ""} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("the service saw %s: %q, want %q", name, v, want)
		}
	}
	for name, want := range map[string]string{"Server": "istio-envoy", "X-Own": "1", "X-Secret": ""} {
		if v := resp.Header.Get(name); v != want {
			t.Errorf("the client saw %s: %q, want %q", name, v, want)
		}
	}
	if resp.Header.Get("X-Envoy-Upstream-Service-Time") == "" {
		t.Error("the client saw no x-envoy-upstream-service-time")
	}

	r = m.request(t, "GET", "/", nil)
	r.Header.Set("User-Agent", "") // none at all
	m.do(t, r)
	if _, ok := got.Header["User-Agent"]; ok {
		t.Errorf("a User-Agent %q was made up", got.UserAgent())
	}
	if id := got.Header.Get("X-Request-Id"); len(id) != 36 || id[14] != '4' {
		t.Errorf("x-request-id %q, want a version 4 UUID", id)
	}
	if v := got.Header.Get("X-Forwarded-For"); v != "127.0.0.1" {
		t.Errorf("x-forwarded-for %q, want 127.0.0.1", v)
	}
}

func TestRewrite(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Host, r.RequestURI, r.Header.Get("X-Envoy-Original-Path"))
	})
	route := to("10.244.0.1")
	route.Match = []routing.Match{{Path: routing.Text{Kind: routing.Prefix, Value: "/bgc"}}}
	route.Rewrite = routing.Rewrite{Path: "/", Authority: "inner"}
	m.route(t, route)
	for path, want := range map[string]string{
		"/bgc":                 "inner / /bgc",
		"/bgc?q=1":             "inner /?q=1 /bgc?q=1",
		"/bgcapi":              "inner /api /bgcapi",
		"/bgc/x":               "inner //x /bgc/x",
		"/bgcx%2Fy%20z/%C3%A4": "inner /x%2Fy%20z/%C3%A4 /bgcx%2Fy%20z/%C3%A4",
	} {
		if _, body := m.get(t, path); body != want {
			t.Errorf("%s: %q, want %q", path, body, want)
		}
	}
}

// Bytes pass as soon as they come, both ways at once.
func TestStreams(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(200)
		c.Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(w, "echo", lines.Text())
			c.Flush()
		}
	})
	m.route(t, to("10.244.0.1"))
	body, write := io.Pipe()
	resp, err := m.client.Do(m.request(t, "POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	for _, word := range []string{"one", "two", "three"} {
		fmt.Fprintln(write, word)
		if line, err := read.ReadString('\n'); err != nil || line != "echo "+word+"\n" {
			t.Fatalf("got %q, %v; want echo %s while the request is still being sent", line, err, word)
		}
	}
	write.Close()
	if rest, err := io.ReadAll(read); err != nil || len(rest) > 0 {
		t.Errorf("then got %q, %v", rest, err)
	}
}

func TestLargeBodies(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	m.route(t, to("10.244.0.9", "10.244.0.1")) // the body survives a refused connection
	sent := strings.Repeat("0123456789abcdef", 1<<17)
	for range 4 {
		if resp, got := m.do(t, m.request(t, "POST", "/", strings.NewReader(sent))); resp.StatusCode != 200 || got != sent {
			t.Errorf("%d, %d bytes came back, want 200 and %d", resp.StatusCode, len(got), len(sent))
		}
	}
}

// A service that breaks off within its answer must not look as if it had ended it.
func TestBrokenAnswerStaysBroken(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	m.route(t, to("10.244.0.1"))
	resp, err := m.client.Do(m.request(t, "GET", "/", nil))
	if err == nil {
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
	}
	if err == nil {
		t.Error("the answer looked whole")
	}
}

func TestKeepAliveAndClose(t *testing.T) {
	m := newMesh(t)
	var mu sync.Mutex
	upstream := map[string]bool{}
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		upstream[r.RemoteAddr] = true
		mu.Unlock()
	})
	m.route(t, to("10.244.0.1"))

	c, err := net.Dial("tcp", m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	ask := func(header string) *http.Response {
		t.Helper()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", header)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		return resp
	}
	for range 3 {
		if resp := ask(""); resp.Close {
			t.Fatal("the gateway closes a connection that nobody asked it to close")
		}
	}
	if resp := ask("Connection: close\r\n"); !resp.Close {
		t.Error("the gateway does not say that it closes")
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("after Connection: close: %v, want EOF", err)
	}
	if len(upstream) != 1 {
		t.Errorf("%d connections to the service, want 1 that is kept", len(upstream))
	}
}

// A client that goes takes its request along.
func TestClientGone(t *testing.T) {
	m := newMesh(t)
	asked, gone := make(chan struct{}), make(chan struct{})
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	})
	m.route(t, to("10.244.0.1"))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := m.client.Do(m.request(t, "GET", "/", nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-gone // or the test hangs
}

func TestConnectIsNotServed(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", says("no"))
	m.route(t, to("10.244.0.1"))
	c, err := net.Dial("tcp", m.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 404 {
		t.Errorf("got %v, %v; want 404", resp, err)
	}
}
