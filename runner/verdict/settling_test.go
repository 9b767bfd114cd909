package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestAttemptsSpendAlphaAndBeta(t *testing.T) {
	s, err := NewSettling(canary(.05, .01, .001, .01))
	if err != nil {
		t.Fatal(err)
	}
	alpha, beta := 0.0, 0.0
	for r := range 2000 {
		c := s.Claim()
		if want := .001 / float64((r+1)*(r+2)); math.Abs(c.Alpha-want) > 1e-18 || s.Attempt() != r {
			t.Fatalf("attempt %d: alpha %g, want %g", s.Attempt(), c.Alpha, want)
		}
		alpha, beta = alpha+c.Alpha, beta+c.Beta
		s.Restart()
	}
	if alpha > .001 || alpha < .00099 || beta > .01 || beta < .0099 {
		t.Errorf("all attempts together have alpha %g, beta %g", alpha, beta)
	}
}

func TestPauseDoubles(t *testing.T) {
	s, err := NewSettling(canary(.05, .01, .001, .01))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []time.Duration{100, 200, 400, 800} {
		if got := s.Pause(); got != want*time.Millisecond {
			t.Errorf("attempt %d: pause %s", s.Attempt(), got)
		}
		s.Restart()
	}
}

func TestRestartCountsAfresh(t *testing.T) {
	s, err := NewSettling(allBlue(0, .001, .01))
	if err != nil {
		t.Fatal(err)
	}
	s.Observe(2)
	if s.Look() != Failed {
		t.Fatal("a leak did not fail")
	}
	if !s.Restart() || s.Look() != Undecided || s.Counts().Total() != 0 || s.Result().Alpha != .001/6 {
		t.Errorf("after the restart: %+v", s.Result())
	}
	for s.Look() == Undecided {
		s.Observe(0)
	}
	if s.Look() != Passed || s.Restart() || s.Look() != Passed {
		t.Error("passed does not stand")
	}
}

// settle runs the rule of the runner: the answers come from before for the
// first requests, then from after; a failed attempt within the deadline is
// begun anew after a pause (at one request a millisecond).
func settle(s *Settling, r *rand.Rand, before, after []float64, change, deadline, budget int) State {
	at := 0
	for at < budget {
		truth := before
		if at >= change {
			truth = after
		}
		s.Observe(draw(r, truth))
		at++
		switch s.Look() {
		case Passed:
			return Passed
		case Failed:
			if at >= deadline {
				return Failed
			}
			at += int(s.Pause().Milliseconds())
			s.Restart()
		}
	}
	return Undecided
}

// While the old split still answers, attempts fail and are begun anew; the new
// split passes, a wrong one does not pass more often for it, and after the
// deadline failed stands.
func TestSettling(t *testing.T) {
	const beta = .01
	old, right := []float64{1, 0, 0}, []float64{.4, .4, .2}
	edge, wrong := []float64{.45, .366, .184}, []float64{.5, .3, .2}
	claim := canary(.05, .01, .01, beta)
	runs := scale(400)
	for _, change := range []int{0, 100, 2000} {
		count := func(truth []float64) map[State]int {
			r := rand.New(rand.NewPCG(uint64(change), 3))
			got := map[State]int{}
			for range runs {
				s, err := NewSettling(claim)
				if err != nil {
					t.Fatal(err)
				}
				got[settle(s, r, old, truth, change, 10000, 40000)]++
			}
			return got
		}
		if got := count(right); got[Passed] != runs {
			t.Errorf("right after %d requests: %v", change, got)
		}
		if got := count(edge); exceeds(got[Passed], runs, beta) {
			t.Errorf("on the edge after %d requests: %v", change, got)
		}
		if got := count(wrong); got[Passed] > 0 || got[Failed] < runs*99/100 {
			t.Errorf("wrong after %d requests: %v", change, got)
		}
	}
}
