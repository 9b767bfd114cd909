package document

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMistakeError(t *testing.T) {
	at := Pos{"f.yaml", 3, 7}
	tests := []struct {
		mistake Mistake
		want    string
	}{
		{Mistake{Pos: at, Path: "a.b", Text: "wrong", Hint: "did you mean c?"}, "f.yaml:3:7: a.b: wrong (did you mean c?)"},
		{Mistake{Pos: at, Text: "wrong"}, "f.yaml:3:7: wrong"},
		{Mistake{Pos: Pos{File: "f.yaml"}, Text: "too large"}, "f.yaml: too large"},
		{Mistake{Path: "a", Text: "wrong"}, "a: wrong"},
		{Mistake{Text: "wrong"}.WithHint("right"), "wrong (right)"},
	}
	for _, tt := range tests {
		if got := tt.mistake.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestMistakesAsError(t *testing.T) {
	if err := (Mistakes{}).Err(); err != nil {
		t.Errorf("no mistakes are no error, got %v", err)
	}
	err := Mistakes{{Text: "a"}, {Text: "b"}}.Err()
	var ms Mistakes
	if !errors.As(err, &ms) || err.Error() != "a\nb" {
		t.Errorf("got %v", err)
	}
}

func TestSort(t *testing.T) {
	at := func(file string, line, col int) Mistake { return Mistake{Pos: Pos{file, line, col}, Text: "x"} }
	given := Mistakes{at("b", 1, 1), at("a", 10, 1), at("a", 9, 3), at("a", 9, 20), at("a", 9, 3)}
	got := Sort(given)
	want := Mistakes{at("a", 9, 3), at("a", 9, 20), at("a", 10, 1), at("b", 1, 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if given[0].Pos.File != "b" {
		t.Error("Sort changed what it was given")
	}
}

// TestShowCaret puts the caret under an x that stands behind characters of all widths.
func TestShowCaret(t *testing.T) {
	tests := []struct{ name, line, under string }{
		{"plain", "abc x", "    ^"},
		{"first column", "x", "^"},
		{"tabs are repeated", "\ta:\tx", "\t  \t^"},
		{"wide characters take two", "蓝: x", "    ^"},
		{"emoji take two", "😀x", "  ^"},
		{"accents of their own take none", "e\u0301x", " ^"},
		{"joiners take none", "a\u200dx", " ^"},
		{"narrow letters of other scripts take one", "éßж x", "    ^"},
		{"what a terminal obeys is drawn", "a\x1bbx", "   ^"},
		{"what turns the writing round is drawn", "a\u202ebx", "   ^"},
		{"what is not UTF-8 is drawn", "a\xffbx", "   ^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			col := len([]rune(tt.line))
			var b bytes.Buffer
			Mistakes{{Pos: Pos{"f", 7, col}, Text: "m", Source: tt.line}}.Show(&b)
			lines := strings.Split(b.String(), "\n")
			if got := strings.TrimPrefix(lines[2], "    | "); got != tt.under {
				t.Errorf("caret line is %q, want %q", got, tt.under)
			}
			if strings.ContainsAny(lines[1], "\x1b\u202e") {
				t.Errorf("shown as it is: %q", lines[1])
			}
		})
	}
}

// TestShowBeyondTheLine keeps the caret at the end of a line that is shorter than the column.
func TestShowBeyondTheLine(t *testing.T) {
	var b bytes.Buffer
	Mistakes{{Pos: Pos{"f", 1, 99}, Text: "m", Source: "ab"}, {Pos: Pos{File: "f"}, Text: "n"}}.Show(&b)
	if want := "f:1:99: m\n  1 | ab\n    |   ^\nf: n\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// TestShowLongLine shows a window of a long line; the caret stays under its character.
func TestShowLongLine(t *testing.T) {
	for _, at := range []int{0, 10, 500, 990, 999} {
		line := []rune(strings.Repeat("é", 1000))
		line[at] = 'x'
		var b bytes.Buffer
		Mistakes{{Pos: Pos{"f", 1, at + 1}, Text: "m", Source: string(line)}}.Show(&b)
		lines := strings.Split(b.String(), "\n")
		shown, caret := []rune(lines[1]), strings.Index(lines[2], "^")
		if shown[caret] != 'x' || len(shown) != shownWidth+len("  1 | ") {
			t.Errorf("column %d: caret under %q of %q", at+1, shown[caret], lines[1])
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"blue", "green", "canary", "clusters", "cluster", "atMost"}
	tests := []struct{ word, want string }{
		{"blu", "blue"}, {"bleu", "blue"}, {"Blue", "blue"}, {"gren", "green"}, {"grene", "green"}, {"canray", "canary"},
		{"clutser", "cluster"}, {"clustres", "clusters"}, {"at-most", "atMost"}, {"at_most", "atMost"},
		{"red", ""}, {"x", ""}, {"", ""}, {"blue", ""}, {"destination", ""}, {strings.Repeat("blue", 1000), ""},
	}
	for _, tt := range tests {
		want := ""
		if tt.want != "" {
			want = "did you mean " + tt.want + "?"
		}
		if got := DidYouMean(tt.word, known); got != want {
			t.Errorf("%s: got %q, want %q", tt.word, got, want)
		}
	}
}

func TestOneOf(t *testing.T) {
	tests := []struct {
		word  string
		known []string
		want  string
	}{
		{"blu", []string{"blue", "green"}, "did you mean blue?"},
		{"red", []string{"blue", "green", "canary"}, "known are blue, green and canary"},
		{"red", []string{"blue"}, "known is blue"},
		{"red", nil, ""},
		{"red", strings.Split("abcdefghijklm", ""), ""},
	}
	for _, tt := range tests {
		if got := OneOf(tt.word, tt.known); got != tt.want {
			t.Errorf("%s of %v: got %q, want %q", tt.word, tt.known, got, tt.want)
		}
	}
}

// TestDistance checks the distance against its definition, spelt out on known pairs.
func TestDistance(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"ca", "abc", 3},
		{"kitten", "sitting", 3}, {"blau", "blaü", 1},
	}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b, 100); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a, 100); got != tt.want {
			t.Errorf("%q to %q: got %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
