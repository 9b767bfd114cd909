package chapter

import (
	"regexp"
	"slices"
	"strings"
)

// shells are the languages of blocks that hold commands; in those of consoles
// the commands stand behind prompts, if there are any.
var shells = []string{"bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "sh-session", "terminal"}

var (
	prompt   = regexp.MustCompile(`^[ \t]*\$ ?(?:[ \t]*$|[ \t]+)`)
	goesOn   = regexp.MustCompile(`^[ \t]*> `)
	hereText = regexp.MustCompile(`<<-?[ \t]*["'\\]?([A-Za-z_][A-Za-z0-9_]*)`)
)

// commandsOf are the lines of a block that a reader types.
func commandsOf(language string, lines []Line) []Line {
	if !slices.Contains(shells, language) {
		return nil
	}
	prompts := slices.ContainsFunc(lines, func(l Line) bool { return prompt.MatchString(l.Text) })
	console := !slices.Contains([]string{"bash", "sh", "shell", "zsh"}, language)
	if !prompts {
		if console && len(lines) > 0 && !slices.ContainsFunc(lines, func(l Line) bool { return strings.TrimSpace(l.Text) != "" }) {
			return nil
		}
		return says(lines)
	}
	var typed []Line
	inside, until := false, "" // a command that goes on; the end of a here-document
	for _, l := range lines {
		text := l.Text
		switch {
		case until != "":
			if strings.TrimSpace(strings.TrimPrefix(text, "> ")) == until {
				until = ""
			}
			typed = append(typed, without(l, goesOn.FindString(text)))
			continue
		case prompt.MatchString(text):
			l = without(l, prompt.FindString(text))
		case inside:
			l = without(l, goesOn.FindString(text))
		default:
			continue // it is printed
		}
		typed = append(typed, l)
		inside = strings.HasSuffix(strings.TrimRight(l.Text, " \t"), `\`)
		if m := hereText.FindStringSubmatch(l.Text); m != nil {
			until = m[1]
		}
	}
	return says(typed)
}

// without is a line without what it begins with.
func without(l Line, prefix string) Line {
	l.Text = strings.TrimPrefix(l.Text, prefix)
	l.Pos.Col += len([]rune(prefix))
	return l
}

// says are the lines, or none when they say nothing.
func says(lines []Line) []Line {
	if slices.ContainsFunc(lines, func(l Line) bool { return strings.TrimSpace(l.Text) != "" }) {
		return lines
	}
	return nil
}
