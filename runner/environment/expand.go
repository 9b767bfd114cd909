package environment

import (
	"regexp"
	"slices"
	"strings"
)

// reference is ${NAME}. What else stands between braces (${NAME:-default}, ${1}) is
// left alone: manifests hold shell scripts, too.
var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand replaces each ${NAME} by what lookup says, once: what it puts in is not
// looked at again. It returns the names that lookup does not know, each once, in the
// order of the text.
func expand(text string, lookup func(string) (string, bool)) (expanded string, undefined []string) {
	expanded = reference.ReplaceAllStringFunc(text, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := lookup(name)
		if !ok && !slices.Contains(undefined, name) {
			undefined = append(undefined, name)
		}
		return value
	})
	return expanded, undefined
}

// lineOf is the line, counted from 1, in which a part of a text first stands.
func lineOf(text, part string) int {
	before, _, _ := strings.Cut(text, part)
	return strings.Count(before, "\n") + 1
}
