package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/meshassay/assay/runner/sample"
)

// childLoad is the environment variable that makes this program a client: it
// holds the load as JSON. The sampler has a process of its own, so that the
// kernel says what it alone has used.
const childLoad = "ASSAY_BENCH_LOAD"

// A load is what a client is to do.
type load struct {
	URL         string
	Connections int
	Reuse       bool          // keep connections alive
	Duration    time.Duration // how long, or
	Requests    int64         // how many, when not 0
	HTTP2       bool
	Portable    bool // the sampler's portable path
}

// done is what a client did.
type done struct {
	Requests int64
	Elapsed  time.Duration
	CPU      time.Duration // user and system
	Memory   int64         // the most that was resident, in bytes
}

// child is the sampler under load: it asks, reads, classifies and counts, with
// examples, as an expectation does. It prints what it did as JSON.
func child(text string) int {
	var l load
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	d, err := ask(l)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sampler:", err)
		return 1
	}
	json.NewEncoder(os.Stdout).Encode(d)
	return 0
}

func ask(l load) (done, error) {
	o := sample.Options{
		Cases:      []sample.Request{{URL: l.URL}},
		Classifier: sample.NewClassifier([]sample.Rule{{JSON: "color", Values: map[string]string{"blue": "blue", "green": "green", "yellow": "canary"}}}),
		Workers:    l.Connections, Reuse: l.Reuse, Portable: l.Portable,
		TLS:      &tls.Config{InsecureSkipVerify: true}, // as wrk and the others: none of them verifies
		Examples: new(sample.Examples),
	}
	if l.HTTP2 {
		o.Protocol = sample.HTTP2
	}
	ctx := context.Background()
	if l.Requests == 0 {
		limited, cancel := context.WithTimeout(ctx, l.Duration)
		defer cancel()
		ctx = limited
	}
	tally := sample.NewTally()
	begin := time.Now()
	err := sample.Run(ctx, o, func(batch []sample.Observation) bool {
		tally.Add(batch)
		// What is not blue ends it: the servers may have ended with the benchmark.
		return tally.Outcomes["blue"] == tally.N && (l.Requests == 0 || tally.N < l.Requests)
	})
	elapsed := time.Since(begin)
	if err != nil && ctx.Err() == nil {
		return done{}, err
	}
	if blue := tally.Outcomes["blue"]; blue != tally.N {
		return done{}, fmt.Errorf("of %d answers %d were blue, faults %v, first and last: %+v", tally.N, blue, tally.Faults, o.Examples.List())
	}
	return done{Requests: tally.N, Elapsed: elapsed}, nil
}
