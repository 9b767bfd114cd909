package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/verdict"
)

// example has something in every field.
func example(t *testing.T) *Record {
	t.Helper()
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .8, Tolerance: .05}, {Name: "green", Want: .2, Tolerance: .05}, {Name: "canary"}},
		Errors: .005, Alpha: .001, Beta: .01,
	}
	test, err := verdict.New(claim)
	if err != nil {
		t.Fatal(err)
	}
	counts := verdict.Counts{Outcomes: []int64{700, 298, 1}, Errors: 1}
	test.Update(counts)
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	result := test.Result()
	for i := range result.Shares { // the last digits differ between processors
		result.Shares[i].Low, result.Shares[i].High = .125, .875
	}
	result.Errors.Low, result.Errors.High = 0, .0625
	s := Sample{
		Gateway: "ingress1", URL: "http://127.0.0.1:18001/api", Case: "User-Agent: curl", Position: "canary.yaml:9:3",
		Result: result, Counts: counts, Attempts: []Attempt{{Number: 0, At: time.Second, Duration: 2 * time.Second, Result: result, Counts: counts}},
		Faults: map[string]int64{"server error": 1}, Statuses: map[string]int64{"503": 1}, Unlisted: map[string]int64{"denied": 1},
		Examples: []Example{{Fault: "server error", Which: "first", Number: 17, At: time.Millisecond, Status: 503, Detail: "status 503",
			Header: []string{"HTTP/1.1 503 Service Unavailable"}, Body: "no healthy upstream <&>"}},
		Latency: Latency{Count: 999, Min: 1, P50: 2, P90: 3, P99: 4, Max: 5}, Rate: 1234.5, Duration: 3 * time.Second, Diagnosis: "routing mistake: …",
		Histogram: verdict.Histogram{{Low: 0, High: 2 * time.Microsecond, Count: 1}, {Low: 1024 * time.Microsecond, High: 1032 * time.Microsecond, Count: 998}},
	}
	first, last := 120*time.Millisecond, 310*time.Millisecond
	s.Propagation = &Propagation{
		Step: 0, Every: 20 * time.Millisecond, Watched: time.Second, Before: map[string]int64{"blue": 25}, FailedBefore: 1, After: map[string]int64{"green": 3},
		New: []string{"green"}, Old: []string{"blue"}, Dead: true, FirstNew: &first, LastOld: &last, AtOnce: true,
		Errors: 2, FirstError: time.Millisecond, LastError: 2 * time.Millisecond, Faults: map[string]int64{"reset": 2},
	}
	s.Balancing = &verdict.DependenceResult{Balancing: verdict.Blocks, Observed: 1000, N: 999, Connections: 998, Same: .75, Expected: .5, Kappa: .5, DesignEffect: 2, Effective: 499.5, Message: "in blocks"}
	s.Kept = &verdict.DependenceResult{Balancing: verdict.Sticky, Observed: 160, N: 160, Connections: 8, Same: 1, Expected: .5, Kappa: 1, DesignEffect: 20, Effective: 8, Message: "sticky"}
	s.Further = &Further{
		Counts: verdict.Counts{Outcomes: []int64{3, 1, 0}, Errors: 1, Other: 1}, Series: []verdict.Counts{{Outcomes: []int64{3, 1, 0}, Errors: 1, Other: 1}},
		Strip: "bbbg!?", Every: 1, Legend: []Letter{{"b", "blue"}}, Faults: map[string]int64{"server error": 1}, Statuses: map[string]int64{"503": 1},
		Unlisted: map[string]int64{"denied": 1}, Duration: time.Second,
	}
	line := NewTimeline([]string{"blue", "green", "canary"})
	for i := range 1000 {
		line.Add([]int{0, 0, 1, 0, 2, 0, 0, verdict.Error}[i%8])
	}
	line.Fill(&s)
	change := Change{Cluster: "mgmt", Resource: "trafficpolicies.networking.mesh.gloo.solo.io", Namespace: "gloo-mesh", Name: "blue-green-canary", What: Created}
	return &Record{
		Version: Version, Tool: "assay 0.1", Environment: "sandbox", Started: at, Ended: at.Add(12 * time.Second), Alpha: .001, Beta: .01, Seed: 7,
		Unfinished: []string{"it was stopped"},
		Scenarios: []Scenario{{
			Name: "canary", Title: "80 % blue", File: "scenarios/canary.yaml", Labels: []string{"vm"}, PutBack: []Change{change}, PutBackError: "x", Skipped: "",
			Steps: []Step{{
				Index: 1, Name: "look", Action: "expect", Position: "canary.yaml:9:3", Title: "80 % blue", State: Failed, Error: "leak",
				Started: at, Duration: 4 * time.Second, Changes: []Change{change}, Samples: []Sample{s}, Notes: []string{"a note"}, Reached: true,
				Objects: []Object{{Cluster: "mgmt", Resource: change.Resource, Kind: "TrafficPolicy", Namespace: "gloo-mesh", Name: "canary", Generation: 3, Observed: 2, State: "FAILED", Messages: []string{"no such Service"}, Missing: true, Stray: true}},
				Events:  []Event{{Cluster: "mgmt", Object: "trafficpolicy gloo-mesh/canary", Type: "Warning", Reason: "Refused", Message: "no such Service", Count: 2, Last: at}},
				Again:   "assay run canary",
			}},
		}, {Name: "other", Skipped: "not for this environment", Steps: []Step{}}},
	}
}

func TestGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "record.json")
	if err := Write(path, example(t)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !golden.Compare(t, filepath.Join("testdata", "record.json"), string(got)) {
		t.Log("a record is written differently: if on purpose, raise Version or run with -update")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	want := example(t)
	for range 2 { // the second time over the first
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// A record that was written before there was propagation, balancing and a
// histogram is of the same version, and reads as it did.
func TestReadsTheFirstRecords(t *testing.T) {
	r, err := Read(filepath.Join("testdata", "first.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := r.Scenarios[0].Steps[0].Samples[0]
	if s.Result.N != 1000 || s.Propagation != nil || s.Balancing != nil || s.Histogram != nil || s.Latency.Count != 999 {
		t.Errorf("read %+v", s)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"another version", `{"version": 2, "surprise": true}`, "a record of version 2; this program reads version 1"},
		{"no version", `{"tool": "x"}`, "not a record: it has no version"},
		{"not JSON", "{\n\"version\": 1,\n}", "not a record: line 3: invalid character '}' looking for beginning of object key string"},
		{"an unknown field", `{"version": 1, "surprise": true}`, `not a record of version 1: json: unknown field "surprise"`},
		{"a wrong kind", "{\"version\": 1,\n\"environment\": 3}", "not a record of version 1: line 2: json: cannot unmarshal number into Go struct field Record.environment of type string"},
		{"an unknown state", `{"version": 1, "scenarios": [{"steps": [{"samples": [{"result": {"state": "green"}}]}]}]}`, `unknown state "green" (undecided, passed or failed)`},
		{"no histogram", `{"version": 1, "scenarios": [{"steps": [{"samples": [{"histogram": "h 1-2:3"}]}]}]}`, `unknown unit "h" of a histogram (s, ms, us or ns)`},
		{"more after it", `{"version": 1} {}`, "not a record: line 1: invalid character '{' after top-level value"},
		{"empty", ``, "not a record: "},
		{"a list", `[]`, "not a record: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	if err := Write(filepath.Join(t.TempDir(), "x.json"), &Record{}); err == nil || !strings.Contains(err.Error(), "version 0 cannot be written") {
		t.Errorf("a record without version was written: %v", err)
	}
}

// A record that cannot be written leaves the one that is there.
func TestWriteAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	if err := Write(path, example(t)); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	broken := example(t)
	broken.Scenarios[0].Steps[0].Samples[0].Result.State = 99 // has no word
	if err := Write(path, broken); err == nil {
		t.Fatal("written")
	}
	after, _ := os.ReadFile(path)
	entries, _ := os.ReadDir(filepath.Dir(path))
	if string(before) != string(after) || len(entries) != 1 {
		t.Errorf("the file changed, or something is left: %v", entries)
	}
}

// A record that was written before there were histograms is read.
func TestParseWithoutHistogram(t *testing.T) {
	r, err := Parse([]byte(`{"version": 1, "scenarios": [{"name": "x", "steps": [{"index": 0, "samples": [{"gateway": "g", "latency": {"count": 3}, "rate": 1}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Scenarios[0].Steps[0].Samples[0]; s.Latency.Count != 3 || s.Histogram.Total() != 0 {
		t.Errorf("%+v", s)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version": 1, "scenarios": [{"name": "x", "steps": []}]}`))
	f.Add([]byte(`{"version": 1e9}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err == nil && r.Version != Version {
			t.Errorf("version %d was read", r.Version)
		}
	})
}
