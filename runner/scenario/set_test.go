package scenario

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// text is a scenario's file.
func text(name, needs string) string {
	lines := []string{"apiVersion: assay/v1", "kind: Scenario", "name: " + name}
	if needs != "" {
		lines = append(lines, "needs: "+needs)
	}
	return strings.Join(append(lines, "steps:", "- apply: {cluster: mgmt, files: [a.yaml]}"), "\n") + "\n"
}

// folder writes files and goes to where they are, so that messages have no path of
// this machine.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// chapter is a tree like the tutorial's, among other files.
var chapter = map[string]string{
	"s/4/canary.yaml":            text("canary", "gateway"),
	"s/4/blue-green.yml":         text("blue-green", "gateway"),
	"s/4/gateway.yaml":           text("gateway", "mesh"),
	"s/4/manifests/gateway.yaml": "apiVersion: v1\nkind: Service\n---\nkind: Deployment\n",
	"s/4/manifests/fault.yaml":   "apiVersion: sandbox.assay/v1\nkind: Fault\nmetadata: {name: a}\n",
	"s/4/manifests/chart.yaml":   "{{ if .Values.x }}\nkind: {{ .Values.kind }}\n",
	"s/3/mesh.yaml":              text("mesh", ""),
	"s/5/alone.yaml":             text("alone", ""),
	"s/5/notes.txt":              text("notes", ""),
	"s/.hidden/old.yaml":         text("old", ""),
	"s/environments/a.yaml":      "apiVersion: assay/v1\nkind: Environment\nname: a\n",
}

func with(files map[string]string, more ...string) map[string]string {
	all := maps.Clone(files)
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

func names(scenarios []*Scenario) string {
	var all []string
	for _, s := range scenarios {
		all = append(all, s.Name)
	}
	return strings.Join(all, " ")
}

func TestLoadMakesATree(t *testing.T) {
	folder(t, chapter)
	set, err := Load("s")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(set.Scenarios), "alone mesh gateway blue-green canary"; got != want || len(set.Broken) > 0 {
		t.Errorf("got %s, broken %v; want %s", got, set.Broken, want)
	}
	if got := names(set.Children("gateway")); got != "blue-green canary" {
		t.Errorf("children of gateway are %s", got)
	}
	if got := names(set.Children("")); got != "alone mesh" {
		t.Errorf("roots are %s", got)
	}
	if got := names(set.Ancestors(set.Find("canary"))); got != "mesh gateway" {
		t.Errorf("ancestors of canary are %s", got)
	}
	if set.Find("gateway").File != filepath.Join("s", "4", "gateway.yaml") || set.Find("old") != nil {
		t.Error("Find finds something else")
	}
}

func TestLoadTakesFilesAndFoldersOnce(t *testing.T) {
	folder(t, chapter)
	set, err := Load("s/4", "s/3/mesh.yaml", "./s/4/gateway.yaml", "s/4/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(set.Scenarios); got != "mesh gateway blue-green canary" || len(set.Broken) > 0 {
		t.Errorf("got %s, broken %v", got, set.Broken)
	}
}

func TestLoadErrors(t *testing.T) {
	folder(t, with(chapter, "empty/manifest.yaml", "kind: Service\n"))
	tests := []struct {
		paths []string
		want  string
	}{
		{[]string{"nowhere"}, "lstat nowhere: no such file or directory"},
		{[]string{"s", "nowhere.yaml"}, "lstat nowhere.yaml: no such file or directory"},
		{[]string{"empty"}, "empty: no scenario found"},
		{nil, "no file or folder is given"},
	}
	for _, tt := range tests {
		if _, err := Load(tt.paths...); err == nil || err.Error() != tt.want {
			t.Errorf("%v: got %v, want %s", tt.paths, err, tt.want)
		}
	}
}

// TestBroken loads sets in which something is wrong between the files, or in one of
// them, and compares what can still run and every message.
func TestBroken(t *testing.T) {
	tests := []struct {
		name   string
		files  map[string]string
		runs   string
		broken string
	}{
		{
			"a file that does not parse breaks what needs it, and nothing else",
			with(chapter, "s/4/gateway.yaml", "apiVersion: assay/v1\nkind: Scenario\nname: gateway\ntitle: \"open\n"),
			"alone mesh",
			`s/4/blue-green.yml:4:8: needs: gateway is broken (see s/4/gateway.yaml:4:8)
s/4/canary.yaml:4:8: needs: gateway is broken (see s/4/gateway.yaml:4:8)
s/4/gateway.yaml:4:8: the quote that begins here is not closed`,
		},
		{
			"what is below what is broken says so of its own parent",
			with(chapter, "s/3/mesh.yaml", text("mesh", "")+"blurb: []\n"),
			"alone",
			`s/3/mesh.yaml:6:1: blurb: unknown key (known are apiVersion, kind, name, title, labels, chapter, needs, environments and steps)
s/4/blue-green.yml:4:8: needs: gateway is broken (see s/4/gateway.yaml:4:8)
s/4/canary.yaml:4:8: needs: gateway is broken (see s/4/gateway.yaml:4:8)
s/4/gateway.yaml:4:8: needs: mesh is broken (see s/3/mesh.yaml:6:1)`,
		},
		{
			"two files of one name",
			with(chapter, "s/5/canary.yaml", text("canary", "")),
			"alone mesh gateway blue-green",
			`s/4/canary.yaml:3:7: name: also the name of s/5/canary.yaml
s/5/canary.yaml:3:7: name: also the name of s/4/canary.yaml`,
		},
		{
			"needs nobody has",
			with(chapter, "s/5/a.yaml", text("a", "gatway"), "s/5/b.yaml", text("b", "observability"), "s/5/c.yaml", text("c", "b")),
			"alone mesh gateway blue-green canary",
			`s/5/a.yaml:4:8: needs: no scenario is called gatway (did you mean gateway?)
s/5/b.yaml:4:8: needs: no scenario is called observability (known are a, alone, blue-green, c, canary, gateway and mesh)
s/5/c.yaml:4:8: needs: b is broken (see s/5/b.yaml:4:8)`,
		},
		{
			"a ring",
			with(chapter, "s/3/mesh.yaml", text("mesh", "canary")),
			"alone",
			`s/3/mesh.yaml:4:8: needs: the scenarios need each other in a ring: mesh -> canary -> gateway -> mesh
s/4/blue-green.yml:4:8: needs: gateway is broken (see s/4/gateway.yaml:4:8)
s/4/canary.yaml:4:8: needs: the scenarios need each other in a ring: canary -> gateway -> mesh -> canary
s/4/gateway.yaml:4:8: needs: the scenarios need each other in a ring: gateway -> mesh -> canary -> gateway`,
		},
		{
			"a file without a name",
			with(chapter, "s/5/x.yaml", "kind: Scenario\n", "s/5/y.yaml", "kind: Scenario\nname: Why\n"),
			"alone mesh gateway blue-green canary",
			`s/5/x.yaml:1:1: the keys apiVersion, name and steps are missing
s/5/y.yaml:1:1: the keys apiVersion and steps are missing
s/5/y.yaml:2:7: name: want a name of small letters, digits and dashes, got "Why" (such as why)`,
		},
		{
			"a mistyped kind or version is not passed over",
			with(chapter, "s/5/x.yaml", strings.Replace(text("x", ""), "Scenario", "Scenaro", 1), "s/5/y.yaml", strings.Replace(text("z", ""), "assay/v1", "asay/v1", 1)),
			"alone mesh gateway blue-green canary",
			`s/5/x.yaml:2:7: kind: want kind: Scenario, got "Scenaro" (did you mean Scenario?)
s/5/y.yaml:1:13: apiVersion: unknown version "asay/v1" (a scenario has apiVersion: assay/v1)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			folder(t, tt.files)
			set, err := Load("s")
			if err != nil {
				t.Fatal(err)
			}
			if got := names(set.Scenarios); got != tt.runs {
				t.Errorf("can run: %s, want %s", got, tt.runs)
			}
			var all []string
			for _, b := range set.Broken {
				for _, m := range b.Mistakes {
					if m.Pos.File != b.File {
						t.Errorf("%v is listed with %s", m, b.File)
					}
				}
				all = append(all, b.Mistakes.Error())
			}
			if diff := cmp.Diff(tt.broken, strings.Join(all, "\n")); diff != "" {
				t.Errorf("broken otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

// TestANamedFileMustBeAScenario: what a folder passes over is a mistake when it is named.
func TestANamedFileMustBeAScenario(t *testing.T) {
	folder(t, chapter)
	set, err := Load("s/environments/a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := set.Broken[0].Mistakes.Error(), `s/environments/a.yaml:2:7: kind: want kind: Scenario, got "Environment" (this file is an environment)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSelect(t *testing.T) {
	folder(t, with(chapter, "s/5/broken.yaml", "kind: Scenario\nname: broken\n", "s/5/below.yaml", text("below", "broken")))
	set, err := Load("s")
	if err != nil {
		t.Fatal(err)
	}
	const brokenSays = "s/5/broken.yaml:1:1: the keys apiVersion and steps are missing"
	tests := []struct {
		globs     string
		want, err string
	}{
		{"", "alone mesh gateway blue-green canary", ""},
		{"canary", "mesh gateway canary", ""},
		{"mesh", "mesh", ""},
		{"alone canary", "alone mesh gateway canary", ""},
		{"*green alone", "alone mesh gateway blue-green", ""},
		{"b*", "mesh gateway blue-green", ""},
		{"canray", "", "no scenario is called canray (did you mean canary?)"},
		{"canary nothing", "", "no scenario is called nothing (known are alone, mesh, gateway, blue-green and canary)"},
		{"x y", "", "no scenario is called x (known are alone, mesh, gateway, blue-green and canary)\n" +
			"no scenario is called y (known are alone, mesh, gateway, blue-green and canary)"},
		{"broken", "", "scenario broken cannot run:\n" + brokenSays},
		{"below", "", "scenario below cannot run:\ns/5/below.yaml:4:8: needs: broken is broken (see s/5/broken.yaml:1:1)"},
		{"bro*", "", "scenario broken cannot run:\n" + brokenSays},
		{"[a", "", `scenario "[a": not a glob: a [ is not closed, or it ends in a backslash`},
	}
	for _, tt := range tests {
		got, err := set.Select(strings.Fields(tt.globs)...)
		if tt.err != "" && (err == nil || err.Error() != tt.err) {
			t.Errorf("%q: got error %v, want %s", tt.globs, err, tt.err)
		}
		if tt.err == "" && err != nil || names(got) != tt.want {
			t.Errorf("%q: got %s and %v, want %s", tt.globs, names(got), err, tt.want)
		}
	}
}

func TestRoot(t *testing.T) {
	folder(t, map[string]string{"repo/.git/HEAD": "x", "repo/a/b/c.yaml": "", "plain/a/b.yaml": ""})
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"repo/a/b": "repo", "repo": "repo", "repo/a/../a": "repo", "plain/a": "plain/a",
	} {
		if got := Root(dir); got != filepath.Join(here, want) {
			t.Errorf("%s: got %s, want %s", dir, got, want)
		}
	}
}

func TestIs(t *testing.T) {
	for source, want := range map[string]bool{
		"apiVersion: assay/v1\nkind: Scenario\n":              true,
		"# a comment\n\nkind: \"Scenario\"\n":                 true,
		"{apiVersion: assay/v1, kind: Scenario}":              true,
		"apiVersion: assay/v2\nkind: Somethin\n":              true,
		"kind: Scenario\nname: \"\n":                          true,
		"apiVersion: assay/v1\nkind: Environment\n":           false,
		"apiVersion: sandbox.assay/v1\nkind: Fault\n":         false,
		"apiVersion: v1\ndata:\n  x: |\n    kind: Scenario\n": false,
		"kind: ScenarioList\n":                                false,
		"":                                                    false,
	} {
		if got := Is([]byte(source)); got != want {
			t.Errorf("%q: got %v, want %v", source, got, want)
		}
	}
}

// TestTheProjectsOwnScenarios: every file under scenarios is right, and the
// tutorial's chapters hang together.
func TestTheProjectsOwnScenarios(t *testing.T) {
	set, err := Load("../../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range set.Broken {
		t.Error(b.Mistakes)
	}
	canary, err := set.Select("canary")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(canary); got != "deploy vm virtual-mesh gateway canary" {
		t.Errorf("canary is reached by %s", got)
	}
}
