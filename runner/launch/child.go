package launch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// event is one line of what the sandbox says on its standard output.
type event struct {
	Event      string            `json:"event"` // progress, ready, failed, stopped
	Text       string            `json:"text"`
	Kubeconfig string            `json:"kubeconfig"`
	Contexts   []string          `json:"contexts"`
	Gateways   map[string]string `json:"gateways"`
	VM         string            `json:"vm"`
	Proxy      string            `json:"proxy"`
}

// child is the sandbox's process.
type child struct {
	cmd        *exec.Cmd
	stdin      io.Closer // closing it asks the sandbox to stop
	stderr     *os.File  // has no name any more, so nobody must remove it
	dir        string
	stopWithin time.Duration
	log        io.Writer

	ready  chan event    // the ready event, at most once
	exited chan struct{} // closed after the process has ended

	mu       sync.Mutex
	failed   string   // the text of a failed event
	strays   []string // lines that are not of the protocol
	stopping bool
	waited   error // what Wait said; to be read after exited
}

// startChild starts the process, in a process group of its own so that Ctrl-C
// in a terminal reaches the run only, which then stops the sandbox last.
func startChild(binary string, args []string, dir string, o Options) (*child, error) {
	stderr, err := unnamedFile()
	if err != nil {
		return nil, err
	}
	c := &child{
		cmd: exec.Command(binary, args...), stderr: stderr, dir: dir,
		stopWithin: o.StopWithin, log: o.Log,
		ready: make(chan event, 1), exited: make(chan struct{}),
	}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A file and not a pipe: a pipe without a reader would kill the child by
	// SIGPIPE in the middle of its tidying up, once we are gone.
	c.cmd.Stderr = stderr
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		stderr.Close()
		return nil, err
	}
	go func() {
		c.read(stdout)
		c.waited = c.cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// unnamedFile returns a temporary file that is removed already.
func unnamedFile() (*os.File, error) {
	f, err := os.CreateTemp("", "assay-stderr-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// read takes in the protocol until the child closes its standard output.
func (c *child) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Event == "" {
			c.stray(lines.Text())
			continue
		}
		switch e.Event {
		case "progress":
			fmt.Fprintf(c.log, "sandbox: %s\n", e.Text)
		case "ready":
			select {
			case c.ready <- e:
			default: // a second one changes nothing
			}
		case "failed":
			c.mu.Lock()
			c.failed = e.Text
			c.mu.Unlock()
		}
	}
	_, _ = io.Copy(io.Discard, stdout) // a line beyond the buffer must not block the child
}

// strayLines is how many lines outside of the protocol are kept.
const strayLines = 20

func (c *child) stray(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strays = append(c.strays, line)
	if len(c.strays) > strayLines {
		c.strays = c.strays[1:]
	}
}

// awaitReady waits for the ready event, an end of the process, ctx or limit.
func (c *child) awaitReady(ctx context.Context, limit time.Duration) (event, error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case e := <-c.ready:
		return e, nil
	case <-c.exited:
		return event{}, c.endedBy()
	case <-late.C:
		return event{}, fmt.Errorf("not ready within %s", limit)
	case <-ctx.Done():
		return event{}, context.Cause(ctx)
	}
}

// endedBy says why the process has ended; it is nil after an end that was
// asked for. Call it after exited.
func (c *child) endedBy() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.failed != "":
		return errors.New(c.failed)
	case c.stopping:
		return nil
	case c.waited != nil:
		return fmt.Errorf("it ended by itself: %w", c.waited)
	default:
		return errors.New("it ended by itself")
	}
}

// stop ends the process and removes its folder. The child removes the folder
// too: it is the only one who can when its parent was killed.
func (c *child) stop(ctx context.Context, limit time.Duration) error {
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	_ = c.stdin.Close()
	late := time.NewTimer(limit)
	defer late.Stop()
	var err error
	select {
	case <-c.exited:
	case <-late.C:
		err = fmt.Errorf("the sandbox (process %d) did not stop within %s and was killed", c.cmd.Process.Pid, limit)
	case <-ctx.Done():
		err = fmt.Errorf("the sandbox (process %d) was killed before it had stopped: %w", c.cmd.Process.Pid, context.Cause(ctx))
	}
	if err != nil {
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
	_ = c.stderr.Close()
	if removed := os.RemoveAll(c.dir); err == nil {
		err = removed
	}
	return err
}

// Of each log the last lines are shown when a start fails.
const (
	tailLines = 15
	tailBytes = 16 << 10
)

// logs returns the tail of everything that the child wrote, indented for the
// end of an error message.
func (c *child) logs() string {
	var b strings.Builder
	show := func(name string, text []byte) {
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if lines[0] == "" {
			return
		}
		if len(lines) > tailLines {
			lines = lines[len(lines)-tailLines:]
		}
		fmt.Fprintf(&b, "\n%s:\n\t%s", name, strings.Join(lines, "\n\t"))
	}
	c.mu.Lock()
	show("standard output", []byte(strings.Join(c.strays, "\n")))
	c.mu.Unlock()
	show("standard error", tail(c.stderr))
	files, _ := filepath.Glob(filepath.Join(c.dir, "*.log"))
	sort.Strings(files)
	for _, name := range files {
		if f, err := os.Open(name); err == nil {
			show(filepath.Base(name), tail(f))
			f.Close()
		}
	}
	return b.String()
}

// tail returns the last bytes of a file.
func tail(f *os.File) []byte {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-tailBytes)
	text, _ := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	return text
}
