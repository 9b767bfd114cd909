package runner

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// A dealer gives the n-th answer, whoever asks.
type dealer func(n int) string

func (d dealer) serve(t *testing.T) string {
	t.Helper()
	var mu sync.Mutex
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		color := d(n)
		n++
		mu.Unlock()
		fmt.Fprintf(w, `{"color": %q}`, color)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// However a gateway deals a correct split, the split is right; and the kind of
// balancing is named.
func TestExpectNamesTheBalancing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	deck := strings.Fields("blue green blue green blue blue green blue green blue") // 60/40, as smooth as can be
	for _, tt := range []struct {
		name string
		deal dealer
		want verdict.Balancing
	}{
		{"independent", func(int) string {
			if rng.Float64() < .6 {
				return "blue"
			}
			return "green"
		}, verdict.Independent},
		{"in turn", func(n int) string { return deck[n%len(deck)] }, verdict.Exact},
		{"in blocks", func(n int) string {
			if n%50 < 30 {
				return "blue"
			}
			return "green"
		}, verdict.Blocks},
		{"all the same", func(int) string { return "blue" }, verdict.TooFew},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expect := "- expect: {shares: {blue: 60%, green: 40%}, tolerance: 8pp}\n"
			if tt.want == verdict.TooFew {
				expect = "- expect: {shares: {blue: 100%}}\n"
			}
			r := begin(t, expect, tt.deal.serve(t))
			r.env.Limits.Workers = 1 // so that answers are dealt in the order in which they are asked for
			got := step(t, r)
			if got.State != record.Passed {
				t.Fatalf("%s: %s", got.State, got.Error)
			}
			b := got.Samples[0].Balancing
			if b == nil || b.Balancing != tt.want || b.Message == "" || b.Observed != got.Samples[0].Result.N {
				t.Fatalf("got %+v, want %s", b, tt.want)
			}
			// Each request has a connection of its own.
			if b.Connections != b.N {
				t.Errorf("%d answers on %d connections", b.N, b.Connections)
			}
			if text := report.StepText(got); tt.want != verdict.TooFew && !strings.Contains(text, "balancing: "+string(tt.want)+": ") {
				t.Errorf("it is not in the report:\n%s", text)
			}
		})
	}
}
