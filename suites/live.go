package suites

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/onsi/ginkgo/v2"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/launch"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
)

// live is what a suite has while it runs. Only Ginkgo's first process has it.
type live struct {
	sandbox *launch.Sandbox // nil on clusters that were there before
	run     *runner.Run
	record  *record.Record
	path    string // of the record
	// interrupted is set as soon as a step was cut short from outside.
	interrupted atomic.Bool
}

// start brings up what the scenarios run on. It is the body of a
// SynchronizedBeforeSuite, so that -p starts one sandbox and not several.
func (s *suite) start(ctx ginkgo.SpecContext) {
	if s.environment.Name == sandboxEnvironment {
		s.startSandbox(ctx)
	}
	run, err := s.engine.Start(ctx, s.plan)
	if err != nil {
		ginkgo.Fail(fmt.Sprintf("%s: environment %s: %v", s.environment.File, s.environment.Name, err))
	}
	s.live.run = run
	ginkgo.DeferCleanup(s.end, ginkgo.NodeTimeout(putBackWithin))
	ginkgo.DeferCleanup(ginkgo.AttachProgressReporter(run.Progress))
	fmt.Printf("scenarios of %s in the environment %s (%s)\n",
		absolute(first(s.given.scenarios, s.options.Scenarios)), s.environment.Name, s.environment.File)
}

func (s *suite) startSandbox(ctx context.Context) {
	sandbox, err := launch.Start(ctx, launch.Options{Log: os.Stdout})
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	s.live.sandbox = sandbox
	s.environment.Kubeconfig = sandbox.Kubeconfig
	ginkgo.DeferCleanup(func(ctx ginkgo.SpecContext) {
		if err := sandbox.Stop(ctx); err != nil {
			ginkgo.Fail(err.Error())
		}
	}, ginkgo.NodeTimeout(stopWithin))
}

// step is the body of a step's spec.
func (s *suite) step(ctx context.Context, p *runner.PlannedStep) {
	got := s.live.run.Step(ctx, p)
	if ctx.Err() != nil {
		s.live.interrupted.Store(true)
	}
	text := strings.TrimRight(report.StepText(got), "\n")
	at := location(p.Step.Source.Pos())
	switch got.State {
	case record.Passed:
		if len(got.Samples) == 0 {
			fmt.Fprintln(ginkgo.GinkgoWriter, text)
			return
		}
		// Always: what was seen, and how sure it is, is what people run this for.
		ginkgo.AddReportEntry(shares, at, ginkgo.ReportEntryVisibilityAlways, text)
	case record.Skipped:
		ginkgo.Skip(got.Error)
	default:
		if len(got.Samples) > 0 {
			// Never on the terminal: the failure's message says it already.
			ginkgo.AddReportEntry(shares, at, ginkgo.ReportEntryVisibilityNever, text)
		}
		ginkgo.Fail(strings.TrimRight(report.StepText(brief(got)), "\n") + s.sandboxEnded())
	}
}

// brief is a step without what would bury the verdict on a terminal: of the
// examples the first of each fault stays, and what the error says already is
// not said twice. All of it is in the record and its report.
func brief(step record.Step) record.Step {
	step.Samples = slices.Clone(step.Samples)
	for i := range step.Samples {
		sample := &step.Samples[i]
		if strings.Contains(step.Error, sample.Diagnosis) {
			sample.Diagnosis = ""
		}
		sample.Examples = slices.DeleteFunc(slices.Clone(sample.Examples), func(e record.Example) bool {
			return e.Fault == "" || e.Which != "first"
		})
	}
	return step
}

// shares is the name of the report entries with tables of shares.
const shares = "shares"

// sandboxEnded explains failures that come of a sandbox that is gone.
func (s *suite) sandboxEnded() string {
	if s.live.sandbox == nil {
		return ""
	}
	if err := s.live.sandbox.Err(); err != nil {
		return fmt.Sprintf("\nthe sandbox has ended: %v", err)
	}
	return ""
}

// ownSandbox says that the clusters go away with this run.
func (s *suite) ownSandbox() bool { return s.live.sandbox != nil && !s.live.sandbox.Attached }

// putBack is the body of a scenario's AfterAll.
func (s *suite) putBack(ctx context.Context, p *runner.PlannedScenario) {
	if s.live.interrupted.Load() && s.ownSandbox() {
		return // nobody waits for a clean cluster that ends in a second
	}
	if err := s.live.run.PutBack(ctx, p); err != nil {
		ginkgo.Fail(fmt.Sprintf("%s: %v", p.Scenario.Source.Pos(), err) + s.sandboxEnded())
	}
}

// end puts back what no AfterAll did (Ginkgo runs none when it is interrupted
// between two specs), children before parents, compares what the clusters hold
// with what they held before, and closes the record.
func (s *suite) end(ctx ginkgo.SpecContext) {
	var failed error
	if !s.ownSandbox() {
		for i := len(s.plan.Scenarios) - 1; i >= 0; i-- {
			failed = errors.Join(failed, s.live.run.PutBack(ctx, s.plan.Scenarios[i]))
		}
		failed = errors.Join(failed, s.live.run.Verify(ctx))
	}
	if err := errors.Join(failed, s.close()); err != nil {
		ginkgo.Fail(err.Error())
	}
}

// close writes the record and, made from it, the reports. It may be called more
// than once.
func (s *suite) close() error {
	if s.live.run == nil || s.live.record != nil {
		return nil
	}
	r, path, err := s.live.run.Close()
	if err != nil {
		return err
	}
	s.live.record, s.live.path = r, path
	for _, form := range forms {
		var b bytes.Buffer
		if err := form.write(&b, r); err != nil {
			return err
		}
		if err := os.WriteFile(s.beside(form.file), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// The files with what a report has to say: all of it for a terminal, all of it
// for a browser, and a summary for the page of a CI job.
const (
	textFile    = "report.txt"
	pageFile    = "report.html"
	summaryFile = "summary.md"
)

var forms = []struct {
	file  string
	write func(io.Writer, *record.Record) error
}{
	{textFile, func(w io.Writer, r *record.Record) error { return report.Text(w, r, report.Options{Verbose: true}) }},
	{pageFile, report.HTML},
	{summaryFile, report.Markdown},
}

// beside is the path of a file in the record's folder.
func (s *suite) beside(file string) string { return filepath.Join(filepath.Dir(s.live.path), file) }

// tool is what records say that they were made by.
func tool() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "assay"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == "github.com/meshassay/assay" && m.Version != "" && m.Version != "(devel)" {
			return "assay " + m.Version
		}
	}
	return "assay"
}
