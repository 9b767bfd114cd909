package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/launch"
)

// sandboxFlags are what `assay sandbox` can be told.
type sandboxFlags struct {
	kubeconfig string
	force      bool
	port       uint16
}

func sandboxCommand() *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox [-- COMMAND [ARG…]]",
		Short: "Run the sandbox until Ctrl-C, or while a command runs",
		Long: `Run the sandbox in the foreground: three Kubernetes API servers (mgmt, cluster1, cluster2), a small mesh,
a gateway in each workload cluster, and a "virtual machine", in one process on this machine's loopback.
It is built the first time (4 to 7 minutes on two cores), which needs Go and nothing else. Nothing of the
tutorial is deployed in it: that is for scenarios, or for you. Ctrl-C ends it and leaves nothing behind.

With a command it runs as long as that does: with KUBECONFIG, ASSAY_SANDBOX, MGMT, CLUSTER1, CLUSTER2 and
VM_ADDRESS set for it, and with its exit code.`,
		Example: `  assay sandbox                              # then follow what it prints
  assay sandbox --kubeconfig ~/.kube/sandbox # a kubeconfig in a place that you know
  ASSAY_SANDBOX=~/.kube/sandbox go tool ginkgo ./suites   # in another terminal: run the scenarios there
  assay sandbox --port 80                    # gateways at 127.0.0.2 and 127.0.0.3, so that curl http://127.0.0.2/api works
  assay sandbox -- bash                      # a shell in which kubectl speaks to the sandbox
  assay sandbox -- go test ./...             # tests of yours that want three clusters`,
		Args: func(c *cobra.Command, args []string) error {
			if before := c.ArgsLenAtDash(); before > 0 || before < 0 && len(args) > 0 {
				return fmt.Errorf("unknown argument %q (a command goes after --: assay sandbox -- %s)", args[0], strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, command []string) error {
			return notWell(f.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), command))
		},
	}
	c.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "`FILE` to write, removed at the end (default: one in a temporary folder)")
	c.Flags().BoolVar(&f.force, "force", false, "replace the file of --kubeconfig whatever it holds")
	c.Flags().Uint16Var(&f.port, "port", 0, "`PORT` of the gateways, such as 80: cluster1's at 127.0.0.2, cluster2's at 127.0.0.3\n(default: 18001 and 18002 at 127.0.0.1)")
	return c
}

// run starts a sandbox and keeps it until ctx, the command or the sandbox ends.
func (f sandboxFlags) run(ctx context.Context, stdout, stderr io.Writer, command []string) error {
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
	s, err := launch.Start(ctx, launch.Options{Kubeconfig: f.kubeconfig, Port: int(f.port), Log: stderr, Own: true})
	if err != nil {
		return err
	}
	var ended error
	if len(command) > 0 {
		ended = runIn(ctx, s, command, stdout, stderr)
	} else {
		fmt.Fprint(stdout, howToUse(s))
		select {
		case <-ctx.Done():
			fmt.Fprintln(stderr, "stopping the sandbox")
		case <-s.Done():
		}
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
	if err != nil {
		return err
	}
	return ended
}

// runIn runs a command that finds the sandbox through its surroundings. What
// ends this process, or the sandbox's own end, is passed on to it.
func runIn(ctx context.Context, s *launch.Sandbox, command []string, stdout, stderr io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-s.Done():
			stop()
		case <-ctx.Done():
		}
	}()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = time.Minute
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, stdout, stderr
	c.Env = append(os.Environ(), surroundings(s)...)
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return outcome{code: exit.ExitCode()}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}

// surroundings are the variables by which programs find the sandbox: kubectl,
// suites, and the tutorial's own scripts.
func surroundings(s *launch.Sandbox) []string {
	return []string{
		"KUBECONFIG=" + s.Kubeconfig, launch.Attach + "=" + s.Kubeconfig,
		"MGMT=mgmt", "CLUSTER1=cluster1", "CLUSTER2=cluster2", "VM_ADDRESS=" + s.VM,
	}
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
	if s.Proxy != "" {
		fmt.Fprintf(&b, "  calls from it         curl --proxy %s http://NAME.NAMESPACE.svc.cluster.local:8080\n", s.Proxy)
	}
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
