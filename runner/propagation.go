package runner

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// How a probe asks, as far as the environment's limits allow.
const (
	probeRate    = 50 // requests a second on each gateway
	probeWorkers = 8  // under way at once, so that a slow backend does not slow it down
	probeTimeout = 2 * time.Second
)

// How many answers of each case a probe has before the change is sent: fewer
// where an expectation has just proved what can come.
const (
	learnAnswers = 25
	checkAnswers = 5
	learnTime    = time.Second // at most
	// arrival is how long an earlier change, just made or just put back, is given
	// to arrive before what answers is taken for the state before this one.
	arrival = 300 * time.Millisecond
)

// A watch follows a change to the gateways that the next expectation asks, from
// before it is sent until the expectation is decided. It is no part of any
// verdict: whatever goes wrong with it is a note.
//
// A nil watch, and a nil watched gateway, do nothing.
type watch struct {
	work     *expectWork
	step     int // index of the step that changes
	gateways map[string]*watched
}

// watched is one gateway of a watch.
type watched struct {
	probe   *sample.Probe
	options sample.Options
	grounds []sample.Ground // by case
	enough  int64           // answers before the change, for each case
	known   chan struct{}   // closed when there are as many
	step    int

	mu   sync.Mutex
	stop func() // of the stream that is running, or nil
	over bool   // no stream is started any more
	err  error  // why there is none
}

// watch begins to watch what the step is about to change, if the next step that
// does more than look is an expectation. It returns when the probes know what
// answered before.
func (r *Run) watch(ctx context.Context, s *PlannedStep, out *record.Step) *watch {
	r.unwatch()
	next := nextExpectation(s)
	if next == nil || out.Reached {
		return nil // whoever only wants the state does not ask how it came about
	}
	w := &watch{work: next, step: s.Step.Index, gateways: make(map[string]*watched)}
	if sleepUntil(ctx, r.lastChange().Add(arrival)) != nil {
		return nil
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, name := range next.gateways {
		all.Go(func() {
			var g *watched
			err := guarded(func() (err error) {
				if g, err = r.watched(ctx, next, name); g != nil {
					g.step = w.step
					g.start()
					g.learn(ctx)
				}
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				out.Notes = append(out.Notes, unmeasured(name, err))
			} else if g != nil {
				w.gateways[name] = g
			}
		})
	}
	all.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watching = w
	return w
}

func unmeasured(gateway string, err error) string {
	return fmt.Sprintf("how the change reached %s was not measured: %v", gateway, err)
}

// nextExpectation is the expectation that follows a step of the same scenario,
// with nothing in between but steps that look.
func nextExpectation(s *PlannedStep) *expectWork {
	i := slices.Index(s.Scenario.Steps, s)
	for _, next := range s.Scenario.Steps[i+1:] {
		switch w := next.work.(type) {
		case *expectWork:
			return w
		case *waitWork, *assertWork, *callWork:
		default:
			return nil
		}
	}
	return nil
}

// watched prepares the watch of a gateway; nil when it has no address yet, as
// before the step that brings it about.
func (r *Run) watched(ctx context.Context, w *expectWork, name string) (*watched, error) {
	url, _, err := r.lookUp(ctx, r.env.Gateways[name])
	if err != nil || url == "" {
		return nil, err
	}
	g := &watched{enough: checkAnswers, known: make(chan struct{})}
	g.options = askingOf(r.env, w, url)
	g.options.Rate = probeRate
	if limit := float64(r.env.Limits.Rate); limit > 0 {
		g.options.Rate = min(g.options.Rate, limit)
	}
	g.options.Workers = min(g.options.Workers, probeWorkers)
	// Not an open loop: what a gateway that hung has missed would come all at once.
	g.options.Portable, g.options.Timeout = true, probeTimeout
	var outcomes []string
	for i := range w.cases {
		claim := &w.cases[i].claim
		outcomes = names(claim.Shares, func(verdict.Share) bool { return true })
		ground := sample.Ground{
			Wanted:    names(claim.Shares, func(s verdict.Share) bool { return s.Want > 0 }),
			Tolerated: names(claim.Shares, func(s verdict.Share) bool { return s.Want == 0 && s.Leak > 0 }),
		}
		r.mu.Lock()
		possible, known := r.possible[asked(name, &w.cases[i])]
		r.mu.Unlock()
		if ground.Possible = possible; !known {
			g.enough = learnAnswers
		}
		g.grounds = append(g.grounds, ground)
	}
	g.probe = sample.NewProbe(outcomes, len(w.cases))
	return g, nil
}

func names(shares []verdict.Share, which func(verdict.Share) bool) []string {
	var all []string
	for _, s := range shares {
		if which(s) {
			all = append(all, s.Name)
		}
	}
	return all
}

// asked is what makes the answers of two expectations comparable: the same
// request to the same gateway.
func asked(gateway string, c *expected) string {
	q := &c.request
	return fmt.Sprintf("%s %s %s %s %q %q", gateway, q.Method, q.URL, q.Host, http.Header(q.Header), q.Body)
}

// proved keeps what an expectation that passed has proved to be possible, for
// as long as nothing is changed.
func (r *Run) proved(w *expectWork, samples []record.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range samples {
		c := &w.cases[i%len(w.cases)]
		if s.Result.State != verdict.Passed {
			continue
		}
		if r.possible == nil {
			r.possible = make(map[string][]string)
		}
		r.possible[asked(s.Gateway, c)] = names(c.claim.Shares, func(s verdict.Share) bool { return s.Want > 0 || s.Leak > 0 })
	}
}

// sent says that the change is sent now.
func (w *watch) sent() {
	if w == nil {
		return
	}
	now := time.Now()
	for _, g := range w.gateways {
		g.probe.Change(now)
	}
}

// done says that the change was made, or that there was none; a change may take
// as long as the expectation gives it to converge.
func (r *Run) done(w *watch, changed bool) {
	if w == nil {
		return
	}
	if !changed {
		r.unwatch()
		return
	}
	time.AfterFunc(w.work.converge, w.end)
}

func (w *watch) end() {
	for _, g := range w.gateways {
		g.end()
	}
}

// unwatch ends whatever is watched.
func (r *Run) unwatch() {
	r.mu.Lock()
	w := r.watching
	r.watching = nil
	r.mu.Unlock()
	if w != nil {
		w.end()
	}
}

// watchOf is the watch of a gateway for an expectation that is about to ask it.
func (r *Run) watchOf(w *expectWork, gateway string) *watched {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watching == nil || r.watching.work != w {
		return nil
	}
	return r.watching.gateways[gateway]
}

// start lets the probe ask until pause or end. It outlives the step that
// started it: end comes at the latest when the change has had its time.
func (g *watched) start() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || g.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	var stream sync.WaitGroup
	g.stop = func() {
		cancel()
		stream.Wait()
	}
	stream.Go(func() {
		err := guarded(func() error { return g.ask(ctx) })
		if ctx.Err() == nil && err != nil {
			g.fail(err)
		}
	})
}

func (g *watched) ask(ctx context.Context) error {
	began := time.Now()
	return sample.Run(ctx, g.options, func(batch []sample.Observation) bool {
		g.probe.Add(began, batch)
		if g.probe.Before() >= g.enough {
			g.knows()
		}
		return true
	})
}

// knows says that the state before the change is known.
func (g *watched) knows() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.known:
	default:
		close(g.known)
	}
}

func (g *watched) fail(err error) {
	g.knows() // nobody shall wait for it
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err, g.over = err, true
}

// learn waits until the state before the change is known.
func (g *watched) learn(ctx context.Context) {
	limit := time.NewTimer(learnTime)
	defer limit.Stop()
	select {
	case <-g.known:
	case <-limit.C:
	case <-ctx.Done():
	}
}

// pause ends the stream while the expectation itself asks: together they would
// ask more than the environment allows, and its answers tell as much.
func (g *watched) pause() {
	if g == nil {
		return
	}
	g.mu.Lock()
	stop := g.stop
	g.stop = nil
	g.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// end is pause for good.
func (g *watched) end() {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.over = true
	g.mu.Unlock()
	g.pause()
}

// add takes what the expectation was answered.
func (g *watched) add(began time.Time, batch []sample.Observation) {
	if g != nil {
		g.probe.Add(began, batch)
	}
}

// tell is what is known of a case, for the record; nil when there is nothing to
// compare.
func (g *watched) tell(i int) *record.Propagation {
	if g == nil {
		return nil
	}
	t, ok := g.probe.Tell(i, g.grounds[i])
	if !ok {
		return nil
	}
	p := &record.Propagation{
		Step: g.step, Watched: t.Watched,
		Every:  time.Duration(float64(len(g.grounds)) / g.options.Rate * float64(time.Second)),
		Before: t.Before, FailedBefore: t.Failed, After: t.After,
		New: t.New, Old: t.Old, Dead: t.Dead, AtOnce: t.AtOnce,
		Errors: t.Errors.Count, FirstError: t.Errors.First, LastError: t.Errors.Last,
	}
	if t.FirstNew.Count > 0 {
		p.FirstNew = &t.FirstNew.First
	}
	if t.LastOld.Count > 0 {
		p.LastOld = &t.LastOld.Last
	}
	for fault, n := range t.Faults {
		if p.Faults == nil {
			p.Faults = make(map[string]int64)
		}
		p.Faults[string(fault)] = n
	}
	return p
}

// note is why nothing is known, if that is so; "" else.
func (g *watched) note(gateway string) string {
	if g == nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return ""
	}
	return unmeasured(gateway, g.err)
}
