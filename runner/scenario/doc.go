// Package scenario reads the files that say what to do and what should then be seen.
//
// It is for the runner, which gives the actions their meaning, and for whoever lists
// or selects scenarios (the suite, the command line). It knows the frame of a file
// (its name, what it needs, that each step has one action) and how the files of a
// folder make a tree; it does not know which actions there are.
//
// It refuses, with every mistake at its line and column and all of them at once,
// files whose frame is wrong, two files of one name, and scenarios that need one
// that does not exist, is broken or needs them in turn.
package scenario
