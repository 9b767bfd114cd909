package report

import (
	"bytes"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

func html(t *testing.T, r *record.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// nasty is what a gateway might answer that means ill.
const nasty = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>&amp;{{.}}`|\u202egnp.exe\u2066\x00\x1b[31m\ud7ff\xff]]>--><!--"

// hostile is a record in which every text is nasty, and some numbers are too.
func hostile() *record.Record {
	long := nasty + strings.Repeat("W", 100_000)
	shares := []verdict.ShareResult{
		{Name: long, Want: .5, Tolerance: .1, Got: math.Inf(1), Low: -3, High: 7, Count: -5},
		{Name: nasty, Want: .5, Tolerance: 2, Got: math.NaN(), Low: math.NaN(), High: math.Inf(-1), Count: 1 << 62},
	}
	sample := record.Sample{
		Gateway: long, URL: "javascript:alert(1)//" + nasty, Case: long, Position: nasty,
		Result: verdict.Result{State: verdict.Failed, N: 3, Reason: long, Shares: shares, Because: "share", Alpha: math.NaN(), Beta: 9, Confidence: -1, Other: 1},
		Counts: verdict.Counts{Outcomes: []int64{1}}, Strip: nasty, Every: -1,
		Legend:   []record.Letter{{Letter: "<", Means: nasty}, {Letter: "", Means: ""}, {Letter: "s", Means: long}},
		Series:   []verdict.Counts{{Outcomes: []int64{-1, 2}}, {}},
		Attempts: []record.Attempt{{Number: -1, Result: verdict.Result{Reason: nasty}}, {Result: verdict.Result{Reason: long}}},
		Faults:   map[string]int64{nasty: 1, long: 2}, Statuses: map[string]int64{nasty: 3}, Unlisted: map[string]int64{nasty: 1},
		Examples: []record.Example{{Of: nasty, Fault: nasty, Which: nasty, Detail: long, Header: []string{nasty, long}, Body: long}},
		Latency:  record.Latency{Count: 1, P50: -5, Max: math.MaxInt64}, Histogram: verdict.Histogram{{Low: 5, High: 1, Count: -7}},
		Rate: math.NaN(), Duration: math.MinInt64, Diagnosis: long,
		Balancing:   &verdict.DependenceResult{Balancing: verdict.Balancing(long), Message: nasty},
		Kept:        &verdict.DependenceResult{Balancing: verdict.Sticky, Connections: -1, Same: math.NaN(), Expected: math.Inf(1)},
		Further:     &record.Further{Counts: verdict.Counts{Outcomes: []int64{-7, 1 << 60}, Errors: -1, Other: 5}, Strip: nasty, Legend: []record.Letter{{Letter: "<", Means: nasty}}},
		Propagation: &record.Propagation{New: []string{nasty}, Old: []string{long}, Errors: 3, Watched: time.Second, Faults: map[string]int64{nasty: 1}, LastError: math.MaxInt64, FirstNew: after(math.MaxInt32), LastOld: after(-4)},
	}
	changes := []record.Change{{Cluster: nasty, Resource: long, Namespace: nasty, Name: nasty, What: nasty}}
	return &record.Record{
		Version: 1, Tool: nasty, Environment: long, Inventory: long, Alpha: math.NaN(), Beta: math.Inf(1),
		Scenarios: []record.Scenario{{
			Name: nasty, Title: long, File: nasty, Labels: []string{nasty, long}, Skipped: nasty, PutBack: changes, PutBackError: long,
			Steps: []record.Step{{Index: -1, Name: nasty, Action: long, Position: nasty, Title: long, State: record.State(nasty), Error: long,
				Changes: changes, Samples: []record.Sample{sample}, Notes: []string{long},
				Objects: []record.Object{{Cluster: nasty, Resource: nasty, Kind: long, Namespace: nasty, Name: nasty, Generation: -1, Observed: 7, State: long, Messages: []string{nasty, long}}, {Stray: true, State: nasty}},
				Events:  []record.Event{{Cluster: nasty, Object: long, Type: nasty, Reason: long, Message: long, Count: -3}}, Again: long}},
		}},
	}
}

func TestHTMLIsAsItWas(t *testing.T) {
	got := html(t, run(t))
	golden.Compare(t, filepath.Join("testdata", "run.html"), got)
	if got != html(t, run(t)) {
		t.Error("the same record gives two pages")
	}
}

func TestInventoryIsTold(t *testing.T) {
	r := run(t)
	r.Inventory = "6 kinds as before"
	for name, text := range map[string]string{"page": html(t, r), "summary": markdown(t, r)} {
		if !strings.Contains(text, r.Inventory) {
			t.Errorf("the %s has no inventory", name)
		}
	}
}

func TestHTMLSaysFirstWhatMatters(t *testing.T) {
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(html(t, run(t)), " ")
	last := -1
	for _, words := range []string{"Failed", "2 passed, 2 failed, 1 errored, 1 skipped of 6 steps in 3 scenarios (sandbox, 12.3 s)", "probability of at most 0.1 %",
		"4 March 2026", "05:06:07 UTC", "What did not pass", "canary.yaml:12:3", "Scenarios", "Shares at a glance", "4,740"} {
		i := strings.Index(text, words)
		if i <= last {
			t.Errorf("%q is at %d, after something that comes at %d", words, i, last)
		}
		last = i
	}
}

// tags are all that may begin with a less-than sign.
var tags = regexp.MustCompile(`<(!DOCTYPE|!--|/?[a-zA-Z][a-zA-Z0-9]*)`)

func TestHTMLOfAHostileRecord(t *testing.T) {
	page := html(t, hostile())
	if len(page) > 400_000 {
		t.Errorf("%d bytes: the texts are not bounded", len(page))
	}
	allowed := map[string]bool{}
	for _, name := range strings.Fields("!DOCTYPE html head meta title link style body a svg defs pattern rect path circle line text header div p span h1 h2 h3 h4 strong small em dl dt dd main section ol ul li table thead tbody tr th td article code pre details summary figure figcaption footer bdi") {
		allowed[name] = true
	}
	for _, m := range tags.FindAllStringSubmatch(page, -1) {
		if !allowed[strings.TrimPrefix(m[1], "/")] {
			t.Errorf("the page has <%s", m[1])
		}
	}
	for _, r := range "\u202e\u2066\x00\x1b" {
		if strings.ContainsRune(page, r) {
			t.Errorf("the page has %U", r)
		}
	}
	for _, bad := range []string{"onerror=alert(2)>", `href="javascript`, "NaN%", "Infinity", "ZgotmplZ", "style=", "\xff"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, good := range []string{"&lt;script&gt;", "&lt;U+202E&gt;", "&lt;U+0000&gt;", "more bytes"} {
		if !strings.Contains(page, good) {
			t.Errorf("the page does not have %q", good)
		}
	}
}

func TestHTMLOfLittle(t *testing.T) {
	for name, r := range map[string]*record.Record{
		"nothing":     {Version: 1},
		"no steps":    {Version: 1, Scenarios: []record.Scenario{{Name: "empty"}}},
		"no sample":   {Version: 1, Scenarios: []record.Scenario{{Steps: []record.Step{{State: record.Skipped}}}}},
		"nothing yet": {Version: 1, Scenarios: []record.Scenario{{Steps: []record.Step{{State: record.Undecided, Samples: []record.Sample{{}}}}}}},
	} {
		if page := html(t, r); strings.Contains(page, "<h1><span class=\"disc passed") {
			t.Errorf("%s is said to have passed", name)
		}
	}
	if err := HTML(broken{}, run(t)); err == nil {
		t.Error("an error of writing is lost")
	}
}

func TestOverall(t *testing.T) {
	of := func(states ...record.State) *record.Record {
		s := record.Scenario{}
		for _, state := range states {
			s.Steps = append(s.Steps, record.Step{State: state})
		}
		return &record.Record{Scenarios: []record.Scenario{s}}
	}
	left := of(record.Passed)
	left.Scenarios[0].PutBackError = "no"
	for _, tt := range []struct {
		r    *record.Record
		want record.State
	}{
		{of(), record.Skipped}, {of(record.Skipped), record.Skipped}, {of(record.Passed), record.Passed}, {of(record.Passed, record.Skipped), record.Passed},
		{of(record.Passed, record.Undecided), record.Undecided}, {of(record.Undecided, record.Errored), record.Errored}, {of(record.Errored, record.Failed), record.Failed},
		{of(record.Passed, "green"), record.Errored}, {left, record.Errored},
	} {
		if got := Overall(tt.r).State; got != tt.want {
			t.Errorf("%v: %s, want %s", tt.r.Scenarios, got, tt.want)
		}
	}
	for _, states := range [][]record.State{{record.Passed}, {}} {
		r := of(states...)
		r.Unfinished = []string{"the run was stopped"}
		if got := Overall(r); got.State != record.Errored || got.Headline != "Not all was run" {
			t.Errorf("what %v and was stopped is %s: %s", states, got.State, got.Headline)
		}
	}
	if got := Overall(left).Headline; got != "Not put back" {
		t.Errorf("what passed and was not put back is called %q", got)
	}
}

// The course ends with what the record says, for it is weighed by the same test.
func TestTheCourseEndsAtTheVerdict(t *testing.T) {
	for _, s := range []record.Sample{passedSample(t), failedSample(t)} {
		c := newCourse(s)
		if c == nil {
			t.Fatal("no course")
		}
		last := c.results[len(c.results)-1]
		if last.State != s.Result.State || last.N != s.Result.N {
			t.Errorf("%s after %d, want %s after %d", last.State, last.N, s.Result.State, s.Result.N)
		}
		for i, sh := range last.Shares {
			if want := s.Result.Shares[i]; sh != want {
				t.Errorf("got %+v, want %+v", sh, want)
			}
		}
		width := func(r verdict.Result) float64 { return r.Shares[0].High - r.Shares[0].Low }
		if first := c.results[0]; width(first) < 2*width(last) {
			t.Errorf("the interval does not narrow: %.3f, then %.3f", width(first), width(last))
		}
	}
	bad := passedSample(t)
	for name, spoil := range map[string]func(*record.Sample){
		"negative": func(s *record.Sample) { s.Series[1].Outcomes[0] = -1 },
		"others":   func(s *record.Sample) { s.Series[1].Outcomes = s.Series[1].Outcomes[:2] },
		"none":     func(s *record.Sample) { s.Series = nil },
		"no claim": func(s *record.Sample) { s.Result.Alpha = 0 },
	} {
		s := bad
		s.Series = append([]verdict.Counts(nil), bad.Series...)
		for i := range s.Series {
			s.Series[i].Outcomes = append([]int64(nil), s.Series[i].Outcomes...)
		}
		spoil(&s)
		if newCourse(s) != nil {
			t.Errorf("%s: a course of what is no series of this result", name)
		}
	}
}

func TestOutcomesLookDifferent(t *testing.T) {
	r := &record.Record{Scenarios: []record.Scenario{{Steps: []record.Step{{Samples: []record.Sample{{Result: verdict.Result{Shares: []verdict.ShareResult{
		{Name: "reviews-v1"}, {Name: "blue"}, {Name: "Canary"}, {Name: "blueish"}, {Name: "green"},
	}}}}}}}}}
	p := newPalette(r)
	for name, want := range map[string]string{"blue": "blue", "green": "green", "Canary": "amber", "reviews-v1": "plum", "blueish": "teal"} {
		if p[name] != want {
			t.Errorf("%s is %s, want %s", name, p[name], want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"canary", "canary"}, {"a\nb\tc", "a b c"}, {"\u202etxt", "<U+202E>txt"}, {"\x1b[31m", "<U+001B>[31m"}, {"zwei ä", "zwei ä"},
		{"12345678901", "1234567890 … (1 more byte)"}, {"\xff", "\ufffd"}, {"", ""},
	} {
		if got := oneLine(tt.in, 10); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
