package parent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/sandbox/parent"
)

func TestEventsAreLinesOfJSON(t *testing.T) {
	var out bytes.Buffer
	e := parent.NewEvents(&out)
	e.Progress("starting etcd")
	e.Ready(parent.Ready{
		Kubeconfig: "/d/kubeconfig",
		Contexts:   []string{"mgmt", "cluster1", "cluster2"},
		Gateways:   map[string]string{"cluster1": "http://127.0.0.1:18001", "cluster2": "http://127.0.0.1:18002"},
		VM:         "192.168.64.10",
		Proxy:      "http://127.0.0.1:18003",
		Seconds:    5.1,
	})
	e.Stopped(1.2)
	e.Failed("etcd: address in use\nby another")
	want := `{"event":"progress","text":"starting etcd"}
{"event":"ready","kubeconfig":"/d/kubeconfig","contexts":["mgmt","cluster1","cluster2"],"gateways":{"cluster1":"http://127.0.0.1:18001","cluster2":"http://127.0.0.1:18002"},"vm":"192.168.64.10","proxy":"http://127.0.0.1:18003","seconds":5.1}
{"event":"stopped","seconds":1.2}
{"event":"failed","text":"etcd: address in use\nby another"}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestEventsOfManyGoroutinesDoNotMix(t *testing.T) {
	var out bytes.Buffer
	e := parent.NewEvents(&out)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { e.Progress(strings.Repeat("x", 1000)) })
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 50 {
		t.Fatalf("got %d lines, want 50", len(lines))
	}
	for _, line := range lines {
		var event struct{ Event, Text string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Event != "progress" {
			t.Fatalf("line %q: %v", line, err)
		}
	}
}

type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, errors.New("nobody listens") }

func TestEventsToNobodyDoNoHarm(t *testing.T) {
	parent.NewEvents(deaf{}).Progress("x")
}

func TestStopsWhenInputEnds(t *testing.T) {
	in, out := io.Pipe()
	ctx, cancel := parent.UntilStopped(in, true)
	defer cancel()
	if _, err := out.Write([]byte("what is written is of no interest\n")); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Error("stopped before the input ended")
	}
	out.Close()
	<-ctx.Done()
}

func TestStopsOnSignal(t *testing.T) {
	for _, attached := range []bool{false, true} {
		in, out := io.Pipe()
		ctx, cancel := parent.UntilStopped(in, attached)
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		cancel()
		out.Close()
	}
}
