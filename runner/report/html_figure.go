package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// A figure is an SVG as text. Only numbers and words of this package go into it
// as they are; what came from outside goes through attribute.
type figure struct{ strings.Builder }

// openBar begins a figure as wide as its place and so many pixels high, whose
// horizontal measures are per cent of the width. So it is drawn, and its
// patterns are, without distortion at any width; but only rectangles, lines and
// texts can be.
func (f *figure) openBar(height int, label string) {
	fmt.Fprintf(f, `<svg class="bar" width="100%%" height="%d" role="img" aria-label="%s">`, height, attribute(label))
}

// openChart begins a figure with a coordinate system that scales as a whole.
func (f *figure) openChart(width, height int, label string) {
	fmt.Fprintf(f, `<svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, attribute(label))
}

func (f *figure) close() template.HTML {
	f.WriteString("</svg>")
	return template.HTML(f.String()) // of this package's making, see above
}

// box is a rectangle from and to a part of the width, 0 to 1.
func (f *figure) box(class, fill string, from, to float64, y, height int) {
	fmt.Fprintf(f, `<rect class="%s" x="%s" width="%s" y="%d" height="%d"%s/>`, class, perCent(from), perCent(to-from), y, height, filled(fill))
}

// upright is a vertical line at a part of the width.
func (f *figure) upright(class string, x float64, y1, y2 int) {
	fmt.Fprintf(f, `<line class="%s" x1="%s" x2="%s" y1="%d" y2="%d"/>`, class, perCent(x), perCent(x), y1, y2)
}

// level is a horizontal line between two parts of the width.
func (f *figure) level(class string, from, to float64, y int) {
	fmt.Fprintf(f, `<line class="%s" x1="%s" x2="%s" y1="%d" y2="%d"/>`, class, perCent(from), perCent(to), y, y)
}

// line is a line between two points of a chart.
func (f *figure) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(f, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, at(x1), at(y1), at(x2), at(y2))
}

// rect is a rectangle of a chart.
func (f *figure) rect(class, fill string, x, y, width, height float64) {
	fmt.Fprintf(f, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"%s/>`, class, at(x), at(y), at(width), at(height), filled(fill))
}

// path joins points of a chart; closed fills the area within.
func (f *figure) path(class string, points [][2]float64, closed bool) {
	fmt.Fprintf(f, `<path class="%s" d="`, class)
	for i, p := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		f.WriteString(command + at(p[0]) + " " + at(p[1]))
	}
	if closed {
		f.WriteString("Z")
	}
	f.WriteString(`"/>`)
}

func (f *figure) dot(class string, x, y, radius float64) {
	fmt.Fprintf(f, `<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, at(x), at(y), at(radius))
}

// text writes words of this package, never such as came from outside.
func (f *figure) text(class, anchor string, x, y float64, words string) {
	fmt.Fprintf(f, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, at(x), at(y), attribute(words))
}

func attribute(text string) string { return template.HTMLEscapeString(oneLine(text, longestLine)) }

func filled(look string) string {
	if look == "" {
		return ""
	}
	return ` fill="url(#p-` + look + `)"`
}

// perCent writes a part of the width. What is outside the figure, or no number
// at all, comes to stand at its end.
func perCent(x float64) string {
	return strconv.FormatFloat(100*within01(x), 'f', -1, 64) + "%"
}

// within01 is rounded too: so figures are the same on every processor.
func within01(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	return math.Round(1e4*math.Min(x, 1)) / 1e4
}

// at writes a coordinate to a tenth of a pixel.
func at(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		x = 0
	}
	return strconv.FormatFloat(math.Round(10*x)/10+0, 'f', -1, 64)
}
