package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/meshassay/assay/internal/gateways"
)

// What is built from Go modules when it is to be shown, at versions that build
// from the public module proxy.
var modules = []struct{ name, module string }{
	{"hey", "github.com/rakyll/hey@v0.1.5"},
	{"fortio", "fortio.org/fortio@v1.63.0"},
}

// tools are the programs beside the sampler.
type tools struct {
	wrk     string
	haproxy bool
	built   map[string]string // hey and fortio: the path, when it could be built
	missing []string          // what is not shown, and why
	folder  string
}

// findTools finds what is installed and builds what is not. Without nginx and
// wrk there is nothing to measure.
func findTools(ctx context.Context, o options) (*tools, error) {
	t := &tools{built: map[string]string{}}
	var err error
	if t.wrk, err = gateways.Find("wrk"); err != nil {
		return nil, err
	}
	if _, err := gateways.Find("nginx"); err != nil {
		return nil, err
	}
	if o.judged {
		return t, nil
	}
	if _, err := gateways.Find("haproxy"); err != nil {
		t.missing = append(t.missing, err.Error())
	} else {
		t.haproxy = true
	}
	if t.folder, err = os.MkdirTemp("", "assay-bench-"); err != nil {
		return nil, err
	}
	for _, m := range modules {
		fmt.Fprintf(os.Stderr, "building %s\n", m.module)
		// GOFLAGS=-mod=mod: whatever flags this project is built with do not concern it.
		cmd := exec.CommandContext(ctx, "go", "install", m.module)
		cmd.Dir = t.folder
		cmd.Env = append(os.Environ(), "GOBIN="+t.folder, "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.missing = append(t.missing, fmt.Sprintf("%s cannot be built (go install %s): %v: %s", m.name, m.module, err, lastLine(out)))
			continue
		}
		t.built[m.name] = filepath.Join(t.folder, m.name)
	}
	return t, nil
}

func (t *tools) close() {
	if t.folder != "" {
		os.RemoveAll(t.folder)
	}
}

// lastLine is the last line of a program's output.
func lastLine(out []byte) string {
	end := len(out)
	for end > 0 && out[end-1] == '\n' {
		end--
	}
	begin := end
	for begin > 0 && out[begin-1] != '\n' {
		begin--
	}
	return string(out[begin:end])
}

// How the processors are shared.
const (
	apart = "apart"
	free  = "free"
)

// placing settles how the processors are shared.
//
// Where client and servers share two processors, the scheduler moves them about
// and a client that yields more often looks slower or faster than it is. Apart,
// each client has exactly one processor to itself, as wrk with one thread can
// use no more anyway, and the servers have the other: the ratios are steadier,
// and none of the clients can take time from the servers.
func (o *options) placing() error {
	_, err := exec.LookPath("taskset")
	possible := err == nil && runtime.NumCPU() >= 2
	switch {
	case o.pin == "" && possible:
		o.pin = apart
	case o.pin == "":
		o.pin = free
	case o.pin == apart && !possible:
		return fmt.Errorf("-pin apart needs two processors and taskset: apt-get install util-linux")
	case o.pin != apart && o.pin != free:
		return fmt.Errorf("-pin is apart or free, not %q", o.pin)
	}
	return nil
}

func (o options) serverPrefix() []string { return o.prefix("0") }
func (o options) clientPrefix() []string { return o.prefix("1") }

func (o options) prefix(processor string) []string {
	if o.pin != apart {
		return nil
	}
	return []string{"taskset", "-c", processor}
}
