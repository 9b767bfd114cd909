package e2e

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limit is for one command: a first build of the sandbox takes minutes, and
// several at once on a small machine take more.
const limit = 15 * time.Minute

func TestMain(m *testing.M) {
	if os.Getenv("ASSAY_E2E") != "1" {
		fmt.Println("tests on real sandboxes are skipped; they run with ASSAY_E2E=1")
		return
	}
	os.Exit(m.Run())
}

// root is the module's root, where its readers type.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// command is a running command and what it has said.
type command struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys *os.File // what is written here is typed, when it has a terminal

	mu    sync.Mutex
	said  strings.Builder
	ended chan struct{}
}

// ginkgo starts `go tool ginkgo FLAGS ./suites -- ARGS`.
func ginkgo(t *testing.T, flags []string, args ...string) *command {
	t.Helper()
	return start(t, false, nil, suiteArgs(flags, args)...)
}

func suiteArgs(flags, args []string) []string {
	all := append([]string{"go", "tool", "ginkgo", "--no-color"}, flags...)
	return append(append(all, "./suites", "--"), args...)
}

// start starts a command in the module's root, with a terminal of its own when
// it is to be typed to.
func start(t *testing.T, terminal bool, env []string, args ...string) *command {
	t.Helper()
	c := &command{t: t, cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	c.cmd.Dir = root(t)
	c.cmd.Env = append(without(os.Environ(), "ASSAY_SANDBOX", "ASSAY_E2E"), env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, theirs := pipe(t)
	if terminal {
		c.keys, theirs = pseudoTerminal(t)
		output = c.keys
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		c.cmd.Stdin = theirs
	}
	c.cmd.Stdout, c.cmd.Stderr = theirs, theirs
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	go c.listen(output)
	t.Cleanup(c.kill)
	return c
}

// listen takes in what the command says until nobody has its output open any
// more, and then its end.
func (c *command) listen(output io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := output.Read(buffer)
		c.mu.Lock()
		c.said.Write(buffer[:n])
		c.mu.Unlock()
		if err != nil {
			break
		}
	}
	_ = c.cmd.Wait()
	close(c.ended)
}

func (c *command) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.ReplaceAll(c.said.String(), "\r\n", "\n")
}

// kill ends what is left of the command at the end of its test.
func (c *command) kill() {
	select {
	case <-c.ended:
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		<-c.ended
	}
	if c.t.Failed() {
		c.t.Logf("%s said:\n%s", strings.Join(c.cmd.Args, " "), c.output())
	}
}

// until waits for a text in the output.
func (c *command) until(text string) {
	c.t.Helper()
	await(c.t, fmt.Sprintf("%q in what the command says", text), func() bool {
		select {
		case <-c.ended:
			if !strings.Contains(c.output(), text) {
				c.t.Fatalf("the command has ended without saying %q", text)
			}
		default:
		}
		return strings.Contains(c.output(), text)
	})
}

// exit waits for the end and returns the exit code.
func (c *command) exit() int {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.t.Fatalf("no end within %s", limit)
	}
	return c.cmd.ProcessState.ExitCode()
}

// says checks that each text is in the output.
func (c *command) says(texts ...string) {
	c.t.Helper()
	said := c.output()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			c.t.Errorf("it does not say %q", text)
		}
	}
}

// await waits for a condition, which is looked at again and again.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("no sign of %s within %s", what, limit)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func without(env []string, names ...string) []string {
	var rest []string
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
			rest = append(rest, entry)
		}
	}
	return rest
}

func pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close() })
	return read, write
}

// pseudoTerminal returns both ends of a terminal: ours, which types and reads,
// and the command's.
func pseudoTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}
