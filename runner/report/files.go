package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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

// Places says on two lines where a record and the page made from it are: from
// the working directory where they are below it.
func Places(recordPath string) string {
	return fmt.Sprintf("record: %s\nreport: %s\n", relative(recordPath), relative(filepath.Join(filepath.Dir(recordPath), PageFile)))
}

// relative shortens a path to one from the working directory, where it is below it.
func relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	short, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
