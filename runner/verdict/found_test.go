package verdict

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// All intervals hold together, however names are found: few and likely ones, a
// thousand of which any may be the first to come, and rare ones beside them.
func TestFoundIntervalsHold(t *testing.T) {
	const runs, answers, confidence = 150, 300, .9
	few := func(r *rand.Rand) (string, float64) {
		switch x := r.Float64(); {
		case x < .7:
			return "blue", .7
		case x < .95:
			return "green", .25
		case x < .99:
			return "canary", .04
		}
		return "", .01 // an error
	}
	many := func(r *rand.Rand) (string, float64) { return fmt.Sprint(r.IntN(1000)), .001 }
	for name, answer := range map[string]func(*rand.Rand) (string, float64){"few": few, "many": many} {
		r := rand.New(rand.NewPCG(5, 6))
		wrong := 0
		for range runs {
			f := NewFound(confidence)
			truth := make(map[string]float64)
			bad := false
			for n := 1; n <= answers && !bad; n++ {
				outcome, share := answer(r)
				truth[outcome] = share
				if outcome == "" {
					f.ObserveError()
				} else {
					f.Observe(outcome)
				}
				if n > 20 && n%20 > 0 {
					continue
				}
				result := f.Result()
				for _, s := range append(result.Shares, result.Errors) {
					if want, known := truth[s.Name]; known && (want < s.Low || want > s.High) {
						bad = true
					}
				}
			}
			if bad {
				wrong++
			}
		}
		// 10 % are allowed; the bound is loose.
		if wrong > runs/10 {
			t.Errorf("%s: an interval was wrong in %d of %d runs", name, wrong, runs)
		}
	}
}

// Intervals close in on what is there.
func TestFoundIntervalsAreNarrow(t *testing.T) {
	f := NewFound(.99)
	for n := range 10000 {
		switch {
		case n%100 == 99:
			f.ObserveError()
		case n%5 == 4:
			f.Observe("green")
		default:
			f.Observe("blue")
		}
	}
	r := f.Result()
	if len(r.Shares) != 2 || r.Shares[0].Name != "blue" || r.N != 10000 || r.Errors.Count != 100 || r.Other != 0 || r.Confidence != .99 {
		t.Fatalf("got %+v", r)
	}
	for i, want := range []float64{.8, .19} {
		if s := r.Shares[i]; s.Got != want || s.Low > want-.01 || s.High < want+.01 || s.High-s.Low > .05 {
			t.Errorf("got %+v, want a narrow interval around %g", s, want)
		}
	}
	if e := r.Errors; e.Low < .005 || e.High > .016 {
		t.Errorf("errors: got %+v", e)
	}
}

func TestFoundBoundsItsNames(t *testing.T) {
	f := NewFound(.99)
	if r := f.Result(); r.N != 0 || len(r.Shares) != 0 || r.Errors.Low != 0 || r.Errors.High != 1 {
		t.Errorf("of nothing: %+v", r)
	}
	for i := range 100 {
		got, want := f.Observe(fmt.Sprint(i)), i
		if i >= FoundNames {
			want = Unlisted
		}
		if got != want {
			t.Errorf("name %d is number %d", i, got)
		}
	}
	if f.Observe("7") != 7 {
		t.Error("a name has another number when it comes again")
	}
	if r := f.Result(); r.Other != 100-FoundNames || len(r.Shares) != FoundNames || r.Shares[0].Name != "7" || r.N != 101 {
		t.Errorf("got %+v", r)
	}
	// One that is all there is from some time on is shown within its bounds.
	g := NewFound(.99)
	for range 5000 {
		g.Observe("old")
	}
	for range 5000 {
		g.Observe("new")
	}
	for _, s := range g.Result().Shares {
		if s.Got < s.Low || s.Got > s.High {
			t.Errorf("got %+v", s)
		}
	}
}
