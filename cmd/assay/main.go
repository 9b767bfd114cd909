// Command assay works with the scenarios of the project assay without Ginkgo:
// it checks them, and it runs the sandbox by itself.
//
// It is for people in a terminal and for scripts: what was asked for goes to
// standard output, what is being done to standard error, and the exit code says
// how it went (0: well, 1: not well, 2: asked wrongly).
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
