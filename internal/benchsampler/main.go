// Command benchsampler measures the sampler beside wrk.
//
// It is for whoever changes the sampler or doubts what is said of it:
//
//	make bench-sampler
//
// In one run it has wrk and the sampler take turns against the same servers,
// seven rounds of it, and prints requests a second and CPU time per request of
// the client alone (user and system time of a process of its own, as the kernel
// accounts it). The ratio to wrk is taken in each round, and the median of the
// rounds is shown, so that what else the machine does in one of them does not
// matter. It ends with code 1 when a bar does not hold, and 2 when it could not
// measure.
//
// The servers are not written here either: an nginx that answers a fixed text
// from one worker process, and in front of it an nginx or an HAProxy that
// passes requests on, with one worker or thread.
//
// It needs nginx and wrk, and shows HAProxy, hey and fortio where it can get
// them; it says where from.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// options are what the flags say.
type options struct {
	rounds  int
	seconds int
	memory  int64
	pin     string
	only    *regexp.Regexp
	judged  bool
}

func main() {
	if load := os.Getenv(childLoad); load != "" {
		os.Exit(child(load))
	}
	o, err := parse(os.Args[1:])
	if err != nil {
		if err != flag.ErrHelp {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	held, err := bench(ctx, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchsampler:", err)
		os.Exit(2)
	case !held:
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{}
	f := flag.NewFlagSet("benchsampler", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 7, "`N` times each client has its turn")
	f.IntVar(&o.seconds, "seconds", 1, "how many `SECONDS` a turn takes")
	f.Int64Var(&o.memory, "memory", 10_000_000, "`REQUESTS` of the run that measures memory; 0 leaves it out")
	f.StringVar(&o.pin, "pin", "", "`HOW` the processors are shared: apart (the servers on the first, the client on the second), free; default apart where there are two")
	only := f.String("only", "", "only loads whose title matches `REGEXP`, such as 'straight, keep-alive'")
	f.BoolVar(&o.judged, "judged", false, "only what is judged: wrk and the sampler, straight and through nginx")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.rounds < 1 || o.seconds < 1 || o.memory < 0 || f.NArg() > 0 {
		return o, fmt.Errorf("-rounds and -seconds are at least 1, -memory at least 0, and nothing follows the flags")
	}
	return o, o.placing()
}

// bench measures everything and prints it; false when a bar does not hold.
func bench(ctx context.Context, o options) (held bool, err error) {
	tools, err := findTools(ctx, o)
	if err != nil {
		return false, err
	}
	defer tools.close()
	servers, err := startServers(o, tools)
	if err != nil {
		return false, err
	}
	defer servers.close()
	held = true
	if table := newTable(plan(o, tools, servers)); len(table.rows) > 0 {
		for round := range o.rounds {
			if err := table.round(ctx, round); err != nil {
				return false, err
			}
			fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, o.rounds)
		}
		table.print(os.Stdout, o, tools)
		held = table.held()
	} else if o.memory == 0 {
		return false, fmt.Errorf("-only %s: no load has such a title, and memory is not to be measured", o.only)
	}
	if o.memory > 0 {
		fits, err := memory(ctx, os.Stdout, o, servers)
		if err != nil {
			return false, err
		}
		held = held && fits
	}
	return held, nil
}
