package chapter

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/document"
)

// shown is a page as text.
func shown(p *Page, ms document.Mistakes) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "title: %s\n", p.Title)
	for _, h := range p.Headings {
		fmt.Fprintf(&b, "%s: %s %s (%s)", h.Pos, strings.Repeat("#", h.Level), h.Text, strings.Join(h.Anchors, ", "))
		if h.Above != nil {
			fmt.Fprintf(&b, " in %s", h.Above.Text)
		}
		if h.Skip != "" {
			fmt.Fprintf(&b, " skipped: %s", h.Skip)
		}
		fmt.Fprintln(&b)
	}
	for _, block := range p.Blocks {
		fmt.Fprintf(&b, "%s: block %q", block.Pos, block.Language)
		if block.Title != "" {
			fmt.Fprintf(&b, " titled %s", block.Title)
		}
		if block.Heading != nil {
			fmt.Fprintf(&b, " in %s", block.Heading.Text)
		}
		if block.Skip != "" {
			fmt.Fprintf(&b, " skipped: %s", block.Skip)
		}
		fmt.Fprintln(&b)
		for _, l := range block.Commands {
			fmt.Fprintf(&b, "  %s: type  %s\n", l.Pos, l.Text)
		}
		for _, l := range block.Output() {
			fmt.Fprintf(&b, "  %s: shown %s\n", l.Pos, l.Text)
		}
	}
	for _, l := range p.Prose {
		fmt.Fprintf(&b, "%s: prose %s\n", l.Pos, l.Text)
	}
	for _, i := range p.Includes {
		fmt.Fprintf(&b, "%s: includes %s (%s)", i.Pos, i.Name, i.File)
		if i.Heading != nil {
			fmt.Fprintf(&b, " in %s", i.Heading.Text)
		}
		fmt.Fprintln(&b)
	}
	for _, l := range p.Links {
		fmt.Fprintf(&b, "%s: links to %s\n", l.Line.Pos, l.Target)
	}
	if len(p.Own) > 0 {
		fmt.Fprintf(&b, "own anchors: %s\n", strings.Join(p.Own, ", "))
	}
	ms.Show(&b)
	return b.String()
}

func TestPages(t *testing.T) {
	for _, name := range []string{"shop", "wrong", "strange"} {
		page, ms, err := Load("testdata/"+name+".md", "testdata")
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "testdata/"+name+".want", shown(page, ms))
	}
}

// Every place that a page tells is the place where that text stands.
func TestPlaces(t *testing.T) {
	page, _, err := Load("testdata/shop.md", "testdata")
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Clone(page.Prose)
	for _, b := range page.Blocks {
		lines = append(append(lines, b.Lines...), b.Commands...)
	}
	if len(lines) < 30 {
		t.Fatalf("only %d lines", len(lines))
	}
	for _, l := range lines {
		source, err := os.ReadFile(l.Pos.File)
		if err != nil {
			t.Fatal(err)
		}
		if text := split(source)[l.Pos.Line-1]; text != l.Source || !strings.HasPrefix(text[min(l.Pos.Col-1, len(text)):], l.Text) {
			t.Errorf("%s: %q, there is %q", l.Pos, l.Text, text)
		}
	}
}

func TestSlugs(t *testing.T) {
	tests := []struct{ text, mkdocs, github string }{
		{"Gloo Mesh Gateway", "gloo-mesh-gateway", "gloo-mesh-gateway"},
		{"Blue,Green and Canary", "bluegreen-and-canary", "bluegreen-and-canary"},
		{"Blue <-- --> Green", "blue-green", "blue-------green"},
		{"50 % of Ünïcode_ö!", "50-of-unicode_o", "50--of-ünïcode_ö"},
		{"Step ², ½ of Ⅳ‿4", "step-2-12-of-iv4", "step---of-ⅳ‿4"},
		{"  ", "", ""},
	}
	for _, tt := range tests {
		if got := mkdocsSlug(tt.text); got != tt.mkdocs {
			t.Errorf("MkDocs: %q becomes %q, want %q", tt.text, got, tt.mkdocs)
		}
		if got := githubSlug(tt.text); got != tt.github {
			t.Errorf("GitHub: %q becomes %q, want %q", tt.text, got, tt.github)
		}
	}
}

// What a browser finds is made of what a reader sees, and is never empty.
func TestAnchors(t *testing.T) {
	page, _ := Parse("page.md", []byte(strings.Join([]string{
		"# Blue &amp; green &#x26; `a&amp;b`", "## <b>Wide</b> [link](x.md) \\*", "## 绿色", "## 绿色", "## \u2192", "Under\nlined\n---",
	}, "\n\n")), nil)
	want := []string{
		"blue-green-aampb blue--green--aampb", "wide-link wide-link-", "_1 绿色", "_2 绿色-1", "_3", "under-lined",
	}
	for i, h := range page.Headings {
		if got := strings.Join(h.Anchors, " "); i >= len(want) || got != want[i] {
			t.Errorf("%s: got %q", h.Text, got)
		}
	}
	if len(page.Headings) != len(want) {
		t.Errorf("%d headings, want %d", len(page.Headings), len(want))
	}
	if got, want := page.Headings[0].Text, "Blue & green & a&amp;b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFind(t *testing.T) {
	page, _ := Parse("a/shop.md", []byte("# Shop\n\n## Same\n\n## Same\n\n### Blue <-- --> Green\n\n```sh\nx\n```\n"), nil)
	for heading, line := range map[string]int{
		"shop": 1, "#same": 3, "same_1": 5, "same-1": 5, "Same": 3, "blue-green": 7, "Blue <-- --> Green": 7, "#blue-------green": 7,
	} {
		if h := page.Find(heading); h == nil || h.Pos.Line != line {
			t.Errorf("%s: found %+v, want line %d", heading, h, line)
		}
	}
	if h := page.Find("red"); h != nil {
		t.Errorf("red: found %+v", h)
	}
	for heading, want := range map[string]int{"shop": 1, "same": 0, "same_1": 1} {
		if got := len(page.Commands(page.Find(heading))); got != want {
			t.Errorf("%s has %d blocks of commands, want %d", heading, got, want)
		}
	}
	for document, want := range map[string]bool{"shop": true, "shop.md": true, "a/shop": true, "./a/shop.md": true, "b/shop": false, "op": false} {
		if got := page.Is(document); got != want {
			t.Errorf("is %s: %v", document, got)
		}
	}
}

// What is included is found from the page's folder and those above it, and not
// beyond the root, by no symbolic link either.
func TestIncludesStayInTheRoot(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("outside.md", "outside")
	write("in/includes/top.md", "top")
	write("in/docs/includes/near.md", "near")
	if err := os.Symlink(filepath.Join(root, "outside.md"), filepath.Join(root, "in", "link.md")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"includes/top.md": "", "includes/near.md": "", "outside.md": "there is no such file", "link.md": "leads out of",
		"../../outside.md": "leads out of", filepath.Join(root, "outside.md"): "absolute path", "includes/nearr.md": "did you mean near.md?",
	} {
		write("in/docs/page.md", "--8<-- \""+name+"\"\n")
		page, ms, err := Load(filepath.Join(root, "in", "docs", "page.md"), filepath.Join(root, "in"))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && (len(ms) > 0 || len(page.Prose) != 1) || want != "" && !strings.Contains(ms.Error(), want) {
			t.Errorf("%s: got %d lines and %v, want %q", name, len(page.Prose), ms, want)
		}
	}
}

// Files that include each other many times end, and say so.
func TestIncludesThatGrowWithoutEnd(t *testing.T) {
	open := func(name string) (string, []byte, string, error) {
		return name, []byte(strings.Repeat("--8<-- \""+name+"x\"\n", 10)), "", nil
	}
	if _, ms := Parse("a.md", []byte("--8<-- \"b\"\n"), open); !strings.Contains(ms.Error(), "includes") {
		t.Errorf("got %v", ms)
	}
}

// Where MkDocs is told to look for includes, they are found, whatever else that
// file holds.
func TestIncludesThatMkDocsFinds(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("docs/page.md", "--8<-- \"part.md\"\n")
	write("parts/part.md", "of parts\n")
	write("in/docs/part.md", "of the pages\n")
	const emoji = "  - pymdownx.emoji:\n      emoji_index: !!python/name:materialx.emoji.twemoji\n"
	for config, want := range map[string]string{
		"": "there is no such file",
		"markdown_extensions:\n" + emoji + "  - pymdownx.snippets:\n      base_path: parts\n":               "of parts",
		"markdown_extensions:\n" + emoji + "  - pymdownx.snippets:\n      base_path: [nowhere, parts]\n":    "of parts",
		"markdown_extensions: {pymdownx.snippets: {base_path: parts}}\n":                                    "of parts",
		"docs_dir: in/docs\nmarkdown_extensions: {pymdownx.snippets: {base_path: [!relative $docs_dir]}}\n": "of the pages",
		"markdown_extensions: {pymdownx.snippets: {base_path: [!relative $config_dir]}}\n":                  "there is no such file",
		"markdown_extensions: [pymdownx.snippets]\n":                                                        "there is no such file",
		"markdown_extensions: {pymdownx.snippets: {base_path: ../outside}}\n":                               "there is no such file",
		"markdown_extensions: [\n": "there is no such file",
	} {
		write("mkdocs.yml", config)
		page, ms, err := Load(filepath.Join(root, "docs", "page.md"), root)
		if err != nil {
			t.Fatal(err)
		}
		got := ms.Error()
		for _, l := range page.Prose {
			got += l.Text
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", config, got, want)
		}
	}
}

// A comment at the very beginning is for the whole page; before a block it is
// for that alone.
func TestSkippedPages(t *testing.T) {
	for source, want := range map[string]string{
		"<!-- assay: skip why -->\n\n# A\n\n```sh\nx\n```\n":                        "why: why, why",
		"---\ntitle: A\n---\n\n<!-- assay: skip why -->\n\nText\n\n```sh\nx\n```\n": "why: why",
		"<!-- assay: skip why -->\n```sh\nx\n```\n\n# A\n":                          ": why, ",
		"Text\n\n<!-- assay: skip why -->\n\nText\n\n```sh\nx\n```\n\n# A\n":        ": , ",
		"<!-- -->\n\n<!-- assay: skip why -->\n\n## A\n\n### B\n\n```sh\nx\n```\n":  "why: why, why, why",
	} {
		page, ms := Parse("page.md", []byte(source), nil)
		var skips []string
		for _, b := range page.Blocks {
			skips = append(skips, b.Skip)
		}
		for _, h := range page.Headings {
			skips = append(skips, h.Skip)
		}
		if got := page.Skip + ": " + strings.Join(skips, ", "); got != want || len(ms) > 0 {
			t.Errorf("%q: got %q (%v), want %q", source, got, ms, want)
		}
	}
}

// A page reads the same whatever its lines end with and its file begins with.
func TestLineEnds(t *testing.T) {
	source, err := os.ReadFile("testdata/shop.md")
	if err != nil {
		t.Fatal(err)
	}
	open := opener("testdata/shop.md", "testdata")
	text := func(source string) string {
		page, ms := Parse("testdata/shop.md", []byte(source), open)
		return shown(page, ms)
	}
	want := text(string(source))
	for name, other := range map[string]string{
		"CRLF": strings.ReplaceAll(string(source), "\n", "\r\n"), "CR": strings.ReplaceAll(string(source), "\n", "\r"),
		"a BOM": "\uFEFF" + string(source), "no end of line": strings.TrimSuffix(string(source), "\n"),
	} {
		if got := text(other); got != want {
			t.Errorf("with %s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"shop.md", "wrong.md", "includes/ring.md"} {
		source, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source))
	}
	f.Add("```\n$ a '\n> b [x](y)\n```\n[![a](b)](c [d](<e f>)\n")
	f.Add("```\n--8<-- \"x\"\n\t!!! a\n\t\t# {#\n")
	f.Add("- !!! a\n\n      ```sh\n      $ a <<E\n")
	f.Fuzz(func(t *testing.T, source string) {
		open := func(name string) (string, []byte, string, error) {
			if len(name) > 3 {
				return "", nil, "", os.ErrNotExist
			}
			return name, []byte(source), "", nil
		}
		page, ms := Parse("page.md", []byte(source), open)
		for _, m := range ms {
			if m.Pos.Line < 1 {
				t.Errorf("a mistake without a place: %v", m)
			}
		}
		for _, b := range page.Blocks {
			for _, l := range slices.Concat(b.Lines, b.Commands) {
				if l.Pos.Line < 1 || l.Pos.Col < 1 || l.Pos.File == "" {
					t.Errorf("a line without a place: %+v", l)
				}
			}
		}
		for _, l := range page.Links {
			if l.Line.Pos.Line < 1 || l.Line.Pos.Col < 1 || !strings.HasPrefix(l.Line.Text, l.Target) {
				t.Errorf("a link without a place: %+v", l)
			}
		}
		for _, h := range page.Headings {
			if len(h.Anchors) == 0 || h.Pos.Line < 1 {
				t.Errorf("heading %+v", h)
			}
		}
	})
}
