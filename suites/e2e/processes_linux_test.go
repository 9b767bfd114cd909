package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// process is what /proc says of one.
type process struct {
	pid, parent int
	args        []string
	state       string
}

func readProcess(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// The second field, in brackets, may hold anything; those after it do not.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	p := process{pid: pid, state: fields[0], args: strings.Split(strings.TrimRight(string(args), "\x00"), "\x00")}
	p.parent, err = strconv.Atoi(fields[1])
	return p, err == nil
}

// alive says whether a process exists and is no zombie.
func alive(pid int) bool {
	p, ok := readProcess(pid)
	return ok && p.state != "Z" && p.state != "X"
}

// below returns the processes that one has started, directly or not.
func below(pid int) []process {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	children := map[int][]process{}
	for _, entry := range entries {
		n, _ := strconv.Atoi(filepath.Base(entry))
		if p, ok := readProcess(n); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var found []process
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		for _, p := range children[next[0]] {
			found = append(found, p)
			next = append(next, p.pid)
		}
	}
	return found
}

// traces are what a sandbox must not leave behind.
type traces struct {
	pid, suite int // of the sandbox, and of the process that started it
	ports      []string
	dir        string
}

// sandboxOf finds the running sandbox that a command has started, and where it
// listens.
func sandboxOf(t *testing.T, c *command) traces {
	t.Helper()
	for _, p := range below(c.cmd.Process.Pid) {
		i := slices.Index(p.args, "--dir")
		if filepath.Base(p.args[0]) != "sandbox" || i < 0 || i+1 >= len(p.args) {
			continue
		}
		found := traces{pid: p.pid, suite: p.parent, dir: p.args[i+1], ports: listening(p.pid)}
		if len(found.ports) < 5 {
			t.Fatalf("the sandbox listens on %v, want three API servers and two gateways at least", found.ports)
		}
		return found
	}
	t.Fatal("no sandbox is running")
	return traces{}
}

// gone checks that nothing is left of a sandbox. It waits for the process
// alone: all else must have gone by then.
func (s traces) gone(t *testing.T) {
	t.Helper()
	await(t, "the end of the sandbox", func() bool { return !alive(s.pid) })
	if left := slices.DeleteFunc(everyListener(), func(port string) bool { return !slices.Contains(s.ports, port) }); len(left) > 0 {
		t.Errorf("still listening: %v", left)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", s.dir, err)
	}
}

// listening returns the addresses at which a process listens, as the kernel
// writes them, with the number of the socket: another process may well listen
// at the same address a moment later.
func listening(pid int) []string {
	own := map[string]bool{}
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil {
			own[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	return slices.DeleteFunc(everyListener(), func(l string) bool { return !own[l[strings.LastIndexByte(l, ' ')+1:]] })
}

// everyListener returns "ADDRESS:PORT SOCKET" of every listening TCP socket.
func everyListener() []string {
	var found []string
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(file)
		for _, line := range strings.Split(string(text), "\n") {
			const listen = "0A"
			if f := strings.Fields(line); len(f) > 9 && f[3] == listen {
				found = append(found, f[1]+" "+f[9])
			}
		}
	}
	return found
}
