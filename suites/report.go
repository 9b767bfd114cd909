package suites

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
)

// report is the body of the ReportAfterSuite: it prints the report of the run,
// and fails a run that would be green without having shown anything.
func (s *suite) report(r ginkgo.Report) {
	if r.SuiteConfig.DryRun {
		return
	}
	// Closed already, unless a second Ctrl-C left out the cleaning up; then a step
	// may be running a program still.
	if s.live.run != nil {
		s.live.run.Abandon()
	}
	if err := s.close(); err != nil {
		ginkgo.Fail(err.Error())
	}
	if s.live.record != nil {
		if err := s.cutShort(r.SpecialSuiteFailureReasons); err != nil {
			ginkgo.Fail(err.Error())
		}
		s.print()
	}
	if r.SuiteSucceeded {
		if why := unfounded(r, s.Broken); why != "" {
			ginkgo.Fail(why)
		}
	}
}

// cutShort adds to the record what Ginkgo knows: that it was interrupted between
// two specs, or that its time was over, of which no step says anything.
func (s *suite) cutShort(reasons []string) error {
	r := s.live.record
	if len(reasons) == 0 || len(r.Unfinished) > 0 {
		return nil
	}
	r.Unfinished = reasons
	if err := record.Write(s.live.path, r); err != nil {
		return err
	}
	return report.WriteFiles(filepath.Dir(s.live.path), r)
}

// print shows the report in brief, for what failed has been shown in full, and
// where it and the record are.
func (s *suite) print() {
	fmt.Print("\n\n") // Ginkgo's dots have no line break
	if err := report.Text(os.Stdout, s.live.record, report.Options{Brief: true}); err != nil {
		ginkgo.Fail(err.Error())
	}
	fmt.Print(report.Places(s.live.path))
}

// unfounded says why a run in which no spec failed is no success.
func unfounded(r ginkgo.Report, broken []scenario.Broken) string {
	var b strings.Builder
	specs := r.SpecReports.WithLeafNodeType(types.NodeTypeIt)
	switch {
	case len(broken) > 0:
		// Their specs fail, so a filter has left them out: unread, a file may
		// well hold what the filter asks for.
		b.WriteString("files that cannot run were left out by a filter:")
		for _, f := range broken {
			b.WriteString("\n" + shown(f.Mistakes))
		}
	case r.PreRunStats.SpecsThatWillRun == 0:
		b.WriteString("nothing was selected: no step matches the filters")
	case specs.CountWithState(types.SpecStatePassed|types.SpecStateFailureStates) == 0:
		b.WriteString("nothing ran:")
		for _, spec := range specs {
			if spec.Failure.Message != "" {
				fmt.Fprintf(&b, "\n%s: %s", spec.FullText(), spec.Failure.Message)
			}
		}
	}
	return b.String()
}
