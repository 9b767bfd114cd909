package launch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// progress counts the packages that go build -v names as it compiles them.
type progress struct {
	log io.Writer
	of  int // how many there will be; 0: not known

	mu   sync.Mutex
	done int
}

// Write takes in what go build -v prints: a package a line.
func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += bytes.Count(text, []byte("\n"))
	return len(text), nil
}

// line says how far the build is.
func (p *progress) line(since time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.of == 0:
		return fmt.Sprintf("compiled %d packages, %s", p.done, since.Round(time.Second))
	case p.done >= p.of:
		return fmt.Sprintf("compiled all of %d packages, linking, %s", p.of, since.Round(time.Second))
	default:
		return fmt.Sprintf("compiled %d of %d packages, %s", p.done, p.of, since.Round(time.Second))
	}
}

// every prints a line at each interval until the function it returns is called.
func (p *progress) every(interval time.Duration) (stop func()) {
	began, done, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				fmt.Fprintln(p.log, p.line(time.Since(began)))
			}
		}
	}()
	return func() { close(done); <-ended }
}

// stale counts the packages that a build would compile. It is for show only:
// when go cannot say, the build itself will tell why.
func stale(ctx context.Context, dir string, flags []string) int {
	args := append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir, cmd.Env = dir, goEnv()
	out, err := cmd.Output()
	if err != nil {
		return 0
	}
	return len(bytes.Fields(out))
}
