// Package record is what happened in a run, as plain data on disk: which
// scenarios and steps, what they changed, what was sampled, counted and found.
//
// The runner writes a record before any report is made, and every report can
// be made from it again. A record is JSON with a version; Read refuses a
// version and a field that it does not know, so that nothing is misread or
// silently lost.
package record
