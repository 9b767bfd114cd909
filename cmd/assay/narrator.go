package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
)

// narrator tells of a whole run while it goes on: what ended, as the brief report
// has it, and on a terminal below it what is under way. It is a runner.Observer.
type narrator struct {
	display *display  // where everything is told
	aside   io.Writer // where a line now and then goes, when the display has no block; nil: nowhere
	live    bool
	quiet   bool // only what did not pass is told
	steps   int  // of the plan
	now     func() time.Time
	stopped func() bool // the run is being ended from outside

	mu       sync.Mutex // guards what follows: the clock and the run both tell
	frame    *frame
	look     look
	run      *runner.Run // nil before it has started
	began    time.Time
	heads    []string // of scenarios, not told yet
	told     bool     // something was
	ended    int      // steps
	wrong    int      // of them
	after    bool     // something was told after what did not pass
	phase    string   // what is under way, when it is no step
	since    time.Time
	stopping bool
	lastLine time.Time
}

func newNarrator(d *display, aside io.Writer, plan *runner.Plan) *narrator {
	n := &narrator{display: d, aside: aside, live: true, now: time.Now, stopped: func() bool { return false }, look: look{glyphs: plainGlyphs}}
	if d.block {
		n.look = userLook()
	}
	n.frame = newFrame(n.look)
	n.began = n.now()
	for _, s := range plan.Scenarios {
		n.steps += len(s.Steps)
	}
	return n
}

// follow shows how the run goes on until ctx ends; then nothing of it is left.
func (n *narrator) follow(ctx context.Context, run *runner.Run) {
	n.mu.Lock()
	n.run = run
	n.mu.Unlock()
	every := blockEvery
	if !n.display.block {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.tick()
		}
	}
}

// tick shows what is under way: on a terminal always anew, elsewhere a line now
// and then of what takes long.
func (n *narrator) tick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case !n.live || n.quiet || n.run == nil:
	case n.display.block:
		n.display.show(n.block(), "")
	case n.aside != nil:
		l := n.run.Live()
		now := n.now()
		if l.Step == nil || now.Sub(l.Began) < lineEvery || now.Sub(n.lastLine) < lineEvery {
			return
		}
		n.lastLine = now
		text := strings.ReplaceAll(tame(n.run.Progress()), "\n", "\n      ")
		fmt.Fprintf(n.aside, "    … %s (%s): %s\n", l.Step.Title, seconds(now.Sub(l.Began)), text)
	}
}

// block is what is under way, and how far the run is. The lock is held.
func (n *narrator) block() string {
	if !n.live || n.quiet || !n.display.block || n.run == nil {
		return ""
	}
	width, height := n.display.size()
	now := n.now()
	var text string
	if l := n.run.Live(); l.Step != nil {
		text = n.frame.step(l, now, width, height-3)
	} else if n.phase != "" {
		text = n.frame.doing(n.phase, now.Sub(n.since))
	}
	return text + n.look.paint(faint, n.footer(now)) + "\n"
}

// footer says how far the run is, and how to end it.
func (n *narrator) footer(now time.Time) string {
	text := fmt.Sprintf("  %d of %d steps", n.ended, n.steps)
	if n.wrong > 0 {
		text += fmt.Sprintf(", %d not passed", n.wrong)
	}
	text += ", " + seconds(now.Sub(n.began))
	if n.stopping {
		return text + "; stopping and putting back (Ctrl-C again: at once)"
	}
	return text + "; Ctrl-C stops and puts back"
}

// say tells something that stays, with the heads of the scenarios that it is of.
// The lock is held.
func (n *narrator) say(text string) {
	var b strings.Builder
	for _, head := range n.heads {
		if n.told {
			b.WriteString("\n")
		}
		b.WriteString(head)
		n.told = true
	}
	n.heads = nil
	b.WriteString(text)
	n.display.above(b.String(), n.block())
}

// Scenario is told with its first step, or at once when it has none.
func (n *narrator) Scenario(s *runner.PlannedScenario) {
	n.mu.Lock()
	defer n.mu.Unlock()
	head := s.Scenario.Name
	if title := s.Scenario.Title; title != "" && title != head {
		head += ": " + title
	}
	head = n.look.paint(strong, head) + "\n"
	if n.quiet {
		n.heads = []string{head} // those of which nothing is told are passed over
		return
	}
	n.heads = append(n.heads, head)
	if s.Skip != "" {
		n.say(n.state(record.Skipped) + s.Skip + "\n")
		return
	}
	n.say("")
}

// state begins the line of a step.
func (n *narrator) state(s record.State) string {
	return "  " + n.look.paint(ofState(s), string(s)) + ": "
}

// Step is nothing to tell: the block shows it while it is under way.
func (n *narrator) Step(*runner.PlannedStep) { n.begins("") }

// Ended tells how a step ended: in full when it did not pass.
func (n *narrator) Ended(_ *runner.PlannedStep, got record.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended++
	if got.State != record.Passed {
		n.wrong++
	}
	if n.quiet && got.State == record.Passed {
		return
	}
	text := report.StepBrief(got)
	if got.State != record.Passed && got.State != record.Skipped && !n.stopped() {
		text = report.StepFailure(got)
	}
	n.after = n.wrong > 0 && (n.after || got.State == record.Passed || got.State == record.Skipped)
	n.say(n.coloured(got.State, indented(text)))
}

// coloured paints the first word of a step's text that is its state.
func (n *narrator) coloured(s record.State, text string) string {
	return strings.Replace(text, string(s)+": ", n.look.paint(ofState(s), string(s))+": ", 1)
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n"
}

// PuttingBack, and Comparing, are under way until the next step.
func (n *narrator) PuttingBack(s *runner.PlannedScenario) {
	n.begins("putting back what " + s.Scenario.Name + " changed")
}

// Comparing is told as PuttingBack is.
func (n *narrator) Comparing() {
	n.begins("comparing what the clusters hold with what they held before")
}

func (n *narrator) begins(phase string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.phase, n.since = phase, n.now()
}

// stops tells that the run is being ended.
func (n *narrator) stops() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopping = true
	if n.live && !n.quiet && n.display.block {
		n.display.show(n.block(), "")
	} else if n.aside != nil {
		fmt.Fprintln(n.aside, "stopping and putting back what was changed (Ctrl-C again: at once)")
	}
}

// ends takes away the block and sums up.
func (n *narrator) ends(r *record.Record, rest string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.display.clear()
	n.run = nil // nothing is under way any more
	text := ""
	if n.told {
		text = "\n"
	}
	text += n.recap(r) + n.look.paint(ofState(report.Overall(r).State), report.Summary(r)) + "\n"
	if r.Inventory != "" {
		text += "inventory: " + r.Inventory + "\n"
	}
	n.display.above(text+rest, "")
}

// recap lists what did not pass, when something was told after it.
func (n *narrator) recap(r *record.Record) string {
	var b strings.Builder
	if n.quiet || !n.after && n.wrong < 2 {
		return ""
	}
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			if st.State == record.Passed || st.State == record.Skipped {
				continue
			}
			title := first(st.Title, st.Name, st.Action)
			fmt.Fprintf(&b, "  %s: %s: %s\n", n.look.paint(ofState(st.State), string(st.State)), s.Name, title)
			if st.Again != "" {
				fmt.Fprintf(&b, "    again: %s\n", st.Again)
			}
		}
		if s.PutBackError != "" {
			fmt.Fprintf(&b, "  %s: %s\n", n.look.paint(bad, "not put back"), s.Name)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "did not pass:\n" + b.String() + "\n"
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
