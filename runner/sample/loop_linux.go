package sample

import (
	"context"
	"time"
)

// A loop sends all requests of a run from one goroutine.
type loop struct{}

func newLoop(*Options, []prepared, *names, time.Time, *window) *loop { return nil }

func (*loop) run(context.Context) error { return nil }
