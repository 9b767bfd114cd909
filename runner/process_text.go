package runner

import (
	"regexp"
	"strings"
	"unicode"
)

// controls are sequences that a terminal would obey (ECMA-48): CSI, OSC, DCS and
// the like, and other escapes of two or three characters.
var controls = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]")

// plainOutput is what a program printed as text: without sequences that
// terminals obey, and of a line that was overwritten what was last there.
func plainOutput(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(controls.ReplaceAllString(text, ""), "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := strings.LastIndex(strings.TrimRight(line, "\r"), "\r"); at >= 0 {
			lines[i] = line[at+1:]
		}
	}
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, strings.Join(lines, "\n"))
}
