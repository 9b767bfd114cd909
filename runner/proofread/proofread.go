package proofread

import (
	"cmp"
	"path/filepath"
	"slices"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/scenario"
)

// Options say what pages are compared with.
type Options struct {
	// Root is the folder that nothing is read outside of.
	Root string
	// Home is TUTORIAL_HOME, from which a reader begins. Empty: Root.
	Home string
	// Environment names the outcomes, and the clusters with their contexts.
	Environment *environment.Environment
	// Scenarios are those that may prove a page; those that are broken are not
	// among them.
	Scenarios []*scenario.Scenario
}

// Kind says what a finding is about.
type Kind string

// The kinds of findings.
const (
	Page       Kind = "page"       // the page itself: an include, the front matter, a comment of ours
	Uncovered  Kind = "uncovered"  // a heading or a block of commands that no scenario proves
	Heading    Kind = "heading"    // a scenario's heading that is gone
	Missing    Kind = "missing"    // a script, manifest or folder that does not exist
	Unreadable Kind = "unreadable" // commands that are not bash, or a manifest that is none
	Percentage Kind = "percentage" // a share that no scenario of the section expects
	Unknown    Kind = "unknown"    // a kind, name or context that nothing has
	Link       Kind = "link"       // a link to a page, heading or file that is not there
	Refusal    Kind = "refused"    // a manifest that an API server refuses
)

// Finding is one thing that is not as the other side has it.
type Finding struct {
	Kind Kind
	document.Mistake
	// Other is the place that it contradicts; no place where there is none.
	Other document.Pos
}

// Result is what came of the comparison.
type Result struct {
	Findings []Finding // by file, line and column
	// Headings, Blocks (of commands), Scripts and Manifests are how many were
	// looked at, Proved how many scenarios are about the pages.
	Headings, Blocks, Scripts, Manifests, Proved int
	// Applied are the manifests that pages and their scripts apply, for Refused.
	Applied []Applied
}

// Applied is a manifest that a page or a script applies.
type Applied struct {
	kube.Manifest
	Cluster string       // by the environment's name; "" when its context, or something in it, is not known
	At      document.Pos // of the command
	Source  string       // the command's line
	shift   int          // of its lines, when it stands in a page or script
}

// checker is one comparison.
type checker struct {
	o        Options
	result   Result
	proofs   []*proof
	objects  []named           // of the scenarios' manifests and of the pages'
	scripts  map[string]bool   // that were read
	within   []string          // scripts that are being read, each by the one before
	made     map[string]bool   // names of files and folders that commands make
	set      map[string]bool   // variables that pages and scripts set
	home     map[string]bool   // variables that are TUTORIAL_HOME
	aliases  map[string]string // contexts that pages give to clusters: CLUSTER1=gke
	contexts map[string]bool   // that commands make
	opaque   bool              // a command brings objects that nobody can read here
	names    *outcomes
	included map[document.Pos]bool    // headings of included files that are proved, or told not to be
	linked   map[string]*chapter.Page // that links lead to and that are not compared
	later    []func()                 // what is compared when everything has been read
	shown    map[string]bool          // findings that are told already
	pages    []*chapter.Page
}

// Check compares pages with everything else. Pages come as chapter.Load reads
// them, with their mistakes.
func Check(o Options, pages []*chapter.Page, mistakes document.Mistakes) Result {
	if o.Home == "" {
		o.Home = o.Root
	}
	o.Root, o.Home = absolute(o.Root), absolute(o.Home)
	c := &checker{o: o, pages: pages, scripts: map[string]bool{}, made: map[string]bool{}, set: map[string]bool{}, shown: map[string]bool{},
		home: map[string]bool{"TUTORIAL_HOME": true}, aliases: map[string]string{}, contexts: map[string]bool{}, names: newOutcomes(o.Environment.Outcomes()), linked: map[string]*chapter.Page{}, included: map[document.Pos]bool{}}
	for _, m := range mistakes {
		c.add(Page, m, document.Pos{})
	}
	for _, s := range o.Scenarios {
		c.proofs = append(c.proofs, c.read(s))
	}
	c.link()
	c.provenIncludes()
	c.homes()
	for _, page := range pages {
		c.shownFiles(page)
	}
	for _, page := range pages {
		c.commands(page)
	}
	for _, page := range pages {
		c.result.Headings += len(page.Headings)
		c.coverage(page)
		c.percentages(page)
		c.output(page)
		c.links(page)
	}
	for _, do := range c.later {
		do()
	}
	slices.SortStableFunc(c.result.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Text, b.Text))
	})
	return c.result
}

func (c *checker) add(kind Kind, m document.Mistake, other document.Pos) {
	if text := m.Error(); !c.shown[text] {
		c.shown[text] = true
		c.result.Findings = append(c.result.Findings, Finding{kind, m, other})
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
