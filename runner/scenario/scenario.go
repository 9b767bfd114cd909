package scenario

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// APIVersion and Kind are what a scenario's file begins with.
const (
	APIVersion = "assay/v1"
	Kind       = "Scenario"
)

// Scenario is one file: steps that bring about a state and say what should be seen.
type Scenario struct {
	File         string   // as it was given to Parse
	Dir          string   // the folder of File; the files that steps name are found from here
	Name         string   // unique among the scenarios of a run
	Title        string   // one line for people; the name where the file has none
	Chapter      string   // DOCUMENT#HEADING that the scenario proves; may be ""
	Needs        string   // the scenario whose state this one builds on; may be ""
	Labels       []string // its own; what it inherits is with its ancestors
	Environments []string // where it runs; empty: everywhere
	Steps        []Step
	Source       document.Value // the whole document
}

// Step is one entry of a scenario's steps.
type Step struct {
	Index  int            // from 0
	Name   string         // what people call the step; may be ""
	Action string         // the step's one key besides its name, such as "apply"
	Body   document.Value // the action's value, for the runner to decode
	Source document.Value // the whole step
}

// frame is a scenario's file as it is written.
type frame struct {
	// APIVersion is always `assay/v1`.
	APIVersion string `yaml:"apiVersion,required" schema:"enum=assay/v1"`
	// Kind is always `Scenario`.
	Kind string `yaml:"kind,required" schema:"enum=Scenario"`
	// Name is what the scenario is called: small letters, digits and dashes. No
	// two scenarios of a run have the same.
	Name string `yaml:"name,required" schema:"name"`
	// Title is one line for people. Default: the name.
	Title string `yaml:"title" schema:"line"`
	// Labels are for filters. A scenario has those of the ones it needs, too.
	Labels []string `yaml:"labels" schema:"label,unique"`
	// Chapter is the document, or the heading of it, that this scenario proves:
	// `DOCUMENT` or `DOCUMENT#HEADING`.
	Chapter string `yaml:"chapter" schema:"chapter"`
	// Needs is the name of the scenario whose state this one builds on. That one
	// is run first.
	Needs need `yaml:"needs" schema:"name"`
	// Environments are the names of those that the scenario runs in. Default: all.
	Environments []string `yaml:"environments" schema:"name,nonempty,unique"`
	// Steps are done in order. Each has exactly one action and, if wished, a name.
	Steps []document.Value `yaml:"steps,required" schema:"step,nonempty"`
}

// stepFrame is one step: an action and, if wished, a name.
type stepFrame struct {
	// Name is what people call the step. Default: words for what it does.
	Name string `yaml:"name" schema:"words"`
}

// Frame returns the struct that a scenario is decoded into, and the one of a
// step without its action, for what is generated from them.
func Frame() (scenario, step reflect.Type) {
	return reflect.TypeFor[frame](), reflect.TypeFor[stepFrame]()
}

// need is the name of one scenario.
type need string

// DecodeValue reads a name, and says of a list that it is too much.
func (n *need) DecodeValue(v document.Value) document.Mistakes {
	if v.Kind() == document.Sequence {
		return document.Mistakes{v.Mistake("want one name, got a list").WithHint("a scenario builds on at most one other, which may need another in turn")}
	}
	return v.Decode((*string)(n))
}

// Parse reads one scenario. With mistakes the Scenario holds what could be read; it
// is nil when nothing could.
func Parse(file string, source []byte) (*Scenario, document.Mistakes) {
	root, ms := document.Parse(file, source)
	if !root.Exists() {
		return nil, ms
	}
	m, other := wrongKind(root)
	if ms = append(ms, m...); other {
		return nil, document.Sort(ms)
	}
	var f frame
	ms = append(ms, root.Decode(&f)...)
	s := &Scenario{
		File: file, Dir: filepath.Dir(file), Name: f.Name, Title: f.Title, Chapter: f.Chapter,
		Needs: string(f.Needs), Labels: f.Labels, Environments: f.Environments, Source: root,
	}
	if s.Title == "" {
		s.Title = s.Name
	}
	ms = append(ms, s.check()...)
	for i, v := range f.Steps {
		step, wrong := parseStep(i, v)
		ms = append(ms, wrong...)
		s.Steps = append(s.Steps, step)
	}
	return s, document.Sort(ms)
}

// wrongKind says that the document is not a scenario of this version. Other is true
// when it is so much something else that nothing more should be said of it.
func wrongKind(root document.Value) (ms document.Mistakes, other bool) {
	version, kind := root.Get("apiVersion"), root.Get("kind")
	if text := version.Text(); version.Kind() == document.Scalar && text != APIVersion {
		m := version.Mistake("unknown version %s", document.Quote(text))
		if strings.HasPrefix(text, "assay/") {
			ms = append(ms, m.WithHint("this program reads "+APIVersion))
		} else {
			ms = append(ms, m.WithHint("a scenario has apiVersion: "+APIVersion))
		}
	}
	if text := kind.Text(); kind.Kind() == document.Scalar && text != Kind {
		hint := document.DidYouMean(text, []string{Kind})
		if text == "Environment" {
			hint = "this file is an environment"
		}
		ms = append(ms, kind.Mistake("want kind: %s, got %s", Kind, document.Quote(text)).WithHint(hint))
	}
	// A foreign version with a foreign kind is a file given by mistake, such as a manifest.
	return ms, len(ms) == 2 || kind.Text() == "Environment"
}

var (
	labelLike   = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)
	chapterLike = regexp.MustCompile(`^[^#\s]+(#[^#\s]+)?$`)
)

const maxLabel = 63 // as a Kubernetes label

// check says what is wrong with the values of the frame.
func (s *Scenario) check() document.Mistakes {
	var ms document.Mistakes
	add := func(m ...document.Mistake) { ms = append(ms, m...) }
	add(checkName(s.Source.Get("name"), s.Name)...)
	add(checkName(s.Source.Get("needs"), s.Needs)...)
	add(checkList(s.Source.Get("labels"), s.Labels, checkLabel)...)
	add(checkList(s.Source.Get("environments"), s.Environments, checkName)...)
	if v := s.Source.Get("environments"); v.Kind() == document.Sequence && v.Len() == 0 {
		add(v.Mistake("the list is empty: the scenario would run nowhere").WithHint("leave the key out to run everywhere"))
	}
	if v := s.Source.Get("title"); v.Kind() == document.Scalar && strings.TrimSpace(v.Text()) == "" || strings.Contains(s.Title, "\n") {
		add(v.Mistake("want one line of text"))
	}
	if v := s.Source.Get("chapter"); v.Kind() == document.Scalar && !chapterLike.MatchString(v.Text()) {
		add(v.Mistake("want DOCUMENT or DOCUMENT#HEADING, got %s", document.Quote(v.Text())).WithHint("such as traffic-management#canary"))
	}
	if v := s.Source.Get("needs"); v.Kind() == document.Scalar && s.Needs != "" && s.Needs == s.Name {
		add(v.Mistake("a scenario cannot need itself"))
	}
	if v := s.Source.Get("steps"); v.Kind() == document.Sequence && v.Len() == 0 {
		add(v.Mistake("want at least one step"))
	}
	return ms
}

// checkName refuses names that are not like a DNS label. A name that could not be
// read has its mistake already.
func checkName(v document.Value, name string) document.Mistakes {
	if v.Kind() != document.Scalar || name == "" && v.Text() != "" {
		return nil
	}
	if text, hint := document.BadName(name); text != "" {
		return document.Mistakes{v.Mistake("%s", text).WithHint(hint)}
	}
	return nil
}

func checkLabel(v document.Value, label string) document.Mistakes {
	if v.Kind() != document.Scalar || label == "" && v.Text() != "" || labelLike.MatchString(label) && len(label) <= maxLabel {
		return nil
	}
	return document.Mistakes{v.Mistake("want a label of letters, digits, dashes, dots and underscores, got %s", document.Quote(v.Text()))}
}

// checkList checks each entry and refuses those that are there already.
func checkList(v document.Value, list []string, check func(document.Value, string) document.Mistakes) document.Mistakes {
	var ms document.Mistakes
	for i, entry := range list {
		ms = append(ms, check(v.Index(i), entry)...)
		if entry != "" && slices.Contains(list[:i], entry) {
			ms = append(ms, v.Index(i).Mistake("%s is in the list already", entry))
		}
	}
	return ms
}

// parseStep reads one step: a mapping with exactly one key besides name.
func parseStep(i int, v document.Value) (Step, document.Mistakes) {
	step := Step{Index: i, Source: v}
	if v.Refused() {
		return step, nil
	}
	if v.Kind() != document.Mapping {
		var into struct{}
		ms := v.Decode(&into)
		for j := range ms {
			ms[j].Hint = "a step is an action with its arguments, such as apply: {…}"
		}
		return step, ms
	}
	var ms document.Mistakes
	if name := v.Get("name"); name.Exists() {
		var f stepFrame
		ms = append(ms, name.Decode(&f.Name)...)
		step.Name = f.Name
		if name.Kind() == document.Scalar && strings.TrimSpace(name.Text()) == "" {
			ms = append(ms, name.Mistake("the name is empty").WithHint("leave the key out"))
		}
	}
	actions := slices.DeleteFunc(v.Keys(), func(k string) bool { return k == "name" })
	switch len(actions) {
	case 0:
		return step, append(ms, v.Mistake("the step has no action").WithHint("add one, such as apply: {…} or expect: {…}"))
	case 1:
		step.Action, step.Body = actions[0], v.Get(actions[0])
		return step, ms
	}
	second := v.Get(actions[1])
	return step, append(ms, second.KeyMistake("a step has one action, this one has %s", document.And(actions)).
		WithHint("begin a step for each with \"- \", or indent below "+actions[0]+" what belongs to it"))
}
