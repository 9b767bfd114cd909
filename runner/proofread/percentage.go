package proofread

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// A percentage counts only where the name of an outcome stands right beside it,
// with nothing but markup between: *blue*(`40%`), `blue` (40 %), 40 % blue,
// `50%` to *green*, 20 % of the traffic goes to canary; or where both begin a row
// of a table. Any other is about something else.
const (
	markup  = "[*_`]*"
	percent = `([0-9]+(?:\.[0-9]+)?) ?%`
)

// outcomes find what a line states of some names.
type outcomes struct{ behind, row, before *regexp.Regexp }

// newOutcomes returns nil when there are no names.
func newOutcomes(names []string) *outcomes {
	var quoted []string
	for _, n := range names {
		quoted = append(quoted, regexp.QuoteMeta(n))
	}
	if len(quoted) == 0 {
		return nil
	}
	name := `\b(` + strings.Join(quoted, "|") + `)\b`
	return &outcomes{
		behind: regexp.MustCompile(`(?i)` + name + markup + ` ?(?:\(|:|=| (?:gets|receives|takes)(?: only)? )? ?` + markup + percent),
		row:    regexp.MustCompile(`(?i)^[|\s]*` + markup + name + markup + ` *\| *` + markup + percent),
		before: regexp.MustCompile(`(?i)` + percent + markup + `(?: (?:of (?:all |the )?(?:traffic|requests|calls|answers)))?(?: (?:goes|go|come|comes|are sent|is sent))?(?: (?:to|for|from))? ` + markup + name),
	}
}

// stated finds the percentages of a line, each with its name.
func (o *outcomes) stated(line string) []statement {
	if o == nil || !strings.Contains(line, "%") {
		return nil
	}
	var all []statement
	taken := make(map[int]bool)
	for _, m := range append(o.behind.FindAllStringSubmatchIndex(line, -1), o.row.FindAllStringSubmatchIndex(line, -1)...) {
		taken[m[4]] = true
		all = append(all, newStatement(line[m[2]:m[3]], line[m[4]:m[5]], line[m[0]:m[1]]))
	}
	for _, m := range o.before.FindAllStringSubmatchIndex(line, -1) {
		if !taken[m[2]] {
			all = append(all, newStatement(line[m[4]:m[5]], line[m[2]:m[3]], line[m[0]:m[1]]))
		}
	}
	return all
}

// statement is a share that a page tells its reader.
type statement struct {
	name    string
	percent float64
	half    float64 // of the last digit that is written: 0.5 for 33, 0.05 for 33.3
	text    string  // as it is written
}

func newStatement(name, number, text string) statement {
	f, _ := strconv.ParseFloat(number, 64)
	_, digits, _ := strings.Cut(number, ".")
	return statement{strings.ToLower(name), f, 0.5 * math.Pow10(-len(digits)), text}
}

// says reports whether a share in percent is the one that is told, which may be
// rounded: 33 % for a third. All and nothing are never rounded.
func (s statement) says(share float64) bool {
	const exact = 1e-6
	off := math.Abs(share - s.percent)
	if s.percent <= 0 || s.percent >= 100 || share <= 0 || share >= 100 {
		return off < exact
	}
	return off < s.half+exact
}

// percentages compares what a section says of shares with what the scenarios
// that prove it expect.
func (c *checker) percentages(page *chapter.Page) {
	for _, line := range page.Prose {
		if line.Heading == nil || line.Heading.Skip != "" {
			continue
		}
		for _, s := range c.names.stated(line.Text) {
			c.contradiction(line, s)
		}
	}
}

// contradiction reports a share that none of the section's expectations wants. A
// name that an expectation does not list it wants at 0.
func (c *checker) contradiction(line chapter.Line, s statement) {
	var others []string
	var at document.Pos
	for _, p := range c.proving(line.Heading) {
		for _, expected := range p.shares {
			want := expected.want[s.name]
			if s.says(want) {
				return
			}
			if at.IsZero() {
				at = expected.at
			}
			if text := fmt.Sprintf("%s at %s expects %s", p.scenario.Name, expected.at, document.Percent(want/100)); !slices.Contains(others, text) {
				others = append(others, text)
			}
		}
	}
	if len(others) > 0 {
		c.add(Percentage, line.Mistake(s.text, "%s is said to get %s, but %s", s.name, document.Percent(s.percent/100), strings.Join(others, ", and ")), at)
	}
}
