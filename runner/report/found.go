package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// FoundTable is the shares of outcomes of which nothing was wanted, a line
// each, the largest first.
func FoundTable(f verdict.FoundResult) string {
	rows := [][]string{{"", "got", "interval", "count", ""}}
	for _, s := range f.Shares {
		rows = append(rows, []string{name(s.Name), got(s.Got), interval(s.Low, s.High), Count(s.Count), ""})
	}
	if f.Other > 0 {
		rows = append(rows, []string{fmt.Sprintf("more names than %d", len(f.Shares)), got(float64(f.Other) / float64(f.N)), "", Count(f.Other), ""})
	}
	e := f.Errors
	rows = append(rows, []string{"errors", got(e.Got), interval(e.Low, e.High), Count(e.Count), ""})
	note := ""
	if f.N > 0 {
		note = fmt.Sprintf("intervals: %s for all of them together, whenever one looks\n", confidence(f.Confidence))
	}
	return align(rows, 1) + note
}

// FoundText is all about a sample of which nothing was wanted.
func FoundText(s record.Sample, f verdict.FoundResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s%s%s", requests(f.N), FoundTable(f), speed(s), faults(s))
	if line := Balancing(s); line != "" {
		b.WriteString(line + "\n")
	}
	s.Examples = FirstFaults(s.Examples)
	b.WriteString(examples(s))
	return b.String()
}

// FirstFaults are the first examples of each kind of fault.
func FirstFaults(all []record.Example) []record.Example {
	return slices.DeleteFunc(slices.Clone(all), func(e record.Example) bool { return e.Fault == "" || e.Which != "first" })
}

// name makes an outcome's name, which may be anything that a service answers,
// one word that a terminal shows.
func name(text string) string {
	const longest = 60
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '.'
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
	if len(runes) > longest {
		return string(runes[:longest-3]) + "..."
	}
	return string(runes)
}
