package suites_test

import (
	"testing"

	"github.com/meshassay/assay/suites"
)

// The tutorial's chapters, and by name or label what proves that Assay can fail.
func TestScenarios(t *testing.T) { suites.Run(t, suites.Options{}) }
