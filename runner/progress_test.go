package runner

import (
	"testing"

	"github.com/meshassay/assay/runner/verdict"
)

func TestProgressOfOneGateway(t *testing.T) {
	undecided := verdict.Result{Reason: "nothing was counted yet"}
	tests := []struct {
		sample LiveSample
		want   string
	}{
		{LiveSample{Gateway: "ingress1", Result: undecided}, "ingress1: undecided: nothing was counted yet"},
		{LiveSample{Gateway: "ingress1", Result: undecided, Attempt: 8}, "ingress1: undecided: attempt 8 did not pass, the next one begins after a pause"},
	}
	for _, tt := range tests {
		if got := tt.sample.line(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
