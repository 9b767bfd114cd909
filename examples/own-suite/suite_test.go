package shop_test

import (
	"testing"

	"github.com/meshassay/assay/suites"
	"github.com/onsi/ginkgo/v2"
)

func TestScenarios(t *testing.T) {
	suites.Register(t, suites.Options{})
	ginkgo.RunSpecs(t, "Shop")
}
