package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/launch"
	"github.com/meshassay/assay/runner/proofread"
	"github.com/meshassay/assay/runner/scenario"
)

func docsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "docs",
		Short: "Compare a tutorial's pages with the scenarios that prove them",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(docsCheckCommand())
	return c
}

// docsFlags are what `assay docs check` can be told.
type docsFlags struct {
	scenarios, environment, root, home string
	asJSON                             bool
	ask                                bool // the API servers of the environment
}

func docsCheckCommand() *cobra.Command {
	var f docsFlags
	c := &cobra.Command{
		Use:   "check --scenarios DIR CHAPTER.md…",
		Short: "Find what pages, scenarios, scripts and manifests say differently",
		Long: `Compare pages of a tutorial (Markdown, as MkDocs and GitHub render it) with scenarios, and with the scripts
and manifests that they name, and report every difference, with the place on both sides.

Reported are:

  sections and blocks of commands that no scenario proves, and headings of scenarios that are gone
  scripts, manifests, folders and includes that are named and not there, and links that lead nowhere
  percentages beside the name of an outcome that no scenario of the section expects
  kinds, names and contexts that are shown and that no manifest, and no cluster, has
  with --environment: manifests that an API server would refuse (asked by a dry run, nothing is changed)

What is right all the same is told so in the page: <!-- assay: skip REASON --> before a block, below a heading,
or at the beginning.
The exit code is 0 when nothing was found, 1 when something was, and 2 when it could not be looked for,
or when there was nothing to compare.`,
		Example: `  assay docs check --scenarios scenarios docs/traffic-management.md
  assay docs check --scenarios scenarios --home .. docs/*.md                # TUTORIAL_HOME is another folder
  ASSAY_SANDBOX=… assay docs check --environment sandbox docs/*.md          # ask the sandbox's API servers too
  assay docs check --json docs/*.md | jq -r '.findings[].kind' | sort | uniq -c`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, pages []string) error {
			f.ask = c.Flags().Changed("environment")
			return f.run(c.Context(), c.OutOrStdout(), pages, os.LookupEnv)
		},
	}
	c.Flags().StringVar(&f.scenarios, "scenarios", defaultScenarios, "`DIR` of the scenarios that prove the pages")
	c.Flags().StringVar(&f.environment, "environment", environment.Sandbox, "`NAME|FILE` of the environment; when it is given, its API servers are asked about the manifests")
	c.Flags().StringVar(&f.root, "root", "", "`DIR` that nothing is read outside of (default: the nearest folder above the first page that holds .git)")
	c.Flags().StringVar(&f.home, "home", "", "`DIR` that is TUTORIAL_HOME, where a reader begins (default: that of --root)")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the findings as JSON")
	completes(c, "environment", completeEnvironments)
	return c
}

// run looks at everything. Whatever keeps it from that is not a finding.
func (f docsFlags) run(ctx context.Context, stdout io.Writer, files []string, getenv func(string) (string, bool)) error {
	if f.root == "" {
		f.root = scenario.Root(filepath.Dir(files[0]))
	}
	lookup := getenv
	if !f.ask {
		lookup = lenient // only its names count
	}
	env, err := environment.Load(f.environment, environment.Folder(f.scenarios), lookup)
	if err != nil {
		return unjudged(err)
	}
	set, err := scenario.Load(f.scenarios)
	if err != nil {
		return unjudged(fmt.Errorf("read the scenarios of %s: %w", f.scenarios, err))
	}
	var broken document.Mistakes
	for _, b := range set.Broken {
		broken = append(broken, b.Mistakes...)
	}
	if len(broken) > 0 {
		return unjudged(fmt.Errorf("scenarios have mistakes; first: assay check %s\n%w", f.scenarios, broken))
	}
	var pages []*chapter.Page
	var mistakes document.Mistakes
	for _, file := range files {
		page, ms, err := chapter.Load(file, f.root)
		if err != nil {
			return unjudged(err)
		}
		pages, mistakes = append(pages, page), append(mistakes, ms...)
	}
	result := proofread.Check(proofread.Options{Root: f.root, Home: f.home, Environment: env, Scenarios: set.Scenarios}, pages, mistakes)
	asked := "the API servers were not asked about the manifests (--environment does)"
	if f.ask {
		if asked, err = ask(ctx, env, &result); err != nil {
			return unjudged(err)
		}
	}
	summary := fmt.Sprintf("%s, %s, %s of commands, %s; %s applied; %s about them; %s",
		count(len(files), "page"), count(result.Headings, "heading"), count(result.Blocks, "block"), count(result.Scripts, "script"),
		count(result.Manifests, "manifest"), count(result.Proved, "scenario"), asked)
	nothing := len(result.Findings) == 0 && result.Blocks+result.Scripts+result.Manifests+result.Proved == 0
	if f.asJSON {
		err = printJSON(stdout, findingsOf(result, asked))
	} else if !nothing {
		err = showFindings(stdout, result, summary)
	}
	if err == nil && len(result.Findings) > 0 {
		return outcome{}
	}
	if err == nil && nothing {
		err = fmt.Errorf("there was nothing to compare in %s: no block of commands (one begins with ```bash, sh or console), "+
			"and no scenario of %s that is about it (chapter: PAGE#HEADING)", count(len(files), "page"), f.scenarios)
	}
	return unjudged(err)
}

// ask adds what the API servers refuse, and says what they were asked.
func ask(ctx context.Context, env *environment.Environment, result *proofread.Result) (string, error) {
	if env.Name == environment.Sandbox {
		if env.Kubeconfig = os.Getenv(launch.Attach); env.Kubeconfig == "" {
			return "", errors.New("no sandbox is running to be asked: start one (assay sandbox), and set " + launch.Attach + " to its kubeconfig")
		}
	}
	found, left, err := proofread.Refused(ctx, env, result.Applied)
	if err != nil {
		return "", fmt.Errorf("environment %s: %w", env.Name, err)
	}
	result.Findings = append(result.Findings, found...)
	text := fmt.Sprintf("the API servers of %s were asked about %s", env.Name, count(len(result.Applied)-left, "manifest"))
	if left > 0 {
		text += fmt.Sprintf(", and not about %d more (their context, or something in them, is not known, or their namespace or kind comes with another)", left)
	}
	return text, nil
}

func showFindings(w io.Writer, result proofread.Result, summary string) error {
	var b strings.Builder
	var ms document.Mistakes
	for _, f := range result.Findings {
		ms = append(ms, f.Mistake)
	}
	ms.Show(&b)
	if len(ms) == 0 {
		fmt.Fprintf(&b, "nothing found: %s\n", summary)
	} else {
		fmt.Fprintf(&b, "\n%s%s: %s\n", count(len(ms), "finding"), byKind(result.Findings), summary)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// byKind says how many findings of which kind there are, where there are several.
func byKind(found []proofread.Finding) string {
	how := make(map[proofread.Kind]int)
	for _, f := range found {
		how[f.Kind]++
	}
	if len(how) < 2 {
		return ""
	}
	kinds := slices.SortedFunc(maps.Keys(how), func(a, b proofread.Kind) int { return cmp.Or(how[b]-how[a], cmp.Compare(a, b)) })
	var all []string
	for _, k := range kinds {
		all = append(all, fmt.Sprintf("%d %s", how[k], k))
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// docsResult is what --json prints.
type docsResult struct {
	Findings  []docsFinding `json:"findings"`
	Headings  int           `json:"headings"`
	Blocks    int           `json:"blocks"` // of commands
	Scripts   int           `json:"scripts"`
	Manifests int           `json:"manifests"`
	Scenarios int           `json:"scenarios"` // that are about the pages
	Asked     string        `json:"asked"`     // the API servers, in words
}

type docsFinding struct {
	Kind  proofread.Kind `json:"kind"`
	File  string         `json:"file"`
	Line  int            `json:"line,omitempty"`
	Col   int            `json:"col,omitempty"`
	Text  string         `json:"text"`
	Hint  string         `json:"hint,omitempty"`
	Other string         `json:"other,omitempty"` // the place that it contradicts: file:line:col
}

func findingsOf(r proofread.Result, asked string) docsResult {
	out := docsResult{Findings: []docsFinding{}, Headings: r.Headings, Blocks: r.Blocks, Scripts: r.Scripts, Manifests: r.Manifests, Scenarios: r.Proved, Asked: asked}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, docsFinding{f.Kind, f.Pos.File, f.Pos.Line, f.Pos.Col, f.Text, f.Hint, f.Other.String()})
	}
	return out
}
