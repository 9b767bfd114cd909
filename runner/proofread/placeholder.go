package proofread

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// parseBash reads commands. What a reader has to put in (<your key>, which bash
// would take for files to read and to write) is an unknown variable of the same
// length, so that every place stays where it is.
func parseBash(text string) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(filled(text)), "")
}

// placeholder is <words>, without a space before its end: `cat <in >out` is none.
var placeholder = regexp.MustCompile("<[A-Za-z](?:[^<>|&;()$`\"'\\n]*[^<>|&;()$`\"'\\s])?>")

func filled(text string) string {
	var b strings.Builder
	end := 0
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		if at[0] > 0 && strings.ContainsRune("<&", rune(text[at[0]-1])) {
			continue // of a here-document or a redirection
		}
		if at[1] < len(text) && !strings.ContainsRune(" \t\n\"'/:.,@=-\\)", rune(text[at[1]])) {
			continue // cat <in>out
		}
		b.WriteString(text[end:at[0]] + "$" + strings.Repeat("_", at[1]-at[0]-1))
		end = at[1]
	}
	return b.String() + text[end:]
}

// isPlaceholder says whether a variable stands for what a reader has to put in.
func isPlaceholder(variable string) bool { return strings.Trim(variable, "_") == "" }
