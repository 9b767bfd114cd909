package main

import (
	"bytes"
	"testing"
)

// A block is written over the one before; what does not fit is cut, or the
// terminal would have other lines than were written.
func TestDisplayRewritesOneBlock(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out)
	d.block, d.size = true, func() (int, int) { return 10, 4 }
	d.show("one\ntwo\n", "")
	d.show("a line too long\n2\n3\n4\n", "")
	d.clear()
	d.clear()
	if got, want := out.String(), "one\ntwo\n\x1b[2F\x1b[Ja line to\n2\n3\n\x1b[3F\x1b[J"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDisplayWritesLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out)
	d.show("one\ntwo\n", "1 request")
	d.show("three\n", "2 requests")
	d.clear()
	if got, want := out.String(), "1 request\n2 requests\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
