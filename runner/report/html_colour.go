package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// Outcomes have a colour and a pattern each, the same on the whole page, so
// that they are told apart without colours too. The first entries are for names
// that say their colour.
var looks = []struct {
	class string
	words []string
}{
	{"blue", []string{"blue"}},
	{"green", []string{"green"}},
	{"amber", []string{"canary", "yellow", "amber", "gold", "orange"}},
	{"plum", []string{"purple", "pink", "violet", "magenta", "plum"}},
	{"teal", []string{"teal", "cyan", "turquoise"}},
	{"slate", []string{"denied", "grey", "gray", "black", "white"}},
}

// What is no outcome has a look of its own.
const (
	errorLook = "error"
	otherLook = "other"
)

// palette gives each outcome its look.
type palette map[string]string

// newPalette goes through the outcomes in the order in which they come: a name
// that says its colour gets it, another the first that is free.
func newPalette(r *record.Record) palette {
	p, used := palette{}, map[string]bool{}
	var rest []string
	for _, name := range outcomes(r) {
		if class := saying(name); class != "" && !used[class] {
			p[name], used[class] = class, true
		} else {
			rest = append(rest, name)
		}
	}
	for i, name := range rest {
		class := looks[i%len(looks)].class // all taken: from the beginning
		for _, l := range looks {
			if !used[l.class] {
				class, used[l.class] = l.class, true
				break
			}
		}
		p[name] = class
	}
	return p
}

// of is the look of the outcome, when it is one.
func (p palette) of(names []string) string {
	if len(names) == 1 && p[names[0]] != "" {
		return p[names[0]]
	}
	return otherLook
}

func saying(name string) string {
	for _, l := range looks {
		for _, word := range l.words {
			if strings.Contains(strings.ToLower(name), word) {
				return l.class
			}
		}
	}
	return ""
}

// outcomes are all that any share of the run names, in order.
func outcomes(r *record.Record) []string {
	var names []string
	seen := map[string]bool{}
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			for _, sample := range st.Samples {
				for _, sh := range sample.Result.Shares {
					if !seen[sh.Name] {
						seen[sh.Name] = true
						names = append(names, sh.Name)
					}
				}
			}
		}
	}
	return names
}

// patterns draws the looks once; figures refer to them. A look is a light
// ground with marks in its full colour, blue is solid.
func patterns() string {
	marks := map[string]string{
		"blue":    `<rect class="m" width="8" height="8"/>`,
		"green":   `<path class="l" d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>`,
		"amber":   `<circle class="m" cx="2" cy="2" r="1.5"/><circle class="m" cx="6" cy="6" r="1.5"/>`,
		"plum":    `<path class="l" d="M2 0V8M6 0V8"/>`,
		"teal":    `<path class="l" d="M0 2H8M0 6H8"/>`,
		"slate":   `<path class="l" d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>`,
		errorLook: `<path class="l" d="M0 0L8 8M8 0L0 8"/>`,
		otherLook: `<circle class="m" cx="4" cy="4" r="2"/>`,
	}
	var b strings.Builder
	b.WriteString(`<svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false"><defs>`)
	for _, class := range append(classes(), errorLook, otherLook) {
		fmt.Fprintf(&b, `<pattern id="p-%s" width="8" height="8" patternUnits="userSpaceOnUse" class="%s"><rect class="g" width="8" height="8"/>%s</pattern>`, class, class, marks[class])
	}
	b.WriteString(`</defs></svg>`)
	return b.String()
}

func classes() []string {
	var list []string
	for _, l := range looks {
		list = append(list, l.class)
	}
	return list
}
