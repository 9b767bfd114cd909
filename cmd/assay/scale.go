package main

import (
	"math"
	"strings"

	"github.com/meshassay/assay/runner/verdict"
)

// scale is where a share is drawn: the part of 0 to 1 around what is wanted, so
// that the band that is tolerated is as wide for a tolerance of half a point as
// for one of ten. All are fractions.
type scale struct {
	low, high   float64 // the ends
	from, to    float64 // the band; an edge outside of the scale is none
	got         float64 // below 0: nothing yet
	least, most float64 // the interval
}

// Of a share between 0 and 100 % the scale shows this many tolerances to either
// side; of one at an end, this many times what is tolerated there.
const (
	besides = 3
	beyond  = 4
)

// scales are those of the rows of a result: its shares, and the errors.
func scales(r verdict.Result) []scale {
	errors := r.Errors.Tolerated
	if errors == 0 {
		errors = verdict.DefaultResolution
	}
	others := errors // of which at most this much may be
	for _, s := range r.Shares {
		if s.Want == 0 {
			others += leak(s)
		}
	}
	var all []scale
	for _, s := range r.Shares {
		c := scale{got: s.Got, least: s.Low, most: s.High}
		switch s.Want {
		case 0:
			c.from, c.to, c.high = -1, leak(s), beyond*leak(s)
		case 1:
			c.from, c.to, c.low, c.high = 1-others, 2, 1-beyond*others, 1
		default:
			c.from, c.to = s.Want-s.Tolerance, s.Want+s.Tolerance
			c.low, c.high = s.Want-besides*s.Tolerance, s.Want+besides*s.Tolerance
		}
		all = append(all, c.within())
	}
	e := scale{got: r.Errors.Got, least: r.Errors.Low, most: r.Errors.High, from: -1, to: errors, high: beyond * errors}
	return append(all, e.within())
}

// leak is how much of an outcome wanted at 0 there may be, as far as it can be told.
func leak(s verdict.ShareResult) float64 { return max(s.Leak, s.Resolution, 1e-6) }

// within keeps the ends between 0 and 1.
func (c scale) within() scale {
	c.low, c.high = max(c.low, 0), min(c.high, 1)
	return c
}

// glyphs are what scales and gauges are drawn with.
type glyphs struct {
	line, dash, open, shut, dot, left, right string // of a scale
	full, none                               string // of a gauge
	passed, failed, now, more                string
}

var (
	plainGlyphs = glyphs{".", "=", "[", "]", "o", "<", ">", "#", ".", "+", "x", ">", "..."}
	fineGlyphs  = glyphs{"·", "━", "┃", "┃", "●", "◂", "▸", "█", "░", "✓", "✗", "▸", "…"}
)

// draw is a scale in so many cells: the band between its edges, the interval as a
// line, and on it the share that was got. What lies outside is an arrow.
func (c scale) draw(g glyphs, cells int) string {
	row := make([]string, cells)
	for i := range row {
		row[i] = g.line
	}
	// A little more, so that what is at a third is not, by rounding, in the cell before it.
	at := func(x float64) int { return int(math.Floor((x-c.low)/(c.high-c.low)*float64(cells) + 1e-9)) }
	set := func(i int, glyph string) {
		if i >= 0 && i < cells {
			row[i] = glyph
		}
	}
	edges := func() {
		if c.from >= c.low {
			set(at(c.from), g.open)
		}
		if c.to <= c.high {
			set(min(at(c.to), cells-1), g.shut)
		}
	}
	if c.got < 0 {
		edges()
		return strings.Join(row, "")
	}
	last := func(x float64) int { return min(at(x), cells-1) } // the end belongs to the last cell
	from, to := max(at(c.least), 0), min(last(c.most), cells-1)
	for i := from; i <= to; i++ {
		set(i, g.dash)
	}
	edges()
	if c.least < c.low && c.most >= c.low {
		set(0, g.left)
	}
	if c.most > c.high && c.least <= c.high {
		set(cells-1, g.right)
	}
	switch {
	case c.got < c.low:
		set(0, g.left)
	case c.got > c.high:
		set(cells-1, g.right)
	default:
		set(last(c.got), g.dot)
	}
	return strings.Join(row, "")
}

// gauge is how far something is, from 0 to 1.
func gauge(g glyphs, cells int, part float64) string {
	full := int(min(max(part, 0), 1) * float64(cells))
	return strings.Repeat(g.full, full) + strings.Repeat(g.none, cells-full)
}
