// Command sandbox is three Kubernetes clusters with a small service mesh, in
// one process on loopback: the management cluster mgmt, and the workload
// clusters cluster1 and cluster2 with an ingress gateway each, and beside them
// a virtual machine. It stands in for the clusters of the tutorial that the
// project tests, and needs nothing installed.
//
// What happens is told on standard output, one JSON object a line (package
// parent); everything else goes to files in the folder --dir.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"k8s.io/klog/v2"

	"github.com/meshassay/assay/sandbox/parent"
)

const (
	// startLimit is generous: a machine under load needs many times as long.
	startLimit = 4 * time.Minute
	// stopLimit is when stopping in order is given up. It is as generous,
	// because constructing an API server cannot be interrupted.
	stopLimit = 20 * time.Second
	// memoryLimit is where the garbage collector begins to work harder. It is
	// well above what is in use, about 400 MB: a limit below that would make
	// the start many times slower.
	memoryLimit = 750 << 20
)

// settings are the command line.
type settings struct {
	dir         string        // empty: one of its own that goes in the end
	kubeconfig  string        // empty: in dir
	gatewayPort int           // of cluster1; cluster2 has the next, and the VM's proxy the one after that
	port        int           // of every gateway, each at an address of its own; 0: gatewayPort holds
	propagation time.Duration // from an object's change to the gateways'
	attached    bool          // stop when standard input ends
	removeDir   bool          // dir goes in the end too
}

func main() {
	began := time.Now()
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(200) // the start is mostly allocation
	s := parseFlags()
	events := parent.NewEvents(os.Stdout)
	ctx, release := parent.UntilStopped(os.Stdin, s.attached)
	defer release()
	if err := run(ctx, s, events, began); err != nil {
		events.Failed(err.Error())
		os.Exit(1)
	}
}

func parseFlags() settings {
	var s settings
	flag.StringVar(&s.dir, "dir", "", "folder for keys, data and logs; it must not be in use by another sandbox (default: a temporary one)")
	flag.StringVar(&s.kubeconfig, "kubeconfig", "", "file to write the kubeconfig to (default: kubeconfig in --dir)")
	flag.IntVar(&s.gatewayPort, "gateway-port", 18001, "port of cluster1's gateway; cluster2's is the next, and that of the VM's proxy comes after it; a port in use is replaced by a free one")
	flag.IntVar(&s.port, "port", 0, "port of both gateways, cluster1's at 127.0.0.2 and cluster2's at 127.0.0.3, instead of --gateway-port; not replaced when it cannot be had")
	flag.DurationVar(&s.propagation, "propagation", 50*time.Millisecond, "how long after a change the gateways follow it")
	flag.BoolVar(&s.attached, "parent", false, "stop when standard input ends, and let Ctrl-C be the parent's")
	flag.BoolVar(&s.removeDir, "remove-dir", false, "remove the folder --dir after an end that was asked for, logs and all")
	flag.Parse()
	if s.port < 0 || s.port > 65535 {
		fmt.Fprintf(flag.CommandLine.Output(), "--port %d: want 1 to 65535\n", s.port)
		os.Exit(2)
	}
	if flag.NArg() > 0 {
		fmt.Fprintf(flag.CommandLine.Output(), "unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}
	return s
}

// run is a sandbox's life. The error is why it ended although nobody asked it.
func run(ctx context.Context, s settings, events *parent.Events, began time.Time) error {
	f, err := openFolder(s)
	if err != nil {
		return err
	}
	survive(ctx, f, events)
	stopping, beginStop := context.WithCancel(ctx)
	defer beginStop()
	context.AfterFunc(stopping, func() {
		time.AfterFunc(stopLimit, func() {
			events.Failed(fmt.Sprintf("did not stop in order within %s", stopLimit))
			os.Exit(1)
		})
	})
	starting, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready after %s", startLimit))
	box, err := start(starting, s, f, events)
	cancel()
	if err == nil {
		events.Ready(box.ready(f, time.Since(began)))
		settle()
		err = box.wait(ctx)
	}
	asked := ctx.Err() != nil
	f.keep = !asked // somebody will want to read why
	beginStop()
	began = time.Now()
	stopped := errors.Join(box.stop(), f.close())
	if !asked {
		return errors.Join(err, stopped)
	}
	if stopped != nil {
		return fmt.Errorf("stopping: %w", stopped)
	}
	events.Stopped(time.Since(began).Seconds())
	return nil
}

// survive replaces what the Kubernetes code does when something fails for
// good: end the process. Where we are stopping anyway, parts that had not yet
// started fail, and only their goroutine ends; else the parent is told why.
func survive(ctx context.Context, f *folder, events *parent.Events) {
	klog.OsExit = func(code int) {
		if ctx.Err() == nil {
			events.Failed(fmt.Sprintf("a part of an API server has ended with code %d; its last words are in %s", code, f.logFile("kubernetes")))
			os.Exit(1)
		}
		runtime.Goexit()
	}
}

// settle gives memory of the start back: from now on little is allocated, so
// that a smaller heap costs next to nothing.
func settle() {
	debug.SetGCPercent(50)
	go debug.FreeOSMemory()
}
