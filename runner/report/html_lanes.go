package report

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// lane is one line of a figure over time, with what it is about on its left and
// maybe a word on its right.
type lane struct {
	Name, Look, Said string
	Bar              template.HTML
}

// longestStrip is how many letters of a strip are drawn; a record has 240.
const longestStrip = 1000

// strips draws the answers over time, a lane for each letter: so runs and
// blocks are seen whatever the colours are.
func strips(s record.Sample, p palette) []lane {
	strip := s.Strip[:min(len(s.Strip), longestStrip)]
	var lanes []lane
	for _, l := range s.Legend {
		if len(l.Letter) != 1 || len(lanes) == mostShares {
			continue
		}
		look := p[l.Means]
		switch l.Letter {
		case "!":
			look = errorLook
		case "?":
			look = otherLook
		}
		if look == "" {
			look = otherLook
		}
		lanes = append(lanes, lane{Name: oneLine(l.Means, longestName), Look: look, Bar: ticks(strip, l.Letter[0], look, l.Means)})
	}
	return lanes
}

// ticks marks where the letter stands; neighbours become one rectangle.
func ticks(strip string, letter byte, look, means string) template.HTML {
	var f figure
	count, n := 0, float64(len(strip))
	for i := range len(strip) {
		if strip[i] == letter {
			count++
		}
	}
	f.openBar(16, fmt.Sprintf("%s: %d of the %d answers shown", means, count, len(strip)))
	f.box("track", "", 0, 1, 1, 14)
	for i := 0; i < len(strip); i++ {
		from := i
		for i < len(strip) && strip[i] == letter {
			i++
		}
		if i > from {
			f.box("tick "+look, "", float64(from)/n, float64(i)/n, 1, 14)
		}
	}
	return f.close()
}

// stripTitle says what the lanes are.
func stripTitle(s record.Sample) string {
	if s.Every > 1 {
		return fmt.Sprintf("one of every %s, in the order in which they were asked for", Count(s.Every))
	}
	return "in the order in which they were asked for"
}

// arrival draws how a change reached the answers: until when the old ones came,
// from when the new ones, and when requests failed.
func arrival(s record.Sample, p palette) []lane {
	q := s.Propagation
	if q == nil || q.Watched <= 0 || len(q.New) == 0 && len(q.Old) == 0 && !q.Dead && q.Errors == 0 {
		return nil
	}
	// Of a long watch in which nothing happens any more only the beginning.
	end := float64(q.LastError)
	if q.FirstNew != nil {
		end = max(end, float64(*q.FirstNew))
	}
	if q.LastOld != nil {
		end = max(end, float64(*q.LastOld))
	}
	end = min(float64(q.Watched), max(1.6*end, float64(5*q.Every)))
	if end <= 0 {
		return nil
	}
	draw := func(name, look, said string, from, to float64) lane {
		var f figure
		f.openBar(16, name+": "+said)
		f.box("track", "", 0, 1, 1, 14)
		if to > from {
			f.box("tick "+look, "", from/end, to/end, 1, 14)
		}
		return lane{Name: name, Look: look, Said: said, Bar: f.close()}
	}
	var lanes []lane
	if q.LastOld != nil {
		name, look := "old: "+oneLine(or(q.Old), longestName), p.of(q.Old)
		if q.Dead {
			name, look = "failed requests", errorLook
		}
		lanes = append(lanes, draw(name, look, "until "+moment(*q.LastOld), 0, float64(*q.LastOld)))
	}
	if q.FirstNew != nil {
		lanes = append(lanes, draw("new: "+oneLine(or(q.New), longestName), p.of(q.New), "from "+moment(*q.FirstNew), float64(*q.FirstNew), end))
	}
	if q.Errors > 0 && !q.Dead {
		last := max(float64(q.LastError), float64(q.FirstError)+end/200)
		lanes = append(lanes, draw("errors", errorLook, fmt.Sprintf("%s, %s to %s", Count(q.Errors), moment(q.FirstError), moment(q.LastError)), float64(q.FirstError), last))
	}
	return lanes
}

// afterColon takes the first word and its colon off a line that has a heading.
func afterColon(line string) string {
	if _, rest, ok := strings.Cut(line, ": "); ok {
		return rest
	}
	return line
}
