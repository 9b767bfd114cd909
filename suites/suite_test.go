package suites_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"

	"github.com/meshassay/assay/suites"
)

// The tutorial's chapters, and by name or label what proves that Assay can fail.
func TestScenarios(t *testing.T) {
	suites.Register(t, suites.Options{})
	ginkgo.RunSpecs(t, "Assay")
}
