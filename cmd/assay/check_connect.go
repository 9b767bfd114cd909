package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/launch"
)

// checkAndConnect checks scenarios, and then looks whether what the environment
// names answers. Mistakes in scenarios do not keep it from looking.
func checkAndConnect(ctx context.Context, stdout io.Writer, paths []string, environmentName string) error {
	found, wrong := checked(stdout, paths, environmentName, os.LookupEnv)
	var told outcome
	if found.engine == nil || wrong != nil && !errors.As(wrong, &told) {
		return wrong
	}
	if found.env.Name == environment.Sandbox {
		kubeconfig := os.Getenv(launch.Attach)
		if kubeconfig == "" {
			return fmt.Errorf("a run starts a sandbox of its own, so there is nothing to connect to yet; start one that stays (%s sandbox) and set %s, or name another environment (--environment)", self(), launch.Attach)
		}
		found.env.Kubeconfig = kubeconfig
	}
	if err := say(stdout, fmt.Sprintf("\nenvironment %s (%s):\n", found.env.Name, found.env.File)); err != nil {
		return err
	}
	connections := found.engine.Connect(ctx, found.plan)
	bad := 0
	for _, c := range connections {
		if c.Err != nil {
			bad++
		}
	}
	if err := say(stdout, connectionsText(connections)); err != nil {
		return err
	}
	if bad > 0 {
		if err := say(stdout, fmt.Sprintf("\n%d of %d do not work\n", bad, len(connections))); err != nil {
			return err
		}
		return outcome{}
	}
	return wrong
}

// connectionsText is a line or more for each thing that was looked at.
func connectionsText(connections []runner.Connection) string {
	width := 0
	for _, c := range connections {
		width = max(width, len(c.Kind+c.Name)+1)
	}
	var b strings.Builder
	for _, c := range connections {
		name := c.Kind + " " + c.Name
		mark, text := "ok   ", c.Found
		switch {
		case c.Err != nil:
			mark, text = "wrong", c.Err.Error()
		case c.Note != "":
			mark, text = "?    ", c.Found+": "+c.Note
		}
		fmt.Fprintf(&b, "  %s%s  %s  %s\n", name, strings.Repeat(" ", width-len(name)), mark,
			strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", width+11)))
	}
	return b.String()
}
