package proofread

import (
	"path/filepath"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// word is one word of a command.
type word struct {
	text  string // with $NAME for what is not known
	known bool   // nothing in it would have to be run, or asked, to know it
	// variable is the name of the variable that is all of the word; "" when it
	// is something else.
	variable string
	pos      syntax.Pos
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
			if p.Param.Value == "PWD" && r.folder != "" {
				value, ok = r.folder, true
			}
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
