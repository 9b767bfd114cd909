package sample

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestExamples(t *testing.T) {
	var n atomic.Int64
	url := web(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		w.Header().Set("X-N", fmt.Sprint(n.Add(1)))
		if n.Load() == 3 {
			http.Error(w, "no healthy upstream "+strings.Repeat("x", 300), http.StatusServiceUnavailable)
			return
		}
		blue(w, r)
	})
	var e Examples
	collect(t, Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Examples: &e}, 5)
	got := e.List()
	if len(got) > 1 { // some more may have been sent before Run was stopped
		got[1].Number = 4
	}
	want := []Example{
		{Outcome: "blue", Which: "first", Number: 0, Status: 200, Body: `{"color":"blue"}`},
		{Outcome: "blue", Which: "last", Number: 4, Status: 200, Body: `{"color":"blue"}`},
		{Fault: ServerError, Which: "first", Number: 2, Status: 503, Detail: "status 503", Body: "no healthy upstream " + strings.Repeat("x", 180)},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Example{}, "At", "Header")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, ex := range got {
		if text := strings.Join(ex.Header, "\n"); !strings.HasPrefix(text, "HTTP/1.1 ") || !strings.Contains(text, "X-N: ") || !strings.Contains(text, "Content-Length: ") {
			t.Errorf("header of %s %s: %q", ex.Which, ex.Outcome, ex.Header)
		}
	}
}

// Requests end in any order, kinds without number: the number decides, and
// memory is bounded.
func TestExamplesKeepFirstAndLast(t *testing.T) {
	var e Examples
	for _, n := range []int64{5, 3, 9, 7} {
		e.add(&Observation{Number: n, Outcome: "blue"}, []byte("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}"), []byte(fmt.Sprint(n)))
	}
	for i := range 1000 {
		e.add(&Observation{Number: 10, Outcome: fmt.Sprint("kind ", i)}, nil, []byte{0xff, 'x'})
	}
	got := e.List()
	if len(got) != kindsKept+1 || got[0].Body != "3" || got[1].Body != "9" || got[0].Which != "first" || got[1].Which != "last" {
		t.Errorf("%d examples, %+v", len(got), got[:2])
	}
	if diff := cmp.Diff([]string{"HTTP/1.1 200 OK", "A: b"}, got[0].Header); diff != "" {
		t.Error(diff)
	}
	if got[2].Body != "?x" {
		t.Errorf("bytes that are no text: %q", got[2].Body)
	}
}

func TestTally(t *testing.T) {
	tally := NewTally()
	if l := tally.Latency(); l != (Latency{}) {
		t.Errorf("of nothing: %+v", l)
	}
	for i := range 1000 {
		tally.Add([]Observation{{Outcome: "blue", Status: 200, Latency: time.Duration(i+1) * time.Millisecond}})
	}
	tally.Add([]Observation{
		{Fault: Refused, Latency: time.Hour},
		{Fault: ServerError, Status: 503, Latency: 2 * time.Second},
		{Fault: UnknownAnswer, Status: 404, Latency: 3 * time.Microsecond},
	})
	l := tally.Latency()
	near := func(got, want time.Duration) bool { return got > want*98/100 && got < want*102/100 }
	if l.Count != 1002 || l.Min != 3*time.Microsecond || l.Max != 2*time.Second ||
		!near(l.P50, 500*time.Millisecond) || !near(l.P90, 900*time.Millisecond) || !near(l.P99, 990*time.Millisecond) {
		t.Errorf("%+v", l)
	}
	if tally.N != 1003 || tally.Outcomes["blue"] != 1000 || tally.Faults[Refused] != 1 || tally.Statuses[503] != 1 || tally.Statuses[200] != 0 {
		t.Errorf("%+v", tally)
	}
}
