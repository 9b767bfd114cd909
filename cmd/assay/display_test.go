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
	d.above("stays\n", "below\n")
	d.clear()
	d.clear()
	want := "one\x1b[K\ntwo\x1b[K\n\x1b[J" +
		"\x1b[2Fa line to\x1b[K\n2\x1b[K\n3\x1b[K\n\x1b[J" +
		"\x1b[3Fstays\x1b[K\nbelow\x1b[K\n\x1b[J" +
		"\x1b[1F\x1b[J"
	if got := out.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDisplayWritesLinesElsewhere(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out)
	d.show("one\ntwo\n", "1 request")
	d.show("three\n", "2 requests")
	d.above("stays\n", "not shown\n")
	d.clear()
	if got, want := out.String(), "1 request\n2 requests\nstays\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Colours take no room, and do not go on behind what was cut.
func TestCut(t *testing.T) {
	tests := []struct {
		line  string
		width int
		want  string
	}{
		{"short", 10, "short"},
		{"longer than that", 7, "longer"},
		{"any", 0, "any"},
		{bad + "red" + plain + " and plain", 6, bad + "red" + plain + " a"},
		{bad + "red and more", 6, bad + "red a" + plain},
		{"ünïcödé", 4, "ünï"},
	}
	for _, tt := range tests {
		if got := cut(tt.line, tt.width); got != tt.want {
			t.Errorf("%q in %d: got %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}
