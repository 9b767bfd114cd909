package sample_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// A correct split whose canary is ten times slower than the others passes with
// 50 workers, because observations are judged in the order of dispatch. The same
// observations judged in the order of completion fail: the canary's answers come
// late, so that there are too few of them at every time.
func TestSlowCanaryPasses(t *testing.T) {
	failed := 0
	for _, reuse := range []bool{false, true} {
		for _, portable := range []bool{true, false} {
			t.Run(fmt.Sprintf("reuse %v, portable %v", reuse, portable), func(t *testing.T) {
				got := dispatched(t, sample.Options{
					Cases: []sample.Request{{URL: slowCanary(t)}}, Workers: 50, Reuse: reuse, Portable: portable,
					Classifier: sample.NewClassifier([]sample.Rule{{JSON: "color"}}),
				})
				if r := verdictOf(t, got); r.State != verdict.Passed {
					t.Errorf("in the order of dispatch: %s: %s", r.State, r.Reason)
				}
				slices.SortStableFunc(got, func(a, b sample.Observation) int { return cmp.Compare(a.At+a.Latency, b.At+b.Latency) })
				r := verdictOf(t, got)
				t.Logf("in the order of completion: %s: %s", r.State, r.Reason)
				if r.State == verdict.Failed {
					failed++
				}
			})
		}
	}
	// Not each time: a busy machine may delay the others as long as the canary.
	if failed == 0 {
		t.Error("in the order of completion nothing failed, so that this test shows nothing")
	}
}

// slowCanary is a gateway in front of blue, green and canary, which takes ten
// times as long. It deals from shuffled decks of 10, 10 and 5 cards, so that its
// split is right from the beginning.
func slowCanary(t *testing.T) string {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(3, 1))
	var deck []int
	deal := func() int {
		mu.Lock()
		defer mu.Unlock()
		if len(deck) == 0 {
			deck = r.Perm(25)
		}
		card := deck[0]
		deck = deck[1:]
		return card
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		color, wait := "canary", 200*time.Millisecond
		switch card := deal(); {
		case card < 10:
			color, wait = "blue", 20*time.Millisecond
		case card < 20:
			color, wait = "green", 20*time.Millisecond
		}
		time.Sleep(wait)
		io.WriteString(w, `{"color":"`+color+`"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// dispatched is what 1,200 requests got, in the order in which they were sent.
func dispatched(t *testing.T, o sample.Options) []sample.Observation {
	var all []sample.Observation
	err := sample.Run(context.Background(), o, func(batch []sample.Observation) bool {
		all = append(all, batch...)
		return len(all) < 1200
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// verdictOf takes the observations in the order given.
func verdictOf(t *testing.T, all []sample.Observation) verdict.Result {
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .4, Tolerance: .1}, {Name: "green", Want: .4, Tolerance: .1}, {Name: "canary", Want: .2, Tolerance: .1}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	test, err := verdict.New(claim)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		i := verdict.Error
		if o.Fault == "" {
			i = claim.Index(o.Outcome)
		}
		if test.Observe(i); test.Look() != verdict.Undecided {
			break
		}
	}
	return test.Result()
}
