package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// gateway deals its answers as a smooth weighted round robin would: what is
// said of it does not depend on chance.
type gateway struct {
	mu      sync.Mutex
	weights map[string]int
	names   []string
	current map[string]int
	asked   atomic.Int64
	seen    *http.Request
	answer  func(w http.ResponseWriter, color string, number int64)
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen = r
	best, total := "", 0
	for _, name := range g.names {
		g.current[name] += g.weights[name]
		total += g.weights[name]
		if best == "" || g.current[name] > g.current[best] {
			best = name
		}
	}
	g.current[best] -= total
	g.mu.Unlock()
	g.answer(w, best, g.asked.Add(1))
}

func newGateway(weights string) *gateway {
	g := &gateway{weights: map[string]int{}, current: map[string]int{}}
	for _, part := range strings.Split(weights, " ") {
		var name string
		var weight int
		if _, err := fmt.Sscanf(strings.Replace(part, "=", " ", 1), "%s %d", &name, &weight); err != nil {
			panic(err)
		}
		g.names = append(g.names, name)
		g.weights[name] = weight
	}
	g.answer = func(w http.ResponseWriter, color string, _ int64) {
		w.Header().Set("X-Color", color)
		fmt.Fprintf(w, `{"color": %q, "pod": {"name": "%s-1"}}`, color, color)
	}
	return g
}

func serve(t *testing.T, g *gateway) string {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server.URL + "/api"
}

func TestSampleJudges(t *testing.T) {
	right := serve(t, newGateway("blue=80 green=15 yellow=5"))
	failing := newGateway("blue=80 green=15 yellow=5")
	whole := failing.answer
	failing.answer = func(w http.ResponseWriter, color string, number int64) {
		if number%50 == 3 {
			http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
			return
		}
		whole(w, color, number)
	}
	broken := serve(t, failing)
	for _, tt := range []struct {
		name, args string
		code       int
		want       []string
	}{
		{"right", right + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 4pp", 0,
			[]string{"passed: ", "blue    80 % +- 4 pp", "requests, wrong with probability at most 0.01", "requests a second for", "latency: half within"}},
		{"by a header", right + " --answer header:X-Color --expect blue=80%,green=15%,yellow=5% --tolerance 4pp", 0, []string{"passed: "}},
		{"by a nested field", right + " --answer json:pod.name --expect blue-1=80%,green-1=15%,yellow-1=5% --tolerance 4pp", 0, []string{"passed: "}},
		{"by parts of the body", right + ` --answer body:blue-1=blue --answer match:green|yellow=rest --expect blue=80%,rest=20% --tolerance 4pp`, 0, []string{"passed: "}},
		{"wrong", right + " --answer json:color --expect blue=40%,green=55%,yellow=5% --tolerance 4pp", 1,
			[]string{"failed: ", "<- failed", "diagnosis: routing mistake", "answers over time"}},
		{"a leak", right + " --answer json:color --expect blue=80%,green=20% --tolerance 5pp", 1,
			[]string{"not listed: yellow 1", "are an outcome that no share names", `> {"color": "yellow"`}},
		{"a leak that is tolerated", right + " --answer json:color --expect blue=80%,green=20% --tolerance 9pp --leak 8%", 0, []string{"not listed        <= 8 %", "not listed: yellow"}},
		{"errors", broken + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 6pp", 1,
			[]string{"failed: errors are at", "server error", "status: 503", "first server error", "> no healthy upstream"}},
		{"errors that are tolerated", broken + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 6pp --errors 8%", 0,
			[]string{"passed: ", "errors        <= 8 %", "first server error", "> no healthy upstream"}},
		{"an injected fault", broken + " --expect 200=98%,503=2% --tolerance 2pp", 0, []string{"passed: ", "% 503"}},
		{"too little", right + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 4pp --requests 100", 3,
			[]string{"note: 100 requests cannot decide ±4 pp", "undecided: not decided after 100 answers", "to decide: about"}},
		{"too little time", right + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 1pp --duration 50ms", 3, []string{"undecided: "}},
		{"kept alive", right + " --answer json:color --reuse --expect blue=80%,green=15%,yellow=5% --tolerance 4pp", 3,
			[]string{"undecided: no verdict: connections were kept alive", "to decide: leave out --reuse", "balancing: "}},
		{"kept alive, and certainly wrong", right + " --answer json:color --reuse --expect blue=80%,green=20% --tolerance 4pp", 1, []string{"failed: 1 of", "not listed: yellow 1"}},
		{"kept alive, assumed independent", right + " --answer json:color --reuse --assume-independent --expect blue=80%,green=15%,yellow=5% --tolerance 4pp", 0, []string{"passed: "}},
		{"an open loop", right + " --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 10pp --errors 20% --rate 4000/s --open", 0, []string{"passed: "}},
		{"nobody there", "http://127.0.0.1:1/ --expect 200=100%", 1, []string{"failed: errors are at 100.0 %", "diagnosis: errors: the gateway does not answer", "first refused"}},
	} {
		t.Run(tt.name, func(t *testing.T) { says(t, typed{args: "sample " + tt.args}, tt.code, tt.want...) })
	}
}

func TestSampleLooks(t *testing.T) {
	g := newGateway("blue=80 green=15 yellow=5")
	url := serve(t, g)
	says(t, typed{args: "sample " + url + " --answer json:color --workers 1 --requests 2000"}, 0,
		"2,000 requests\n", "blue    80.0 %", "  1,600\n", "green   15.0 %", "errors     0 %", "intervals: 99 % for all of them together",
		"balancing: exact (round robin): the gateway deals its backends in turn")
	if n := g.asked.Load(); n < 2000 {
		t.Errorf("only %d requests", n)
	}
	says(t, typed{args: "sample " + url + " --requests 20"}, 0, "200     100 %")
	says(t, typed{args: "sample " + url + " --requests 20 --answer json:colour"}, 1, "unknown answer 20", "no rule told a single answer: json:colour (did you mean color?)")
	// One that nobody asked before: requests that were abandoned may still arrive.
	says(t, typed{args: "sample " + serve(t, newGateway("blue=80 green=15 yellow=5")) + " --requests 20 --workers 1 --answer body"}, 0, `{"color": "blue", "pod": {"name": "blue-1"}}      80.0 %`)
}

// A gateway that ties a connection to a backend shows it when connections are
// kept alive.
func TestSampleTellsStickyConnections(t *testing.T) {
	var turn atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Context().Value(tied{}))
	}))
	server.Config.ConnContext = sticky(&turn)
	server.Start()
	defer server.Close()
	says(t, typed{args: "sample " + server.URL + " --answer body --reuse --requests 2000"}, 0, "balancing: sticky by connection: requests on the same connection reached the same backend 100 % of the time")
}

func TestSampleSendsWhatItIsTold(t *testing.T) {
	g := newGateway("blue=1")
	g.answer = func(w http.ResponseWriter, color string, _ int64) { fmt.Fprint(w, color) }
	server := httptest.NewUnstartedServer(g)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	var stdout, stderr bytes.Buffer
	code := run([]string{"sample", server.URL + "/a?b=c", "--insecure", "--requests", "1", "--workers", "1", "--method", "post", "--body", "hello",
		"--header", "X-User: ada", "--header", "X-User: bob", "--host", "shop.example"}, &stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
	g.mu.Lock()
	r := g.seen
	g.mu.Unlock()
	if r.Method != "POST" || r.Host != "shop.example" || r.RequestURI != "/a?b=c" || strings.Join(r.Header.Values("X-User"), ",") != "ada,bob" || r.ContentLength != 5 {
		t.Errorf("got %s %s to %s with %v", r.Method, r.RequestURI, r.Host, r.Header)
	}
	if r.ProtoMajor != 1 {
		t.Errorf("spoke %s unasked", r.Proto)
	}
	says(t, typed{args: "sample " + server.URL + " --insecure --http2 --requests 1"}, 0, "200     100 %")
	g.mu.Lock()
	r = g.seen
	g.mu.Unlock()
	if r.ProtoMajor != 2 {
		t.Errorf("spoke %s, want HTTP/2", r.Proto)
	}
	says(t, typed{args: "sample " + server.URL + " --requests 3"}, 1, "faults: tls 3")
	authorities := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, typed{args: "sample " + server.URL + " --requests 3 --cacert " + authorities}, 0, "200     100 %")
	if err := os.WriteFile(authorities, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, typed{args: "sample " + server.URL + " --cacert " + authorities}, 2, "has no certificate in PEM")
}

// The JSON is a record's sample, and can be judged again.
func TestSampleAsJSON(t *testing.T) {
	ask := func(url, args string, into any) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		run(strings.Fields("sample "+url+" --json --answer json:color "+args), &stdout, &stderr)
		if err := json.Unmarshal(stdout.Bytes(), into); err != nil {
			t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
		}
		return stdout.String()
	}
	var s record.Sample
	url := serve(t, newGateway("blue=80 green=20"))
	ask(url, "--expect blue=80%,green=20% --tolerance 4pp", &s)
	if s.Result.State != verdict.Passed || s.URL != url || s.Latency.Count != s.Result.N || len(s.Histogram) == 0 || s.Balancing == nil || s.Rate == 0 || len(s.Examples) != 4 {
		t.Errorf("got %+v", s)
	}
	var found struct {
		Found  verdict.FoundResult
		Result *verdict.Result
		URL    string
	}
	url = serve(t, newGateway("blue=80 green=20"))
	text := ask(url, "--requests 3000 --workers 1", &found)
	if found.Result != nil || found.URL != url || found.Found.N != 3000 || found.Found.Shares[0].Count != 2400 {
		t.Errorf("got %+v", found)
	}
	says(t, typed{"verdict --expect blue=80%,green=20% --tolerance 4pp", text}, 0, "passed: 80.0 % blue, 20.0 % green, 3,000 requests")
}

// A gateway that hangs is told from one that was not asked.
func TestSampleOfAGatewayThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	says(t, typed{args: "sample " + server.URL + " --duration 30ms"}, 1, "0 requests\n", "not one request ended within", "(--timeout says how long one may take: 10s)")
	says(t, typed{args: "sample " + server.URL + " --duration 30ms --expect 200=100%"}, 3, "undecided: nothing was counted yet", "not one request ended within")
	says(t, typed{args: "sample " + server.URL + " --requests 20 --timeout 20ms"}, 1, "timeout 20", "no rule told a single answer")
}

// Ctrl-C ends it, and what there is is shown.
func TestSampleIsInterrupted(t *testing.T) {
	g := newGateway("blue=80 green=20")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	whole := g.answer
	g.answer = func(w http.ResponseWriter, color string, number int64) {
		if number == 200 {
			interrupt()
		}
		whole(w, color, number)
	}
	url := serve(t, g)
	ask := func(args string) (string, error) {
		c := sampleCommand()
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetErr(&out)
		c.SilenceErrors, c.SilenceUsage = true, true
		c.SetArgs(strings.Fields(args))
		err := c.ExecuteContext(ctx)
		return out.String(), err
	}
	text, err := ask(url + " --answer json:color --expect blue=80%,green=20% --tolerance 0.1pp")
	if o, ok := err.(outcome); !ok || o.code != exitUndecided || !strings.Contains(text, "interrupted; this is what there is\nundecided: not decided after ") {
		t.Errorf("got %v\n%s", err, text)
	}
	if n := g.asked.Load(); n > 1000 {
		t.Errorf("%d requests", n)
	}
}

func TestSampleRefuses(t *testing.T) {
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"", []string{"URL: want one, got 0", "1 mistake; try: assay sample --help"}},
		{"http://a http://b", []string{"URL: want one, got 2"}},
		{"127.0.0.1:80/api", []string{"did you mean http://127.0.0.1:80/api?"}},
		{"ftp://127.0.0.1", []string{`ftp://127.0.0.1: url "ftp://127.0.0.1": want http://host[:port]/path`}},
		{"http://a --expect blue=50 --tolerance 3 --assume-independent --open --http2 --insecure --cacert nowhere --header foo --requests 0 --workers 0 --rate x --answer jsn:color --timeout -1s --duration 0s", []string{
			`--expect blue=50: want a percentage such as 40%, got "50"`, "--tolerance: want percentage points", "--assume-independent: is for --reuse", "--http2: is offered by gateways over https only",
			"--insecure: believes any certificate, and --cacert only some", "--header foo: want 'NAME: VALUE'", "--requests: want at least 1, got 0", "--workers: want at least 1, got 0",
			`--rate: want a rate such as 200/s, got "x"`, `--answer jsn:color: unknown way to tell an answer: "jsn" (did you mean json?)`, "--timeout: a time of 0", "--duration: a time of 0", "12 mistakes"}},
		{"http://a --open", []string{"--open: sends at fixed times: how many a second?"}},
		{"http://a --tolerance 3pp", []string{"--expect: is missing"}},
		{"http://a --expect blue=100%", []string{"--answer: is missing: how does an answer tell that it is blue?"}},
		{"http://a --header Host:b", []string{"--header Host:b: the host is said otherwise (--host b)"}},
		{"http://a --cacert nowhere", []string{"--cacert: open nowhere"}},
		{"http://a --answer json --answer header: --answer status:99 --answer body: --answer match:x --answer match:(=x --answer json:a..b --answer body:x= --answer json:x=errors", []string{
			"--answer json: says only half of it (for example json:color)", "--answer header:: says only half of it", `--answer status:99: want a status from 100 to 599, got "99"`,
			"--answer body:: says only half of it", "--answer match:x: says only half of it (for example match:^v1=old)", "--answer match:(=x: not a regular expression (RE2): missing closing )",
			"--answer json:a..b: want a field", "--answer body:x=: the name behind = is missing", `--answer json:x=errors: "errors" cannot name an outcome`}},
	} {
		says(t, typed{args: "sample " + tt.args}, 2, tt.want...)
	}
}

// tied is the key under which a connection's context has its backend.
type tied struct{}

// sticky gives each new connection one of three backends.
func sticky(turn *atomic.Int64) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, tied{}, []string{"blue", "green", "canary"}[turn.Add(1)%3])
	}
}
