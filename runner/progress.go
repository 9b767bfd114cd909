package runner

import (
	"slices"
	"strings"
)

// telling is what one part of a step (one cluster, one gateway) is doing.
type telling struct {
	part string
	say  func() string
}

// live says what a part of the present step is doing, until the step ends or
// the part says something else.
func (r *Run) live(part string, say func() string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A new slice: Progress may be reading the old one.
	r.progress = append(slices.DeleteFunc(slices.Clone(r.progress), func(t telling) bool { return t.part == part }), telling{part, say})
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
	now := r.progress
	r.mu.Unlock()
	var lines []string
	for _, t := range now {
		if line := t.say(); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
