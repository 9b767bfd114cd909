package runner

import (
	"context"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// What is asked when all is decided, for the reader only. A failed verdict may
// stand after five answers: too few to tell a backend that is down from errors
// that hit all alike. And with one request a connection nothing is seen of a
// gateway that ties connections to a backend.
const (
	furtherAnswers = 600
	furtherLimit   = 2 * time.Second
	keptAnswers    = 160
	keptWorkers    = 8
	keptLimit      = time.Second
)

// lookOn asks on after the verdicts: where one is failed, what comes further;
// where a split has passed, what comes on connections that are kept alive. What
// goes wrong with that is nobody's business.
func (a *asking) lookOn(ctx context.Context) {
	failed, split := a.further()
	if len(failed) > 0 {
		a.lookFurther(ctx, failed)
	}
	if len(split) > 0 {
		a.lookKept(ctx, split)
	}
}

// further is which cases are asked on: those that failed after few answers, and
// those of a split that has passed. Live asks for results, too, and a test that
// is asked for one computes.
func (a *asking) further() (failed, split []int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, j := range a.cases {
		switch r := j.settling.Result(); {
		case r.State == verdict.Failed && r.N < furtherAnswers:
			failed = append(failed, i)
		case r.State == verdict.Passed && divided(r):
			split = append(split, i)
		}
	}
	return failed, split
}

// divided says whether several outcomes are wanted.
func divided(r verdict.Result) bool {
	for _, s := range r.Shares {
		if s.Want > 0 && s.Want < 1 {
			return true
		}
	}
	return false
}

// allowed is at most so many answers, and no more than the step's budget.
func (a *asking) allowed(n int) int { return int(min(int64(n), a.work.requests)) }

// only are the options for some of the cases.
func (a *asking) only(cases []int) sample.Options {
	o := askingOf(a.env, a.work, a.url)
	all := o.Cases
	o.Cases = nil
	for _, i := range cases {
		o.Cases = append(o.Cases, all[i])
	}
	return o
}

// further collects what comes of one case after its verdict.
type further struct {
	tally    *sample.Tally
	line     *record.Timeline
	counts   verdict.Counts
	unlisted map[string]int64
}

func (a *asking) lookFurther(ctx context.Context, cases []int) {
	ctx, cancel := context.WithTimeout(ctx, furtherLimit)
	defer cancel()
	found := make([]further, len(cases))
	for k, i := range cases {
		names := a.cases[i].names
		found[k] = further{sample.NewTally(), record.NewTimeline(names), verdict.Counts{Outcomes: make([]int64, len(names))}, map[string]int64{}}
	}
	began, seen, enough := time.Now(), 0, a.allowed(furtherAnswers)*len(cases)
	_ = sample.Run(ctx, a.only(cases), func(batch []sample.Observation) bool {
		for n := range batch {
			k := batch[n].Case
			found[k].add(a.cases[cases[k]], &batch[n])
		}
		seen += len(batch)
		return seen < enough
	})
	for k, i := range cases {
		a.cases[i].further = found[k].record(time.Since(began))
	}
}

func (f *further) add(j *judging, o *sample.Observation) {
	i := j.indexOf(o, f.unlisted)
	f.line.Add(i)
	f.tally.Add([]sample.Observation{*o})
	switch i {
	case verdict.Error:
		f.counts.Errors++
	case verdict.Unlisted:
		f.counts.Other++
	default:
		f.counts.Outcomes[i]++
	}
}

func (f *further) record(took time.Duration) *record.Further {
	if f.counts.Total() == 0 {
		return nil
	}
	var s record.Sample
	recordFaults(&s, f.tally)
	f.line.Fill(&s)
	return &record.Further{
		Counts: f.counts, Series: s.Series, Strip: s.Strip, Every: s.Every, Legend: s.Legend,
		Faults: s.Faults, Statuses: s.Statuses, Unlisted: f.unlisted, Duration: took,
	}
}

// lookKept asks on a few connections that are kept alive, and remembers how the
// answers depend on them where they do.
func (a *asking) lookKept(ctx context.Context, cases []int) {
	ctx, cancel := context.WithTimeout(ctx, keptLimit)
	defer cancel()
	o := a.only(cases)
	o.Reuse, o.Workers = true, min(o.Workers, keptWorkers)
	found := make([]*verdict.Dependence, len(cases))
	for k, i := range cases {
		found[k] = verdict.NewDependence(len(a.cases[i].names), dependenceSeed)
	}
	seen, enough := 0, a.allowed(keptAnswers)*len(cases)
	_ = sample.Run(ctx, o, func(batch []sample.Observation) bool {
		for n := range batch {
			k := batch[n].Case
			found[k].Observe(batch[n].Connection, a.cases[cases[k]].indexOf(&batch[n], map[string]int64{}))
		}
		seen += len(batch)
		return seen < enough
	})
	for k, i := range cases {
		if r := found[k].Result(); r.Balancing == verdict.Sticky {
			a.cases[i].kept = &r
		}
	}
}
