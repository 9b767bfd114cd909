package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const module = "github.com/meshassay/assay/"

// comments are the doc comments of the struct types of packages of this module.
type comments struct {
	root string
	// of maps "IMPORT/PATH.Type" and "IMPORT/PATH.Type.Field" to the comment.
	of   map[string]string
	read map[string]bool
}

// typeDoc returns the comment of a type.
func (c *comments) typeDoc(t reflect.Type) (string, error) {
	return c.doc(t.PkgPath(), t.Name())
}

// fieldDoc returns the comment of a struct's field.
func (c *comments) fieldDoc(t reflect.Type, field string) (string, error) {
	return c.doc(t.PkgPath(), t.Name()+"."+field)
}

func (c *comments) doc(path, name string) (string, error) {
	if !c.read[path] {
		if err := c.readPackage(path); err != nil {
			return "", err
		}
		c.read[path] = true
	}
	doc := c.of[path+"."+name]
	if doc == "" {
		return "", fmt.Errorf("%s.%s has no doc comment: it would be without a word in the reference", path, name)
	}
	first, _, _ := strings.Cut(doc, " ")
	if want := name[strings.LastIndex(name, ".")+1:]; first != want {
		return "", fmt.Errorf("the doc comment of %s.%s begins with %q, want its name", path, name, first)
	}
	return doc, nil
}

func (c *comments) readPackage(path string) error {
	dir, ours := strings.CutPrefix(path, module)
	if !ours {
		return fmt.Errorf("%s is no package of this module", path)
	}
	files, err := filepath.Glob(filepath.Join(c.root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err := c.readFile(path, file); err != nil {
			return err
		}
	}
	return nil
}

// readFile reads the comments of one file of a package.
func (c *comments) readFile(path, file string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, decl := range parsed.Decls {
		if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
			for _, spec := range decl.Specs {
				c.readType(path, decl, spec.(*ast.TypeSpec))
			}
		}
	}
	return nil
}

func (c *comments) readType(path string, decl *ast.GenDecl, spec *ast.TypeSpec) {
	name := path + "." + spec.Name.Name
	if c.of[name] = decl.Doc.Text(); spec.Doc != nil {
		c.of[name] = spec.Doc.Text()
	}
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range fields.Fields.List {
		for _, n := range f.Names {
			c.of[name+"."+n.Name] = f.Doc.Text()
		}
	}
}

// byDefault finds what a comment says of a key that is not given.
var byDefault = regexp.MustCompile(`\s*\bDefault: ((?s:.*?))\.(?:\s+|$)`)

// described makes words for people who write YAML of a doc comment: paragraphs
// without line breaks, without the Go name that it begins with, and without the
// default.
func described(doc string) (text, unsaid string) {
	var paragraphs []string
	for _, p := range strings.Split(strings.TrimSpace(doc), "\n\n") {
		paragraphs = append(paragraphs, strings.Join(strings.Fields(p), " "))
	}
	text = strings.Join(paragraphs, "\n\n")
	if m := byDefault.FindStringSubmatchIndex(text); m != nil {
		unsaid = text[m[2]:m[3]]
		text = strings.TrimSpace(text[:m[0]] + " " + text[m[1]:])
	}
	name, rest, _ := strings.Cut(text, " ")
	for _, verb := range []string{"is ", "are "} {
		rest = strings.TrimPrefix(rest, verb)
	}
	if strings.HasPrefix(rest, "of ") { // "Path of the request": the name is the thing
		rest = name + " " + rest
	}
	return capital(rest), unsaid
}

func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}
