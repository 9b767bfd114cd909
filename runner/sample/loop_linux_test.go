//go:build amd64 || arm64

package sample

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// made returns a loop for the options, and its window.
func made(t *testing.T, o *Options, names *names) (*loop, *window) {
	t.Helper()
	cases, err := o.prepare()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w := newWindow(o.ahead(), o.pace(begin))
	l := newLoop(o, cases, names, begin, w)
	if l != nil {
		t.Cleanup(l.end)
	}
	return l, w
}

// looped runs a loop until there are n observations.
func looped(t *testing.T, o Options, names *names, n int) []Observation {
	t.Helper()
	l, w := made(t, &o, names)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.run(ctx) }()
	var all []Observation
	for len(all) < n {
		all = append(all, w.take(make([]Observation, 0, n-len(all)))...)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return all
}

func TestLoopIsChosenForPlainHTTP(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want bool
	}{
		{"plain", Options{Cases: []Request{{URL: "http://127.0.0.1"}}}, true},
		{"a name, several cases, kept alive, at fixed times", Options{Cases: []Request{{URL: "http://a:8080"}, {URL: "http://[::1]/x"}}, Reuse: true, Open: true, Rate: 1}, true},
		{"HTTP/2 only where TLS offers it", Options{Cases: []Request{{URL: "http://a"}}, Protocol: HTTP2}, true},
		{"TLS in one of the cases", Options{Cases: []Request{{URL: "http://a"}, {URL: "https://a"}}}, false},
		{"asked not to", Options{Cases: []Request{{URL: "http://a"}}, Portable: true}, false},
		{"a port that is none", Options{Cases: []Request{{URL: "http://a:70000"}}}, false},
	} {
		if l, _ := made(t, &tt.o, newNames()); (l != nil) != tt.want {
			t.Errorf("%s: chosen %v", tt.name, l != nil)
		}
	}
}

// Time limits end phases in time, and not before.
func TestLoopTimeLimits(t *testing.T) {
	l, _ := made(t, &Options{Cases: []Request{{URL: "http://127.0.0.1"}}, Workers: 4}, newNames())
	inPause := func() (n int) {
		for i := range l.lanes {
			if l.lanes[i].phase == pausing {
				n++
			}
		}
		return n
	}
	for i, ms := range []time.Duration{30, 10, 20, 40} {
		l.resting[0].first = l.lanes[i].behind
		l.lanes[i].phase = pausing
		l.free--
		l.limit(&l.lanes[i], ms*time.Millisecond)
	}
	for _, tt := range []struct {
		now, soonest time.Duration
		pausing      int
	}{
		{9, 10, 4}, {10, 20, 3}, {19, 20, 3}, {35, 40, 1}, {36, 40, 1}, {41, 0, 0},
	} {
		l.now = tt.now * time.Millisecond
		l.expire()
		soonest := tt.soonest * time.Millisecond
		if soonest == 0 {
			soonest = never
		}
		if got := inPause(); got != tt.pausing || l.free != 4-got || l.soonest != soonest {
			t.Errorf("at %s: %d pausing, %d free, next at %s; want %d, next at %s", l.now, got, l.free, l.soonest, tt.pausing, soonest)
		}
	}
	// They rest in the order in which they came to rest.
	var order []int32
	for n := l.resting[0].first; n != nil; n = n.behind {
		order = append(order, n.index)
	}
	if fmt.Sprint(order) != "[1 0 2 3]" {
		t.Errorf("at rest: %v", order)
	}
}

// A window that is full stops the loop, and one with room lets it go on.
func TestLoopWaitsForRoom(t *testing.T) {
	address := serve(t, answers(blueAnswer))
	o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Workers: 4, Reuse: true}
	l, w := made(t, &o, newNames())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.run(ctx) }()
	full := func() int64 { // how many are in the window
		w.mu.Lock()
		defer w.mu.Unlock()
		n := int64(0)
		for _, f := range w.filled {
			if f {
				n++
			}
		}
		return n
	}
	for round := range 3 {
		for full() < windowSize {
			runtime.Gosched()
		}
		got := w.take(make([]Observation, 0, 100))
		if first := int64(100 * round); len(got) != 100 || got[0].Number != first || got[99].Number != first+99 {
			t.Fatalf("round %d: %d taken, from %d", round, len(got), got[0].Number)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if l.next > windowSize+300 {
		t.Errorf("%d requests were sent, of which 300 were taken", l.next)
	}
}

// What this machine lacks ends the run with an error. The test runs itself as
// another process, which has no file descriptors left.
func TestLoopEndsWithoutFileDescriptors(t *testing.T) {
	const address = "ASSAY_TEST_ADDRESS"
	if gateway := os.Getenv(address); gateway != "" {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 40, Max: 40}); err != nil {
			t.Fatal(err)
		}
		err := Run(t.Context(), Options{Cases: []Request{{URL: "http://" + gateway}}, Workers: 100}, func([]Observation) bool { return true })
		fmt.Println("Run says:", err, errors.Is(err, unix.EMFILE))
		return
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	c.Env = append(os.Environ(), address+"="+serve(t, func(c net.Conn) {
		io.WriteString(c, "HTTP/1.1 200 OK\n") // odd, and not all of it: it is read aside
		hold(c)
	}))
	out, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "cannot be sent from here (fewer workers may do): too many open files true") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestLoopTriesTheNextAddress(t *testing.T) {
	address := serve(t, answers(blueAnswer))
	_, port, _ := net.SplitHostPort(address)
	n := newNames()
	n.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.1")}, nil
	}
	o := Options{Cases: []Request{{URL: "http://gateway.example:" + port}}, Classifier: tutorial(), Workers: 3}
	for i, got := range looped(t, o, n, 50) {
		if got.Outcome != "blue" || got.Number != int64(i) || got.Connection < 0 {
			t.Fatalf("%+v", got)
		}
	}
	o.Cases[0].URL = "http://gateway.example:1"
	for _, got := range looped(t, o, n, 5) {
		if got.Fault != Refused || got.Connection != -1 || !strings.Contains(got.Detail, "gateway.example:1") {
			t.Errorf("%+v", got)
		}
	}
}

// A name server that fails is told of, and asked again.
func TestLoopResolves(t *testing.T) {
	address := serve(t, answers(blueAnswer))
	_, port, _ := net.SplitHostPort(address)
	n, asked := newNames(), 0
	n.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		if asked++; asked <= 2 {
			return nil, &net.DNSError{Err: "no such host", Name: "gateway.example"}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	o := Options{Cases: []Request{{URL: "http://gateway.example:" + port}}, Classifier: tutorial()}
	for i, got := range looped(t, o, n, 10) {
		if i < 2 && got.Fault != Resolve || i >= 2 && got.Outcome != "blue" {
			t.Errorf("%d: %+v", i, got)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

// An answer that another reader had to read ends no connection.
func TestLoopKeepsTheConnectionOfAnOddAnswer(t *testing.T) {
	odd := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10;x=y\r\n{\"color\":\"blue\"}\r\n0\r\nTrailer-Field: x\r\n\r\n"
	address := serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for i := 0; readPath(r) != ""; i++ {
			if i%2 == 0 {
				io.WriteString(c, odd[:i%len(odd)])
				io.WriteString(c, odd[i%len(odd):])
			} else {
				io.WriteString(c, blueAnswer)
			}
		}
	})
	o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Reuse: true}
	for i, got := range looped(t, o, newNames(), 300) {
		if got.Outcome != "blue" || got.Connection != 0 {
			t.Fatalf("%d: %+v", i, got)
		}
	}
}

// A request that does not fit into the socket is sent as the gateway reads it.
func TestLoopSendsALargeRequest(t *testing.T) {
	var read atomic.Int64
	url := web(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		read.Add(n)
		blue(w, r)
	})
	for _, reuse := range []bool{false, true} {
		read.Store(0)
		const size = 8 << 20
		o := Options{Cases: []Request{{URL: url, Method: "POST", Body: make([]byte, size)}, {URL: url}}, Classifier: tutorial(), Reuse: reuse}
		for _, got := range looped(t, o, newNames(), 4) {
			if got.Outcome != "blue" {
				t.Errorf("%+v", got)
			}
		}
		if read.Load() < 2*size {
			t.Errorf("%d bytes were read", read.Load())
		}
	}
}

// Answers of every length are read, in as many pieces as they come.
func TestLoopReadsLongAnswers(t *testing.T) {
	body := func(n int) string { return `{"color":"blue","x":"` + strings.Repeat("x", n) + `"}` }
	n := 0
	url := web(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		if n%2 == 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(body(n*5000))))
		}
		io.WriteString(w, body(n*5000)) // in chunks without the length
	})
	o := Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Reuse: true}
	for i, got := range looped(t, o, newNames(), 60) {
		if got.Outcome != "blue" || got.Connection != 0 {
			t.Fatalf("%d: %+v", i, got)
		}
	}
}

// Nothing is allocated for a request, and no garbage collection waits for a
// loop that is busy.
func TestLoopAllocatesNothing(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		buf, answer := make([]byte, 4096), []byte(blueAnswer)
		for {
			if n, err := c.Read(buf); n == 0 || err != nil {
				return
			}
			c.Write(answer)
		}
	})
	const n = 20_000
	o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Workers: 8, Reuse: true, Examples: new(Examples)}
	var begin, end runtime.MemStats
	seen := 0
	err := Run(t.Context(), o, func(b []Observation) bool {
		if seen < 1000 && seen+len(b) >= 1000 { // by then all is set up
			runtime.ReadMemStats(&begin)
		}
		seen += len(b)
		return seen < n
	})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&end)
	if made := end.Mallocs - begin.Mallocs; made > n/20 && !raceEnabled {
		t.Errorf("%d allocations for %d requests", made, n)
	}
	stop, collected := make(chan bool), make(chan int)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				collected <- i
				return
			default:
				runtime.GC()
			}
		}
	}()
	collect(t, o, 5000)
	close(stop)
	if <-collected == 0 {
		t.Error("no garbage was collected meanwhile")
	}
}

func TestASocketConnectedWithItself(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if withItself(fd) {
		t.Error("not connected yet")
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, own); err != nil {
		t.Skip("this system does not connect a socket with itself:", err)
	}
	if !withItself(fd) {
		t.Error("it is connected with itself")
	}
}

func BenchmarkLoopKeptAlive(b *testing.B) {
	address := serve(b, func(c net.Conn) {
		buf, answer := make([]byte, 4096), []byte(blueAnswer)
		for {
			if n, err := c.Read(buf); n == 0 || err != nil {
				return
			}
			c.Write(answer)
		}
	})
	o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Workers: 8, Reuse: true, Examples: new(Examples)}
	seen := 0
	b.ReportAllocs()
	b.ResetTimer()
	if err := Run(b.Context(), o, func(batch []Observation) bool { seen += len(batch); return seen < b.N }); err != nil {
		b.Fatal(err)
	}
}

// A loop is brisk while much happens, but not when nobody answers it then.
func TestPulse(t *testing.T) {
	running.Add(1)
	defer running.Add(-1)
	var p pulse
	beat := func(events int, alone bool) bool {
		p.events += events
		p.tick(alone)
		return p.brisk
	}
	if beat(briskFrom-1, false) || !beat(briskFrom, false) || !beat(1000, false) {
		t.Error("it is brisk from many events on")
	}
	if !beat(1000, true) || beat(0, true) || !beat(1000, false) {
		t.Error("it is brisk again after the gateway stalled")
	}
	if !beat(100, true) || beat(100, true) || beat(1000, false) {
		t.Error("it is not brisk after it waited in vain")
	}
	for range calmFor - 2 {
		if beat(1000, false) {
			t.Fatal("it is brisk again too soon")
		}
	}
	if !beat(1000, false) {
		t.Error("it is never brisk again")
	}
	others := int32(runtime.GOMAXPROCS(0))
	running.Add(others)
	defer running.Add(-others)
	if beat(1000, false) {
		t.Error("several loops take all the processors")
	}
}

// That this machine has no address of a kind, such as IPv6, is no lack while
// another address may do; that it has no file descriptor is one.
func TestLoopTriesAnotherKindOfAddress(t *testing.T) {
	address := netip.MustParseAddrPort(serve(t, func(c net.Conn) { hold(c) }))
	for _, tt := range []struct {
		lack   syscall.Errno
		failed bool
	}{{unix.EADDRNOTAVAIL, false}, {unix.EMFILE, true}} {
		o := Options{Cases: []Request{{URL: "http://gateway.example:" + fmt.Sprint(address.Port())}}}
		l, _ := made(t, &o, newNames())
		n := &l.lanes[0]
		n.c, n.connectBy, n.whole = &l.cases[0], time.Minute, time.Minute
		n.addresses, n.tried = []netip.Addr{netip.MustParseAddr("::1"), address.Addr()}, 1
		if l.refused(n, tt.lack); errors.Is(l.failed, tt.lack) != tt.failed || (n.fd < 0) != tt.failed {
			t.Errorf("%v: the run failed: %v, connection %d", tt.lack, l.failed, n.fd)
		}
	}
}
