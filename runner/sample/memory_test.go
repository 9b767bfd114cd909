package sample

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Memory does not grow with the number of requests: ten times as many need no
// more.
func TestMemoryDoesNotGrow(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		few, many := int64(20_000), int64(200_000)
		if testing.Short() || raceEnabled || portable {
			few, many = 5_000, 50_000
		}
		address := trivial(t)
		var e Examples
		o := Options{
			Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Examples: &e,
			Workers: 8, Reuse: true, Portable: portable,
		}
		tally := NewTally()
		var early, late runtime.MemStats
		err := Run(context.Background(), o, func(b []Observation) bool {
			before := tally.N
			tally.Add(b)
			if before < few && tally.N >= few {
				live(&early)
			}
			if tally.N >= many {
				live(&late)
			}
			return tally.N < many
		})
		if err != nil || tally.Outcomes["blue"] != tally.N {
			t.Fatalf("%v, %v", err, tally.Faults)
		}
		t.Logf("in use %d KiB and %d KiB, of the system %d KiB and %d KiB", early.HeapAlloc>>10, late.HeapAlloc>>10, early.Sys>>10, late.Sys>>10)
		// An observation that were kept of each request would be 5 MiB at least;
		// what is under way at the moment of looking is some hundred KiB.
		if late.HeapAlloc > early.HeapAlloc+4<<20 || late.Sys > early.Sys+32<<20 {
			t.Errorf("after %d requests %d KiB are in use, after %d %d KiB", few, early.HeapAlloc>>10, many, late.HeapAlloc>>10)
		}
	})
}

// live is the memory in use, without garbage.
func live(m *runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(m)
}

// A gateway that gives each answer a name of its own, or one as long as a body
// may be, does not fill the memory either.
func TestNamesDoNotFillTheMemory(t *testing.T) {
	tally := NewTally()
	for i := range int64(10_000) {
		tally.Add([]Observation{{Outcome: fmt.Sprint("name ", i)}})
	}
	if len(tally.Outcomes) != outcomesTold+1 || tally.Outcomes[OtherOutcomes] != 9000 || tally.Outcomes["name 999"] != 1 {
		t.Errorf("%d names, %d others", len(tally.Outcomes), tally.Outcomes[OtherOutcomes])
	}
	c := NewClassifier([]Rule{{JSON: "color"}})
	for length, want := range map[int]bool{1: true, bodyKept: true, bodyKept + 1: false, 1 << 20: false} {
		if name, ok := c.Classify(200, nil, []byte(`{"color":"`+strings.Repeat("x", length)+`"}`)); ok != want || ok && len(name) != length {
			t.Errorf("a name of %d bytes: %v, want %v", length, ok, want)
		}
	}
}
