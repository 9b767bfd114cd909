package sample

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// said is a propagation in a line, for comparison.
func said(p Propagation, ok bool) string {
	if !ok {
		return "nothing to compare"
	}
	moment := func(names []string, what string, s Seen, at time.Duration) string {
		switch {
		case len(names) == 0:
			return "no outcome is " + what
		case s.Count == 0:
			return what + " never came"
		}
		return fmt.Sprintf("%s (%s) at %d", what, strings.Join(names, ","), at.Milliseconds())
	}
	text := moment(p.New, "new", p.FirstNew, p.FirstNew.First)
	if p.AtOnce {
		text += " at once"
	}
	old := p.Old
	if p.Dead {
		old = []string{"errors"}
	}
	text += "; " + moment(old, "old", p.LastOld, p.LastOld.Last)
	if p.Errors.Count > 0 {
		text += fmt.Sprintf("; %d errors from %d to %d", p.Errors.Count, p.Errors.First.Milliseconds(), p.Errors.Last.Milliseconds())
	}
	return text
}

// A line of answers, one every 20 ms, each of which takes 1 ms: b is blue, g
// green, c canary, d denied (which no share names), ! a failed request. The
// change is sent where the bar is.
func TestProbe(t *testing.T) {
	names := map[rune]string{'b': "blue", 'g': "green", 'c': "canary", 'd': "denied"}
	for _, tt := range []struct {
		name    string
		answers string
		ground  Ground
		want    string
	}{
		{"one destination to another", "bbbbb|bbbgbggg", Ground{Wanted: []string{"green"}}, "new (green) at 61; old (blue) at 81"},
		{"at once", "bbbbb|ggg", Ground{Wanted: []string{"green"}}, "new (green) at 1 at once; old never came"},
		{"a part of it: blue answers before and after", "bbbbb|bbgbbg", Ground{Wanted: []string{"blue", "green"}}, "new (green) at 41; no outcome is old"},
		{"a part of it goes away", "bgbgb|bgbbbb", Ground{Wanted: []string{"blue"}}, "no outcome is new; old (green) at 21"},
		{"other shares of the same", "bgbgb|bbbgbb", Ground{Wanted: []string{"blue", "green"}}, "no outcome is new; no outcome is old"},
		{"possible before, but not seen then", "bbbbb|bgbbcb", Ground{Possible: []string{"blue", "green"}, Wanted: []string{"green", "canary"}}, "new (canary) at 81; old (blue) at 101"},
		{"a leak that is tolerated says nothing", "bbbbb|bbgbgg", Ground{Wanted: []string{"green"}, Tolerated: []string{"blue"}}, "new (green) at 41; no outcome is old"},
		{"the new one does not come", "bbbbb|bbbbb", Ground{Wanted: []string{"green"}}, "new never came; old (blue) at 81"},
		{"two new ones, two old ones", "bbcbc|bcbgb", Ground{Wanted: []string{"green", "denied"}}, "new (green,denied) at 61; old (blue,canary) at 81"},
		{"what is neither wanted nor was there", "bbbbb|bccgg", Ground{Wanted: []string{"green"}}, "new (green) at 61; old (blue) at 1"},
		{"errors in between", "bbbbb|b!!ggg", Ground{Wanted: []string{"green"}}, "new (green) at 61; old (blue) at 1; 2 errors from 21 to 41"},
		{"errors before are the old state", "!!!!!|!!bbb", Ground{Wanted: []string{"blue"}}, "new (blue) at 41; old (errors) at 21; 2 errors from 1 to 21"},
		{"it was there, and then only errors", "!!!!!|!!bbb", Ground{Possible: []string{"blue"}, Wanted: []string{"blue"}}, "new (blue) at 41; old (errors) at 21; 2 errors from 1 to 21"},
		{"nothing before", "|bbb", Ground{Wanted: []string{"blue"}}, "nothing to compare"},
		{"nothing after", "bbb|", Ground{Wanted: []string{"blue"}}, "nothing to compare"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := NewProbe([]string{"blue", "green", "canary", "denied"}, 2)
			began := time.Unix(1000, 0)
			at := time.Duration(0)
			for _, r := range tt.answers {
				if r == '|' {
					p.Change(began.Add(at))
					continue
				}
				o := Observation{Case: 1, Outcome: names[r], At: at, Latency: time.Millisecond}
				if r == '!' {
					o.Fault = ServerError
				}
				p.Add(began, []Observation{o})
				at += 20 * time.Millisecond
			}
			if got := said(p.Tell(1, tt.ground)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, ok := p.Tell(0, tt.ground); ok {
				t.Error("something is told of a case that was not asked")
			}
		})
	}
}

// What was asked before the change and answered after it may be of either
// state: it says nothing of what was before.
func TestProbeKnowsNotWhatWasUnderWay(t *testing.T) {
	began := time.Unix(1000, 0)
	p := NewProbe([]string{"blue", "green"}, 1)
	add := func(sent, latency int, outcome string) {
		p.Add(began, []Observation{{Outcome: outcome, At: time.Duration(sent) * time.Millisecond, Latency: time.Duration(latency) * time.Millisecond}})
	}
	add(0, 5, "blue")
	p.Change(began.Add(100 * time.Millisecond))
	add(90, 30, "green") // under way when the change was sent
	add(60, 30, "blue")  // delivered late, and of what was before
	add(110, 5, "green")
	if n := p.Before(); n != 2 {
		t.Errorf("%d answers before the change, want 2", n)
	}
	got, ok := p.Tell(0, Ground{Wanted: []string{"green"}})
	if want := "new (green) at 15 at once; old never came"; said(got, ok) != want {
		t.Errorf("got %s, want %s", said(got, ok), want)
	}
	if got.Before["blue"] != 2 || got.After["green"] != 2 || got.Before["green"] != 0 {
		t.Errorf("before %v, after %v", got.Before, got.After)
	}
}

// The probe and the expectation ask side by side, so that answers come to it in
// no order.
func TestProbeAddsUpInAnyOrder(t *testing.T) {
	began := time.Unix(1000, 0)
	ms := time.Millisecond
	all := []Observation{
		{Outcome: "blue", At: 10 * ms, Latency: ms}, {Outcome: "blue", At: 30 * ms, Latency: 9 * ms}, {Outcome: "green", At: 20 * ms, Latency: 300 * ms},
		{Outcome: "green", At: 40 * ms, Latency: ms}, {Fault: Reset, At: 50 * ms, Latency: ms}, {Fault: Cut, At: 5 * ms, Latency: ms},
	}
	want := "new (green) at 41; old (blue) at 39; 2 errors from 6 to 51"
	for turn := range all {
		p := NewProbe([]string{"blue", "green"}, 1)
		p.Add(began.Add(-time.Second), []Observation{{Outcome: "blue"}})
		p.Change(began)
		p.Add(began, all[turn:])
		p.Add(began, all[:turn])
		got := said(p.Tell(0, Ground{Wanted: []string{"green"}}))
		if got != want {
			t.Errorf("from %d: got %s, want %s", turn, got, want)
		}
	}
}
