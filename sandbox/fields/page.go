package fields

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Page writes the fields of kinds in Markdown, one table for each, below an
// introduction.
func Page(introduction string, kinds []Kind) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(introduction) + "\n")
	for _, k := range kinds {
		fields := Of(k)
		honoured := 0
		for _, f := range fields {
			if f.Honoured {
				honoured++
			}
		}
		fmt.Fprintf(&b, "\n## %s\n\nFields that are honoured: %d; refused: %d.\n\n| in | honoured | refused |\n|---|---|---|\n", k.Name, honoured, len(fields)-honoured)
		rows := map[string]*[2][]string{}
		for _, f := range fields {
			parent, name := split(f.Path)
			if rows[parent] == nil {
				rows[parent] = &[2][]string{}
			}
			column := 1
			if f.Honoured {
				column = 0
			}
			rows[parent][column] = append(rows[parent][column], cell(name, f.Only))
		}
		for _, parent := range slices.Sorted(maps.Keys(rows)) {
			row := rows[parent]
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", parent, strings.Join(row[0], ", "), strings.Join(row[1], ", "))
		}
	}
	return b.String()
}

// split cuts a path before its last name; a list or a map of anything stays
// with the name that it belongs to.
func split(path string) (parent, name string) {
	trimmed := strings.TrimRight(strings.TrimSuffix(path, ".*"), "[]")
	i := strings.LastIndexByte(trimmed, '.')
	if i < 0 {
		return path, path
	}
	return path[:i], path[i+1:]
}

func cell(name string, only []string) string {
	text := "`" + name + "`"
	if len(only) == 0 {
		return text
	}
	for i := range only {
		only[i] = "`" + only[i] + "`"
	}
	return text + " (only " + strings.Join(only, ", ") + ")"
}
