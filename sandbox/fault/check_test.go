package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/sandbox/routing"
)

// A name that nothing goes by is a mistake; one that only has no route yet is not.
func TestCheck(t *testing.T) {
	names := []string{"blue", "blue-green-canary.blue-green-canary", "canary", "green", "version-blue"}
	split := map[string][]routing.Host{"cluster1": canary(40, 40, 20), "cluster2": canary(40, 40, 20)}
	onlyBlue := canary(100, 0, 0)
	onlyBlue[0].Routes[0].Destinations = onlyBlue[0].Routes[0].Destinations[:1]
	single := map[string][]routing.Host{"cluster1": onlyBlue, "cluster2": nil}
	for _, c := range []struct {
		reason, spec string
		routes       map[string][]routing.Host
		problems     []string
		idle         string
	}{
		{"a route has both", `{"weights":{"points":6,"from":"canary","to":"blue"}}`, split, nil, ""},
		{"by subset and by service", `{"weights":{"points":6,"from":"version-green","to":"blue-green-canary.vm-blue-green-canary"}}`, split, nil, ""},
		{"any two will do", `{"weights":{"points":6}}`, split, nil, ""},
		{"nothing goes by either", `{"weights":{"points":6,"from":"red","to":"bleu"}}`, split, []string{
			`spec.weights.from: no destination is called "red" (there is blue, canary, green, version-blue)`,
			`spec.weights.to: no destination is called "bleu" (there is blue, canary, green, version-blue)`}, ""},
		{"one of two", `{"weights":{"points":6,"to":"yellow"}}`, split, []string{
			`spec.weights.to: no destination is called "yellow" (there is blue, canary, green, version-blue)`}, ""},
		{"canary is there, and nothing leads to it yet", `{"weights":{"points":6,"from":"canary","to":"blue"}}`, single, nil, "no effect yet: no route has both canary and blue"},
		{"nor to another than blue", `{"weights":{"points":6,"from":"blue"}}`, single, nil, "no effect yet: no route has blue and another destination"},
		{"nor to two", `{"weights":{"points":6}}`, single, nil, "no effect yet: no route has two destinations"},
		{"before there is any route, whatever it is called may come", `{"weights":{"points":6,"from":"red"}}`, nil, nil, "no effect yet: no gateway has a route to a destination"},
		{"the routes of another cluster do not count", `{"clusters":["cluster2"],"weights":{"points":6,"from":"red"}}`, single, nil, "no effect yet: no gateway has a route to a destination"},
		{"errors need a route too", `{"errors":{"percent":3}}`, nil, nil, "no effect yet: no gateway has a route to a destination"},
		{"and with one they have an effect", `{"errors":{"percent":3}}`, single, nil, ""},
		{"the VM is down whoever asks it", `{"vmDown":{}}`, nil, nil, ""},
	} {
		t.Run(c.reason, func(t *testing.T) {
			problems, idle := mustRead(t, c.spec).Check(c.routes, names)
			if diff := cmp.Diff(c.problems, problems); diff != "" || idle != c.idle {
				t.Errorf("%s idle %q, want %q", diff, idle, c.idle)
			}
		})
	}
}
