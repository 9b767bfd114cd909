package suites

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/onsi/ginkgo/v2"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/environment"
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
}

// start brings up what the scenarios run on. It is the body of a
// SynchronizedBeforeSuite, so that -p starts one sandbox and not several.
func (s *suite) start(ctx ginkgo.SpecContext) {
	if s.Environment.Name == environment.Sandbox {
		s.startSandbox(ctx)
	}
	run, err := s.Engine.Start(ctx, s.Plan)
	if err != nil {
		ginkgo.Fail(fmt.Sprintf("%s: environment %s: %v", s.Environment.File, s.Environment.Name, err))
	}
	s.live.run = run
	ginkgo.DeferCleanup(s.end, ginkgo.NodeTimeout(putBackWithin))
	ginkgo.DeferCleanup(ginkgo.AttachProgressReporter(run.Progress))
	fmt.Printf("scenarios of %s in the environment %s (%s)\n",
		absolute(first(s.given.scenarios, s.options.Scenarios)), s.Environment.Name, s.Environment.File)
}

func (s *suite) startSandbox(ctx context.Context) {
	sandbox, err := launch.Start(ctx, launch.Options{Log: os.Stdout})
	if err != nil {
		ginkgo.Fail(err.Error())
	}
	s.live.sandbox = sandbox
	s.Environment.Kubeconfig = sandbox.Kubeconfig
	ginkgo.DeferCleanup(func(ctx ginkgo.SpecContext) {
		if err := sandbox.Stop(ctx); err != nil {
			ginkgo.Fail(err.Error())
		}
	}, ginkgo.NodeTimeout(stopWithin))
}

// step is the body of a step's spec.
func (s *suite) step(ctx context.Context, p *runner.PlannedStep) {
	got := s.live.run.Step(ctx, p)
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
		ginkgo.Fail(strings.TrimRight(report.StepFailure(got), "\n") + s.sandboxEnded())
	}
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

// putBack is the body of a scenario's AfterAll.
func (s *suite) putBack(ctx context.Context, p *runner.PlannedScenario) {
	if err := s.live.run.PutBack(ctx, p); err != nil {
		ginkgo.Fail(fmt.Sprintf("%s: %v", p.Scenario.Source.Pos(), err) + s.sandboxEnded())
	}
}

// end puts back what no AfterAll did (Ginkgo runs none when it is interrupted
// between two specs), compares, and closes the record.
func (s *suite) end(ctx ginkgo.SpecContext) {
	if err := errors.Join(s.live.run.End(ctx), s.close()); err != nil {
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
	return report.WriteFiles(filepath.Dir(path), r)
}
