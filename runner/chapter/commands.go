package chapter

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shells are the languages of blocks that hold commands; in those of consoles
// the commands stand behind prompts, if there are any.
var shells = []string{"bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "sh-session", "terminal"}

var (
	// prompt is "$ ", and what a shell may say before: "[me@host dir]$ ", "me@host:~$ ".
	prompt   = regexp.MustCompile(`^[ \t]*(?:\[[\w.-]+@[^\]]*\]|[\w.-]+@[\w.-]+:\S*?)?[$❯➜](?:[ \t]+|$)`)
	goesOn   = regexp.MustCompile(`^[ \t]*> `)
	hereText = regexp.MustCompile(`<<-?[ \t]*["'\\]?([A-Za-z_][A-Za-z0-9_]*)`)
)

// commandsOf are the lines of a block that a reader types. A fence that says no
// language is one of commands when there are prompts.
func commandsOf(f fence, lines []Line) []Line {
	prompts := slices.ContainsFunc(lines, func(l Line) bool { return prompt.MatchString(l.Text) })
	switch {
	case !slices.Contains(shells, f.language) && !(f.fenced && f.language == "" && prompts):
		return nil
	case prompts:
		return says(behindPrompts(lines))
	case printed(lines):
		return nil
	}
	return says(lines)
}

// behindPrompts are the commands of a block with prompts, which go on in the
// next line where the shell would wait for more.
func behindPrompts(lines []Line) []Line {
	var typed []Line
	inside, until := "", "" // a command that goes on; the end of a here-document
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
			inside = ""
		case inside != "":
			l = without(l, goesOn.FindString(text))
		default:
			continue // it is printed
		}
		typed = append(typed, l)
		if inside += l.Text + "\n"; !waits(inside) {
			inside = ""
		}
		if m := hereText.FindStringSubmatch(l.Text); m != nil {
			inside, until = "", m[1]
		}
	}
	return typed
}

// waits says whether a shell would wait for another line: after a backslash, in
// quotes, in the midst of a loop.
func waits(command string) bool {
	if strings.HasSuffix(strings.TrimRight(command, " \t\n"), `\`) {
		return true
	}
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(command), "")
	return err != nil && syntax.IsIncomplete(err)
}

var (
	// columns are the names above a table as kubectl prints it.
	columns = regexp.MustCompile(`^[A-Z][A-Z0-9()/_-]*(?: [A-Z0-9()/_-]+)*(?:(?: {2,}|\t+)[A-Z][A-Z0-9()/_-]*(?: [A-Z0-9()/_-]+)*)+\s*$`)
	// answered is the first line of an answer over HTTP.
	answered = regexp.MustCompile(`^HTTP/[0-9](?:\.[0-9])? [0-9]{3}\b`)
	// changed is what kubectl says of an object that it has changed.
	changed = regexp.MustCompile(`^[a-z][-a-z0-9.]*(?:/[-a-z0-9.]+| "[-a-z0-9.]+") (?:created|configured|unchanged|deleted|patched|labeled|annotated|serverside-applied|condition met)$`)
	// member is one of an object of JSON.
	member = regexp.MustCompile(`^"[^"]+"[ \t]*:`)
	marked = regexp.MustCompile(`^\{==|==\}$`)
)

// printed says whether a block without prompts is what a command prints, although
// its fence says that it is a shell's: a table, JSON, an answer over HTTP, a line
// that the page marks. Only what nobody can type counts.
func printed(lines []Line) bool {
	before, text := "", "" // the last lines that say something
	for _, l := range lines {
		next := strings.TrimSpace(l.Text)
		if next == "" || strings.HasPrefix(next, "#") {
			continue
		}
		before, text = text, next
		if before == "" && (columns.MatchString(text) || answered.MatchString(text) || changed.MatchString(text)) {
			return true
		}
		switch {
		case strings.Contains(text, "<<") || strings.Count(text, "'")%2 == 1:
			return false // what follows may be anything, and is typed
		case marked.MatchString(text), (before == "{" || before == "[{") && member.MatchString(text):
			return true
		}
	}
	return false
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
