package suites

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/meshassay/assay/runner"
)

// Options say what a suite consists of. The zero value is ready: all chapters
// in the folder scenarios, in the sandbox. Flags on the command line go first.
type Options struct {
	// Scenarios is the file or folder of the scenarios, from the module's
	// root. Default: "scenarios".
	Scenarios string
	// Environments is the folder of the environments, from the module's root.
	// Default: the folder "environments" in Scenarios.
	Environments string
	// Environment is the name or file of the one to run in. Default:
	// "sandbox".
	Environment string
	// OnRequest are labels of scenarios that run only when --scenario names
	// them or a label filter their label. Default: "fault" and "upgrade".
	OnRequest []string
	// Alpha is the probability that a run calls something wrong that is
	// right, Beta that an expectation passes that is wrong. Default: 0.001
	// and 0.01.
	Alpha, Beta float64
}

func (o Options) withDefaults() Options {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&o.Scenarios, "scenarios")
	set(&o.Environment, "sandbox")
	if o.OnRequest == nil {
		o.OnRequest = runner.OnRequest
	}
	return o
}

// Register builds the tree of containers and specs. It must be called in a test
// function, where flags have been parsed, and before RunSpecs. It skips the
// test unless Ginkgo's command runs it or $ASSAY_E2E is 1, and it makes the
// module's root the working directory, so that all paths are as a person at the
// root would write them.
func Register(t *testing.T, o Options) {
	if !wanted(flag.CommandLine) {
		t.Skipf("scenarios run by Ginkgo's command (go tool ginkgo ./suites) or with %s=1", anyway)
	}
	root := moduleRoot()
	given.folder = suiteFolder(root)
	t.Chdir(root)
	o = o.withDefaults()
	s, err := load(o, *given, ginkgo.GinkgoLabelFilter())
	if err != nil {
		s = &suite{refused: err}
	}
	s.register()
}

// moduleRoot returns the nearest folder at or above the working directory that
// holds a go.mod, or else the working directory. A test binary is started in
// its package's folder.
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}
