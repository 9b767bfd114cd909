package report

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// plain compares a text with a golden file, and demands that any terminal can
// show it.
func plain(t *testing.T, name, got string) {
	t.Helper()
	golden.Compare(t, filepath.Join("testdata", name), got)
	for n, line := range strings.Split(got, "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Errorf("%s:%d ends with a space", name, n+1)
		}
		for _, r := range line {
			if r >= 0x80 || r < ' ' {
				t.Errorf("%s:%d has %q", name, n+1, r)
			}
		}
	}
}

// tutorial is 40/40/20 with 3 points of tolerance.
func tutorial() verdict.Claim {
	return verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .4, Tolerance: .03}, {Name: "green", Want: .4, Tolerance: .03}, {Name: "canary", Want: .2, Tolerance: .03}},
		Errors: .005, Alpha: .001, Beta: .01,
	}
}

func onlyGreen() verdict.Claim {
	return verdict.Claim{Shares: []verdict.Share{{Name: "green", Want: 1}, {Name: "blue"}, {Name: "canary", Leak: .01}}, Errors: .005, Alpha: .001, Beta: .01}
}

// judged is a sample of which the claim makes a verdict. Its answers come
// evenly mixed.
func judged(t *testing.T, c verdict.Claim, counts verdict.Counts) record.Sample {
	t.Helper()
	test, err := verdict.New(c)
	if err != nil {
		t.Fatal(err)
	}
	test.Update(counts)
	s := record.Sample{Gateway: "ingress1", URL: "http://127.0.0.1:18001/api", Result: test.Result(), Counts: counts}
	var names []string
	for _, sh := range c.Shares {
		names = append(names, sh.Name)
	}
	line := record.NewTimeline(names)
	for _, i := range mixed(counts) {
		line.Add(i)
	}
	line.Fill(&s)
	return s
}

// mixed deals the counts as a smooth round robin would.
func mixed(c verdict.Counts) []int {
	left := append(append([]int64(nil), c.Outcomes...), c.Errors, c.Other)
	total := c.Total()
	current := make([]int64, len(left))
	var list []int
	for range total {
		best := 0
		for i, w := range left {
			current[i] += w
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= total
		switch k := len(c.Outcomes); best {
		case k:
			list = append(list, verdict.Error)
		case k + 1:
			list = append(list, verdict.Unlisted)
		default:
			list = append(list, best)
		}
	}
	return list
}

func counts(outcomes ...int64) verdict.Counts { return verdict.Counts{Outcomes: outcomes} }

func withErrors(n int64, outcomes ...int64) verdict.Counts {
	return verdict.Counts{Outcomes: outcomes, Errors: n}
}

func passedSample(t *testing.T) record.Sample {
	s := judged(t, tutorial(), counts(1910, 1880, 950))
	s.Rate, s.Duration = 4011.7, 1181*time.Millisecond
	s.Propagation = &record.Propagation{
		Every: 20 * time.Millisecond, Watched: 1300 * time.Millisecond, Before: map[string]int64{"blue": 25}, After: map[string]int64{"blue": 1920, "green": 1884, "canary": 955},
		New: []string{"green", "canary"}, FirstNew: after(120),
	}
	s.Balancing = &verdict.DependenceResult{Balancing: verdict.Independent, Message: "each request had its own connection, and nothing shows that answers depend on each other"}
	s.Kept = &verdict.DependenceResult{Balancing: verdict.Sticky, Connections: 8, Same: 1, Expected: .36}
	s.Latency = record.Latency{Count: 4740, Min: 200 * time.Microsecond, P50: 810 * time.Microsecond, P90: 2 * time.Millisecond, P99: 4300 * time.Microsecond, Max: 41 * time.Millisecond}
	return s
}

func failedSample(t *testing.T) record.Sample {
	s := judged(t, tutorial(), withErrors(1, 1500, 1511, 1108))
	first := judged(t, tutorial(), counts(417, 0, 0))
	s.Attempts = []record.Attempt{
		{Number: 0, At: 0, Duration: 90 * time.Millisecond, Result: first.Result, Counts: first.Counts},
		{Number: 1, At: 190 * time.Millisecond, Duration: time.Second, Result: s.Result, Counts: s.Counts},
	}
	s.Rate, s.Duration = 3456, 1190*time.Millisecond
	s.Faults, s.Statuses = map[string]int64{"server error": 1}, map[string]int64{"503": 1}
	s.Examples = []record.Example{
		{Of: "canary", Which: "first", Number: 3, At: 4 * time.Millisecond, Status: 200, Header: []string{"HTTP/1.1 200 OK", "Content-Type: application/json"}, Body: "{\"color\":\"yellow\"}\n"},
		{Fault: "server error", Which: "first", Number: 1200, At: 310 * time.Millisecond, Status: 503, Detail: "status 503",
			Header: []string{"HTTP/1.1 503 Service Unavailable"}, Body: "no healthy \x1b[31mupstream"},
	}
	s.Diagnosis = Diagnose(s)
	return s
}

func leakSample(t *testing.T) record.Sample {
	s := judged(t, onlyGreen(), counts(112, 1, 0))
	s.Gateway, s.Case = "ingress2", "User-Agent: Firefox"
	s = furthered(s, counts(288, 12, 0))
	s.Diagnosis = Diagnose(s)
	return s
}

func run(t *testing.T) *record.Record {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	policy := record.Change{Cluster: "mgmt", Resource: "trafficpolicies.networking.mesh.gloo.solo.io", Namespace: "gloo-mesh", Name: "blue-green-canary", What: record.Created}
	namespace := record.Change{Cluster: "cluster1", Resource: "namespaces", Name: "blue-green-canary", What: record.Unchanged}
	return &record.Record{
		Version: 1, Tool: "assay", Environment: "sandbox", Started: at, Ended: at.Add(12345 * time.Millisecond), Alpha: .001, Beta: .01,
		Scenarios: []record.Scenario{
			{Name: "gateway", Steps: []record.Step{
				{Action: "apply", State: record.Passed, Title: "apply the gateway", Duration: 40 * time.Millisecond, Reached: true, Position: "gateway.yaml:8:3"},
			}},
			{Name: "canary", Title: "40 % blue, 40 % green, 20 % canary", Steps: []record.Step{
				{Action: "apply", State: record.Passed, Title: "apply manifests/canary.yaml to mgmt", Duration: 812 * time.Millisecond, Changes: []record.Change{policy, namespace}, Position: "canary.yaml:10:3"},
				{Index: 1, Action: "expect", State: record.Passed, Title: "expect 40 % blue, 40 % green, 20 % canary", Duration: 1200 * time.Millisecond, Samples: []record.Sample{passedSample(t)}, Position: "canary.yaml:11:3"},
				{Index: 2, Action: "expect", State: record.Failed, Name: "again", Position: "canary.yaml:12:3", Duration: 2 * time.Minute, Samples: []record.Sample{passedSample(t), failedSample(t)}, Notes: []string{"the API server of mgmt warns:\n  this version is old"},
					Objects: objects(), Events: events(at), Again: "assay run canary --environment 'my clusters.yaml'"},
				{Index: 3, Action: "expect", State: record.Failed, Position: "canary.yaml:13:3", Samples: []record.Sample{leakSample(t)}},
				{Index: 4, Action: "wait", State: record.Errored, Error: "mgmt: connection refused", Position: "canary.yaml:14:3"},
				{Index: 5, Action: "call", State: record.Skipped, Error: "an earlier step failed", Position: "canary.yaml:15:3"},
			}, PutBack: []record.Change{{Cluster: "mgmt", Resource: policy.Resource, Namespace: "gloo-mesh", Name: policy.Name, What: record.Deleted}}},
			{Name: "access", Skipped: "not for the environment sandbox", PutBackError: "mgmt: connection refused"},
		},
	}
}

// objects are one of each sort.
func objects() []record.Object {
	const policies = "trafficpolicies.networking.mesh.gloo.solo.io"
	return []record.Object{
		{Cluster: "mgmt", Resource: policies, Kind: "TrafficPolicy", Namespace: "gloo-mesh", Name: "blue-green-canary", Generation: 3, Observed: 2, State: "FAILED",
			Messages: []string{"its status is of generation 2, wanted 3", "spec.policy.trafficShift.destinations[2]: no such Service"}},
		{Cluster: "cluster1", Resource: "pods", Kind: "Pod", Namespace: "shop", Name: "blue-7d9", Generation: 1, State: "Pending", Messages: []string{"container web waits, ErrImagePull: not found"}},
		{Cluster: "cluster2", Resource: "services", Kind: "Service", Namespace: "shop", Name: "green", State: "green", Missing: true},
		{Cluster: "mgmt", Resource: "faults.sandbox.assay", Kind: "Fault", Name: "six-points", Generation: 1, Observed: 1, State: "ACCEPTED, no step has applied it", Stray: true},
		{Cluster: "mgmt", Resource: "virtualmeshes.networking.mesh.gloo.solo.io", Kind: "VirtualMesh", Namespace: "gloo-mesh", Name: "mesh", Generation: 1, Observed: 1, State: "ACCEPTED"},
		{Cluster: "cluster1", Resource: "services", Kind: "Service", Namespace: "shop", Name: "canary", Generation: 0, State: "canary: WorkloadEntry vm at 192.168.64.10"},
	}
}

func events(at time.Time) []record.Event {
	return []record.Event{
		{Cluster: "cluster1", Object: "pod shop/blue-7d9", Type: "Warning", Reason: "Failed", Message: "failed to pull image\nnot found", Count: 4, Last: at.Add(9 * time.Second)},
		{Cluster: "cluster1", Object: "pod shop/blue-7d9", Type: "Normal", Reason: "Pulling", Message: "pulling image", Count: 1, Last: at.Add(8 * time.Second)},
		{Cluster: "cluster1", Object: "deployment shop/canary", Type: "Normal", Reason: "ScalingReplicaSet", Message: "scaled up", Count: 1, Last: at.Add(time.Second)},
	}
}

func TestText(t *testing.T) {
	for name, o := range map[string]Options{"run.txt": {}, "run-verbose.txt": {Verbose: true}, "run-brief.txt": {Brief: true}} {
		var b strings.Builder
		if err := Text(&b, run(t), o); err != nil {
			t.Fatal(err)
		}
		plain(t, name, b.String())
	}
	if err := Text(broken{}, run(t), Options{}); err == nil {
		t.Error("an error of writing is lost")
	}
	empty := &record.Record{Environment: "sandbox"}
	if got := Summary(empty); got != "nothing of 0 steps in 0 scenarios (sandbox, 0 s)" {
		t.Errorf("of nothing: %q", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestStepText(t *testing.T) {
	steps := run(t).Scenarios[1].Steps
	plain(t, "step-passed.txt", StepText(steps[1]))
	plain(t, "step-failed.txt", StepText(steps[2]))
	plain(t, "step-leak.txt", StepText(steps[3]))
	failed := steps[2]
	failed.Error = "canary.yaml:12:30: " + Line(failed.Samples[1]) + "\n  " + failed.Samples[1].Diagnosis
	plain(t, "step-failure.txt", StepFailure(failed))
	plain(t, "step-leak-failure.txt", StepFailure(steps[3]))
}

func TestTable(t *testing.T) {
	undecided := judged(t, tutorial(), counts(40, 38, 22))
	other := judged(t, tutorial(), verdict.Counts{Outcomes: []int64{40, 38, 21}, Other: 1})
	nothing := judged(t, tutorial(), counts(0, 0, 0))
	plain(t, "tables.txt", strings.Join([]string{Table(passedSample(t)), Table(failedSample(t)), Table(leakSample(t)), Table(undecided), Table(other), Table(nothing)}, "\n"))
}

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		s    record.Sample
		want string
	}{
		{passedSample(t), "ingress1: passed: 40.3 % blue, 39.7 % green, 20.0 % canary, 4,740 requests, wrong with probability at most 0.01"},
		{failedSample(t), "ingress1: failed: canary is at 26.9 % of 4,120, above 23 %, wrong with probability at most 0.001"},
		{leakSample(t), "ingress2, User-Agent: Firefox: failed: blue answered 1 of 113 and must never answer"},
		{judged(t, onlyGreen(), counts(2000, 0, 0)), "ingress1: passed: 100 % green, 2,000 requests, wrong with probability at most 0.01"},
		{judged(t, onlyGreen(), withErrors(1, 4999, 0, 0)), "ingress1: passed: 99.98 % green, 0.02 % errors, 5,000 requests, wrong with probability at most 0.01"},
		{judged(t, onlyGreen(), counts(1000, 0, 60)), "ingress1: failed: canary is at 5.7 % of 1,060, above 1 %, wrong with probability at most 0.001"},
		{record.Sample{Result: verdict.Result{State: verdict.Undecided, Reason: "nothing was counted yet"}}, "undecided: nothing was counted yet"},
		{judged(t, tutorial(), counts(40, 38, 22)), "ingress1: undecided: not decided after 100 answers: canary at 22.0 % is not yet told from 23 %; about 2,598 more would do (40.0 % blue, 38.0 % green, 22.0 % canary)"},
	} {
		if got := Line(tt.s); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{confidence(.99), "99 %"}, {confidence(.995), "99.5 %"}, {confidence(1 - .00014), "99.986 %"}, {confidence(1 - 3e-7), "99.99997 %"},
		{Percent(.4), "40 %"}, {Percent(.405), "40.5 %"}, {Percent(.0012), "0.12 %"}, {Percent(0), "0 %"}, {Percent(1), "100 %"},
		{Points(.03), "3 pp"}, {Points(.005), "0.5 pp"},
		{got(.4), "40.0 %"}, {got(0), "0 %"}, {got(.00042), "0.042 %"}, {got(.99984), "99.984 %"}, {got(1), "100 %"}, {got(.9994), "99.9 %"},
		{Count(0), "0"}, {Count(3120), "3,120"}, {Count(-1234567), "-1,234,567"}, {Count(100), "100"},
		{Probability(.01), "0.01"}, {Probability(.001 / 3), "0.00033"}, {Probability(1e-8), "1e-08"},
		{Duration(0), "0 s"}, {Duration(850 * time.Nanosecond), "0.85 us"}, {Duration(12300 * time.Microsecond), "12.3 ms"}, {Duration(1234 * time.Millisecond), "1.23 s"},
		{Duration(12345 * time.Millisecond), "12.3 s"}, {Duration(125 * time.Second), "2 min 5 s"}, {Duration(-time.Second), "-1.00 s"}, {Duration(999999 * time.Microsecond), "1000 ms"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
