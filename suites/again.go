package suites

import (
	"os"
	"path/filepath"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/environment"
)

// suiteFolder is the folder of the test's package, as it is written from the
// module's root: what Ginkgo's command is given.
func suiteFolder(root string) string {
	dir, err := os.Getwd() // a test binary is started in its package's folder
	if err != nil {
		return "."
	}
	folder, err := filepath.Rel(root, dir)
	if err != nil || folder == "." {
		return "."
	}
	return "./" + filepath.ToSlash(folder)
}

// again is the command that runs just one scenario again, from the module's
// root, in the same way.
func (s *settings) again(scenario string) string {
	words := []string{"go", "tool", "ginkgo", first(s.folder, "."), "--", "--scenario", scenario}
	if s.scenarios != "" {
		words = append(words, "--scenarios", s.scenarios)
	}
	if s.environment != "" && s.environment != environment.Sandbox {
		words = append(words, "--environment", s.environment)
	}
	return runner.CommandLine(words...)
}
