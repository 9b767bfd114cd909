package runner

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// workers is how many requests are under way at once on one gateway, unless
// the environment says.
const workers = 16

// sample asks all gateways of an expectation side by side, and judges each on
// its own.
func (r *Run) sample(ctx context.Context, w *expectWork, out *record.Step) error {
	errs := make([]error, len(w.gateways))
	asked := make([]*asking, len(w.gateways))
	var all sync.WaitGroup
	for i, name := range w.gateways {
		a, err := r.asking(w, name)
		if err != nil {
			return err
		}
		asked[i] = a
	}
	for i, a := range asked {
		r.liveAs(a.gateway, a.live)
		all.Go(func() {
			errs[i] = guarded(func() error { return r.ask(ctx, a) })
			if errs[i] == nil {
				_ = guarded(func() error { a.lookOn(ctx); return nil })
			}
		})
	}
	all.Wait()
	var found []error
	for i, a := range asked {
		out.Samples = append(out.Samples, a.samples()...)
		if note := a.watched.note(a.gateway); note != "" {
			out.Notes = append(out.Notes, note)
		}
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%s: %w", a.gateway, errs[i])
		}
		found = append(found, errs[i])
	}
	if err := joined(found); err != nil {
		return err
	}
	r.proved(w, out.Samples)
	for i := range out.Samples {
		found = append(found, w.judge(&out.Samples[i], &w.cases[i%len(w.cases)]))
	}
	return joined(found)
}

// judge compares one verdict with the one wanted.
func (w *expectWork) judge(got *record.Sample, c *expected) error {
	state, cause := got.Result.State, got.Result.Because
	text := fmt.Sprintf("%s: %s", c.blame(got.Result), report.Line(*got))
	if got.Diagnosis != "" {
		text += "\n  " + got.Diagnosis
	}
	switch {
	case state == verdict.Undecided:
		return &failure{record.Undecided, errors.New(text)}
	case state != w.want && w.want == verdict.Failed:
		return failf("%s\n  the verdict wanted is failed: the fault was not caught", text)
	case state != w.want:
		return failf("%s", text)
	case w.because != "" && w.because != cause:
		return failf("%s\n  it failed as wanted, but because of %s, wanted because of %s", text, causeWords[cause], causeWords[w.because])
	}
	return nil
}

var causeWords = map[verdict.Cause]string{
	verdict.BecauseShare: "a share", verdict.BecauseLeak: "a leak", verdict.BecauseErrors: "errors",
}

// blame is the place of the share that failed, or of all shares.
func (c *expected) blame(result verdict.Result) string {
	for _, s := range result.Shares {
		if v := c.shares.Get(s.Name); s.State == verdict.Failed && v.Exists() {
			return v.Pos().String()
		}
	}
	return c.shares.Pos().String()
}

// asking is what is known of one gateway while it is asked.
type asking struct {
	work    *expectWork
	env     *environment.Environment
	gateway string
	watched *watched // since before the change; nil when nobody did

	mu       sync.Mutex // guards what follows: Live reads it
	url      string
	begin    time.Time
	end      time.Time
	deadline time.Time // what was answered before may be of the old state
	cases    []*judging
}

func (r *Run) asking(w *expectWork, gateway string) (*asking, error) {
	a := &asking{work: w, env: r.env, gateway: gateway, begin: time.Now(), watched: r.watchOf(w, gateway)}
	if changed := r.lastChange(); !changed.IsZero() {
		a.deadline = changed.Add(w.converge)
	}
	for i := range w.cases {
		claim := w.cases[i].claim
		claim.Alpha /= float64(max(1, r.plan.Expectations))
		j, err := newJudging(&w.cases[i], claim)
		if err != nil {
			return nil, err
		}
		a.cases = append(a.cases, j)
	}
	return a, nil
}

// ask finds the gateway and samples it until every case is decided or its
// budget is used up.
func (r *Run) ask(ctx context.Context, a *asking) error {
	url, err := r.address(ctx, a.gateway)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.url, a.begin = url, time.Now()
	for _, j := range a.cases {
		j.resume = a.begin
	}
	a.mu.Unlock()
	defer a.watched.end()
	defer func() {
		a.mu.Lock()
		a.end = time.Now()
		a.mu.Unlock()
	}()
	for {
		resume, more := a.next()
		if !more {
			return nil
		}
		if time.Until(resume) > 0 {
			a.watched.start()
		}
		if err := sleepUntil(ctx, resume); err != nil {
			return err
		}
		a.watched.pause()
		if err := a.round(ctx); err != nil {
			return err
		}
	}
}

// next is when sampling goes on, and whether it does.
func (a *asking) next() (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var soonest time.Time
	for _, j := range a.cases {
		if !j.done && (soonest.IsZero() || j.resume.Before(soonest)) {
			soonest = j.resume
		}
	}
	return soonest, !soonest.IsZero()
}

func sleepUntil(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// round samples until no case wants more answers just now: each is decided, or
// pauses before its next attempt.
func (a *asking) round(ctx context.Context) error {
	examples := &sample.Examples{}
	options := askingOf(a.env, a.work, a.url)
	options.Examples = examples
	started := time.Now()
	a.mu.Lock()
	for _, j := range a.cases {
		if !j.done {
			j.examples, j.roundBegan = examples, started
		}
	}
	a.mu.Unlock()
	return sample.Run(ctx, options, func(batch []sample.Observation) bool {
		a.watched.add(started, batch)
		a.mu.Lock()
		defer a.mu.Unlock()
		for i := range batch {
			a.observe(started, &batch[i])
		}
		now := time.Now()
		more := false
		for _, j := range a.cases {
			j.spend(a.work, now)
			more = more || !j.done && !j.resume.After(now)
		}
		return more
	})
}

// askingOf is how the gateway with a URL is asked for the cases of an
// expectation, as far as the environment's limits allow.
func askingOf(env *environment.Environment, w *expectWork, url string) sample.Options {
	o := sample.Options{Classifier: classifier(env), Workers: env.Limits.Workers, Rate: float64(env.Limits.Rate)}
	if o.Workers == 0 {
		o.Workers = workers
	}
	for _, c := range w.cases {
		request := c.request
		request.URL = url + request.URL
		o.Cases = append(o.Cases, request)
	}
	return o
}

// observe counts one answer, if its case still wants it.
func (a *asking) observe(started time.Time, o *sample.Observation) {
	j := a.cases[o.Case]
	// Told by when it was sent: what was sent during the pause is of the old
	// state, however late its answer came.
	if j.done || started.Add(o.At).Before(j.resume) {
		return
	}
	switch j.observe(o) {
	case verdict.Passed:
		j.finish()
	case verdict.Failed:
		// An attempt that only ends after the deadline has old answers in it too.
		if j.began.Before(a.deadline) {
			j.restart(a.begin, time.Now(), a.deadline)
		} else {
			j.finish()
		}
	}
}

// live is every case as it stands.
func (a *asking) live() LivePart {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.url == "" {
		return LivePart{Text: a.gateway + ": looking up its address"}
	}
	var p LivePart
	for _, j := range a.cases {
		p.Samples = append(p.Samples, j.live(a))
	}
	return p
}

// samples are the records of all cases.
func (a *asking) samples() []record.Sample {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []record.Sample
	for i, j := range a.cases {
		s := j.sample(a)
		s.Examples = j.keep(i, len(a.cases), a.begin)
		s.Diagnosis = report.Diagnose(s)
		s.Propagation = a.watched.tell(i)
		all = append(all, s)
	}
	return all
}

// classifier makes the environment's answers into rules.
func classifier(env *environment.Environment) *sample.Classifier {
	var rules []sample.Rule
	for _, a := range env.Answers {
		rule := sample.Rule{JSON: a.JSON, Header: a.Header, Status: a.Status, Body: a.Body, Name: a.Is.Name, Values: a.Is.Values}
		if a.Match != "" {
			rule.Match = regexp.MustCompile(a.Match) // the environment has checked it
		}
		rules = append(rules, rule)
	}
	return sample.NewClassifier(rules)
}
