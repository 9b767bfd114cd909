package runner

import (
	"strings"
)

// live says what a step is doing until the step ends. Several parts of one
// step may each have something to say.
func (r *Run) live(_ *PlannedStep, say func() string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = append(r.progress, say)
}

// quiet ends what live began.
func (r *Run) quiet() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = nil
}

// Progress says what the run is doing right now: for an expectation the counts
// so far and the verdict as it stands, a line for each gateway. It is empty
// between steps, and safe to call at any time.
func (r *Run) Progress() string {
	r.mu.Lock()
	say := r.progress
	r.mu.Unlock()
	var lines []string
	for _, s := range say {
		if line := s(); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
