package proofread

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

func parseBash(text string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
}

// word is one word of a command.
type word struct {
	text  string // with $NAME for what is not known
	known bool   // nothing in it would have to be run, or asked, to know it
	// variable is the name of the variable that is all of the word; "" when it
	// is something else.
	variable string
	pos      syntax.Pos
}

// reader reads commands as a shell would, without running any.
type reader struct {
	c       *checker
	folder  string // the working folder; "" when it is not known
	vars    map[string]string
	script  string         // the script that is read; "" for a page
	lines   []chapter.Line // of the text that is read
	cluster string         // that kubectl speaks to unless told
	quiet   bool           // only named is wanted
	piped   []source       // manifests that go through the present pipe
	inPipe  map[*syntax.Stmt]bool
	named   []string // scripts that were named, as absolute paths
}

// source is a manifest that a command reads, or a folder with a kustomization,
// or a here-document.
type source struct {
	word
	folder bool
	lines  []chapter.Line // of the here-document; nil for what is none
	tabs   bool           // before its lines are not part of it
}

func (c *checker) reader(folder string, vars map[string]string) *reader {
	r := &reader{c: c, folder: folder, vars: map[string]string{"TUTORIAL_HOME": c.o.Home}, inPipe: map[*syntax.Stmt]bool{}}
	maps.Copy(r.vars, c.o.Environment.Vars)
	maps.Copy(r.vars, vars)
	return r
}

// commands reads all blocks of a page: a reader's shell goes from one to the next.
func (c *checker) commands(page *chapter.Page) {
	r := c.reader(c.o.Home, nil)
	for _, b := range page.Blocks {
		if len(b.Commands) == 0 {
			continue
		}
		c.result.Blocks++
		if b.Skip == "" {
			r.text(b.Script(), b.Commands)
		}
	}
}

// text reads commands. Lines are where they stand; nil for what is no file.
func (r *reader) text(text string, lines []chapter.Line) {
	r.lines = lines
	file, err := parseBash(text)
	if err != nil {
		var wrong syntax.ParseError
		if errors.As(err, &wrong) && !r.quiet {
			line, part := r.line(wrong.Pos)
			m := line.Mistake(part, "bash cannot read this: %s", wrong.Text)
			r.c.add(Unreadable, m.WithHint("so nothing that it names is compared; where a reader must put something in, "+howToSkip), document.Pos{})
		}
		return
	}
	r.walk(file)
}

// line is where a place of the text stands, and the rest of its line from there.
func (r *reader) line(p syntax.Pos) (chapter.Line, string) {
	i := int(p.Line()) - 1
	if i < 0 || i >= len(r.lines) {
		return chapter.Line{}, ""
	}
	l := r.lines[i]
	return l, l.Text[min(max(int(p.Col())-1, 0), len(l.Text)):]
}

// mistake is about a word.
func (r *reader) mistake(w word, format string, args ...any) document.Mistake {
	l, rest := r.line(w.pos)
	m := l.Mistake("", format, args...)
	m.Pos.Col += len([]rune(l.Text)) - len([]rune(rest))
	return m
}

func (r *reader) walk(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Subshell, *syntax.CmdSubst:
			folder := r.folder
			defer func() { r.folder = folder }()
			for _, s := range inside(n) {
				r.walk(s)
			}
			return false
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				r.inPipe[n.X], r.inPipe[n.Y] = true, true
			}
		case *syntax.Stmt:
			if !r.inPipe[n] {
				r.piped = nil
			}
			r.redirects(n.Redirs)
		case *syntax.ForClause:
			if loop, ok := n.Loop.(*syntax.WordIter); ok {
				r.assign(loop.Name.Value, word{})
			}
		case *syntax.UnaryTest:
			if w, ok := n.X.(*syntax.Word); ok {
				r.makes(r.word(w))
			}
		case *syntax.DeclClause:
			r.assigns(n.Args)
		case *syntax.CallExpr:
			if len(n.Args) == 0 {
				r.assigns(n.Assigns)
			} else {
				r.call(r.words(n.Args))
			}
		}
		return true
	})
}

func inside(n syntax.Node) []*syntax.Stmt {
	switch n := n.(type) {
	case *syntax.Subshell:
		return n.Stmts
	case *syntax.CmdSubst:
		return n.Stmts
	}
	return nil
}

func (r *reader) assigns(all []*syntax.Assign) {
	for _, a := range all {
		switch {
		case a.Name == nil:
		case a.Value != nil:
			r.assign(a.Name.Value, r.word(a.Value))
		case !a.Naked:
			r.assign(a.Name.Value, word{known: a.Array == nil})
		}
	}
}

func (r *reader) assign(name string, w word) {
	r.c.set[name] = true
	if delete(r.vars, name); w.known {
		r.vars[name] = w.text
	}
}

func (r *reader) redirects(all []*syntax.Redirect) {
	for _, redirect := range all {
		if redirect.Word == nil {
			continue
		}
		w := r.word(redirect.Word)
		switch redirect.Op {
		case syntax.RdrIn:
			r.exists(w, "file")
			r.piped = append(r.piped, source{word: w})
		case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll, syntax.RdrClob:
			r.makes(w)
		case syntax.Hdoc, syntax.DashHdoc:
			r.heredoc(redirect)
		}
	}
}

// makes notes a name that a command may make: it is not missed later.
func (r *reader) makes(w word) {
	for _, part := range strings.FieldsFunc(w.text, func(c rune) bool { return c == '/' || c == ':' || c == '=' }) {
		r.c.made[strings.TrimSuffix(part, ".git")] = true
	}
}

func (r *reader) words(all []*syntax.Word) []word {
	var words []word
	for _, w := range all {
		words = append(words, r.word(w))
	}
	return words
}

func (r *reader) word(w *syntax.Word) word {
	out := word{known: true, pos: w.Pos()}
	r.parts(w.Parts, &out)
	if p := onlyParam(w.Parts); p != nil {
		out.variable = p.Param.Value
	}
	return out
}

func onlyParam(parts []syntax.WordPart) *syntax.ParamExp {
	if len(parts) != 1 {
		return nil
	}
	switch p := parts[0].(type) {
	case *syntax.DblQuoted:
		return onlyParam(p.Parts)
	case *syntax.ParamExp:
		return p
	}
	return nil
}

var escaped = regexp.MustCompile(`\\(.)`)

func (r *reader) parts(parts []syntax.WordPart, out *word) {
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			out.text += escaped.ReplaceAllString(strings.ReplaceAll(p.Value, "\\\n", ""), "$1")
		case *syntax.SglQuoted:
			out.text += p.Value
		case *syntax.DblQuoted:
			r.parts(p.Parts, out)
		case *syntax.ParamExp:
			value, ok := r.vars[p.Param.Value]
			if !ok || p.Length || p.Excl || p.Slice != nil || p.Repl != nil || p.Index != nil || p.Exp != nil && p.Exp.Op != syntax.DefaultUnset && p.Exp.Op != syntax.DefaultUnsetOrNull {
				value, out.known = "$"+p.Param.Value, false
			}
			out.text += value
		case *syntax.CmdSubst:
			folder, ok := r.own(p)
			out.text += folder
			out.known = out.known && ok
		default:
			out.text, out.known = out.text+"$", false
		}
	}
}

// own recognizes the folder of the script itself, $(dirname "$0"), and the one
// above it, $(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd).
func (r *reader) own(n *syntax.CmdSubst) (string, bool) {
	var b strings.Builder
	if err := syntax.NewPrinter().Print(&b, n); err != nil || r.script == "" {
		return "$", false
	}
	text := b.String()
	if !strings.Contains(text, "dirname") || !strings.Contains(text, "$0") && !strings.Contains(text, "BASH_SOURCE") {
		return "$", false
	}
	folder := filepath.Dir(r.script)
	for range strings.Count(text, "/..") {
		folder = filepath.Dir(folder)
	}
	return folder, true
}

var (
	prefixes = []string{"sudo", "env", "time", "exec", "nohup", "command", "eval"}
	shells   = []string{"bash", "sh", "zsh", "source", "."}
	makers   = []string{"mkdir", "git", "cp", "mv", "curl", "wget", "tee", "tar", "unzip", "touch", "helm", "ln", "openssl", "istioctl", "meshctl", "go"}
	tests    = []string{"[", "test"} // who asks for a file knows that it may not be there
	readers  = []string{"yq", "cat", "jq", "envsubst"}
	aFile    = regexp.MustCompile(`\.(ya?ml|json)$`)
)

// call reads one command.
func (r *reader) call(words []word) {
	for len(words) > 1 && slices.Contains(prefixes, words[0].text) {
		words = words[1:]
	}
	name, args := words[0], words[1:]
	base := filepath.Base(name.text)
	switch {
	case base == "cd" || base == "pushd":
		r.cd(args)
	case slices.Contains(shells, name.text):
		if len(args) > 0 && !strings.HasPrefix(args[0].text, "-") {
			r.runs(args[0], name.text == "source" || name.text == ".")
		}
	case base == "kubectl" || base == "oc":
		r.kubectl(args)
	case base == "kustomize" && len(args) > 1 && args[0].text == "build":
		r.exists(args[1], "folder")
		r.piped = append(r.piped, source{word: args[1], folder: true})
	case strings.Contains(name.text, "/"):
		r.runs(name, false)
	case slices.Contains(readers, base):
		for _, a := range args {
			if aFile.MatchString(a.text) {
				r.exists(a, "file")
				if base == "cat" {
					r.piped = append(r.piped, source{word: a})
				}
			}
		}
	case slices.Contains(makers, base) || slices.Contains(tests, base):
		for _, a := range args {
			r.makes(a)
		}
	}
}

func (r *reader) cd(args []word) {
	if len(args) != 1 {
		r.folder = ""
		return
	}
	r.folder = r.exists(args[0], "folder") // from one that is not there nothing is found
}

// path is the path that a word means; "" when that is not known, or is nowhere
// below what is looked at.
func (r *reader) path(w word) string {
	path := filepath.FromSlash(w.text)
	switch {
	case !w.known || w.text == "" || w.text == "-" || strings.HasPrefix(w.text, "~") || strings.Contains(w.text, "://") || strings.ContainsAny(w.text, "*?"):
		return ""
	case !filepath.IsAbs(path) && r.folder == "":
		return ""
	case !filepath.IsAbs(path):
		path = filepath.Join(r.folder, path)
	}
	path = filepath.Clean(path)
	if !below(r.c.o.Home, path) && !below(r.c.o.Root, path) {
		return ""
	}
	return path
}

func below(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// exists reports a file or folder that a command names and that is not there,
// and returns its path; "" when there is none, or it is not known.
func (r *reader) exists(w word, what string) string {
	path := r.path(w)
	if path == "" || r.quiet {
		return path
	}
	_, err := os.Stat(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return path
	}
	relative, _ := filepath.Rel(r.c.o.Home, path)
	for _, part := range strings.Split(filepath.ToSlash(relative), "/") {
		if r.c.made[part] {
			return ""
		}
	}
	r.c.add(Missing, r.mistake(w, "no such %s: %s", what, filepath.ToSlash(relative)).WithHint(near(path, r.c.o.Home)), document.Pos{})
	return ""
}

// near is a file that was perhaps meant, or the folder that is missing itself.
func near(path, home string) string {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		if relative, err := filepath.Rel(home, folder); err == nil && relative != "." {
			return "there is no folder " + filepath.ToSlash(relative) + " below TUTORIAL_HOME"
		}
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return document.DidYouMean(filepath.Base(path), names)
}

// runs reads a script that a command runs, or that the shell itself reads.
func (r *reader) runs(w word, sourced bool) {
	path := r.exists(w, "script")
	if path == "" {
		return
	}
	r.named = append(r.named, path)
	if r.quiet || r.c.scripts[path] && !sourced || len(r.c.within) > deepest {
		return
	}
	if !r.c.scripts[path] {
		r.c.result.Scripts++
	}
	r.c.scripts[path] = true
	r.c.within = append(r.c.within, path)
	defer func() { r.c.within = r.c.within[:len(r.c.within)-1] }()
	source, err := os.ReadFile(path)
	if err != nil || !isShell(string(source), path) {
		return
	}
	within := r.c.reader(r.folder, r.vars)
	within.script, within.cluster = path, r.cluster
	var lines []chapter.Line
	shown := shownPath(path)
	for i, text := range strings.Split(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n") {
		lines = append(lines, chapter.Line{Text: text, Source: text, Pos: document.Pos{File: shown, Line: i + 1, Col: 1}})
	}
	within.text(string(source), lines)
	if sourced {
		r.vars, r.folder, r.cluster = within.vars, within.folder, within.cluster
	}
}

// shownPath is a path as a reader would write it, from where they are.
func shownPath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(relative, filepath.Join("..", "..", "..")) {
		return relative
	}
	return path
}

// deepest is how far scripts that read each other are followed.
const deepest = 8

// isShell says whether a script is one of a shell.
func isShell(source, path string) bool {
	first, _, _ := strings.Cut(source, "\n")
	if !strings.HasPrefix(first, "#!") {
		return strings.HasSuffix(path, ".sh") || filepath.Ext(path) == ""
	}
	return regexp.MustCompile(`\b(ba|z|da|k)?sh\b`).MatchString(first)
}
