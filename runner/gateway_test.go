package runner

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/scenario"
)

func TestPortOf(t *testing.T) {
	service := &kube.Object{}
	if err := yaml.Unmarshal([]byte(`{apiVersion: v1, kind: Service, metadata: {name: g}, spec: {ports: [
  {name: http2, port: 80}, {name: https, port: 8443}, {name: web, port: 443}, {name: tls, port: 9443, appProtocol: https}]}}`), &service.Object); err != nil {
		t.Fatal(err)
	}
	// As an API server gives them.
	for _, p := range service.Object["spec"].(map[string]any)["ports"].([]any) {
		m := p.(map[string]any)
		m["port"] = int64(m["port"].(float64))
	}
	tests := []struct {
		wanted, scheme string
		port           int64
	}{
		{"http2", "http", 80}, {"80", "http", 80}, {"https", "https", 8443}, {"443", "https", 443}, {"web", "https", 443}, {"tls", "https", 9443},
	}
	for _, tt := range tests {
		if port, scheme, err := portOf(service, tt.wanted); err != nil || port != tt.port || scheme != tt.scheme {
			t.Errorf("portOf(%s) = %d, %s, %v, want %d, %s", tt.wanted, port, scheme, err, tt.port, tt.scheme)
		}
	}
	if _, _, err := portOf(service, "http"); err == nil || !strings.Contains(err.Error(), "http2 80, https 8443") {
		t.Errorf("got %v, want to be told which ports there are", err)
	}
}

func TestHostPort(t *testing.T) {
	tests := []struct {
		host, scheme, want string
		port               int64
	}{
		{"10.0.0.1", "http", "10.0.0.1", 80},
		{"10.0.0.1", "http", "10.0.0.1:8080", 8080},
		{"10.0.0.1", "https", "10.0.0.1:80", 80},
		{"a.example.com", "https", "a.example.com", 443},
		{"::1", "http", "[::1]", 80},
		{"::1", "http", "[::1]:18001", 18001},
	}
	for _, tt := range tests {
		if got := hostPort(tt.host, tt.port, tt.scheme); got != tt.want {
			t.Errorf("hostPort(%s, %d, %s) = %s, want %s", tt.host, tt.port, tt.scheme, got, tt.want)
		}
	}
}

// Only the last leaf of the only tree, and what is above it, may be left as it
// is: what runs after any other would find its changes.
func TestWhatMayBeKept(t *testing.T) {
	node := func(name string, parent *PlannedScenario) *PlannedScenario {
		s := &PlannedScenario{Scenario: &scenario.Scenario{Name: name}, Parent: parent}
		if parent != nil {
			parent.Children = append(parent.Children, s)
		}
		return s
	}
	root := node("root", nil)
	first, last, skipped := node("first", root), node("last", root), node("skipped", root)
	skipped.Skip = "not here"
	below := node("below", last)
	r := &Run{plan: &Plan{Scenarios: []*PlannedScenario{root, first, last, skipped, below}}}
	for s, want := range map[*PlannedScenario]bool{root: true, first: false, last: true, below: true} {
		if got := r.isLast(s); got != want {
			t.Errorf("%s: %v, want %v", s.Scenario.Name, got, want)
		}
	}
	r.plan.Scenarios = append(r.plan.Scenarios, node("another root", nil))
	if r.isLast(below) {
		t.Error("roots run in any order: with two of them nothing is last")
	}
}
