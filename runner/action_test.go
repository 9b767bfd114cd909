package runner

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

// The doc comments of an action's fields are its reference: each action has a
// file with its fields struct, and every key of it is described.
func TestEveryFieldOfEveryActionIsDescribed(t *testing.T) {
	for _, name := range Actions() {
		file, err := parser.ParseFile(token.NewFileSet(), "action_"+name+".go", nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				return true
			}
			spec := decl.Specs[0].(*ast.TypeSpec)
			fields, ok := spec.Type.(*ast.StructType)
			if !ok || !strings.HasSuffix(spec.Name.Name, "Fields") {
				return true
			}
			found = found || spec.Name.Name == name+"Fields"
			if !strings.HasPrefix(decl.Doc.Text(), spec.Name.Name) {
				t.Errorf("%s has no doc comment", spec.Name.Name)
			}
			for _, f := range fields.Fields.List {
				described(t, spec.Name.Name, f)
			}
			return true
		})
		if !found {
			t.Errorf("action_%s.go has no struct %sFields", name, name)
		}
	}
}

func described(t *testing.T, of string, f *ast.Field) {
	t.Helper()
	if f.Tag == nil || len(f.Names) != 1 {
		t.Errorf("%s has a field without a name or a tag", of)
		return
	}
	key := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
	if strings.Contains(key, "inline") {
		return // its own fields are described
	}
	if !strings.HasPrefix(f.Doc.Text(), f.Names[0].Name) {
		t.Errorf("%s.%s (%s) has no doc comment that begins with its name", of, f.Names[0].Name, key)
	}
}
