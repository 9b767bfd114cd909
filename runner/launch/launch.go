// Package launch gives a run its sandbox: it builds the nested module
// github.com/meshassay/assay/sandbox when that is needed, starts it as a child
// process and waits until it answers, or attaches to one that runs already.
//
// It is for the suite and for the assay command. It imports none of the
// project's packages, and it refuses to leave anything behind: the child stops
// when its standard input ends, so even a killed parent takes it along.
package launch

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Attach is the environment variable that names the kubeconfig of a running
// sandbox. When it is set, Start uses that one.
const Attach = "ASSAY_SANDBOX"

// Options say where a sandbox comes from and how it is started. The zero value
// is ready for use inside a clone of the project.
type Options struct {
	// Dir is the folder from which the project's go.mod is looked for,
	// upwards. Empty: the working directory.
	Dir string
	// Kubeconfig is the file that the sandbox writes. Empty: one in its
	// temporary folder, which goes away with it.
	Kubeconfig string
	// Port is the port of the gateways, each at a loopback address of its own
	// (127.0.0.2 and 127.0.0.3). 0: both at 127.0.0.1, at 18001 and 18002 or,
	// where those are taken, at free ports.
	Port int
	// Own starts a sandbox even though $ASSAY_SANDBOX names another.
	Own bool
	// Binary is a sandbox that was built elsewhere. Empty: it is built from
	// the sources when the cache does not hold it.
	Binary string
	// Log receives a line for each thing that is done. Nil: nobody is told.
	Log io.Writer
	// ReadyWithin limits the wait for the sandbox to answer. 0: 4 minutes
	// (about 7 seconds on two idle cores; a start took 88 at load 20).
	ReadyWithin time.Duration
	// StopWithin limits the wait for an end in order; then the process is
	// killed. 0: 20 seconds.
	StopWithin time.Duration
}

// Sandbox is a running sandbox.
type Sandbox struct {
	// Kubeconfig is the path of the file that holds Contexts.
	Kubeconfig string
	// Contexts are the clusters' names: mgmt, cluster1, cluster2.
	Contexts []string
	// Gateways are the URLs of the ingress gateways by cluster. Nil when
	// attached: an environment finds them through their Services.
	Gateways map[string]string
	// VM is the address that WorkloadEntries name. Empty when attached.
	VM string
	// Proxy is the URL of the HTTP proxy by which calls go out from the VM. Empty
	// when attached.
	Proxy string
	// Attached says that somebody else started it, and that Stop leaves it
	// alone.
	Attached bool

	child *child
}

// Start attaches to the sandbox that $ASSAY_SANDBOX names, or else builds one
// when the cache does not hold it, starts it and waits until it is ready.
// Ending ctx ends the start, not a sandbox that has started.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	o = o.withDefaults()
	if file := os.Getenv(Attach); file != "" && !o.Own {
		return attach(ctx, file, o.Log)
	}
	binary := o.Binary
	if binary == "" {
		var err error
		if binary, err = Build(ctx, o); err != nil {
			return nil, err
		}
	}
	return start(ctx, binary, o)
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.ReadyWithin == 0 {
		o.ReadyWithin = 4 * time.Minute
	}
	if o.StopWithin == 0 {
		o.StopWithin = 20 * time.Second
	}
	return o
}

// start runs binary in a folder of its own and waits for the ready event.
func start(ctx context.Context, binary string, o Options) (*Sandbox, error) {
	dir, err := shortTempDir()
	if err != nil {
		return nil, err
	}
	args := []string{"--dir", dir, "--parent", "--remove-dir"}
	if o.Kubeconfig != "" {
		file, err := filepath.Abs(o.Kubeconfig)
		if err != nil {
			return nil, err
		}
		args = append(args, "--kubeconfig", file)
	}
	if o.Port != 0 {
		args = append(args, "--port", strconv.Itoa(o.Port))
	}
	began := time.Now()
	c, err := startChild(binary, args, dir, o)
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	ready, err := c.awaitReady(ctx, o.ReadyWithin)
	if err != nil {
		logs := c.logs()
		_ = c.stop(context.WithoutCancel(ctx), o.StopWithin)
		return nil, fmt.Errorf("the sandbox did not start: %w%s", err, logs)
	}
	fmt.Fprintf(o.Log, "the sandbox is ready after %.1f s\n", time.Since(began).Seconds())
	return &Sandbox{
		Kubeconfig: ready.Kubeconfig, Contexts: ready.Contexts,
		Gateways: ready.Gateways, VM: ready.VM, Proxy: ready.Proxy, child: c,
	}, nil
}

// Stop ends a sandbox that Start started: in order by closing its standard
// input, after a limit (or when ctx ends) by killing it. Afterwards neither
// its processes nor its folder exist. It may be called more than once. A
// sandbox that was attached to is left alone.
func (s *Sandbox) Stop(ctx context.Context) error {
	if s == nil || s.child == nil {
		return nil
	}
	return s.child.stop(ctx, s.child.stopWithin)
}

// Done is closed when the sandbox's process has ended. For an attached
// sandbox it is nil, which blocks for ever.
func (s *Sandbox) Done() <-chan struct{} {
	if s.child == nil {
		return nil
	}
	return s.child.exited
}

// Err says why a sandbox that nobody stopped has ended; nil while it runs.
func (s *Sandbox) Err() error {
	if s.child == nil {
		return nil
	}
	select {
	case <-s.child.exited:
		return s.child.endedBy()
	default:
		return nil
	}
}

// longestDir leaves room in the 104 to 108 bytes of a Unix socket's path for
// what the sandbox appends to its folder's.
const longestDir = 60

// shortTempDir makes a temporary folder whose path is short enough for the
// sockets in it, in /tmp where the usual place is too long (as on macOS).
func shortTempDir() (string, error) {
	parent := os.TempDir()
	if len(parent)+len("/assay-0123456789") > longestDir {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "assay-")
	if err != nil {
		return "", fmt.Errorf("make the sandbox's folder: %w", err)
	}
	return dir, nil
}
