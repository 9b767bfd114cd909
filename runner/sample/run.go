package sample

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// batchSize is how many observations are delivered at once, at most.
const batchSize = 256

// Run sends requests until each says that it has seen enough, or ctx ends.
//
// each gets observations in the order of dispatch, without holes, from one
// goroutine; the slice is used again after it returns. Run returns nil when
// each said so by returning false, ctx's error when ctx ended (what had come
// back by then is delivered as far as the order has no hole), and another
// error when it cannot go on: bad options, or a lack of this machine's. A
// request that is under way when Run ends is abandoned; it counts for nothing.
//
// In a closed loop a worker that meets one fault after the other pauses between
// them, from 2 ms doubling to a quarter of a second, so that a gateway that is
// down is not hammered. The pause is before a request has its number, so it has
// no part in what the request gets. An open loop keeps to its times.
func Run(ctx context.Context, o Options, each func([]Observation) (more bool)) error {
	cases, err := o.prepare()
	if err != nil {
		return err
	}
	// Not with ctx's deadline: a dialer heeds one by itself, a moment before ctx
	// ends, and what it then says looks like a gateway that lets nobody in.
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(ctx.Err()) })()
	begin, names := time.Now(), newNames()
	w := newWindow(o.ahead(), o.pace(begin))
	defer context.AfterFunc(inner, w.close)()

	var workers sync.WaitGroup
	var opened atomic.Int64
	start := func(work func(context.Context) error) {
		workers.Go(func() {
			if err := work(inner); err != nil {
				cancel(err)
			}
		})
	}
	if fast := newLoop(&o, cases, names, begin, w); fast != nil {
		start(fast.run)
	} else {
		for range o.Workers {
			x := newExchanger(&o, cases, names, &opened, begin)
			start(func(ctx context.Context) error { return x.work(ctx, w) })
		}
	}
	batch := make([]Observation, 0, batchSize)
	for {
		got := w.take(batch)
		if len(got) == 0 {
			if inner.Err() == nil {
				continue
			}
			break
		}
		if !each(got) {
			cancel(nil)
			workers.Wait()
			return nil
		}
	}
	workers.Wait()
	// Between the end and now some more may have come back.
	for got := w.take(batch); len(got) > 0; got = w.take(batch) {
		if !each(got) {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return context.Cause(inner)
}

// pace is the schedule of a run that began at begin.
func (o *Options) pace(begin time.Time) pace {
	if o.Open {
		return newSchedule(o.Rate, begin)
	}
	return newPace(o.Rate)
}

// aheadMost bounds what a window holds: some megabytes.
const aheadMost = 1 << 16

// ahead is how many requests may be sent while one that hangs is waited for. An
// open loop must not stop for it.
func (o *Options) ahead() int {
	if o.Open {
		return int(min(2*o.Rate*o.Timeout.Seconds(), aheadMost))
	}
	return 4 * o.Workers
}

// due is when request number is to be sent, since the run began, if it is sent
// at sent. In an open loop that is fixed, and latency counts from it.
func (o *Options) due(number int64, sent time.Duration) time.Duration {
	if o.Open {
		return time.Duration(number) * interval(o.Rate)
	}
	return sent
}

// work sends requests one after the other until ctx ends or this side fails.
func (x *exchanger) work(ctx context.Context, w *window) error {
	faults := 0
	defer x.hangUp()
	for {
		if !x.options.Open && !sleep(ctx, backoff(faults)) {
			return nil
		}
		number, wait, ok := w.dispatch()
		if !ok || !sleep(ctx, wait) {
			return nil
		}
		o, err := x.do(ctx, number)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("request %d cannot be sent from here (fewer workers may do): %w", number, err)
		}
		// An unknown answer is the gateway's word too: it lives.
		if o.Fault == "" || o.Fault == UnknownAnswer {
			faults = 0
		} else {
			faults++
		}
		w.put(o)
	}
}

// backoff is the pause after so many faults on end. One is no reason for one:
// with a few per cent of errors the sampler keeps its speed.
func backoff(faults int) time.Duration {
	if faults < 2 {
		return 0
	}
	return min(2*time.Millisecond<<min(faults-2, 10), 250*time.Millisecond)
}

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// prepare fills in what is assumed, and refuses what cannot be sent, all at once.
func (o *Options) prepare() ([]prepared, error) {
	var mistakes []error
	if len(o.Cases) == 0 {
		mistakes = append(mistakes, errors.New("no request to send"))
	}
	if o.Workers < 0 || o.Rate < 0 || o.Timeout < 0 || o.ConnectTimeout < 0 || o.FirstByteTimeout < 0 || o.BodyLimit < 0 {
		mistakes = append(mistakes, errors.New("workers, rate, time-outs and limits cannot be negative"))
	}
	if o.Rate > 0 && o.Rate < rateLeast {
		mistakes = append(mistakes, fmt.Errorf("a rate of %g a second: want at least one request a day", o.Rate))
	}
	if o.Workers > workersMost {
		mistakes = append(mistakes, fmt.Errorf("%d workers: at most %d", o.Workers, workersMost))
	}
	if o.Open && (o.Rate <= 0 || o.Rate > rateMost) {
		mistakes = append(mistakes, fmt.Errorf("an open loop needs a rate of at most %d a second", rateMost))
	}
	if o.Protocol != HTTP1 && o.Protocol != HTTP2 {
		mistakes = append(mistakes, fmt.Errorf("protocol %d: want HTTP1 or HTTP2", o.Protocol))
	}
	o.Workers = max(1, o.Workers)
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.BodyLimit == 0 {
		o.BodyLimit = DefaultBodyLimit
	}
	cases := make([]prepared, len(o.Cases))
	targets := make(map[string]int)
	for i, c := range o.Cases {
		var err error
		if cases[i], err = prepare(c, o); err != nil {
			mistakes = append(mistakes, fmt.Errorf("case %d: %w", i+1, err))
			continue
		}
		name := cases[i].gateway()
		if _, known := targets[name]; !known {
			targets[name] = len(targets)
		}
		cases[i].target = targets[name]
	}
	return cases, errors.Join(mistakes...)
}

// rateMost is what an open loop's times can express well.
const rateMost = 1_000_000

// What could not be meant: fewer requests than one a day, and more connections
// at once than a gateway's address takes from here (it has 65,535 ports).
const (
	rateLeast   = 1. / (24 * 60 * 60)
	workersMost = 65_535
)
