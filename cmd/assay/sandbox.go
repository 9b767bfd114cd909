package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/launch"
)

// sandboxFlags are what `assay sandbox` can be told.
type sandboxFlags struct {
	kubeconfig string
	force      bool
}

func sandboxCommand() *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Run the sandbox until Ctrl-C",
		Long: `Run the sandbox in the foreground: three Kubernetes API servers (mgmt, cluster1, cluster2), a small mesh,
a gateway in each workload cluster, and a "virtual machine", in one process on this machine's loopback.
It is built the first time (about 4 minutes on two cores), which needs Go and nothing else. Nothing of the
tutorial is deployed in it: that is for scenarios, or for you. Ctrl-C ends it and leaves nothing behind.`,
		Example: `  assay sandbox                              # then follow what it prints
  assay sandbox --kubeconfig ~/.kube/sandbox # a kubeconfig in a place that you know
  ASSAY_SANDBOX=~/.kube/sandbox go tool ginkgo ./suites   # in another terminal: run the scenarios there`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return notWell(f.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr()))
		},
	}
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "`FILE` to write, removed at the end (default: one in a temporary folder)")
	c.Flags().BoolVar(&f.force, "force", false, "replace the file of --kubeconfig whatever it holds")
	return c
}

// run starts a sandbox and keeps it until ctx ends or the sandbox does.
func (f sandboxFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	if f.kubeconfig != "" {
		file, err := filepath.Abs(f.kubeconfig)
		if err != nil {
			return err
		}
		f.kubeconfig = file
		if f.force {
			err = removed(file)
		} else {
			err = free(ctx, file)
		}
		if err != nil {
			return err
		}
	}
	s, err := launch.Start(ctx, launch.Options{Kubeconfig: f.kubeconfig, Log: stderr, Own: true})
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, howToUse(s))
	select {
	case <-ctx.Done():
		fmt.Fprintln(stderr, "stopping the sandbox")
	case <-s.Done():
	}
	died := s.Err()
	// Another Ctrl-C ends the wait for an end in order.
	hurry, done := signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
	defer done()
	err = s.Stop(hurry)
	if f.kubeconfig != "" { // a sandbox that was killed has not removed it
		err = errors.Join(err, removed(f.kubeconfig))
	}
	if died != nil {
		return fmt.Errorf("the sandbox has ended: %w", died)
	}
	return err
}

// removed removes a file that may not be there.
func removed(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// free refuses to replace a kubeconfig that is not a sandbox's, or whose
// sandbox is running.
func free(ctx context.Context, file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().IsRegular() && info.Size() == 0:
		return nil
	case !launch.WroteKubeconfig(file):
		return fmt.Errorf("%s exists and is not a sandbox's kubeconfig; name another file, or replace it with --force", file)
	case launch.Answers(ctx, file) == nil:
		return fmt.Errorf("a sandbox is running already, with %s; use it (export %s=%s) or name another file", file, launch.Attach, file)
	default:
		return nil
	}
}

// howToUse tells a reader everything that is needed in another terminal.
func howToUse(s *launch.Sandbox) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
The sandbox is ready. In another terminal:

  export KUBECONFIG=%[1]s
  export ASSAY_SANDBOX=%[1]s   # suites then run their scenarios here
  export MGMT=mgmt CLUSTER1=cluster1 CLUSTER2=cluster2 VM_ADDRESS=%[2]s

`, quoted(s.Kubeconfig), s.VM)
	clusters := slices.Sorted(maps.Keys(s.Gateways))
	for _, cluster := range clusters {
		fmt.Fprintf(&b, "  gateway of %s   %s\n", cluster, s.Gateways[cluster])
	}
	fmt.Fprintf(&b, "  virtual machine       %s\n", s.VM)
	fmt.Fprint(&b, `
Look around, and change what you like: these are real API servers.

  kubectl --context mgmt get crd
  kubectl --context cluster1 -n istio-system get svc,pods
`)
	if len(clusters) > 0 {
		fmt.Fprintf(&b, `
The tutorial is not deployed yet, and a gateway answers 404 until it is. Once it is:

  curl %s/api
`, s.Gateways[clusters[0]])
	}
	fmt.Fprint(&b, "\nCtrl-C ends the sandbox.\n")
	return b.String()
}

// quoted makes a path one word of a shell.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\n'\"\\$`&|;<>()*?[]#~!{}") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
