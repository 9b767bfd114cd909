package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
	"github.com/meshassay/assay/runner/verdict"
	"github.com/meshassay/assay/scenarios"
)

// newScenarioFlags are what `assay new scenario` can be told.
type newScenarioFlags struct {
	claimFlags
	environment, dir, needs string
	given                   bool // --needs
}

// usualTolerance is that of a first scenario, unless it is said.
const usualTolerance = "3pp"

// usualNeed is the scenario whose state is the beginning of most others.
const usualNeed = "gateway"

func newScenarioCommand() *cobra.Command {
	var f newScenarioFlags
	c := &cobra.Command{
		Use:   "scenario [NAME]",
		Short: "Write a scenario to start from, with the policy that it applies",
		Long: `Write a scenario to start from: it applies a policy that divides the traffic as --expect says, and expects the
gateways to divide it so. Every line is explained, and assay check finds nothing wrong with it.

Outcomes, clusters and the shape of the policy are those of the environment. It needs the scenario gateway,
which brings up services and gateways, where there is one (--needs names another, --needs "" none). In a folder
without scenarios, gateway and what it needs are written too, for the sandbox has nothing deployed.`,
		Example: `  assay new scenario                                        # half and half, to look at
  assay new scenario thirds --expect blue=40%,green=40%,canary=20% --tolerance 2pp
  assay new scenario ninety --expect blue=90%,green=10% --environment tutorial
  assay new scenario second --needs thirds --dir scenarios/mine`,
		RunE: func(c *cobra.Command, args []string) error {
			f.given = c.Flags().Changed("needs")
			return notWell(f.run(c.OutOrStdout(), c.ErrOrStderr(), args))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.expect, "expect", nil, "`NAME=SHARE,...` of all answers, such as blue=40%,green=60% (default: half and half)")
	flags.StringVar(&f.tolerance, "tolerance", "", "`POINTS` that a share may be off on either side (default "+usualTolerance+")")
	flags.StringVar(&f.needs, "needs", usualNeed, "`SCENARIO` on whose state it builds")
	flags.StringVar(&f.dir, "dir", defaultScenarios, "`FOLDER` to write it to")
	environmentFlag(c, &f.environment, "`NAME|FILE` of the environment whose clusters and outcomes it names")
	completes(c, "needs", completeScenarios)
	completes(c, "expect", completeShares)
	flags.SortFlags = false
	f.errors, f.alpha, f.beta = document.Percent(verdict.DefaultErrors).String(), fmt.Sprint(verdict.DefaultAlpha), fmt.Sprint(verdict.DefaultBeta)
	return c
}

func (f *newScenarioFlags) run(stdout, stderr io.Writer, args []string) error {
	p, err := placeAt(f.dir)
	if err != nil {
		return err
	}
	env, err := environment.Load(f.environment, p.environments, lenient)
	if err != nil {
		return err
	}
	name, mistakes := named(args, "first", "scenario")
	draft, wrong := f.draft(name, p, env)
	if mistakes = append(mistakes, wrong...); len(mistakes) > 0 {
		mistakes.Show(stderr)
		return outcome{}
	}
	files := draft.files()
	if files, err = write(files); err != nil {
		return err
	}
	if err := say(stdout, told(files)); err != nil {
		return err
	}
	var found bytes.Buffer
	err = check(&found, []string{draft.path()}, f.environment, lenient)
	if err := say(stdout, "checked: "+found.String()); err != nil {
		return err
	}
	if err != nil {
		return err // what is asked for cannot be had: check has said why
	}
	return say(stdout, draft.next(f.environment))
}

// draft is a scenario that is to be written.
type draft struct {
	name, needs, request string
	project              place
	env                  *environment.Environment
	shares               []verdict.Share
	tolerance            string // "" where no share is between 0 and 100 %
	policy               string // the manifest; "" when none can be written
	base                 bool   // gateway and what it needs are to be written too
}

// draft decides what the scenario shall say.
func (f *newScenarioFlags) draft(name string, p place, env *environment.Environment) (*draft, document.Mistakes) {
	d := &draft{name: name, project: p, env: env, request: "/"}
	var mistakes document.Mistakes
	for _, s := range p.set.Scenarios {
		if s.Name == name {
			mistakes = append(mistakes, document.Mistake{Path: name, Text: "a scenario is called so already: " + s.File, Hint: "choose another name"})
		}
	}
	mistakes = append(mistakes, f.wanted(d)...)
	mistakes = append(mistakes, f.need(d)...)
	d.policy = policyFor(d)
	return d, mistakes
}

// wanted reads the shares, or chooses some.
func (f *newScenarioFlags) wanted(d *draft) document.Mistakes {
	outcomes := d.env.Outcomes()
	if len(f.expect) == 0 {
		if f.tolerance != "" {
			return document.Mistakes{{Path: "--tolerance", Text: "is of no use without --expect"}}
		}
		if len(outcomes) == 0 {
			return nil
		}
		f.expect = []string{outcomes[0] + "=100%"}
		if two := d.env.Order.Destinations; len(two) > 1 {
			f.expect = []string{two[0] + "=50%," + two[1] + "=50%"}
		}
	}
	between := false
	for _, text := range f.expect {
		shares, _ := sharesOf(text) // what is wrong is told below
		between = between || slices.ContainsFunc(shares, func(s verdict.Share) bool { return s.Want > 0 && s.Want < 1 })
	}
	if between && f.tolerance == "" {
		f.tolerance = usualTolerance
	}
	claim, mistakes := f.claim()
	for _, s := range claim.Shares {
		if !slices.Contains(outcomes, s.Name) {
			mistakes = append(mistakes, document.Mistake{Path: "--expect " + s.Name, Text: "environment " + d.env.Name + " has no such outcome", Hint: document.OneOf(s.Name, outcomes)})
		}
	}
	for _, text := range f.expect {
		if strings.Contains(text, "+-") || strings.Contains(text, "±") || strings.Contains(text, "+/-") {
			mistakes = append(mistakes, document.Mistake{Path: "--expect " + text, Text: "in a scenario all shares of an expectation have one tolerance", Hint: "--tolerance " + usualTolerance})
		}
	}
	d.shares, d.tolerance = claim.Shares, f.tolerance
	return mistakes
}

// need finds the scenario on whose state the new one builds.
func (f *newScenarioFlags) need(d *draft) document.Mistakes {
	if f.needs == "" {
		return nil
	}
	found := d.project.set.Find(f.needs)
	switch {
	case found != nil:
		d.needs = f.needs
		d.request = pathOf(append(d.project.set.Ancestors(found), found), d.request)
	case f.given:
		var known []string
		for _, s := range d.project.set.Scenarios {
			known = append(known, s.Name)
		}
		return document.Mistakes{{Path: "--needs " + f.needs, Text: "no scenario is called so", Hint: document.OneOf(f.needs, known)}}
	case d.env.Name == environment.Sandbox:
		d.needs, d.base, d.request = f.needs, true, "/api"
	}
	return nil
}

// pathOf is the path that scenarios ask for last.
func pathOf(all []*scenario.Scenario, otherwise string) string {
	for _, s := range all {
		for _, step := range s.Steps {
			if v := step.Body.Get("request").Get("path"); v.Exists() {
				otherwise = v.Text()
			}
		}
	}
	return otherwise
}

func (d *draft) path() string     { return filepath.Join(d.project.folder, d.name+".yaml") }
func (d *draft) manifest() string { return "manifests/" + d.name + ".yaml" }
func (d *draft) manifestPath() string {
	return filepath.Join(d.project.folder, "manifests", d.name+".yaml")
}

// files are all that is to be written.
func (d *draft) files() []created {
	files := []created{{path: d.path(), text: d.text()}}
	if d.policy != "" {
		files = append(files, created{path: d.manifestPath(), text: d.policy})
	}
	files = append(files, schemaFile(filepath.Dir(d.project.environments), "scenario", scenarios.ScenarioSchema))
	if d.base {
		_ = fs.WalkDir(scenarios.Base, ".", func(name string, entry fs.DirEntry, err error) error { // it is in memory: it cannot fail
			if err == nil && !entry.IsDir() {
				text, _ := scenarios.Base.ReadFile(name)
				files = append(files, created{path: filepath.Join(d.project.folder, filepath.FromSlash(path.Clean(name))), text: string(text), beside: "the tutorial's scenarios that it needs, with their manifests"})
			}
			return nil
		})
	}
	return files
}

// next are the commands that follow.
func (d *draft) next(environmentName string) string {
	in := ""
	if environmentName != environment.Sandbox {
		in = " --environment " + runner.CommandLine(environmentName)
	}
	at := ""
	if d.project.folder != defaultScenarios && !inside(defaultScenarios, d.project.folder) {
		at = " --scenarios " + runner.CommandLine(d.project.folder)
	}
	path, planned := runner.CommandLine(d.path()), d.name
	if at != "" {
		planned = path
	}
	return next(
		[2]string{self() + " check " + path + in, "is it right? Edit it, and check again"},
		[2]string{self() + " plan " + planned + in, "what will it do, and how long will that take?"},
		[2]string{self() + " run " + d.name + at + in, "do it"})
}

// weights are shares as whole numbers.
func weights(shares []verdict.Share) []int64 {
	scale := 100.0
	for range 6 {
		whole := true
		for _, s := range shares {
			w := s.Want * scale
			whole = whole && math.Abs(w-math.Round(w)) < 1e-6
		}
		if whole {
			break
		}
		scale *= 10
	}
	var all []int64
	for _, s := range shares {
		all = append(all, int64(math.Round(s.Want*scale)))
	}
	return all
}
