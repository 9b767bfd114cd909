package suites

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// given is what the command line says. Flags must be known before the test
// binary parses its own, hence at package level.
var given = defineFlags(flag.CommandLine)

// settings are the flags after -- of `ginkgo ./suites -- --scenario canary`.
type settings struct {
	scenario    list   // names and globs; none: all that Options do not hold back
	scenarios   string // file or folder; "": Options.Scenarios
	environment string // name or file; "": Options.Environment
	out         string // folder of the record; "": .assay/TIME
	seed        seed   // of the sampling
	keep        bool   // leave what the last scenario changed
	noRun       bool   // execute nothing
	folder      string // of the suite's package; no flag, Register knows it
}

func defineFlags(flags *flag.FlagSet) *settings {
	s := &settings{}
	flags.Var(&s.scenario, "scenario", "`NAME` or glob of a scenario to run, with all that it needs (may be repeated; default: all chapters)")
	flags.StringVar(&s.scenarios, "scenarios", "", "`PATH` of the scenarios, from the module's root (default scenarios)")
	flags.StringVar(&s.environment, "environment", "", "`NAME|FILE` of the environment to run in (default sandbox)")
	flags.StringVar(&s.out, "out", "", "`DIR` for the record and the report, from the module's root (default .assay/TIME)")
	flags.BoolVar(&s.keep, "keep", false, "leave what the last scenario, and all that it needs, changed: to look at it (default: all is put back)")
	flags.BoolVar(&s.noRun, "no-run", false, "execute no script or command of a scenario: scenarios with a run step, and what needs them, are skipped")
	flags.Var(&s.seed, "sample-seed", "`NUMBER` that the sampling's random choices begin with (default: a new one each time)")
	return s
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	if strings.TrimSpace(value) == "" {
		return fmt.Errorf("a name is missing")
	}
	*l = append(*l, value)
	return nil
}

// seed is a number that may be left to chance.
type seed struct {
	number uint64
	set    bool
}

func (s *seed) String() string { return strconv.FormatUint(s.number, 10) }

func (s *seed) Set(value string) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return fmt.Errorf("want a whole number from 0 to 18446744073709551615")
	}
	s.number, s.set = n, true
	return nil
}

// anyway is the environment variable that lets plain `go test` do the work.
const anyway = "ASSAY_E2E"

// wanted says whether this is a run on purpose: by Ginkgo's command, which
// always gives the test binary flags of its own, or with ASSAY_E2E=1.
// Otherwise somebody just runs all tests, and shall not wait for a sandbox.
func wanted(flags *flag.FlagSet) bool {
	byGinkgo := false
	flags.Visit(func(f *flag.Flag) { byGinkgo = byGinkgo || strings.HasPrefix(f.Name, "ginkgo.") })
	return byGinkgo || os.Getenv(anyway) == "1"
}
