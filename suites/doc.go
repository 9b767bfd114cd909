// Package suites turns scenarios into a Ginkgo suite: a container for each
// scenario, nested as they need each other, and a spec for each step, located
// at its line of YAML.
//
// It is for this project's own suite (suite_test.go) and for those who keep
// their scenarios elsewhere. Theirs is, in a file that ends in _test.go,
//
//	func TestScenarios(t *testing.T) {
//		suites.Register(t, suites.Options{})
//		ginkgo.RunSpecs(t, "Mesh")
//	}
//
// and is run by `go tool ginkgo ./mesh -- --scenario canary`. (Ginkgo's command
// knows a suite by Ginkgo's import in a test file, which is why RunSpecs is not
// called here.) What Ginkgo's users know works: label filters, focus, -v,
// reports, time-outs, --dry-run, -p.
//
// It refuses to be green on doubt: a file that cannot be read is a failing
// spec, a scenario whose parent failed does not run, and a run in which
// nothing ran has failed. It never tries again what failed; FlakeAttempts
// would multiply the stated probability of a wrong verdict.
package suites
