package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// typed is a command line and what is piped into it.
type typed struct {
	args  string // words, parted by spaces
	stdin string
}

// transcript is what a terminal would show of the commands: standard output,
// then standard error, then the exit code.
func transcript(commands ...typed) string {
	var b strings.Builder
	for _, c := range commands {
		var stdout, stderr bytes.Buffer
		code := runFrom(strings.NewReader(c.stdin), strings.Fields(c.args), &stdout, &stderr)
		if c.stdin != "" {
			fmt.Fprintf(&b, "$ cat <<END | assay %s\n%sEND\n", c.args, c.stdin)
		} else {
			fmt.Fprintf(&b, "$ assay %s\n", c.args)
		}
		fmt.Fprintf(&b, "%s%sexit code %d\n\n", stdout.String(), stderr.String(), code)
	}
	return b.String()
}

// steady hides the estimates of what is still needed: how good they are is a
// matter of the package verdict.
func steady(text string) string { return estimates.ReplaceAllString(text, "${1}N") }

var estimates = regexp.MustCompile(`(about |"needed": )[0-9,]*[0-9]`)

// says runs one command and demands its exit code and texts in what it says.
func says(t *testing.T, c typed, code int, want ...string) {
	t.Helper()
	got := transcript(c)
	for _, w := range append(want, fmt.Sprintf("exit code %d\n", code)) {
		if !strings.Contains(got, w) {
			t.Errorf("got\n%s\nwant in it %q", got, w)
		}
	}
}
