package launch

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// The tests start their own binary as the sandbox, or as a parent of one; what
// it then does is in this variable.
const fakeMode = "ASSAY_TEST_FAKE"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(fakeMode); mode {
	case "":
		os.Exit(m.Run())
	case "parent":
		fakeParent()
	default:
		os.Exit(fakeSandbox(mode))
	}
}

// fakeSandbox speaks the protocol as the sandbox does, or breaks it.
func fakeSandbox(mode string) int {
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	dir := flags.String("dir", "", "")
	kubeconfig := flags.String("kubeconfig", "", "")
	attached := flags.Bool("parent", false, "")
	remove := flags.Bool("remove-dir", false, "")
	if err := flags.Parse(os.Args[1:]); err != nil || !*attached {
		return 2
	}
	signal.Ignore(os.Interrupt, syscall.SIGPIPE)
	if *kubeconfig == "" {
		*kubeconfig = filepath.Join(*dir, "kubeconfig")
	}
	say := func(e map[string]any) { _ = json.NewEncoder(os.Stdout).Encode(e) }
	say(map[string]any{"event": "progress", "text": "starting the servers"})
	switch mode {
	case "fails":
		fmt.Println("a line outside of the protocol")
		fmt.Fprintln(os.Stderr, "panic: a line on standard error")
		_ = os.WriteFile(filepath.Join(*dir, "apiserver.log"), []byte("E0101 listen: address in use\n"), 0o600)
		say(map[string]any{"event": "failed", "text": "mgmt: no port is free"})
		return 1
	case "quits":
		return 3
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	}
	say(map[string]any{
		"event": "ready", "kubeconfig": *kubeconfig, "contexts": clusters, "vm": "192.168.64.10",
		"gateways": map[string]string{"cluster1": "http://127.0.0.1:18001"}, "seconds": 0.1,
		"pid": os.Getpid(),
	})
	if mode == "deaf" {
		select {}
	}
	told, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if told != "" {
		return 4
	}
	if *remove {
		os.RemoveAll(*dir)
	}
	say(map[string]any{"event": "stopped", "seconds": 0.1})
	return 0
}

// fakeParent starts a fake sandbox, says where it is and waits to be killed.
func fakeParent() {
	binary, _ := os.Executable()
	os.Setenv(fakeMode, "works")
	s, err := Start(context.Background(), Options{Binary: binary, Log: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.child.cmd.Process.Pid, s.child.dir)
	select {}
}
