// Package parent is how a sandbox speaks with the process that started it: one
// JSON object a line on standard output tells what happens, and the end of
// standard input tells it to stop. A parent that dies in any way closes that
// pipe, so no sandbox outlives it.
//
// It is for the sandbox's main program. It refuses to carry logs: those go to
// files.
package parent

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// Ready is the event that says that everything answers.
type Ready struct {
	// Kubeconfig is the path of the file that Contexts are in; the first is
	// current.
	Kubeconfig string   `json:"kubeconfig"`
	Contexts   []string `json:"contexts"`
	// Gateways are the URLs of the ingress gateways, by cluster.
	Gateways map[string]string `json:"gateways"`
	// VM is the address that WorkloadEntries name.
	VM string `json:"vm"`
	// Proxy is the URL of the HTTP proxy by which calls go out through the VM's
	// sidecar.
	Proxy string `json:"proxy"`
	// Seconds since the process started.
	Seconds float64 `json:"seconds"`
}

// Events writes events as JSON lines. It may be used by several goroutines.
type Events struct {
	mu sync.Mutex
	to io.Writer
}

// NewEvents writes to w.
func NewEvents(w io.Writer) *Events { return &Events{to: w} }

// Progress says what is being done.
func (e *Events) Progress(text string) { e.say("progress", text) }

// Failed says why the sandbox ends although nobody asked it to.
func (e *Events) Failed(text string) { e.say("failed", text) }

// Ready says that everything answers.
func (e *Events) Ready(r Ready) {
	e.write(struct {
		Event string `json:"event"`
		Ready
	}{"ready", r})
}

// Stopped says that everything has ended in order, and in how many seconds.
func (e *Events) Stopped(seconds float64) {
	e.write(struct {
		Event   string  `json:"event"`
		Seconds float64 `json:"seconds"`
	}{"stopped", seconds})
}

func (e *Events) say(event, text string) {
	e.write(struct {
		Event string `json:"event"`
		Text  string `json:"text"`
	}{event, text})
}

// write ignores errors: nobody listens any more, and that is no reason to end
// in another way than the one that is under way.
func (e *Events) write(event any) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err) // all events are plain structs
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.to.Write(append(line, '\n'))
}

// UntilStopped returns a context that ends when the sandbox shall stop: on
// SIGTERM and, with attached, when stdin ends; else on SIGINT too. An attached
// sandbox lets SIGINT pass: Ctrl-C in a terminal is for its parent, which
// closes the pipe when it is done. The second result gives the signals back.
func UntilStopped(stdin io.Reader, attached bool) (context.Context, context.CancelFunc) {
	if !attached {
		return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	}
	signal.Ignore(os.Interrupt)
	// A parent that has gone must not kill us by the next event that we write.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return ctx, cancel
}
