package document

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestBounds(t *testing.T) {
	deep := func(n int) string { return "a: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\n" }
	tests := []struct{ name, source, want string }{
		{"as deep as allowed", deep(maxDepth - 1), ""},
		{"too deep", deep(maxDepth), "f.yaml:1:103: a" + strings.Repeat("[0]", maxDepth-1) + ": mappings and lists are nested more than 100 deep"},
		{"deeper than the parser goes", deep(10001), "f.yaml:1:1: mappings and lists are nested too deep"},
		{"as large as allowed", "a: " + strings.Repeat("x", maxSize-4) + "\n", ""},
		{"too large", "a: " + strings.Repeat("x", maxSize), "f.yaml: the file is larger than 1 MiB"},
		{"only byte-order mark", "\ufeff", "f.yaml:1:1: the file says nothing"},
		{"only blanks", "  \n\n \n", "f.yaml:1:1: the file says nothing"},
		{"null", "null\n", "f.yaml:1:1: the file says nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ms := Parse("f.yaml", []byte(tt.source))
			if ms.Error() != tt.want {
				t.Errorf("got %.300q, want %.300q", ms.Error(), tt.want)
			}
			if tt.want == "" && !v.Exists() {
				t.Error("the value is absent")
			}
		})
	}
}

// TestGoodTexts parses what looks odd and is right.
func TestGoodTexts(t *testing.T) {
	for _, source := range []string{
		"---\nname: a\n", "name: a\n...\n", "\ufeffname: a\n", "name: a\r\ntext: b\r\n", "name: a", "{name: a}",
		"name: \"\\u2028 \\x1b\"\n", "name: '*'\n", "name: a # comment\n# more\n", "name: |\n  two\n  lines\n", "name: \"<<\"\n",
		"name: a\nlabels: {on: \"on\", 1: \"1\", <a>: b}\n", "name: 2026-01-31\n", "name: 1.2.3\n", "name: 12:30\n", "name: =\n",
		"name: \uFFFD\n",
	} {
		if _, ms := parseEverything("f.yaml", []byte(source)); len(ms) > 0 {
			t.Errorf("%q: %v", source, ms)
		}
	}
}

// BenchmarkHundredFiles reads a hundred files of the usual size: a few milliseconds.
func BenchmarkHundredFiles(b *testing.B) {
	for b.Loop() {
		for range 100 {
			if _, ms := parseEverything("good.yaml", []byte(good)); len(ms) > 0 {
				b.Fatal(ms)
			}
		}
	}
}

func TestUnitsAsText(t *testing.T) {
	tests := []struct {
		unit fmt.Stringer
		want string
	}{
		{Percent(.4), "40%"}, {Percent(.005), "0.5%"}, {Percent(1. / 3), "33.3333333333%"}, {Percent(.07), "7%"}, {Percent(0), "0%"},
		{Points(.03), "3pp"}, {Rate(200), "200/s"}, {Rate(.5), "0.5/s"}, {Duration(90 * time.Second), "1m30s"},
	}
	for _, tt := range tests {
		if got := tt.unit.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// FuzzParse: no input makes Parse or Decode panic; every mistake stands inside the
// file and shows the line that is there; the same input gives the same mistakes; what
// has no syntax error gives a Value.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	files, err := filepath.Glob("testdata/*.bad.yaml")
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
	f.Fuzz(func(t *testing.T, source []byte) {
		before := slices.Clone(source)
		_, ms := parseEverything("f.yaml", source)
		_, again := parseEverything("f.yaml", source)
		if !reflect.DeepEqual(ms, again) {
			t.Fatalf("once:\n%v\nand again:\n%v", ms, again)
		}
		if !slices.Equal(before, source) {
			t.Fatal("the source was changed")
		}
		checkPlaces(t, source, ms)
		var shown strings.Builder
		ms.Show(&shown)
		if !utf8.ValidString(shown.String()) {
			t.Fatalf("Show printed what is not UTF-8: %q", shown.String())
		}
	})
}

// checkPlaces fails when a mistake stands outside the file.
func checkPlaces(t *testing.T, source []byte, ms Mistakes) {
	t.Helper()
	lines := splitLines([]byte(strings.TrimPrefix(string(source), "\ufeff")))
	for _, m := range ms {
		p := m.Pos
		if p.Line == 0 && len(source) > maxSize {
			continue
		}
		if p.Line < 1 || p.Line > len(lines) || p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1 {
			t.Fatalf("%v stands outside the file, which has %d lines", m, len(lines))
		}
		if m.Source != lines[p.Line-1] && !strings.Contains(m.Text, "UTF-16") {
			t.Fatalf("%v shows %q, line %d is %q", m, m.Source, p.Line, lines[p.Line-1])
		}
		if m.Text == "" {
			t.Fatalf("%v says nothing", m)
		}
	}
}
