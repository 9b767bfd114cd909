package runner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// Live is what a run is doing right now.
type Live struct {
	Step  *PlannedStep // nil between steps
	Began time.Time    // of the step
	Parts []LivePart
}

// LivePart is what one part of a step (one cluster, one gateway) is doing.
type LivePart struct {
	Part    string
	Text    string       // in words; "" where the samples say it
	Samples []LiveSample // of a gateway that is being asked, by case
}

// LiveSample is one case on one gateway, as its attempt under way stands.
type LiveSample struct {
	Gateway, Case string
	Attempt       int // from 0
	Result        verdict.Result
	// Done says that no more is asked: it is decided, or its budget used up.
	Done bool
	// Requests and Time are the budget of an attempt; Took is what it has used
	// of Time.
	Requests   int64
	Time, Took time.Duration
}

// telling is what one part of a step is doing.
type telling struct {
	part string
	say  func() LivePart
}

// live says in words what a part of the present step is doing, until the step
// ends or the part says something else.
func (r *Run) live(part string, say func() string) {
	r.liveAs(part, func() LivePart { return LivePart{Text: say()} })
}

// liveAs is live for what has more than words.
func (r *Run) liveAs(part string, say func() LivePart) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A new slice: Live may be reading the old one.
	r.progress = append(slices.DeleteFunc(slices.Clone(r.progress), func(t telling) bool { return t.part == part }), telling{part, say})
}

// busy begins a step for Live, and quiet ends it.
func (r *Run) busy(s *PlannedStep, began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doing, r.doingSince = s, began
}

func (r *Run) quiet() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress, r.doing = nil, nil
}

// Live says what the run is doing right now. It is safe to call at any time,
// and cheap enough for several times a second.
func (r *Run) Live() Live {
	r.mu.Lock()
	l, now := Live{Step: r.doing, Began: r.doingSince}, r.progress
	r.mu.Unlock()
	if l.Step == nil {
		return Live{}
	}
	for _, t := range now {
		p := t.say()
		p.Part = t.part
		l.Parts = append(l.Parts, p)
	}
	return l
}

// Progress says what the run is doing right now: for an expectation the counts
// so far and the verdict as it stands, a line for each case on each gateway. It
// is empty between steps, and safe to call at any time.
func (r *Run) Progress() string {
	var lines []string
	for _, p := range r.Live().Parts {
		if p.Text != "" {
			lines = append(lines, p.Text)
		}
		for _, s := range p.Samples {
			lines = append(lines, s.line())
		}
	}
	return strings.Join(lines, "\n")
}

// line is the case as it stands, in a line.
func (s LiveSample) line() string {
	between := s.Attempt > 0 && s.Result.N == 0 // most likely it waits: the pauses grow
	if between {
		s.Result.Reason = fmt.Sprintf("attempt %d did not pass, the next one begins after a pause", s.Attempt)
	}
	line := report.Line(record.Sample{Gateway: s.Gateway, Case: s.Case, Result: s.Result})
	if s.Attempt > 0 && !between {
		line += fmt.Sprintf(" (attempt %d)", s.Attempt+1)
	}
	return line
}
