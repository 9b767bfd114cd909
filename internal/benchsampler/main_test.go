package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/internal/gateways"
	"github.com/meshassay/assay/internal/golden"
)

// The test program is the sampler's process too, as the benchmark is.
func TestMain(m *testing.M) {
	if load := os.Getenv(childLoad); load != "" {
		os.Exit(child(load))
	}
	os.Exit(m.Run())
}

const wrkOutput = `Running 1s test @ http://127.0.0.1:41999/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   127.83us  386.71us   7.44ms   98.50%
    Req/Sec    68.68k     8.89k   84.28k    72.73%
  50000 requests in 1.25s, 12.15MB read
Requests/sec:  40000.00
Transfer/sec:     11.04MB
`

func TestReadsWhatProgramsPrint(t *testing.T) {
	for _, tt := range []struct {
		name, out      string
		requests, rate *regexp.Regexp
		want           done
	}{
		{"wrk", wrkOutput, wrkRequests, wrkRate, done{Requests: 50000, Elapsed: 1250 * time.Millisecond}},
		{"hey", "Summary:\n  Requests/sec:\t2000.0000\n\nStatus code distribution:\n  [200]\t5000 responses\n", heyRequests, heyRate,
			done{Requests: 5000, Elapsed: 2500 * time.Millisecond}},
	} {
		var got done
		if err := got.from([]byte(tt.out), tt.requests, tt.rate); err != nil || got != tt.want {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
	var d done
	if err := d.from([]byte("unable to connect"), wrkRequests, wrkRate); err == nil || !strings.Contains(err.Error(), "unable to connect") {
		t.Errorf("no numbers: %v", err)
	}
	for _, line := range []string{"  Socket errors: connect 0, read 3, write 0, timeout 0", "  Non-2xx or 3xx responses: 7"} {
		if wrkFaults.FindString(wrkOutput) != "" || wrkFaults.FindString(wrkOutput+line) != strings.TrimSpace(line) {
			t.Errorf("%q is not found, or something where nothing is", line)
		}
	}
}

// made is a client that does what is listed, one a round.
func made(name string, list ...done) client {
	return client{name, func(context.Context, load) (done, error) {
		if len(list) == 0 {
			return done{}, errors.New("does not run")
		}
		d := list[0]
		list = list[1:]
		if d == (done{}) {
			return d, errors.New("socket errors: timeout 1")
		}
		return d, nil
	}}
}

// second is so many requests in a second, at so many microseconds of CPU time each.
func second(requests int64, micros float64) done {
	return done{Requests: requests, Elapsed: time.Second, CPU: time.Duration(float64(requests) * micros * 1e3)}
}

// The ratios are taken within each round, the median over the rounds: here the
// machine is half as fast in the second round.
func TestTable(t *testing.T) {
	reference := func() client { return made("wrk", second(1000, 10), second(500, 20), second(1000, 10)) }
	groups := []group{
		{title: "good", bars: keepAliveBars, clients: []client{
			reference(), made(judgedClient, second(1000, 11), second(490, 23), second(950, 12)), made("portable", second(100, 90), second(50, 99), second(100, 90))}},
		{title: "slow", bars: keepAliveBars, clients: []client{
			made("wrk", second(1000, 10), done{}, second(500, 20), second(1000, 10)), made(judgedClient, second(940, 11), second(470, 22), second(940, 11))}},
		{title: "costly", bars: freshBars, clients: []client{
			reference(), made(judgedClient, second(900, 14), second(450, 28), second(900, 14))}},
		{title: "both", bars: freshBars, clients: []client{
			reference(), made(judgedClient, second(800, 14), second(400, 28), second(800, 14))}},
		{title: "not judged", clients: []client{
			reference(), made(judgedClient, second(1, 999), second(1, 999), second(1, 999)), made("broken")}},
	}
	fill := func(groups []group) *table {
		t.Helper()
		table := newTable(groups)
		for n := range 3 {
			if err := table.round(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		return table
	}
	table := fill(groups)
	if table.held() {
		t.Error("bars that do not hold are said to hold")
	}
	var b strings.Builder
	table.print(&b, options{rounds: 3, seconds: 1, pin: apart}, &tools{missing: []string{"haproxy is not installed: apt-get install haproxy"}})
	golden.Compare(t, "testdata/table.txt", b.String())

	groups[0].clients = []client{reference(), made(judgedClient, second(1000, 11), second(490, 23), second(950, 12))}
	if !fill(groups[:1]).held() {
		t.Error("bars that hold are said not to hold")
	}
	for _, clients := range [][]client{{made("wrk")}, {made("wrk", second(1, 1)), made(judgedClient)}} {
		table := newTable([]group{{title: "broken", bars: freshBars, clients: clients}})
		if err := table.round(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "does not run") {
			t.Errorf("%s does not run: %v", clients[len(clients)-1].name, err)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-rounds", "0"}, "-rounds and -seconds are at least 1"},
		{[]string{"-memory", "-1"}, "-memory at least 0"},
		{[]string{"-only", "("}, "-only: "},
		{[]string{"-pin", "here"}, `not "here"`},
		{[]string{"more"}, "nothing follows the flags"},
	} {
		if _, err := parse(tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: got %v, want %q", tt.args, err, tt.want)
		}
	}
	if o, err := parse(nil); err != nil || o.rounds != 7 || o.memory != 10_000_000 || o.pin == "" {
		t.Errorf("without flags: %+v, %v", o, err)
	}
}

// One short turn of both, with real servers and the real wrk.
func TestMeasures(t *testing.T) {
	gateways.Need(t, gateways.NGINX, "wrk")
	o, err := parse([]string{"-judged", "-rounds", "1", "-memory", "500", "-only", "^nginx, fresh, 8$"})
	if err != nil {
		t.Fatal(err)
	}
	tools, err := findTools(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer tools.close()
	servers, err := startServers(o, tools)
	if err != nil {
		t.Fatal(err)
	}
	defer servers.close()
	table := newTable(plan(o, tools, servers))
	if err := table.round(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if len(table.rows) != 2 {
		t.Fatalf("%d rows, want wrk and the sampler", len(table.rows))
	}
	for _, r := range table.rows {
		if d := r.done[0]; d.Requests < 10 || d.CPU <= 0 || d.Elapsed < 900*time.Millisecond || d.Memory < 1<<20 {
			t.Errorf("%s: %+v", r.client.name, d)
		}
	}
	var b strings.Builder
	if fits, err := memory(t.Context(), &b, o, servers); err != nil || !fits || !strings.Contains(b.String(), "MiB resident; bar 100 MiB: holds") {
		t.Errorf("memory: %v, %v, %q", fits, err, b.String())
	}
}
