// Package runner carries scenarios out in an environment and records what
// happened. It is the engine under both the Ginkgo suite and the command line.
//
// The way of the data:
//
//	YAML -> Scenario -> Plan -> Run -> observations -> verdict -> Record -> reports
//
// Engine.Plan refuses everything that can be wrong without a cluster, all
// mistakes at once, each with its place in its file. Engine.Start connects to
// the clusters that a plan uses. Run.Step carries out one step; Run.Reach
// brings about the state that a scenario builds on; Run.PutBack undoes what a
// scenario changed. The record is on disk after every step, so that a run that
// is killed leaves what it had found.
//
// A step is one action, and each action is one file action_NAME.go: a struct
// of its fields, a check that finds every mistake in them, and what it does.
// The table of actions is in action.go.
//
// The package takes no testing framework and prints nothing: what it has to
// say is in errors and in the record.
package runner
