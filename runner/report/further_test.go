package report

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// No more is said of kept connections than what was seen of them.
func TestKeptSaysNoMoreThanWasSeen(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	var connection int // of the present answer, drawn for each
	for _, tt := range []struct {
		same       float64
		outcomes   func(i int) (connection int64, outcome int)
		want, lack string
	}{
		// A connection stays with its backend whatever comes between.
		{1, func(int) (int64, int) { return int64(connection), connection % 2 }, "a client that keeps one sees no other", "(Or"},
		// Most of a connection's requests reach the same one.
		{.7, func(int) (int64, int) { return int64(connection), (connection + chance.IntN(5)/4) % 2 }, "connections differ in the shares", "sees no other"},
		// Backends in turn, and connections in turn: it may be either.
		{1, func(i int) (int64, int) { return int64(i % 8), i % 2 }, "(Or the gateway deals its backends in turn", "nothing"},
	} {
		d := verdict.NewDependence(2, 1)
		for i := range 400 {
			connection = chance.IntN(7)
			d.Observe(tt.outcomes(i))
		}
		r := d.Result()
		if r.Balancing != verdict.Sticky || tt.same == 1 && r.Same < 1 {
			t.Fatalf("it is %s, %.2f of pairs the same", r.Balancing, r.Same)
		}
		if got := Kept(record.Sample{Kept: &r}); !strings.Contains(got, tt.want) || strings.Contains(got, tt.lack) {
			t.Errorf("%s\nwant in it %q and not %q", got, tt.want, tt.lack)
		}
	}
}
