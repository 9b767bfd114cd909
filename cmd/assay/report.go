package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
)

// reportFlags are what `assay report` can be told.
type reportFlags struct {
	format  string
	output  string
	verbose bool
}

// format is a form of report.
type format struct {
	name, ends string // ends: of a file's name
	write      func(io.Writer, *record.Record) error
}

func (f *reportFlags) formats() []format {
	return []format{
		{"text", ".txt", func(w io.Writer, r *record.Record) error {
			return report.Text(w, r, report.Options{Verbose: f.verbose})
		}},
		{"html", ".html", report.HTML},
		{"markdown", ".md", report.Markdown},
		{"junit", ".xml", report.JUnit},
	}
}

func reportCommand() *cobra.Command {
	var f reportFlags
	var names []string
	for _, known := range f.formats() {
		names = append(names, known.name)
	}
	c := &cobra.Command{
		Use:   "report [RECORD.json|FOLDER]",
		Short: "Show the report of a run that is over",
		Long: `Show the report of a run that is over: what passed and what did not, with shares, intervals and causes.

Every run leaves a record, and every report is made from it alone, so that it can be made again: in another
format, on another machine, from the artefacts of a CI job. A FOLDER is one that holds a record.json, or whose
folders do: then it is the latest of them. The default is the latest run in .assay.

The exit code is 0 when the report could be made, whatever came of the run, and else 2.`,
		Example: `  assay report                                  # of the latest run
  assay report --verbose                        # with the tables of what passed, too
  assay report -o report.html                   # as a page to look at, or to send to somebody
  assay report .assay/20260102T150405.000Z      # of an earlier run
  assay report record.json --format markdown >> "$GITHUB_STEP_SUMMARY"`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeRecords,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("format") && !slices.Contains(names, f.format) {
				return fmt.Errorf("--format %s: there is no such format (%s)", f.format, document.OneOf(f.format, names))
			}
			return unjudged(f.run(c.OutOrStdout(), args))
		},
	}
	c.Flags().StringVar(&f.format, "format", "", "`FORMAT`: "+strings.Join(names, ", ")+" (default: what the name of -o ends in, or text)")
	c.Flags().StringVarP(&f.output, "output", "o", "", "`FILE` to write (default: standard output)")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "text: show tables and changes of steps that passed, too")
	c.Flags().SortFlags = false
	completes(c, "format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return c
}

func (f *reportFlags) run(stdout io.Writer, args []string) error {
	of := runner.OutFolder
	if len(args) > 0 {
		of = args[0]
	}
	file, err := recordAt(of)
	if err != nil {
		return err
	}
	r, err := record.Read(file)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := f.chosen().write(&b, r); err != nil {
		return err
	}
	if f.output != "" {
		return os.WriteFile(f.output, b.Bytes(), 0o644)
	}
	_, err = stdout.Write(b.Bytes())
	return err
}

// chosen is the format that is asked for.
func (f *reportFlags) chosen() format {
	known := f.formats()
	i := slices.IndexFunc(known, func(k format) bool {
		if f.format != "" {
			return k.name == f.format
		}
		return f.output != "" && strings.EqualFold(filepath.Ext(f.output), k.ends)
	})
	return known[max(i, 0)]
}

// recordAt finds the record that a path means: itself, the one in it, or the
// latest in its folders.
func recordAt(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path == runner.OutFolder:
		return "", fmt.Errorf("there is no run in %s yet: name a record, or run something first (assay run)", path)
	case err != nil:
		return "", err
	case !info.IsDir():
		return path, nil
	}
	if file := filepath.Join(path, record.FileName); isFile(file) {
		return file, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var files []string
	for _, entry := range entries {
		if file := filepath.Join(path, entry.Name(), record.FileName); isFile(file) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return "", fmt.Errorf("%s: neither it nor a folder in it holds a %s", path, record.FileName)
	}
	return latest(files), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// latest is the file that was written last; of several written at once the one
// whose name, which may be a time, is the last.
func latest(files []string) string {
	written := func(file string) int64 {
		info, err := os.Stat(file)
		if err != nil {
			return 0
		}
		return info.ModTime().UnixNano()
	}
	return slices.MaxFunc(files, func(a, b string) int {
		if x, y := written(a), written(b); x != y {
			return int(min(max(x-y, -1), 1))
		}
		return strings.Compare(a, b)
	})
}
