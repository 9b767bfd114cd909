package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	io.WriteString(d.w, d.back()+d.draw(block))
}

// above writes a text that stays, and below it the block.
func (d *display) above(text, block string) {
	if !d.block {
		io.WriteString(d.w, text)
		return
	}
	io.WriteString(d.w, d.back()+strings.ReplaceAll(text, "\n", toEnd+"\n")+d.draw(block))
}

// clear takes the block away.
func (d *display) clear() {
	if d.lines > 0 {
		io.WriteString(d.w, d.back()+below)
		d.lines = 0
	}
}

// What erases to the end of the line and of the screen (ECMA-48: EL and ED).
// Each line is erased behind its new text, and not the whole block before it:
// nothing flickers.
const (
	toEnd = "\x1b[K"
	below = "\x1b[J"
)

// back goes to the beginning of the block (ECMA-48: CPL).
func (d *display) back() string {
	if d.lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dF", d.lines)
}

// draw is a block from where the cursor is, and nothing below it.
func (d *display) draw(block string) string {
	var b strings.Builder
	d.lines = 0
	width, height := d.size()
	for text := range strings.Lines(block) {
		if height > 0 && d.lines == height-1 {
			break // what has scrolled away cannot be rewritten
		}
		b.WriteString(cut(strings.TrimRight(text, "\n"), width) + toEnd + "\n")
		d.lines++
	}
	return b.String() + below
}

// cut keeps a line from being wrapped: the block would have more lines than
// were written. Colours take no room; the line ends with none.
func cut(line string, width int) string {
	shown, coloured := 0, false
	for i := 0; i < len(line); {
		if n := colourAt(line[i:]); n > 0 {
			coloured = line[i:i+n] != plain
			i += n
			continue
		}
		if shown++; width > 0 && shown == width {
			if coloured {
				return line[:i] + plain
			}
			return line[:i]
		}
		_, n := utf8.DecodeRuneInString(line[i:])
		i += n
	}
	return line
}

// colourAt is the length of the sequence that sets a colour at the beginning of
// a text (ECMA-48: SGR), or 0.
func colourAt(text string) int {
	if !strings.HasPrefix(text, "\x1b[") {
		return 0
	}
	return strings.IndexByte(text, 'm') + 1
}

// plain ends all colours.
const plain = "\x1b[0m"

// tame takes from a text what would move the cursor.
func tame(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) {
			return r
		}
		return ' '
	}, text)
}
