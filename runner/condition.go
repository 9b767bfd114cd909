package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// condition is a CEL expression over the variable `object`.
type condition struct {
	text    string
	program cel.Program
	// parts are the fields of the object that the expression looks at, as
	// paths of keys: what to show when it does not come true.
	parts [][]string
}

var celEnvironment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("object", cel.DynType), ext.Strings())
})

// costLimit ends an expression that would not end in reasonable time.
const costLimit = 1_000_000

// compile checks an expression. The error says where in it what is wrong.
func compile(text string) (*condition, error) {
	env, err := celEnvironment()
	if err != nil {
		return nil, err
	}
	tree, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, celMistake(issues)
	}
	if t := tree.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("the expression gives %s, want true or false", t)
	}
	parts := partsOf(tree)
	if len(parts) == 0 && !usesObject(tree) {
		return nil, errors.New("the expression does not look at `object`: it never changes")
	}
	program, err := env.Program(tree, cel.CostLimit(costLimit))
	if err != nil {
		return nil, err
	}
	return &condition{text: text, program: program, parts: parts}, nil
}

// celMistake says the first error of an expression in one line; what follows
// it is mostly its echo.
func celMistake(issues *cel.Issues) error {
	all := issues.Errors()
	if len(all) == 0 {
		return issues.Err()
	}
	at := ""
	switch l := all[0].Location; {
	case l == nil || l.Line() < 1:
	case l.Line() == 1:
		at = fmt.Sprintf(" (column %d of the expression)", l.Column()+1)
	default:
		at = fmt.Sprintf(" (line %d, column %d of the expression)", l.Line(), l.Column()+1)
	}
	return fmt.Errorf("not a CEL expression: %s%s", strings.Join(strings.Fields(all[0].Message), " "), at)
}

// holds evaluates the condition on an object, and says what the object has
// when it is not true. An expression that gives no bool is an error.
func (c *condition) holds(object map[string]any) (bool, string, error) {
	value, _, err := c.program.Eval(map[string]any{"object": object})
	if err != nil {
		// A key that is not there yet, or a value that is not yet of its kind.
		return false, fmt.Sprintf("%s (%v)", c.shows(object), err), nil
	}
	if value.Type() != types.BoolType {
		return false, "", failf("the expression gives %v, want true or false", value.Value())
	}
	return value.Value() == true, c.shows(object), nil
}

// shows gives the parts of the object that the expression looks at.
func (c *condition) shows(object map[string]any) string {
	var lines []string
	for _, path := range c.parts {
		lines = append(lines, "object."+strings.Join(path, ".")+" "+valueAt(object, path))
	}
	if len(lines) == 0 {
		return "the object is there"
	}
	return strings.Join(lines, ", ")
}

// valueAt says what stands at a path, or which part of the path is not there.
func valueAt(object map[string]any, path []string) string {
	var v any = object
	for i, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Sprintf("is not there (object.%s is %s)", strings.Join(path[:i], "."), short(v))
		}
		if v, ok = m[key]; !ok {
			if i+1 == len(path) {
				return "is not there"
			}
			return fmt.Sprintf("is not there (there is no object.%s)", strings.Join(path[:i+1], "."))
		}
	}
	return "is " + short(v)
}

// short writes a value as JSON, cut where it would fill a screen.
func short(v any) string {
	const most = 300
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if r := []rune(string(b)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(b)
}

// partsOf finds the longest chains of fields that begin at `object`.
func partsOf(tree *cel.Ast) [][]string {
	var paths [][]string
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree.NativeRep()), ast.AllMatcher()) {
		path, ok := chain(e)
		if !ok || len(path) == 0 {
			continue
		}
		if parent, has := e.Parent(); has && parent.Kind() == ast.SelectKind {
			continue // a longer one is above
		}
		if !slices.ContainsFunc(paths, func(p []string) bool { return slices.Equal(p, path) }) {
			paths = append(paths, path)
		}
	}
	return paths
}

// chain gives the fields of an expression object.a.b.c.
func chain(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return nil, e.AsIdent() == "object"
	case ast.SelectKind:
		path, ok := chain(e.AsSelect().Operand())
		return append(path, e.AsSelect().FieldName()), ok
	}
	return nil, false
}

func usesObject(tree *cel.Ast) bool {
	for _, e := range ast.MatchDescendants(ast.NavigateAST(tree.NativeRep()), ast.KindMatcher(ast.IdentKind)) {
		if e.AsIdent() == "object" {
			return true
		}
	}
	return false
}
