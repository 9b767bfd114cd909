package runner

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/runner/route"
)

// A manifest's split is said in the environment's words only where every
// target is one destination and no other.
func TestSharesOf(t *testing.T) {
	env := engineIn(t, "sandbox").env
	target := func(cluster, namespace string, weight float64, labels ...string) route.Target {
		tg := route.Target{Cluster: cluster, Namespace: namespace, Name: "blue-green-canary", Weight: weight}
		if len(labels) == 2 {
			tg.Subset = map[string]string{labels[0]: labels[1]}
		}
		return tg
	}
	tests := []struct {
		reason  string
		targets []route.Target
		want    map[string]float64
	}{
		{"weights are parts of their sum", []route.Target{target("cluster1", "blue-green-canary", 1, "version", "blue"), target("cluster2", "blue-green-canary", 3, "version", "green")},
			map[string]float64{"blue": .25, "green": .75}},
		{"without a subset there is only one it can be", []route.Target{target("cluster2", "blue-green-canary", 7)}, map[string]float64{"green": 1}},
		{"two targets of one destination", []route.Target{target("cluster1", "blue-green-canary", 1), target("cluster1", "blue-green-canary", 1, "version", "blue")},
			map[string]float64{"blue": 1}},
		{"a subset that no destination is", []route.Target{target("cluster1", "blue-green-canary", 1, "version", "purple")}, nil},
		{"a cluster that no destination is in", []route.Target{target("cluster9", "blue-green-canary", 1)}, nil},
		{"no weight at all", []route.Target{target("cluster2", "blue-green-canary", 0)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got, ok := sharesOf(route.Split{Targets: tt.targets}, env)
			if ok != (tt.want != nil) {
				t.Fatalf("ok = %v with %v", ok, got)
			}
			if diff := cmp.Diff(tt.want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
