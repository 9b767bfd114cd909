package proofread

import (
	"errors"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// reader reads commands as a shell would, without running any.
type reader struct {
	c        *checker
	folder   string // the working folder; "" when it is not known
	vars     map[string]string
	script   string            // the script that is read; "" for a page
	lines    []chapter.Line    // of the text that is read
	cluster  string            // that kubectl speaks to unless told
	clusters map[string]string // that the script's arguments mean: "1" is cluster1
	quiet    bool              // only named is wanted
	piped    []source          // manifests that go through the present pipe
	inPipe   map[*syntax.Stmt]bool
	named    []string // scripts that were named, as absolute paths
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
	r := &reader{c: c, folder: folder, vars: map[string]string{}, inPipe: map[*syntax.Stmt]bool{}}
	maps.Copy(r.vars, c.o.Environment.Vars)
	maps.Copy(r.vars, vars)
	for name := range c.home {
		r.vars[name] = c.o.Home
	}
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
			r.c.add(Unreadable, m.WithHint("so nothing that it names is compared; what is printed and not typed is a block of ```text, or "+howToSkip), document.Pos{})
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
	if r.c.home[name] {
		return // wherever its author has it
	}
	if delete(r.vars, name); w.known {
		r.vars[name] = w.text
		r.c.named(name, w.text)
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

var (
	prefixes = []string{"sudo", "env", "time", "exec", "nohup", "command", "eval"}
	shells   = []string{"bash", "sh", "zsh", "source", "."}
	makers   = []string{"mkdir", "git", "cp", "mv", "curl", "wget", "tee", "tar", "unzip", "touch", "helm", "ln", "openssl", "istioctl", "meshctl", "go"}
	tests    = []string{"[", "test"} // who asks for a file knows that it may not be there
	readers  = []string{"yq", "cat", "jq", "envsubst"}
	// installers bring objects of which nothing is to be read here.
	installers = []string{"helm", "istioctl", "meshctl", "make", "ansible-playbook", "terraform", "operator-sdk", "linkerd", "glooctl"}
	// clouds name a context when they make a cluster, or get its credentials.
	clouds = []string{"aws", "gcloud", "az", "eksctl", "kind", "k3d", "minikube", "vcluster", "doctl", "civo", "oc"}
	aFile  = regexp.MustCompile(`\.(ya?ml|json)$`)
)

// call reads one command.
func (r *reader) call(words []word) {
	for len(words) > 1 && slices.Contains(prefixes, words[0].text) {
		words = words[1:]
	}
	name, args := words[0], words[1:]
	base := filepath.Base(name.text)
	if slices.Contains(clouds, base) {
		r.makesContexts(args)
	}
	r.c.opaque = r.c.opaque || slices.Contains(installers, base) && len(args) > 0
	switch {
	case base == "cd" || base == "pushd":
		r.cd(args)
	case slices.Contains(shells, name.text):
		if len(args) > 0 && !strings.HasPrefix(args[0].text, "-") {
			r.runs(args[0], args[1:], name.text == "source" || name.text == ".")
		}
	case base == "kubectl" || base == "oc":
		r.kubectl(args)
	case base == "kustomize" && len(args) > 1 && args[0].text == "build":
		r.exists(args[1], "folder")
		r.piped = append(r.piped, source{word: args[1], folder: true})
	case strings.Contains(name.text, "/"):
		r.runs(name, args, false)
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
	if r.cloned(args[0]) {
		r.folder = r.c.o.Home
		return
	}
	r.folder = r.exists(args[0], "folder") // from one that is not there nothing is found
}
