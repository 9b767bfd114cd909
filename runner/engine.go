package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Options say where and how scenarios run.
type Options struct {
	Environment *environment.Environment
	// Out is the folder of the record. Empty: .assay/TIME below the root.
	Out string
	// Alpha is the probability of a wrong "failed" for the whole run, Beta that
	// of a wrong "passed" for each claim. 0 means .001 and .01.
	Alpha, Beta float64
	// Seed is written into the record, for what is drawn by chance outside.
	Seed uint64
	// Root is the folder that files named by scenarios may not leave. Empty:
	// for each scenario the nearest folder above it that holds .git.
	Root string
	// Keep says that the clusters go away after the run, so that what the last
	// scenario changed need not be put back.
	Keep bool
	// Throwaway says that the clusters are this run's own and end with it:
	// what Keep says, and after an interruption nothing is put back at all.
	Throwaway bool
	// NoRun says that nothing may be executed: scenarios with a run step are
	// skipped, and what needs them.
	NoRun bool
	// Tool is the name and version of the program, for the record. Empty:
	// assay, and its version where the build knows it.
	Tool string
	// Again gives the command that runs just one scenario again, as it is typed
	// into a shell; "" when there is none. It may be nil.
	Again func(scenario string) string
}

// Engine plans and runs scenarios in one environment.
type Engine struct {
	options Options
	env     *environment.Environment
}

// New returns an engine. It touches neither a cluster nor the disk.
func New(o Options) (*Engine, error) {
	if o.Environment == nil {
		return nil, errors.New("no environment is given")
	}
	if o.Alpha == 0 {
		o.Alpha = verdict.DefaultAlpha
	}
	if o.Beta == 0 {
		o.Beta = verdict.DefaultBeta
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"alpha", o.Alpha}, {"beta", o.Beta}} {
		if !(p.value > 0 && p.value < 0.5) {
			return nil, fmt.Errorf("%s is %g: it is a probability of error, above 0 and below 0.5", p.name, p.value)
		}
	}
	if o.Tool == "" {
		o.Tool = tool()
	}
	o.Keep = o.Keep || o.Throwaway
	return &Engine{options: o, env: o.Environment}, nil
}

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

// Start connects to the clusters that the plan uses, and writes the first
// state of the record. The error says what to do about each cluster that
// cannot be reached.
func (e *Engine) Start(ctx context.Context, p *Plan) (*Run, error) {
	r := &Run{
		engine: e, plan: p, env: e.env, inventoryLimit: inventoryLimit,
		clusters: make(map[string]*kube.Cluster),
		ended:    make(map[*PlannedStep]record.State),
		undo:     make(map[*PlannedScenario][]undoing),
		touched:  make(map[*PlannedScenario][]touched),
		record: &record.Record{
			Version: record.Version, Tool: e.options.Tool, Environment: e.env.Name, Started: time.Now(),
			Alpha: e.options.Alpha, Beta: e.options.Beta, Seed: e.options.Seed,
			Unfinished: append(slices.Clone(p.Broken), underWay),
		},
	}
	out, err := e.out(r.record.Started)
	if err != nil {
		return nil, err
	}
	r.path = filepath.Join(out, record.FileName)
	if err := e.connect(ctx, r, p.clusters); err != nil {
		return nil, err
	}
	if !e.options.Keep {
		var err error
		if r.before, err = r.inventories(ctx); err != nil {
			return nil, err
		}
	}
	if err := record.Write(r.path, r.record); err != nil {
		return nil, fmt.Errorf("the record cannot be written: %w", err)
	}
	return r, nil
}

// OutFolder is where records are kept unless somebody says otherwise: in it a
// folder for each run, called after the time.
const OutFolder = ".assay"

// out is the folder of the record.
func (e *Engine) out(now time.Time) (string, error) {
	if e.options.Out != "" {
		return filepath.Abs(e.options.Out)
	}
	root := e.options.Root
	if root == "" {
		var err error
		if root, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	return filepath.Abs(filepath.Join(root, OutFolder, now.UTC().Format("20060102T150405.000Z")))
}

// connect opens the clusters side by side.
func (e *Engine) connect(ctx context.Context, r *Run, names []string) error {
	errs := make([]error, len(names))
	found := make([]*kube.Cluster, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			found[i], errs[i] = kube.Connect(ctx, name, e.env.Kubeconfig, e.env.Clusters[name].Context)
			var missing *kube.NoContext
			if errors.As(errs[i], &missing) {
				missing.Perhaps = document.DidYouMean(missing.Context, missing.Known)
				errs[i] = fmt.Errorf("cluster %s: %w", name, missing) // it was put into words without
			}
			if at := e.env.Source.Get("clusters").Get(name).Get("context"); at.Exists() && errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", at.Pos(), errs[i])
			}
		})
	}
	all.Wait()
	for i, name := range names {
		r.clusters[name] = found[i]
	}
	return errors.Join(errs...)
}
