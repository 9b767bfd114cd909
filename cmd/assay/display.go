package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A display shows how something goes on while it goes on: on a terminal as one
// block that is rewritten, elsewhere as a line now and then.
type display struct {
	w     io.Writer
	block bool
	size  func() (width, height int) // 0: not known
	lines int                        // of the block that is shown
}

// Often enough to see it move, and seldom enough for a log.
const (
	blockEvery = 200 * time.Millisecond
	lineEvery  = 5 * time.Second
)

func newDisplay(w io.Writer) *display {
	d := &display{w: w, size: func() (int, int) { return 0, 0 }}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		d.block = true
		d.size = func() (int, int) {
			width, height, err := term.GetSize(int(file.Fd()))
			if err != nil {
				return 0, 0
			}
			return width, height
		}
	}
	return d
}

// every is how often to show something.
func (d *display) every() time.Duration {
	if d.block {
		return blockEvery
	}
	return lineEvery
}

// show shows the block in the place of the one before, or the line.
func (d *display) show(block, line string) {
	if !d.block {
		fmt.Fprintln(d.w, line)
		return
	}
	var b strings.Builder
	b.WriteString(d.back())
	d.lines = 0
	width, height := d.size()
	for text := range strings.Lines(block) {
		if height > 0 && d.lines == height-1 {
			break // what has scrolled away cannot be rewritten
		}
		b.WriteString(cut(strings.TrimRight(text, "\n"), width) + "\n")
		d.lines++
	}
	io.WriteString(d.w, b.String())
}

// clear takes the block away.
func (d *display) clear() {
	io.WriteString(d.w, d.back())
	d.lines = 0
}

// back goes to the beginning of the block and erases from there to the end of
// the screen (ECMA-48: CPL and ED).
func (d *display) back() string {
	if d.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dF\x1b[J", d.lines)
}

// cut keeps a line from being wrapped: the block would have more lines than
// were written.
func cut(line string, width int) string {
	runes := []rune(line)
	if width <= 0 || len(runes) < width {
		return line
	}
	return string(runes[:width-1])
}
