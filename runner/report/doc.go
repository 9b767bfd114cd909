// Package report renders records for people: what passed and what did not,
// the shares wanted and got, and what the answers say about the cause.
//
// Text is for the command line, for failure messages and for report entries of
// a suite, HTML for a browser, Markdown for the page of a CI job. All work from
// a record alone, so that every report can be made again from the file on disk.
// None judges: states and intervals are the record's.
package report
