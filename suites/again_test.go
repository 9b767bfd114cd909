package suites

import "testing"

func TestAgain(t *testing.T) {
	for _, tt := range []struct {
		s    settings
		want string
	}{
		{settings{folder: "./suites"}, "go tool ginkgo ./suites -- --scenario canary"},
		{settings{folder: "./suites", environment: "sandbox", out: "x", keep: true}, "go tool ginkgo ./suites -- --scenario canary"},
		{settings{folder: "./e2e/mesh", environment: "my clusters.yaml", scenarios: "../tutorial/scenarios"},
			"go tool ginkgo ./e2e/mesh -- --scenario canary --scenarios ../tutorial/scenarios --environment 'my clusters.yaml'"},
		{settings{}, "go tool ginkgo . -- --scenario canary"},
	} {
		if got := tt.s.again("canary"); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestSuiteFolder(t *testing.T) {
	if got := suiteFolder(moduleRoot()); got != "./suites" {
		t.Errorf("got %s, want ./suites", got)
	}
}
