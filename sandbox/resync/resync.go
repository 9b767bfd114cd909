// Package resync is for those parts of the sandbox that keep objects as other
// objects demand: it does their work after something has changed, once for
// changes that come together, and again after a failure, later each time.
//
// It knows no Kubernetes, and it never gives up: what fails is told to the log.
package resync

import (
	"context"
	"log/slog"
	"time"
)

// How long after a failure the work is done again: at first, and at the most.
// Each failure after the one before doubles it.
const (
	First   = 100 * time.Millisecond
	Longest = 10 * time.Second
)

// Loop does some work after changes. Make it with New.
type Loop struct {
	name   string
	gather time.Duration
	log    *slog.Logger
	dirty  chan struct{} // holds a word while there is something new
}

// New returns the loop of a part of the sandbox that has a name for the log.
// Gather is how long changes are gathered before the work begins.
func New(name string, gather time.Duration, log *slog.Logger) *Loop {
	return &Loop{name: name, gather: gather, log: log, dirty: make(chan struct{}, 1)}
}

// Changed says that there is something to do. It never waits; one word is
// enough for any number of changes.
func (l *Loop) Changed() {
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// Run does the work whenever something has changed, until ctx ends. Changes
// that the work itself makes come back and find nothing to do: that is where
// it ends.
func (l *Loop) Run(ctx context.Context, work func(context.Context) error) {
	retry := First
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-again:
		case <-l.dirty:
			select { // what belongs together comes together
			case <-ctx.Done():
				return
			case <-time.After(l.gather):
			}
		}
		again = nil
		if err := work(ctx); err == nil {
			retry = First
		} else if ctx.Err() == nil {
			l.log.Error(l.name+" will try again", "in", retry, "err", err)
			again = time.After(retry)
			retry = min(2*retry, Longest)
		}
	}
}
