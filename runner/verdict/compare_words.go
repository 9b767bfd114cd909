package verdict

import (
	"fmt"
	"math"
	"strings"
)

// sharesReason says why two runs' shares, or errors, compare as they do.
func (c *Comparison) sharesReason(rows []row, from int64) string {
	a, b := rows[0].before.n, rows[0].after.n
	switch {
	case a == 0 && b == 0:
		return "nothing was counted before or after"
	case a == 0:
		return "nothing was counted before"
	case b == 0:
		return "nothing was counted after"
	}
	of := fmt.Sprintf("(%s answers before, %s after)", grouped(a), grouped(b))
	what := "no share changed"
	if rows[0].oneSided {
		what = "errors did not rise"
	}
	switch c.State {
	case Passed:
		return fmt.Sprintf("%s by more than %s %s", what, points(c.Allowed), of)
	case Failed:
		for _, r := range rows {
			if r.State == Failed {
				return fmt.Sprintf("%s, by more than %s %s", r.moved(c.Allowed), points(c.Allowed), of)
			}
		}
	}
	s := fmt.Sprintf("not decided %s: %s", of, open(rows))
	if min(a, b) < from {
		s += fmt.Sprintf("; no share fails before %s answers of each run", grouped(from))
	}
	return s + "; " + c.Power.words(c.Allowed, rows[0].oneSided)
}

// moved says how far a share moved: "canary rose from 20.1 % to 29.8 %".
func (r *row) moved(allowed float64) string {
	verb := "rose"
	if r.Got < 0 {
		verb = "fell"
	}
	if r.Name == "errors" && r.oneSided || r.Name == notListed {
		return fmt.Sprintf("the share of %s %s from %s to %s", map[bool]string{true: "errors", false: "outcomes that are not listed"}[r.oneSided], verb, percent(r.Before.Got), percent(r.After.Got))
	}
	return fmt.Sprintf("%s %s from %s to %s", r.Name, verb, percent(r.Before.Got), percent(r.After.Got))
}

// open names the row that may have changed the most.
func open(rows []row) string {
	worst := 0
	for i := range rows {
		if rows[i].most() > rows[worst].most() {
			worst = i
		}
	}
	r := &rows[worst]
	name := r.Name
	if r.Name == notListed {
		name = "what is not listed"
	}
	if r.High >= -r.Low || r.oneSided {
		return fmt.Sprintf("%s may have risen by up to %s", name, points(r.most()))
	}
	return fmt.Sprintf("%s may have fallen by up to %s", name, points(r.most()))
}

// words says what could have been seen: "if nothing changed, so many answers
// confirm 5.6 pp; a change of 11.2 pp or more would have been noticed".
func (p Power) words(allowed float64, rise bool) string {
	var s []string
	if p.Passes < 1 {
		s = append(s, fmt.Sprintf("if nothing changed, so many answers would confirm %s", points(ceiling(p.Passes))))
	} else {
		s = append(s, "so few answers confirm nothing")
	}
	change := "change"
	if rise {
		change = "rise"
	}
	if p.Notices > 0 {
		s = append(s, fmt.Sprintf("a %s of %s or more would have been noticed", change, points(ceiling(p.Notices))))
	} else {
		s = append(s, fmt.Sprintf("no %s would have been noticed", change))
	}
	return strings.Join(s, ", and ")
}

// ceiling rounds up to what points shows, so that what is said is not too much.
func ceiling(x float64) float64 {
	unit := .001
	for x > 0 && x < 10*unit {
		unit /= 10
	}
	return math.Ceil(x/unit-1e-9) * unit
}
