package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/environment"
)

const root = "../.."

// What is generated is what is there.
func TestGeneratedFilesAreFresh(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		is, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(is), string(f.text)); diff != "" {
			t.Errorf("%s is not what make generate writes (-is +would be):\n%s", f.path, diff)
		}
	}
}

func TestEveryActionHasItsPlaceInTheSchemaAndOnThePage(t *testing.T) {
	l, err := readLanguage(root)
	if err != nil {
		t.Fatal(err)
	}
	page, err := l.page(root)
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]*schema{}
	for _, p := range l.stepSchema().Properties {
		steps[p.name] = p.value
	}
	for _, a := range runner.Reference() {
		if a.Fields == nil {
			t.Errorf("action %s: the table names no struct of its fields", a.Name)
		}
		if s := steps[a.Name]; s == nil || len(s.Properties) == 0 || s.Description == "" {
			t.Errorf("action %s is not in the schema of a step: %+v", a.Name, s)
		}
		for _, want := range []string{"\n### " + a.Name + "\n", "(#" + a.Name + ")", "  " + a.Name + ": "} {
			if !strings.Contains(strings.ReplaceAll(string(page), "- "+a.Name+":", "  "+a.Name+": "), want) {
				t.Errorf("the page does not have %q", want)
			}
		}
	}
}

// Every key says what it means, in the schema too.
func TestEveryKeyIsDescribed(t *testing.T) {
	l, err := readLanguage(root)
	if err != nil {
		t.Fatal(err)
	}
	var visit func(path string, s *schema)
	visit = func(path string, s *schema) {
		if s.Items != nil {
			visit(path+"[]", s.Items)
		}
		if more, ok := s.More.(*schema); ok && more != nil {
			visit(path+".*", more)
		}
		for _, p := range s.Properties {
			if p.value.Description == "" && !strings.Contains(path, "objects[]") {
				t.Errorf("%s.%s has no description", path, p.name)
			}
			visit(path+"."+p.name, p.value)
		}
	}
	visit("scenario", l.scenarioSchema())
	visit("environment", l.environmentSchema())
}

// What the tags list is what the program knows.
func TestDialectsAreTheEnvironments(t *testing.T) {
	l, err := readLanguage(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range l.environment.keys {
		if k.name == "dialect" && !reflect.DeepEqual(k.value.enum, environment.Dialects) {
			t.Errorf("the tag of dialect lists %v, the environment knows %v", k.value.enum, environment.Dialects)
		}
	}
}

// The mistakes that somebody who adds a field can make.
type (
	// mute has a key without a word.
	mute struct {
		Key string `yaml:"key"`
	}
	// misnamed has a comment of another field.
	misnamed struct {
		// Other is another.
		Key string `yaml:"key"`
	}
	// unknownWord has a word that nobody knows.
	unknownWord struct {
		// Key is a key.
		Key string `yaml:"key" schema:"nmae"`
	}
	// unknownType has a type without words.
	unknownType struct {
		// Key is a key.
		Key complex64 `yaml:"key"`
	}
)

func TestIncompleteFieldsAreRefused(t *testing.T) {
	r := reader{comments: &comments{root: root, of: map[string]string{}, read: map[string]bool{}}}
	// The comments of a package's tests are not read with it.
	path := reflect.TypeFor[mute]().PkgPath()
	if err := r.comments.readFile(path, "main_test.go"); err != nil {
		t.Fatal(err)
	}
	r.comments.read[path] = true
	for _, tt := range []struct {
		t    reflect.Type
		want string
	}{
		{reflect.TypeFor[mute](), "main.mute.Key has no doc comment"},
		{reflect.TypeFor[misnamed](), `the doc comment of main.misnamed.Key begins with "Other", want its name`},
		{reflect.TypeFor[unknownWord](), `unknownWord.Key: schema:"nmae": nmae is not known`},
		{reflect.TypeFor[unknownType](), "unknownType.Key: no words for a complex64"},
	} {
		r.err = nil
		r.mapping(tt.t)
		if r.err == nil || !strings.Contains(strings.ReplaceAll(r.err.Error(), path, "main"), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.t, r.err, tt.want)
		}
	}
}

func TestDescribed(t *testing.T) {
	for _, tt := range []struct{ doc, want, unsaid string }{
		{"Timeout is how long that\nmay take. Default: 1m.\n", "How long that may take.", "1m"},
		{"Errors is what is tolerated. Default: 0.5%.", "What is tolerated.", "0.5%"},
		{"Files are manifests, from\nthere.", "Manifests, from there.", ""},
		{"Path of the request. Default: /.", "Path of the request.", "/"},
		{"applyFields makes objects be so.\n\nAfterwards they\nare.\n", "Makes objects be so.\n\nAfterwards they are.", ""},
		{"Leak is a share. Default:\nnone, so that it fails. And more.", "A share. And more.", "none, so that it fails"},
	} {
		if got, unsaid := described(tt.doc); got != tt.want || unsaid != tt.unsaid {
			t.Errorf("%q: got %q (%q), want %q (%q)", tt.doc, got, unsaid, tt.want, tt.unsaid)
		}
	}
}

// place is where a snippet is to be filled in.
var place = regexp.MustCompile(`\$\{\d+:([^}]*)\}|\$\d+`)

// What an editor writes when a whole step is chosen is right, with something at
// each place.
func TestSnippetsAreSteps(t *testing.T) {
	l, err := readLanguage(root)
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, "scenario")
	for _, s := range snippets(l.actions) {
		body, err := compact(s.Body)
		if err != nil {
			t.Fatal(err)
		}
		step := place.ReplaceAllStringFunc(string(body), func(found string) string {
			such := place.FindStringSubmatch(found)[1]
			return map[string]string{"": "some", "NAME": "some"}[such] + strings.TrimPrefix(such, "NAME")
		})
		step = regexp.MustCompile(`"(\d+)"`).ReplaceAllString(step, "$1") // as an editor writes it
		source := scenarioWith + "name: a\nsteps: [" + step + "]\n"
		data := plain("a.yaml", []byte(source))
		if data == nil {
			t.Errorf("%s is no YAML:\n%s", s.Label, source)
		}
		if err := schema.Validate(data); err != nil {
			t.Errorf("%s: %v\n%s", s.Label, err, source)
		}
	}
}
