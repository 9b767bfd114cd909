package sample_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// A correct split whose canary is ten times slower passes with 50 workers:
// observations are judged in the order of dispatch. In the order of completion
// the canary would come late and seem rare.
func TestSlowCanaryPasses(t *testing.T) {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(3, 1))
	var arrived []string // as they were answered
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		u := r.Float64()
		mu.Unlock()
		color, wait := "yellow", 50*time.Millisecond
		switch {
		case u < .4:
			color, wait = "blue", 5*time.Millisecond
		case u < .8:
			color, wait = "green", 5*time.Millisecond
		}
		time.Sleep(wait)
		mu.Lock()
		arrived = append(arrived, color)
		mu.Unlock()
		io.WriteString(w, `{"color":"`+color+`"}`)
	}))
	defer s.Close()
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .4, Tolerance: .05}, {Name: "green", Want: .4, Tolerance: .05}, {Name: "canary", Want: .2, Tolerance: .05}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	test, err := verdict.New(claim)
	if err != nil {
		t.Fatal(err)
	}
	var first []string // in the order of dispatch
	err = sample.Run(context.Background(), sample.Options{
		Cases: []sample.Request{{URL: s.URL}}, Workers: 50,
		Classifier: sample.NewClassifier([]sample.Rule{{JSON: "color", Values: map[string]string{"blue": "blue", "green": "green", "yellow": "canary"}}}),
	}, func(batch []sample.Observation) bool {
		for _, o := range batch {
			i := verdict.Error
			if o.Fault == "" {
				i = claim.Index(o.Outcome)
			}
			if len(first) < 60 {
				first = append(first, o.Outcome)
			}
			test.Observe(i)
			if test.Look() != verdict.Undecided {
				return false
			}
		}
		return test.Counts().Total() < 20000
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := test.Result(); r.State != verdict.Passed {
		t.Errorf("%s: %s", r.State, r.Reason)
	}
	share := func(list []string, name string) (n int) {
		for _, x := range list {
			if x == name {
				n++
			}
		}
		return n
	}
	mu.Lock()
	defer mu.Unlock()
	dispatched, completed := share(first, "canary"), share(arrived[:60], "yellow")
	t.Logf("of the first 60 requests %d were canary's, of the first 60 answers %d", dispatched, completed)
	if dispatched <= completed {
		t.Errorf("of the first 60 requests %d were canary's, of the first 60 answers %d: the server does not show the effect", dispatched, completed)
	}
}
