package scenario

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/document"
)

// TestBadFiles compares what Show prints for each testdata/bad/*.bad.yaml with the
// .want file beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.bad.yaml")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d bad files, want the corpus (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			_, ms := Parse(filepath.Base(file), read(t, file))
			if len(ms) == 0 {
				t.Fatal("no mistake found")
			}
			var got bytes.Buffer
			ms.Show(&got)
			golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".want", got.String())
		})
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestParse(t *testing.T) {
	s, ms := Parse("testdata/good/whole.yaml", read(t, "testdata/good/whole.yaml"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	want := &Scenario{
		File: "testdata/good/whole.yaml", Dir: "testdata/good", Name: "blue-green-canary",
		Title: "40 % blue, 40 % green, 20 % canary", Chapter: "traffic-management#blue-green-and-canary", Needs: "gateway",
		Labels: []string{"traffic-policy", "vm"}, Environments: []string{"sandbox", "tutorial"},
		Steps: []Step{{Index: 0, Name: "divide the traffic", Action: "apply"}, {Index: 1, Action: "expect"}},
	}
	if diff := cmp.Diff(want, s, cmpopts.IgnoreTypes(document.Value{})); diff != "" {
		t.Errorf("read otherwise (-want +got):\n%s", diff)
	}
	places := map[string]document.Value{
		"testdata/good/whole.yaml:11:3 steps[0]":                     s.Steps[0].Source,
		"testdata/good/whole.yaml:12:10 steps[0].apply":              s.Steps[0].Body,
		"testdata/good/whole.yaml:13:50 steps[1].expect.shares.blue": s.Steps[1].Body.Get("shares").Get("blue"),
	}
	for want, v := range places {
		if got := v.Pos().String() + " " + v.Path(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestParseLeast reads a file with nothing that could be left out: the title is the
// name then, and what the action's value means is not asked here.
func TestParseLeast(t *testing.T) {
	s, ms := Parse("least.yaml", read(t, "testdata/good/least.yaml"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	if s.Title != "least" || s.Dir != "." || s.Steps[0].Action != "wait" || s.Steps[0].Body.Kind() != document.Null {
		t.Errorf("got %+v", s)
	}
}

// TestFiveMistakes is the promise of the project's plan: five mistakes, five
// positions, and nothing that only follows from one of them.
func TestFiveMistakes(t *testing.T) {
	s, ms := Parse("five.yaml", read(t, "testdata/bad/five-mistakes.bad.yaml"))
	lines := []int{3, 5, 6, 7, 11}
	if len(ms) != len(lines) {
		t.Fatalf("got %d mistakes:\n%v", len(ms), ms)
	}
	for i, m := range ms {
		if m.Pos.Line != lines[i] || m.Pos.Col == 0 || m.Source == "" || m.Path == "" {
			t.Errorf("mistake %d is %v, want it in line %d", i, m, lines[i])
		}
	}
	if s == nil || len(s.Steps) != 2 {
		t.Errorf("what could be read is returned all the same, got %+v", s)
	}
}

// FuzzParse: no input makes Parse panic; mistakes stand inside the file and are the
// same each time; without mistakes the scenario is whole.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml", "../document/testdata/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		s, ms := Parse("f.yaml", source)
		_, again := Parse("f.yaml", source)
		if !reflect.DeepEqual(ms, again) {
			t.Fatalf("once:\n%v\nand again:\n%v", ms, again)
		}
		lines := strings.Split(string(source), "\n")
		for _, m := range ms {
			p := m.Pos
			if p.Line > len(lines) || p.Line > 0 && (p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1) {
				t.Fatalf("%v stands outside the file", m)
			}
		}
		if len(ms) > 0 {
			return
		}
		if s == nil || s.Name == "" || len(s.Steps) == 0 {
			t.Fatalf("no mistake, and yet the scenario is %+v", s)
		}
		for i, step := range s.Steps {
			if step.Index != i || step.Action == "" || !step.Body.Exists() {
				t.Fatalf("no mistake, and yet step %d is %+v", i, step)
			}
		}
	})
}
