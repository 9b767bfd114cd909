package runner

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
)

// answering serves answers by their number, from 1.
func answering(t *testing.T, answer func(n int64, w http.ResponseWriter, r *http.Request)) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	n := new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(n.Add(1), w, r) }))
	t.Cleanup(s.Close)
	return s, n
}

func denied(w http.ResponseWriter) {
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprint(w, "RBAC: access denied")
}

func blue(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"color":"blue","pod":"blue-98db67777-797t7","count":7}`)
}

// While a change is on its way old and new answers alternate: the new one
// counts only when it holds.
func TestCallWaitsUntilTheAnswerHolds(t *testing.T) {
	s, n := answering(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n <= 3 || n == 6 {
			denied(w)
		} else {
			blue(w)
		}
	})
	got := step(t, begin(t, "- call: {request: {path: /api}, answer: {status: 200, is: blue}}\n", s.URL))
	if got.State != record.Passed || n.Load() != 16 {
		t.Errorf("%s after %d calls: %s; want passed after 16: 6 and 10 that held", got.State, n.Load(), got.Error)
	}
	if text := strings.Join(got.Notes, "\n"); !strings.HasPrefix(text, "gateway1: status 200, blue after ") || !strings.HasSuffix(text, "10 times in a row") {
		t.Errorf("notes %q", text)
	}
}

func TestCallAsksEveryGateway(t *testing.T) {
	good, n := answering(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { denied(w) })
	bad, _ := answering(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { blue(w) })
	got := step(t, begin(t, "- call: {request: {path: /api}, answer: {status: 403}, within: 100ms}\n", good.URL, bad.URL))
	if got.State != record.Failed || !strings.Contains(got.Error, "gateway2: s.yaml:5:41: not within 100ms") || strings.Contains(got.Error, "gateway1") {
		t.Errorf("%s: %s, want gateway2 to fail", got.State, got.Error)
	}
	if n.Load() != 10 {
		t.Errorf("the other was asked %d times, want 10", n.Load())
	}
}

func TestCallSaysWhatIsNotAsWanted(t *testing.T) {
	s, _ := answering(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Pod", "blue-1")
		blue(w)
	})
	tests := []struct{ answer, want string }{
		{"{status: 403}", "status: got 200, want 403"},
		{"{is: green}", "it is blue, want green"},
		{"{headers: {x-pod: green-*}}", `header x-pod: got ["blue-1"], want "green-*"`},
		{"{headers: {x-none: a}}", `header x-none: got nothing, want "a"`},
		{"{body: denied}", `body: "denied" is not in it`},
		{"{json: {color: green, pod: blue-*, count: 7}}", `json.color: got "blue", want "green"`},
		{"{json: {pod: null}}", `json.pod: got "blue-98db67777-797t7", want nothing`},
	}
	for _, tt := range tests {
		got := step(t, begin(t, "- call: {request: {path: /api}, answer: "+tt.answer+", within: 1ms}\n", s.URL))
		if got.State != record.Failed || !strings.Contains(got.Error, tt.want) || !strings.Contains(got.Error, "it was 200 ") {
			t.Errorf("%s: %s: %s, want failed with %q", tt.answer, got.State, got.Error, tt.want)
		}
	}
	for _, answer := range []string{"{headers: {x-pod: blue-*}, json: {count: 7}}", `{body: '"count":7'}`, "{json: {error: null}}"} {
		if got := step(t, begin(t, "- call: {request: {path: /api}, answer: "+answer+"}\n", s.URL)); got.State != record.Passed {
			t.Errorf("%s: %s: %s", answer, got.State, got.Error)
		}
	}
}

func TestCallThatIsNotAnsweredFails(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	got := step(t, begin(t, "- call: {request: {path: /api}, answer: {status: 200}, within: 100ms}\n", "http://"+listener.Addr().String()))
	if got.State != record.Failed || !strings.Contains(got.Error, "no answer: ") || !strings.Contains(got.Error, "connection refused") {
		t.Errorf("%s: %s", got.State, got.Error)
	}
}

// A redirect is an answer, and a proxy of the shell's is not taken.
func TestCallTakesAnswersAsTheyCome(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:9")
	s, _ := answering(t, func(_ int64, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
	got := step(t, begin(t, "- call: {request: {url: "+s.URL+"/x}, answer: {status: 302, headers: {Location: /login}}}\n", s.URL))
	if got.State != record.Passed {
		t.Errorf("%s: %s", got.State, got.Error)
	}
}

// everyCaller are the ways to call, each on the same machine.
func everyCaller(t *testing.T) map[string]caller {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = ""
		r.Header.Del("Proxy-Connection")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]caller{"local": newDirect(), "proxy": newProxied(at)}
	if _, err := exec.LookPath("curl"); err == nil {
		all["command"] = remote{"sh", "-c"}
		// As over a login with a greeting and a terminal.
		noisy := filepath.Join(t.TempDir(), "login")
		script := "#!/bin/sh\necho 'Welcome!'\nsh -c \"$1\" 2>&1 | sed 's/$/\\r/'\necho 'Connection closed.'\n"
		if err := os.WriteFile(noisy, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		all["noisy command"] = remote{noisy}
	} else {
		t.Log("without curl, calls by a command are not tried")
	}
	return all
}

// Whoever calls, the same arrives and the same comes back, bytes that a shell
// or a terminal would change among it.
func TestEveryClientCallsAlike(t *testing.T) {
	body := "line\r\nline\n\n\x00\xff'\"$HOME `x`\n"
	s, _ := answering(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprintf("%s %s %s %q %q %q", r.Method, r.Host, r.URL, r.Header.Get("User-Agent"), r.Header.Get("X-It"), r.Header["Content-Type"]))
		w.Header().Set("X-Body", fmt.Sprintf("%q", got))
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, body)
		w.(http.Flusher).Flush() // chunked
		fmt.Fprint(w, body)
	})
	requests := []sample.Request{
		{URL: s.URL + "/api?a=[1]&b=%27", Method: "GET"},
		{URL: s.URL + "/a/../b", Method: "POST", Host: "other.example.com", Body: []byte("it's $HOME\n@file"), Header: http.Header{"X-It": {"it's; \"$HOME\""}, "User-Agent": {"Mozilla/5.0 (X11; rv:140.0)"}}},
		{URL: s.URL + "/", Method: "PUT", Body: []byte("@/etc/hostname"), Header: http.Header{"Content-Type": {"text/plain"}, "X-It": {""}}},
		{URL: s.URL + "/", Method: "HEAD"},
	}
	callers := everyCaller(t)
	for _, r := range requests {
		want, err := callers["local"].call(t.Context(), r)
		if err != nil || want.status != http.StatusTeapot {
			t.Fatalf("%s %s: %v, %v", r.Method, r.URL, want, err)
		}
		if r.Method != "HEAD" && string(want.body) != body+body {
			t.Errorf("%s: body %q", r.URL, want.body)
		}
		for name, c := range callers {
			if name == "proxy" && r.Host != "" {
				continue // a proxy overwrites it, so planning refuses it
			}
			got, err := c.call(t.Context(), r)
			if err != nil {
				t.Errorf("%s: %s %s: %v", name, r.Method, r.URL, err)
				continue
			}
			for _, h := range []string{"X-Seen", "X-Body"} {
				if got.header.Get(h) != want.header.Get(h) {
					t.Errorf("%s: %s\n got %s\nwant %s", name, h, got.header.Get(h), want.header.Get(h))
				}
			}
			if got.status != want.status || string(got.body) != string(want.body) {
				t.Errorf("%s: %d %q, want %d %q", name, got.status, got.body, want.status, want.body)
			}
		}
	}
}

// What is wrong with the client says nothing of what it calls.
func TestACommandThatCannotCallIsTrouble(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	r := sample.Request{URL: "http://" + closed.Addr().String() + "/", Method: "GET"}
	tests := []struct {
		reason  string
		client  remote
		want    string
		trouble bool
	}{
		{"no such program", remote{"assay-no-such-program"}, "executable file not found", true},
		{"the machine is down", remote{"sh", "-c", "echo VM is not running >&2; exit 1"}, "VM is not running", true},
		{"there is no curl", remote{"env", "PATH=" + onlyBase64(t), "/bin/sh", "-c"}, "curl must be installed there", true},
		{"nobody answers", remote{"sh", "-c"}, "exit code 7 of curl", false},
	}
	for _, tt := range tests {
		if _, err := exec.LookPath("curl"); err != nil && !tt.trouble {
			continue
		}
		_, err := tt.client.call(t.Context(), r)
		if err == nil || !strings.Contains(err.Error(), tt.want) || isTrouble(err) != tt.trouble {
			t.Errorf("%s: %v (trouble %v), want %q (trouble %v)", tt.reason, err, isTrouble(err), tt.want, tt.trouble)
		}
	}
	run := begin(t, "- call: {request: {url: http://127.0.0.1:9/}, answer: {status: 200}}\n", "http://127.0.0.1:9")
	run.plan.Scenarios[0].Steps[0].work.(*callWork).caller = remote{"assay-no-such-program"}
	if got := step(t, run); got.State != record.Errored || !strings.Contains(got.Error, "executable file not found") {
		t.Errorf("%s: %s, want errored at once", got.State, got.Error)
	}
}

// onlyBase64 is a PATH with base64 and no curl.
func onlyBase64(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path, err := exec.LookPath("base64")
	if err != nil {
		t.Skip("there is no base64")
	}
	if err := os.Symlink(path, filepath.Join(dir, "base64")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The environment's clients become callers of their kind.
func TestClientsOfTheEnvironment(t *testing.T) {
	e := engineIn(t, "sandbox")
	p := &planner{engine: e, env: e.env}
	body := steps(t, "- call: {client: vm}\n")[0].Steps[0].Body
	if c, ok := p.caller(body.Get("client"), "vm").(remote); !ok || strings.Join(c, " ") != "vagrant ssh -c" {
		t.Errorf("vm is %v", c)
	}
	proxied, ok := p.caller(body.Get("client"), "bastion").(direct)
	if !ok {
		t.Fatal("bastion does not call through its proxy")
	}
	request, _ := http.NewRequest("GET", "http://example.com/", nil)
	if proxy, err := proxied.client.Transport.(*http.Transport).Proxy(request); err != nil || proxy.String() != "http://127.0.0.1:3128" {
		t.Errorf("bastion calls through %v, %v", proxy, err)
	}
	if c, ok := p.caller(body.Get("client"), environment.Local).(direct); !ok || c.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("local calls through a proxy")
	}
}

// Where a proxy is looked up is known to the plan, and its cluster is connected
// to; the address is found when the call is made.
func TestClientWhoseProxyIsLookedUp(t *testing.T) {
	e := engineIn(t, "sandbox")
	e.env.Clients["vm"] = environment.Client{Cluster: "cluster2", Service: "sandbox/vm-proxy", Port: "http"}
	const call = "- call: {client: vm, request: {url: \"http://a.b.svc.cluster.local:8080/api\"%s}, answer: {status: 200}}\n"
	plan, err := e.Plan(steps(t, fmt.Sprintf(call, "")))
	if err != nil {
		t.Fatal(err)
	}
	w := plan.Scenarios[0].Steps[0].work.(*callWork)
	if want := (environment.Gateway{Cluster: "cluster2", Service: "sandbox/vm-proxy", Port: "http"}); w.proxy != want || w.caller != nil {
		t.Errorf("the proxy is looked up at %+v, the caller is %v", w.proxy, w.caller)
	}
	if !slices.Contains(plan.clusters, "cluster2") {
		t.Errorf("the plan uses the clusters %v, want the proxy's among them", plan.clusters)
	}
	if _, err := e.Plan(steps(t, fmt.Sprintf(call, ", host: other.example.com"))); err == nil || !strings.Contains(err.Error(), "calls through a proxy") {
		t.Errorf("a Host header that the proxy overwrites: got %v", err)
	}
}

// What a client says is foreign: it must never be taken for another answer.
func FuzzAnswerOf(f *testing.F) {
	f.Add("SFRUUC8xLjEgMjAwIE9LDQpDb250ZW50LUxlbmd0aDogMg0KDQpvawoKMA==", "GET")
	f.Add("", "HEAD")
	f.Add("bm90aGluZw==", "GET")
	f.Fuzz(func(t *testing.T, said, method string) {
		a, err := answerOf(said, method)
		if (a == nil) == (err == nil) {
			t.Errorf("answer %v, error %v", a, err)
		}
	})
}
