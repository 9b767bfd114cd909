package proofread

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/scenario"
)

// proof is what a scenario has to say of pages.
type proof struct {
	scenario *scenario.Scenario
	// headings are those that it proves: of its chapter, and of sections that it runs.
	headings []*chapter.Heading
	ran      []*chapter.Heading // sections that it runs, with all below them
	scripts  []string           // that it runs, as absolute paths
	shares   []shares
}

// shares are what an expectation, or a case of one, wants.
type shares struct {
	want map[string]float64
	at   document.Pos
}

// named is an object that some manifest has; a * in its name stands for anything.
type named struct {
	kind, group, namespace, name string
	resource                     string // instead of the kind, where only that is known
}

// read reads what the steps of a scenario change, look at, run and expect. What
// is wrong with them is for assay check to say.
func (c *checker) read(s *scenario.Scenario) *proof {
	p := &proof{scenario: s}
	for _, step := range s.Steps {
		body := step.Body
		switch step.Action {
		case "apply", "delete", "assert":
			c.stepObjects(s, body)
		case "wait":
			resource, group, _ := strings.Cut(body.Get("resource").Text(), ".")
			c.objects = append(c.objects, named{resource: resource, group: group, namespace: body.Get("namespace").Text(), name: body.Get("object").Text()})
		case "run":
			c.stepRuns(p, body)
		case "expect":
			p.expects(body)
		}
	}
	return p
}

func (c *checker) stepObjects(s *scenario.Scenario, body document.Value) {
	var objects []map[string]any
	body.Get("objects").Decode(&objects)
	for _, o := range objects {
		c.know(&kube.Object{Object: o})
	}
	var files []string
	body.Get("files").Decode(&files)
	for _, file := range files {
		found, _ := c.manifests(filepath.Join(s.Dir, filepath.FromSlash(file)))
		for _, m := range found {
			c.know(m.Object)
		}
	}
	if folder := body.Get("kustomize").Text(); folder != "" {
		found, _ := kube.Kustomize(scenario.Root(s.Dir), filepath.Join(s.Dir, filepath.FromSlash(folder)), folder, c.expand)
		for _, m := range found {
			c.know(m.Object)
		}
	}
}

func (c *checker) know(o *kube.Object) {
	kind := o.GroupVersionKind()
	c.objects = append(c.objects, named{kind: kind.Kind, group: kind.Group, namespace: variable.ReplaceAllString(o.GetNamespace(), "*"), name: variable.ReplaceAllString(o.GetName(), "*")})
}

// variable is one that stands in a here-document, and may be anything.
var variable = regexp.MustCompile(`\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9])`)

// manifests reads a file as it would be applied.
func (c *checker) manifests(file string) ([]kube.Manifest, []kube.Problem) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, []kube.Problem{{File: file, Text: err.Error()}}
	}
	text, _ := c.expand(string(source))
	return kube.Decode(file, []byte(text))
}

// expand replaces ${NAME} by a var of the environment, or else by a word that
// does where the value does not matter.
func (c *checker) expand(text string) (string, error) {
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		if value, ok := c.o.Environment.Vars[strings.Trim(ref, "${}")]; ok {
			return value
		}
		return "unknown"
	}), nil
}

// reference is what envsubst replaces, in the form that manifests use.
var reference = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

func (c *checker) stepRuns(p *proof, body document.Value) {
	if script := body.Get("script").Text(); script != "" {
		p.scripts = append(p.scripts, absolute(filepath.Join(p.scenario.Dir, filepath.FromSlash(script))))
	}
	if command := body.Get("command").Text(); command != "" {
		r := c.reader(absolute(p.scenario.Dir), nil)
		r.quiet = true
		r.text(command, nil)
		p.scripts = append(p.scripts, r.named...)
	}
	file := body.Get("chapter").Text()
	for _, page := range c.pages {
		if file == "" || absolute(filepath.Join(p.scenario.Dir, filepath.FromSlash(file))) != absolute(page.File) {
			continue
		}
		if h := page.Find(body.Get("section").Text()); h != nil {
			p.ran = append(p.ran, h)
			p.headings = append(p.headings, h)
		}
	}
}

func (p *proof) expects(body document.Value) {
	if body.Get("verdict").Text() == "failed" {
		return // it shows a fault being caught
	}
	p.wants(body.Get("shares"))
	for i := range body.Get("cases").Len() {
		p.wants(body.Get("cases").Index(i).Get("shares"))
	}
}

func (p *proof) wants(v document.Value) {
	if v.Kind() != document.Mapping {
		return
	}
	s := shares{want: map[string]float64{}, at: v.Pos()}
	for name, share := range v.Entries() {
		var percent document.Percent
		if len(share.Decode(&percent)) == 0 {
			s.want[name] = float64(percent) * 100
		}
	}
	p.shares = append(p.shares, s)
}

// link finds the heading that each scenario proves.
func (c *checker) link() {
	for _, p := range c.proofs {
		name, anchor, _ := strings.Cut(p.scenario.Chapter, "#")
		about := len(p.ran) > 0
		for _, page := range c.pages {
			if name == "" || !page.Is(name) {
				continue
			}
			if about = true; anchor == "" {
				continue
			}
			if h := page.Find(anchor); h != nil {
				p.headings = append(p.headings, h)
				continue
			}
			v := p.scenario.Source.Get("chapter")
			hint := document.DidYouMean(anchor, page.Anchors())
			if hint == "" && len(page.Anchors()) > 0 {
				hint = "it has " + document.And(page.Anchors())
			}
			c.add(Heading, v.PartMistake(anchor, "%s has no heading #%s", page.File, anchor).WithHint(hint), document.Pos{File: page.File})
		}
		if about {
			c.result.Proved++
		}
	}
}

// provenIncludes notes the headings of included files that some page's scenario
// proves: they are the same for every page that includes them.
func (c *checker) provenIncludes() {
	for _, page := range c.pages {
		for _, h := range page.Headings {
			if h.Pos.File != page.File && len(c.proving(h)) > 0 {
				c.included[h.Pos] = true
			}
		}
	}
}

// proving are the scenarios that prove a section.
func (c *checker) proving(h *chapter.Heading) []*proof {
	var all []*proof
	for _, p := range c.proofs {
		proves := false
		for _, of := range p.headings {
			proves = proves || of == h
		}
		for _, of := range p.ran {
			proves = proves || h.Within(of)
		}
		if proves && h != nil {
			all = append(all, p)
		}
	}
	return all
}
