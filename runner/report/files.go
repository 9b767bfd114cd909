package report

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/meshassay/assay/runner/record"
)

// The files with what a report has to say: all of it for a terminal, all of it
// for a browser, and a summary for the page of a CI job.
const (
	TextFile    = "report.txt"
	PageFile    = "report.html"
	SummaryFile = "summary.md"
)

var files = []struct {
	name  string
	write func(io.Writer, *record.Record) error
}{
	{TextFile, func(w io.Writer, r *record.Record) error { return Text(w, r, Options{Verbose: true}) }},
	{PageFile, HTML},
	{SummaryFile, Markdown},
}

// WriteFiles makes all reports of a record, as files in a folder that is there:
// the one in which the record is, so that they are found beside it.
func WriteFiles(folder string, r *record.Record) error {
	for _, f := range files {
		var b bytes.Buffer
		if err := f.write(&b, r); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, f.name), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
