// Command reference writes the JSON Schemas of scenarios and environments and
// the page docs/reference.md: make generate.
//
// It is for whoever changes what can be written in these files. The structs that
// package document decodes files into are the only source: their types and tags
// say what is taken, and their doc comments, read from the Go source, what it
// means. So an action that is added to the table of runner is in the schema and
// on the page by itself.
//
// What the types do not say stands in the tag "schema" of a field, words with
// commas between:
//
//	name, service …    the form of a text, or of the entries of a list; forms.go has all
//	keys=FORM          the form of a mapping's keys
//	enum=A|B           the only texts there are
//	example=A|B        texts that an editor may offer
//	min=N, max=N       bounds of a number
//	positive           a quantity above 0
//	nonempty           a text, list or mapping with something in it
//	unique             a list without repetitions
//	or=KEY             exactly one of this key, KEY, and others with the same
//	unless=KEY         the key must be there, unless KEY is
//	without=COND       the key must not be there together with it
//	with=COND|COND     at least one of them must be there together with the key
//	require=KEY        of keys that stand among these (inline): KEY must be there
//
// COND is KEY, or KEY:VALUE for a key of that value. What cannot be said in these
// words (an outcome that the environment does not have, shares that do not sum to
// 100 %) only assay check finds.
//
// It refuses fields without a doc comment, types that it has no words for, and
// words that it does not know.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// write generates all files below the root of the module.
func write(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(f.path)), f.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generated is one file that is not written by hand.
type generated struct {
	path string // from the module's root, with slashes
	text []byte
}

// generate makes all files from the Go source below root.
func generate(root string) ([]generated, error) {
	l, err := readLanguage(root)
	if err != nil {
		return nil, err
	}
	page, err := l.page(root)
	if err != nil {
		return nil, err
	}
	return []generated{
		{"scenarios/scenario.schema.json", marshal(l.scenarioSchema())},
		{"scenarios/environment.schema.json", marshal(l.environmentSchema())},
		{"docs/reference.md", page},
	}, nil
}
