package suites

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, args ...string) (*settings, error) {
	t.Helper()
	flags := flag.NewFlagSet("suites.test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	s := defineFlags(flags)
	return s, flags.Parse(args)
}

func TestFlags(t *testing.T) {
	s, err := parse(t, "--scenario", "canary", "--scenario=fault-*", "--environment", "tutorial", "--out", "out", "--sample-seed", "7", "--keep", "--no-run")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.scenario, []string{"canary", "fault-*"}) || s.environment != "tutorial" || s.out != "out" || s.seed.number != 7 || !s.keep || !s.noRun {
		t.Errorf("got %+v", s)
	}
	for _, args := range [][]string{{"--scenario", ""}, {"--sample-seed", "-1"}, {"--sample-seed", "x"}} {
		if _, err := parse(t, args...); err == nil {
			t.Errorf("%s: no error", strings.Join(args, " "))
		}
	}
}

func TestWanted(t *testing.T) {
	flags := flag.NewFlagSet("suites.test", flag.ContinueOnError)
	flags.Int("ginkgo.seed", 0, "")
	flags.Bool("test.v", false, "")
	t.Setenv(anyway, "")
	if err := flags.Parse([]string{"-test.v"}); err != nil {
		t.Fatal(err)
	}
	if wanted(flags) {
		t.Error("by go test: wanted")
	}
	t.Setenv(anyway, "1")
	if !wanted(flags) {
		t.Errorf("with %s=1: not wanted", anyway)
	}
	t.Setenv(anyway, "")
	if err := flags.Parse([]string{"-ginkgo.seed=0"}); err != nil {
		t.Fatal(err)
	}
	if !wanted(flags) {
		t.Error("by Ginkgo's command: not wanted")
	}
}
