package runner

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// misread says that a number of the claim could not be read, and so has its
// mistake already.
func (p *planner) misread(at, step document.Value) bool {
	var f struct {
		Claim claimFields `yaml:",inline"`
	}
	for _, m := range append(at.Decode(&f), step.Decode(&f)...) {
		for _, key := range []string{"shares", "tolerance", "leak", "errors"} {
			for _, holder := range []document.Value{at, step} {
				if path := holder.Get(key).Path(); m.Path == path || strings.HasPrefix(m.Path, path+".") {
					return true
				}
			}
		}
	}
	return false
}

func wants(f claimFields) map[string]float64 {
	m := make(map[string]float64, len(f.Shares))
	for name, share := range f.Shares {
		m[name] = float64(share)
	}
	return m
}

// claim makes the claim of the fields: every outcome of the environment, in
// its order, those that are not listed at 0.
func (p *planner) claim(outcomes []string, f claimFields) verdict.Claim {
	c := verdict.Claim{Errors: verdict.DefaultErrors, Alpha: p.engine.options.Alpha, Beta: p.engine.options.Beta}
	if f.Errors != nil {
		c.Errors = float64(*f.Errors)
	}
	tolerance, leak := 0.0, 0.0
	if f.Tolerance != nil {
		tolerance = float64(*f.Tolerance)
	}
	for _, name := range outcomes {
		want := float64(f.Shares[name])
		if want == 0 && f.Leak != nil {
			leak = float64(*f.Leak) // of use only where something is wanted at 0
		}
		c.Shares = append(c.Shares, verdict.Share{Name: name, Want: want})
	}
	return c.With(tolerance, leak)
}

// useless refuses a tolerance or a leak that nothing could make use of: it was
// meant to loosen something, and would not.
func (p *planner) useless(at document.Value, c verdict.Claim, own claimFields) {
	between, zero := false, false
	for _, s := range c.Shares {
		between = between || s.Want > 0 && s.Want < 1
		zero = zero || s.Want == 0
	}
	if own.Tolerance != nil && !between {
		p.add(at.Get("tolerance").KeyMistake("tolerance is for shares between 0 and 100%%, and there is none").WithHint("leak and errors say what may be missing of 100%"))
	}
	if own.Leak != nil && !zero {
		p.add(at.Get("leak").KeyMistake("leak is for outcomes wanted at 0, and there is none"))
	}
}

// problems reports what cannot be judged, at the tolerance where there is one
// that is to blame, else at the share.
func (p *planner) problems(at, step document.Value, planned expected) {
	for _, problem := range planned.claim.Validate() {
		v := planned.shares
		if problem.Share != "" && v.Get(problem.Share).Exists() {
			v = v.Get(problem.Share)
		}
		for _, key := range []string{"tolerance", "leak", "errors"} {
			if !strings.HasPrefix(problem.Text, "a "+key) && !strings.HasPrefix(problem.Text, key) {
				continue
			}
			for _, holder := range []document.Value{at, step} {
				if holder.Get(key).Exists() {
					v = holder.Get(key)
					break
				}
			}
		}
		text := problem.Text
		if problem.Share != "" && v.Path() != planned.shares.Get(problem.Share).Path() {
			text = problem.Share + ": " + text
		}
		p.add(v.Mistake("%s", text).WithHint(problem.Hint))
	}
}

// affordable refuses a claim that the budget, or the rate that the environment
// allows, can hardly decide although the mesh is right, and says what would do.
// What is to be decided is the first attempt.
func (p *planner) affordable(body document.Value, c expected, w *expectWork) {
	if w.requests < 1 || w.time == 0 {
		return // that has its mistake
	}
	budget, limited := w.requests, ""
	blamed := []document.Value{body.Get("budget").Get("requests")}
	rate := float64(p.env.Limits.Rate)
	if most := rate * w.time.Seconds() / float64(len(w.cases)); rate > 0 && most < float64(budget) {
		budget, blamed = int64(most), []document.Value{body.Get("budget")}
		limited = fmt.Sprintf("at the %g/s that environment %s allows there are %s in %s: ", rate, p.env.Name, report.Count(budget), report.Duration(w.time))
	}
	own := body
	for i := range w.cases {
		if v := body.Get("cases").Index(i); v.Get("shares").Path() == c.shares.Path() {
			own = v
		}
	}
	for _, problem := range verdict.Affordable(verdict.Attempt(c.claim, 0), budget) {
		text := limited + problem.Text
		for _, name := range []string{problem.Share, c.name} {
			if name != "" {
				text = name + ": " + text
			}
		}
		v, key := c.shares, looser(problem)
		for _, holder := range append(blamed, own.Get(key), body.Get(key)) {
			if holder.Exists() {
				v = holder
				break
			}
		}
		p.add(v.Mistake("%s", text).WithHint(problem.Hint))
	}
}

// looser is the key that would have to say more for the problem to go away.
func looser(problem verdict.Problem) string {
	switch {
	case strings.Contains(problem.Text, "±"):
		return "tolerance"
	case strings.Contains(problem.Text, "errors"):
		return "errors"
	}
	return "leak"
}

// at is the first of the keys that is there, else the mapping itself.
func at(body document.Value, keys ...string) document.Value {
	for _, key := range keys {
		if v := body.Get(key); v.Exists() {
			return v
		}
	}
	return body
}
