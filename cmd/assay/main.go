// Command assay works with the scenarios of the project assay without Ginkgo:
// it checks them, plans how much they will ask, and runs the sandbox by itself.
// And it judges without scenarios: what a URL answers, and counts from anywhere.
//
// It is for people in a terminal and for scripts: what was asked for goes to
// standard output, what is being done to standard error, and the exit code says
// how it went (0: well, 1: not well, 2: asked wrongly). Commands that judge say
// their verdict by it (0: passed, 1: failed, 2: bad input, 3: undecided).
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
