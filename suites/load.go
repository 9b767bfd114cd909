package suites

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/launch"
)

// suite is one run of scenarios: what is known before Ginkgo builds its tree,
// and then what is running.
type suite struct {
	options Options
	given   settings

	// refused is set when there is nothing to build a tree of.
	refused error

	*runner.Selected

	live live
}

// load reads and plans everything. A scenario that has a mistake does not keep
// the others from being planned; it is a failing spec.
func load(o Options, g settings, labelFilter string) (*suite, error) {
	s := &suite{options: o, given: g}
	var err error
	s.Selected, err = runner.Select(runner.Selection{
		Folder: first(g.scenarios, o.Scenarios), Names: g.scenario,
		OnRequest: o.OnRequest, Requested: func(label string) bool { return mentions(labelFilter, label) },
		Environment: first(g.environment, o.Environment), Environments: o.Environments,
		Throwaway: os.Getenv(launch.Attach) == "",
	}, runner.Options{Out: g.out, Alpha: o.Alpha, Beta: o.Beta, Seed: g.seed.number, Keep: g.keep, NoRun: g.noRun, Again: g.again})
	return s, err
}

// mentions says whether a label filter speaks of a label, be it to leave it
// out: whether it does is then the filter's business.
func mentions(filter, label string) bool {
	return regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(label) + `($|[^\w.-])`).MatchString(filter)
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// absolute is for messages: a relative path says little when the reader does
// not know from where.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
