package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// How long a program that is to end may take before it is made to, and how long
// its output is read when it has ended: what it left running, in a session of
// its own, may keep the pipe open for ever.
const (
	endWithin  = 5 * time.Second
	readWithin = 2 * time.Second
)

// errTime is why a program was ended that took too long.
var errTime = errors.New("the time is over")

// ran is what came of a program.
type ran struct {
	code   int // its exit status; -1 when a signal ended it
	output string
	cut    int64 // bytes that are left out in the middle of the output
}

// runProgram runs a command in a process group of its own until it ends, ctx
// ends or the time is over, and ends all that it has started. Live is called
// before it is started, began when it is. The error is for a program that could
// not be run or was ended.
func runProgram(ctx context.Context, c *exec.Cmd, limit time.Duration, live func(lines *tailed), began func()) (ran, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return ran{}, err
	}
	defer read.Close()
	output := &tailed{most: keptOutput / 2}
	live(output)
	c.Stdin, c.Stdout, c.Stderr = nil, write, write
	apart(c)
	if err := c.Start(); err != nil {
		write.Close()
		return ran{}, err
	}
	began()
	write.Close()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		output.readAll(read)
	}()
	exited := make(chan error, 1)
	go func() { exited <- c.Wait() }()
	err = watchProgram(ctx, c, limit, exited)
	endAll(c, true) // what it has started and not waited for
	select {
	case <-drained:
	case <-time.After(readWithin):
	}
	text, cut := output.text()
	done := ran{code: c.ProcessState.ExitCode(), output: plainOutput(text), cut: cut}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
		if done.code < 0 {
			err = fmt.Errorf("it was ended by a signal (%s)", exit.ProcessState)
		}
	}
	return done, err
}

// watchProgram waits until a program has ended, by itself or because it must.
func watchProgram(ctx context.Context, c *exec.Cmd, limit time.Duration, exited <-chan error) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var why error
	select {
	case err := <-exited:
		return err
	case <-ctx.Done():
		why = fmt.Errorf("stopped: %w", ctx.Err())
	case <-timer.C:
		why = errTime
	}
	endAll(c, false)
	hurry := time.NewTimer(endWithin)
	defer hurry.Stop()
	select {
	case <-exited:
	case <-hurry.C:
		endAll(c, true)
		<-exited
	}
	return why
}

// keptOutput is how much of an output is looked at; recordedOutput how much of
// it a record keeps.
const (
	keptOutput     = 1 << 20
	recordedOutput = 64 << 10
)

// tailed keeps the first and the last bytes of what is written, each up to most.
type tailed struct {
	most int

	mu    sync.Mutex // guards what follows
	head  []byte
	tail  []byte // the last bytes, at its end; up to 2 * most while it grows
	total int64
}

func (t *tailed) readAll(f *os.File) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := f.Read(buffer)
		t.add(buffer[:n])
		if err != nil {
			return
		}
	}
}

func (t *tailed) add(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total += int64(len(p))
	n := min(t.most-len(t.head), len(p))
	t.head = append(t.head, p[:n]...)
	t.tail = append(t.tail, p[n:]...)
	if len(t.tail) > 2*t.most {
		t.tail = append([]byte(nil), t.tail[len(t.tail)-t.most:]...)
	}
}

// text is what was kept, and how many bytes are left out before its second half.
func (t *tailed) text() (string, int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tail := t.tail[max(0, len(t.tail)-t.most):]
	cut := t.total - int64(len(t.head)) - int64(len(tail))
	if cut == 0 {
		return string(t.head) + string(tail), 0
	}
	return string(t.head) + leftOut(cut) + string(tail), cut
}

// last is the last line that says something, for those who watch.
func (t *tailed) last() string {
	t.mu.Lock()
	end := append([]byte(nil), t.head...)
	if len(t.tail) > 0 {
		end = append([]byte(nil), t.tail...)
	}
	t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(plainOutput(string(end[max(0, len(end)-2000):]))), "\n")
	return shortened(lines[len(lines)-1])
}

func leftOut(n int64) string { return fmt.Sprintf("\n… %d bytes are left out here …\n", n) }

// recorded is an output as a record keeps it.
func recorded(text string, cut int64) (string, int64) {
	if len(text) <= recordedOutput {
		return text, cut
	}
	const half = recordedOutput / 2
	more := int64(len(text) - 2*half)
	return strings.ToValidUTF8(text[:half], "") + leftOut(more) + strings.ToValidUTF8(text[len(text)-half:], ""), cut + more
}
