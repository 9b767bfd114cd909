package gateway

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/sandbox/routing"
)

// within holds a count to a binomial distribution: further off than six
// standard deviations it would be by chance once in five hundred million times.
func within(t *testing.T, what string, got, n int, p float64) {
	t.Helper()
	mean, sigma := float64(n)*p, math.Sqrt(float64(n)*p*(1-p))
	if math.Abs(float64(got)-mean) > 6*sigma+1e-9 {
		t.Errorf("%s: %d of %d, want %.1f %%", what, got, n, 100*p)
	}
}

// Each request is drawn on its own: 20 % aborts are 20 % of the answers, and
// with another 10 % of a second sort these are of the rest.
func TestAbortShare(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.5", says("well"))
	route := to("10.244.0.5")
	route.Aborts = []routing.Abort{{Share: 0.2, Status: 418}, {Share: 0.1, Status: 503}}
	m.route(t, route)
	const n = 2000
	count := map[int]int{}
	for range n {
		resp, body := m.get(t, "/")
		count[resp.StatusCode]++
		if want := map[int]string{200: "well", 418: "fault filter abort", 503: "fault filter abort"}[resp.StatusCode]; body != want {
			t.Fatalf("answered %d %q", resp.StatusCode, body)
		}
	}
	within(t, "418", count[418], n, 0.2)
	within(t, "503", count[503], n, 0.8*0.1)
	within(t, "200", count[200], n, 0.8*0.9)
}

func TestAbortsAreCertainOrNever(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.5", says("well"))
	for share, want := range map[float64]int{0: 200, 1: 503} {
		route := to("10.244.0.5")
		route.Aborts = []routing.Abort{{Share: share, Status: 503}}
		m.route(t, route)
		for range 100 {
			if resp, _ := m.get(t, "/"); resp.StatusCode != want {
				t.Fatalf("share %v: answered %d", share, resp.StatusCode)
			}
		}
	}
}

// Delays hold back before the abort is drawn, and are no part of the timeout.
func TestDelay(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.5", says("well"))
	const hold = 150 * time.Millisecond
	route := to("10.244.0.5")
	route.Delays = []routing.Delay{{Share: 1, For: hold}, {Share: 0, For: time.Hour}}
	for _, c := range []struct {
		aborts []routing.Abort
		status int
	}{{nil, 200}, {[]routing.Abort{{Share: 1, Status: 429}}, 429}} {
		route.Aborts = c.aborts
		m.route(t, route)
		began := time.Now()
		resp, _ := m.get(t, "/")
		if took := time.Since(began); resp.StatusCode != c.status || took < hold {
			t.Errorf("answered %d after %s, want %d after %s", resp.StatusCode, took, c.status, hold)
		}
	}
}

func TestHeaders(t *testing.T) {
	m := newMesh(t)
	var got *http.Request
	m.pod(t, "10.244.0.5", func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(r.Context())
		w.Header().Set("X-Version", "service")
		w.Header().Set("X-Secret", "service")
	})
	route := to("10.244.0.5")
	pair := func(name, value string) []routing.Pair { return []routing.Pair{{Name: name, Value: value}} }
	route.Headers.Request = routing.Operations{Remove: []string{"cookie", "user-agent"}, Set: pair("x-way", "route"), Add: pair("x-list", "route")}
	route.Headers.Response = routing.Operations{Remove: []string{"x-secret"}, Set: pair("x-version", "route"), Add: pair("x-list", "route")}
	route.Destinations[0].Headers.Request = routing.Operations{Set: pair("x-way", "destination"), Add: pair("x-list", "destination")}
	route.Destinations[0].Headers.Response = routing.Operations{Add: pair("x-list", "destination")}
	route.Destinations[0].Authority = "inner.test"
	route.Rewrite.Authority = "outer.test"
	m.route(t, route)
	r := m.request(t, "GET", "/", nil)
	r.Header.Set("Cookie", "a=b")
	r.Header.Set("X-List", "client")
	resp, _ := m.do(t, r)
	header := map[string]any{"cookie": got.Header["Cookie"], "agent": got.Header["User-Agent"], "way": got.Header["X-Way"], "list": got.Header["X-List"], "host": got.Host}
	if diff := cmp.Diff(map[string]any{"cookie": []string(nil), "agent": []string(nil), "way": []string{"route"}, "list": []string{"client", "destination", "route"}, "host": "inner.test"}, header); diff != "" {
		t.Errorf("the service's request: -want +got:\n%s", diff)
	}
	answer := map[string][]string{"version": resp.Header["X-Version"], "secret": resp.Header["X-Secret"], "list": resp.Header["X-List"]}
	if diff := cmp.Diff(map[string][]string{"version": {"route"}, "secret": nil, "list": {"destination", "route"}}, answer); diff != "" {
		t.Errorf("the client's answer: -want +got:\n%s", diff)
	}
}

// Answers that come from no destination have the route's headers all the same.
func TestAnswersWithoutDestination(t *testing.T) {
	m := newMesh(t)
	m.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	path := func(p string) []routing.Match {
		return []routing.Match{{Path: routing.Text{Kind: routing.Prefix, Value: p}}}
	}
	m.route(t,
		routing.Route{Match: path("/teapot"), Answer: &routing.Answer{Status: 418, Body: "short"},
			Policy: routing.Policy{Headers: routing.Headers{Response: routing.Operations{Set: []routing.Pair{{Name: "x", Value: "y"}}}}}},
		routing.Route{Match: path("/old"), Redirect: &routing.Redirect{Status: 308, Prefix: "/new"}},
		routing.Route{Match: path("/away"), Redirect: &routing.Redirect{Status: 302, Scheme: "https", Authority: "b.test", Port: 8443, Path: "/x?y"}},
		routing.Route{Match: path("/safe"), Redirect: &routing.Redirect{Status: 301, Scheme: "https"}},
		routing.Route{Match: path("/fault"), Answer: &routing.Answer{Status: 200}, Policy: routing.Policy{Aborts: []routing.Abort{{Share: 1, Status: 500}}}},
	)
	for _, c := range []struct {
		path, host string
		status     int
		body       string
		location   string
	}{
		{"/teapot", "", 418, "short", ""},
		{"/old/a?b=c", "a.test", 308, "", "http://a.test/new/a?b=c"},
		{"/away/a?b=c", "a.test", 302, "", "https://b.test:8443/x?y"},
		{"/safe/a", "a.test:80", 301, "", "https://a.test/safe/a"},
		{"/fault", "", 500, "fault filter abort", ""},
	} {
		r := m.request(t, "GET", c.path, nil)
		r.Host = c.host
		resp, body := m.do(t, r)
		if resp.StatusCode != c.status || body != c.body || resp.Header.Get("Location") != c.location {
			t.Errorf("%s: answered %d %q %q", c.path, resp.StatusCode, body, resp.Header.Get("Location"))
		}
		if got := resp.Header.Get("X"); got != map[bool]string{true: "y"}[c.path == "/teapot"] {
			t.Errorf("%s: header x is %q", c.path, got)
		}
	}
}

func TestCors(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.5", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "the service's own")
		io.WriteString(w, "well")
	})
	route := to("10.244.0.5")
	route.Cors = &routing.Cors{Origins: []routing.Text{{Kind: routing.Exact, Value: "https://a.test"}, {Kind: routing.Regex, Value: `https://[a-z]+\.b\.test`}},
		Methods: []string{"GET", "POST"}, Headers: []string{"x-a", "x-b"}, Expose: []string{"x-c"}, MaxAge: time.Hour, Credentials: true}
	faulty := route
	faulty.Match = []routing.Match{{Path: routing.Text{Kind: routing.Exact, Value: "/fault"}}}
	faulty.Aborts = []routing.Abort{{Share: 1, Status: 503}}
	m.route(t, faulty, route)
	for _, c := range []struct {
		name, method, path, origin string
		asks                       bool // for permission
		status                     int
		body                       string
		want                       map[string]string
	}{
		{"from here", "GET", "/", "", false, 200, "well", map[string]string{"Allow-Origin": "the service's own"}},
		{"from there", "GET", "/", "https://a.test", false, 200, "well", map[string]string{"Allow-Origin": "https://a.test", "Allow-Credentials": "true", "Expose-Headers": "x-c"}},
		{"by a pattern", "GET", "/", "https://x.b.test", false, 200, "well", map[string]string{"Allow-Origin": "https://x.b.test", "Allow-Credentials": "true", "Expose-Headers": "x-c"}},
		{"from a stranger", "GET", "/", "https://c.test", false, 200, "well", map[string]string{"Allow-Origin": "the service's own"}},
		{"asked before", "OPTIONS", "/", "https://a.test", true, 200, "", map[string]string{"Allow-Origin": "https://a.test", "Allow-Credentials": "true",
			"Allow-Methods": "GET,POST", "Allow-Headers": "x-a,x-b", "Max-Age": "3600"}},
		{"asked by a stranger", "OPTIONS", "/", "https://c.test", true, 200, "well", map[string]string{"Allow-Origin": "the service's own"}},
		{"of a fault", "GET", "/fault", "https://a.test", false, 503, "fault filter abort", map[string]string{"Allow-Origin": "https://a.test", "Allow-Credentials": "true", "Expose-Headers": "x-c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := m.request(t, c.method, c.path, nil)
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.asks {
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
			resp, body := m.do(t, r)
			got := map[string]string{}
			for name, values := range resp.Header {
				if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
					got[short] = strings.Join(values, "|")
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || resp.StatusCode != c.status || body != c.body {
				t.Errorf("answered %d %q; headers -want +got:\n%s", resp.StatusCode, body, diff)
			}
		})
	}
	route.Cors.IgnoreUnmatched = true
	m.route(t, route)
	r := m.request(t, "OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://c.test")
	r.Header.Set("Access-Control-Request-Method", "POST")
	if resp, body := m.do(t, r); resp.StatusCode != 200 || body != "" {
		t.Errorf("a stranger's question was passed on: %d %q", resp.StatusCode, body)
	}
}

// copied is what a mirror's target was sent.
type copied struct{ host, path, way, agent, body string }

func TestMirror(t *testing.T) {
	m := newMesh(t)
	got := make(chan copied, 100)
	m.pod(t, "10.244.0.5", says("well"))
	m.pod(t, "10.244.0.6", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- copied{r.Host, r.URL.Path, r.Header.Get("X-Way"), r.UserAgent(), string(body)}
		w.WriteHeader(500) // nobody minds
	})
	route := to("10.244.0.5")
	route.Rewrite = routing.Rewrite{Path: "/inner/", Authority: "inner.test"}
	route.Headers.Request.Set = []routing.Pair{{Name: "x-way", Value: "gateway"}}
	route.Mirrors = []routing.Mirror{
		{Share: 1, To: to("10.244.0.6").Destinations[0]},
		{Share: 0, To: to("10.244.0.6").Destinations[0]},
		{Share: 1, To: routing.Destination{Host: "nobody"}},
	}
	m.route(t, route)
	body := []byte("some body")
	for _, r := range []*http.Request{m.request(t, "GET", "/api", nil), m.request(t, "POST", "/api", bytes.NewReader(body)), m.request(t, "POST", "/api", struct{ io.Reader }{bytes.NewReader(body)})} {
		r.Header.Set("User-Agent", "") // none, which is to stay so
		if resp, answer := m.do(t, r); resp.StatusCode != 200 || answer != "well" {
			t.Fatalf("answered %d %q", resp.StatusCode, answer)
		}
		want := copied{"inner.test-shadow", "/inner/api", "gateway", r.UserAgent(), ""}
		if r.Method == "POST" {
			want.body = string(body)
		}
		if one := <-got; one != want {
			t.Errorf("the copy is %+v, want %+v", one, want)
		}
	}
	if len(got) > 0 {
		t.Errorf("there are %d copies too many", len(got))
	}
}

func TestMirrorShare(t *testing.T) {
	table, err := routing.New([]routing.Host{{Name: "*", Routes: []routing.Route{{Destinations: to("10.244.0.5").Destinations,
		Policy: routing.Policy{Mirrors: []routing.Mirror{{Share: 0.3, To: to("10.244.0.6").Destinations[0]}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", "http://a.test/", nil)
	rule, _ := table.Find(r)
	const n = 20_000
	copies := 0
	for range n {
		copies += len(rule.Mirrors())
	}
	within(t, "copies", copies, n, 0.3)
}

func TestShadowed(t *testing.T) {
	for host, want := range map[string]string{"a.test": "a.test-shadow", "a.test:80": "a.test-shadow:80"} {
		if got := shadowed(host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}
