package verdict

import (
	"fmt"
	"math"
	"strings"
)

// reason says why two runs' shares, or errors, compare as they do.
func (c *Comparison) reason(rows []row, from int64) string {
	a, b := rows[0].before.n, rows[0].after.n
	if s := nothing("counted", a, b); s != "" {
		return s
	}
	of := fmt.Sprintf("(%s answers before, %s after)", grouped(a), grouped(b))
	switch c.State {
	case Passed:
		return strings.Join(unchanged(rows), " and ") + " " + of
	case Failed:
		for _, r := range rows {
			if r.State == Failed {
				return fmt.Sprintf("%s, by more than %s %s", r.moved(), points(r.Allowed), of)
			}
		}
	}
	s := fmt.Sprintf("not decided %s: %s", of, open(rows))
	if min(a, b) < from {
		s += fmt.Sprintf("; no share fails before %s answers of each", grouped(from))
	}
	if c.Power.Passes > 0 {
		s += "; " + c.Power.words(rows[0].oneSided)
	}
	return s
}

// nothing says which side is empty, "" when none is.
func nothing(done string, before, after int64) string {
	switch {
	case before == 0 && after == 0:
		return "nothing was " + done + " before or after"
	case before == 0:
		return "nothing was " + done + " before"
	case after == 0:
		return "nothing was " + done + " after"
	}
	return ""
}

// unchanged says what passed.
func unchanged(rows []row) (s []string) {
	if !rows[0].oneSided {
		s = append(s, "no share changed by more than "+points(rows[0].Allowed))
	}
	if last := rows[len(rows)-1]; last.oneSided {
		s = append(s, "errors did not rise by more than "+points(last.Allowed))
	}
	return s
}

// title is the row's name in a sentence.
func (r *row) title() string {
	switch {
	case r.oneSided:
		return "the share of errors"
	case r.Name == NotListed:
		return "the share of what is not listed"
	}
	return r.Name
}

// moved says how far a share moved: "canary rose from 20.1 % to 29.8 %".
func (r *row) moved() string {
	verb := "rose"
	if r.Got < 0 {
		verb = "fell"
	}
	return fmt.Sprintf("%s %s from %s to %s", r.title(), verb, percent(r.Before.Got), percent(r.After.Got))
}

// open names what keeps it undecided: the row that may have changed by the
// greatest multiple of what is allowed.
func open(rows []row) string {
	worst := &rows[0]
	for i := range rows {
		if r := &rows[i]; r.State != Passed && (worst.State == Passed || r.most()/r.Allowed > worst.most()/worst.Allowed) {
			worst = r
		}
	}
	if worst.High >= -worst.Low || worst.oneSided {
		return fmt.Sprintf("%s may have risen by up to %s", worst.title(), points(ceiling(worst.most())))
	}
	return fmt.Sprintf("%s may have fallen by up to %s", worst.title(), points(ceiling(worst.most())))
}

// words says what could have been seen: "if nothing changed, so many answers
// would confirm 5.6 pp, and a change of 11.2 pp or more would have been noticed".
func (p Power) words(rise bool) string {
	s, change := "so few answers confirm nothing", "change"
	if p.Passes < 1 {
		s = fmt.Sprintf("if nothing changed, so many answers would confirm %s", points(ceiling(p.Passes)))
	}
	if rise {
		change = "rise"
	}
	if p.Notices == 0 {
		return s + fmt.Sprintf(", and no %s would have been noticed", change)
	}
	return s + fmt.Sprintf(", and a %s of %s or more would have been noticed", change, points(ceiling(p.Notices)))
}

// ceiling rounds up to what points shows, so that what is said is not too much.
func ceiling(x float64) float64 {
	unit := .001
	for x > 0 && x < 10*unit {
		unit /= 10
	}
	return math.Ceil(x/unit-1e-9) * unit
}
