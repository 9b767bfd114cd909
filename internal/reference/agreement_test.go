package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	problem "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// compiled returns a schema as another program reads it from its file.
func compiled(t testing.TB, of string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(root, "scenarios", of+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain reads a file as plain data. It is nil for one that is no YAML or that
// has what plain data cannot hold.
func plain(file string, source []byte) any {
	v, ms := document.Parse(file, source)
	var data any
	if !v.Exists() || len(append(ms, v.Decode(&data)...)) > 0 {
		return nil
	}
	return data
}

// places are where a schema does not fit: paths as mistakes have them.
func places(err error) []string {
	var all []string
	var wrong *jsonschema.ValidationError
	if !errors.As(err, &wrong) {
		return nil
	}
	for _, cause := range wrong.Causes {
		all = append(all, places(cause)...)
	}
	if len(wrong.Causes) == 0 {
		at := path(wrong.InstanceLocation)
		if _, ok := wrong.ErrorKind.(*problem.FalseSchema); ok {
			at = above(at) // a key that must not be there is a mistake of its mapping
		}
		all = append(all, at)
	}
	return all
}

// above is the path of the mapping or list that a value stands in.
func above(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// inBody says whether a place is an action's: package scenario does not look there.
var inBody = regexp.MustCompile(`^steps\[\d+\]\.\w`)

// path writes where a value stands as document.Value.Path does.
func path(location []string) string {
	text := ""
	for _, part := range location {
		switch _, err := strconv.Atoi(part); {
		case err == nil:
			text += "[" + part + "]"
		case text == "":
			text = part
		default:
			text += "." + part
		}
	}
	return text
}

// near says whether one path is at or above the other.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == "" || a == b || strings.HasPrefix(b, a+".") || strings.HasPrefix(b, a+"[")
}

func TestTheSchemasAcceptEveryFileOfTheRepository(t *testing.T) {
	found := 0
	for of, patterns := range map[string][]string{
		"scenario":    {"scenarios/*/*.yaml", "examples/*/scenarios/*.yaml", "runner/scenario/testdata/good/*.yaml", "runner/testdata/*/*.yaml"},
		"environment": {"scenarios/environments/*.yaml", "examples/*/scenarios/environments/*.yaml", "runner/environment/testdata/good/*.yaml", "runner/testdata/environments/*.yaml"},
	} {
		schema := compiled(t, of)
		for _, file := range glob(t, patterns...) {
			source := read(t, file)
			is := scenario.Is(source)
			if of == "environment" {
				is = environment.Is(source)
			}
			if !is || strings.HasSuffix(file, ".bad.yaml") {
				continue
			}
			found++
			err := schema.Validate(plain(file, source))
			for _, p := range places(err) {
				if !strings.Contains(file, "/scenario/testdata/") || !inBody.MatchString(p) {
					t.Errorf("%s: %s: %v", file, p, err)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d files were looked at", found)
	}
}

// The comment leads editors from every scenario and environment to its schema.
func TestEveryFileNamesItsSchema(t *testing.T) {
	found := 0
	for _, file := range glob(t, "scenarios/*/*.yaml", "examples/*/scenarios/*.yaml", "examples/*/scenarios/*/*.yaml") {
		source := read(t, file)
		of := ""
		switch {
		case environment.Is(source):
			of = "environment"
		case scenario.Is(source):
			of = "scenario"
		default:
			continue // a manifest
		}
		found++
		up, err := filepath.Rel(filepath.Dir(file), root+"/scenarios")
		if err != nil {
			t.Fatal(err)
		}
		want := "# yaml-language-server: $schema=" + filepath.ToSlash(up) + "/" + of + ".schema.json"
		if first, _, _ := strings.Cut(string(source), "\n"); first != want {
			t.Errorf("%s begins with %q, want %q", file, first, want)
		}
	}
	if found < 20 {
		t.Errorf("only %d files were looked at", found)
	}
}

// TestTheSchemasRefuseWhatTheParserRefuses: each mistake of each bad example is
// found by the schema at the same place, or stands in beyond; and nothing is found
// by the schema that is no mistake.
func TestTheSchemasRefuseWhatTheParserRefuses(t *testing.T) {
	files, mistakes, missed, listedBeyond := 0, 0, map[string]bool{}, map[string]string{}
	for why, all := range beyond {
		for _, at := range all {
			listedBeyond[at] = why
		}
	}
	schemas := map[string]*jsonschema.Schema{"scenario": compiled(t, "scenario"), "environment": compiled(t, "environment")}
	check := func(of, file string, ms document.Mistakes) {
		data := plain(file, read(t, file))
		if data == nil {
			return // that is YAML's, and every editor says so
		}
		files++
		found := places(schemas[of].Validate(data))
		for _, m := range ms {
			if m.Path == "" && m.Pos.File != file {
				continue // in a manifest
			}
			mistakes++
			at := strings.TrimPrefix(file, root+"/runner/") + " " + m.Path
			covered := false
			for _, p := range found {
				covered = covered || near(p, m.Path)
			}
			switch _, listed := listedBeyond[at]; {
			case !covered && !listed:
				t.Errorf("%q: the schema finds nothing (say it in the tag schema, or list it in beyond): %s", at, m.Text)
			case covered && listed:
				t.Errorf("%q: is listed as beyond the schema, and the schema finds it", at)
			case listed:
				missed[at] = true
			}
		}
		for _, p := range found {
			real := false
			for _, m := range ms {
				real = real || near(above(p), m.Path)
			}
			if !real && !(strings.Contains(file, "/scenario/testdata/") && inBody.MatchString(p)) {
				t.Errorf("%s: the schema refuses %s, and the parser does not", file, p)
			}
		}
	}
	for _, file := range glob(t, "runner/scenario/testdata/bad/*.bad.yaml") {
		_, ms := scenario.Parse(file, read(t, file))
		check("scenario", file, ms)
	}
	for _, file := range glob(t, "runner/environment/testdata/bad/*.bad.yaml") {
		_, ms := environment.Parse(file, read(t, file), os.LookupEnv)
		check("environment", file, ms)
	}
	engine := planner(t)
	for _, file := range glob(t, "runner/testdata/*/*.bad.yaml") {
		s, ms := scenario.Parse(file, read(t, file))
		if len(ms) > 0 {
			t.Fatal(ms)
		}
		_, err := engine.Plan([]*scenario.Scenario{s})
		if !errors.As(err, &ms) {
			t.Fatalf("%s: %v", file, err)
		}
		check("scenario", file, ms)
	}
	for at, why := range listedBeyond {
		if !missed[at] {
			t.Errorf("%q (%s) is listed as beyond the schema, and there is no such mistake", at, why)
		}
	}
	if files < 60 || mistakes < 150 {
		t.Errorf("only %d mistakes in %d files were looked at", mistakes, files)
	}
}

func planner(t testing.TB) *runner.Engine {
	t.Helper()
	env, err := environment.Load("sandbox", root+"/runner/testdata/environments", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := runner.New(runner.Options{Environment: env, Root: root + "/runner/testdata", Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func glob(t testing.TB, patterns ...string) []string {
	t.Helper()
	var all []string
	for _, p := range patterns {
		files, err := filepath.Glob(root + "/" + p)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: nothing found (%v)", p, err)
		}
		all = append(all, files...)
	}
	return all
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// The page's own examples are right.
func TestTheExamplesOfThePageAreRight(t *testing.T) {
	page := string(read(t, root+"/docs/reference.md"))
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1)
	found := 0
	for _, b := range blocks {
		source := []byte(b[1])
		switch {
		case scenario.Is(source):
			_, ms := scenario.Parse("page", source)
			if err := errors.Join(ms.Err(), compiled(t, "scenario").Validate(plain("page", source))); err != nil {
				t.Error(err)
			}
		case environment.Is(source):
			_, ms := environment.Parse("page", source, func(string) (string, bool) { return "given", true })
			if err := errors.Join(ms.Err(), compiled(t, "environment").Validate(plain("page", source))); err != nil {
				t.Error(err)
			}
		default:
			continue
		}
		found++
	}
	if found != 2 {
		t.Errorf("found %d examples of whole files, want a scenario and an environment", found)
	}
}
