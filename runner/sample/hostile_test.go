package sample

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve listens on loopback and gives each connection, once its request has
// been read, to f. The connection is closed after f. It returns host:port.
func serve(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return l.Addr().String()
}

// readRequest reads up to the empty line.
func readRequest(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			return
		}
	}
}

// says answers with the text and closes.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, text)
	}
}

// hold keeps the connection until the peer gives up.
func hold(c net.Conn) { io.Copy(io.Discard, c) }

const blueAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"color\":\"blue\"}"

// once sends one request with short time limits.
func once(t *testing.T, url string, change func(*Options)) Observation {
	t.Helper()
	o := Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Timeout: 10 * time.Second}
	if change != nil {
		change(&o)
	}
	var got Observation
	if err := Run(context.Background(), o, func(batch []Observation) bool { got = batch[0]; return false }); err != nil {
		t.Fatal(err)
	}
	return got
}

// brief is for what must end by a time limit.
func brief(o *Options) { o.Timeout = time.Second }

func TestFaultsAreToldApart(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server func(net.Conn)
		change func(*Options)
		want   Fault // "" is the outcome blue
		status int
		detail string // a part of it
	}{
		{"an answer", says(blueAnswer), nil, "", 200, ""},
		{"an answer until the connection closes", says("HTTP/1.0 200 OK\r\n\r\n{\"color\":\"blue\"}"), nil, "", 200, ""},
		{"an answer in chunks", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"color\"\r\n8\r\n:\"blue\"}\r\n0\r\n\r\n"), nil, "", 200, ""},
		{"interim answers first", says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + blueAnswer), nil, "", 200, ""},
		{"interim answers without end", func(c net.Conn) {
			readRequest(c)
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 102 Processing\r\n\r\n"); err != nil {
					return
				}
			}
		}, nil, TooLarge, 0, "1000 lines"},
		{"switches the protocol", says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), nil, Malformed, 101, "unasked"},
		{"resets before a byte", func(c net.Conn) {
			readRequest(c)
			c.(*net.TCPConn).SetLinger(0)
		}, nil, Reset, 0, "reset by peer"},
		{"closes before a byte", says(""), nil, Cut, 0, "before a byte"},
		{"cuts the header", says("HTTP/1.1 200 OK\r\nContent-Le"), nil, Cut, 0, "in the middle"},
		{"cuts the body", says(blueAnswer[:len(blueAnswer)-3]), nil, Cut, 200, "in the middle"},
		{"cuts a chunk", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"color"), nil, Cut, 200, "in the middle"},
		{"says nothing", func(c net.Conn) { hold(c) }, brief, FirstByteTimeout, 0, "not a byte"},
		{"says nothing, bounded apart", func(c net.Conn) { hold(c) }, func(o *Options) { o.FirstByteTimeout = 200 * time.Millisecond }, FirstByteTimeout, 0, ""},
		{"the first byte in time, slow after it", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, blueAnswer[:20])
			time.Sleep(1500 * time.Millisecond)
			io.WriteString(c, blueAnswer[20:])
		}, func(o *Options) { o.FirstByteTimeout = time.Second }, "", 200, ""},
		{"hangs in the header", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
			hold(c)
		}, brief, Timeout, 0, "did not end"},
		{"hangs in the body", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, blueAnswer[:len(blueAnswer)-3])
			hold(c)
		}, brief, Timeout, 200, "did not end"},
		{"trickles", func(c net.Conn) {
			readRequest(c)
			for _, b := range []byte(blueAnswer) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}, brief, Timeout, 0, "did not end"},
		{"a body without end", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, nil, TooLarge, 200, "1024 KiB"},
		{"a body one byte too long", says(blueAnswer), func(o *Options) { o.BodyLimit = 15 }, TooLarge, 200, "15 bytes"},
		{"a body just short enough", says(blueAnswer), func(o *Options) { o.BodyLimit = 16 }, "", 200, ""},
		{"1e5 header lines", func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Y: zzzz\r\n", 100_000)+"\r\n")
		}, nil, TooLarge, 0, "header"},
		{"a status line that is none", says("HELLO\r\n\r\n"), nil, Malformed, 0, "malformed"},
		{"a status that is none", says("HTTP/1.1 abc OK\r\n\r\n"), nil, Malformed, 0, ""},
		{"a header line that is none", says("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), nil, Malformed, 0, ""},
		{"a length that is none", says("HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n"), nil, Malformed, 0, ""},
		{"a chunk that is none", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), nil, Malformed, 200, ""},
		{"HTTP/2 unasked", says("\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n"), nil, Malformed, 0, ""},
		{"503", says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), nil, ServerError, 503, "status 503"},
		{"an answer that no rule names", says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), nil, UnknownAnswer, 404, "status 404"},
		{"a redirect is not followed", says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), nil, UnknownAnswer, 302, ""},
		{"answers and closes without reading", func(c net.Conn) { io.WriteString(c, blueAnswer); readRequest(c) }, nil, "", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := once(t, "http://"+serve(t, tt.server)+"/api", tt.change)
			outcome := ""
			if tt.want == "" {
				outcome = "blue"
			}
			if got.Fault != tt.want || got.Outcome != outcome || got.Status != tt.status || !strings.Contains(got.Detail, tt.detail) {
				t.Errorf("got %+v, want %q, status %d, detail %q", got, tt.want, tt.status, tt.detail)
			}
			if got.Latency <= 0 || tt.want != "" && got.Detail == "" {
				t.Errorf("latency or detail missing: %+v", got)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if got := once(t, "http://"+l.Addr().String(), nil); got.Fault != Refused || got.Status != 0 {
		t.Errorf("%+v", got)
	}
}

func TestNameNotResolved(t *testing.T) {
	if got := once(t, "http://no-such-gateway.invalid/", nil); got.Fault != Resolve && got.Fault != ConnectTimeout {
		t.Errorf("%+v", got)
	}
}

func TestConnectTimeout(t *testing.T) {
	fault, err := dialFault(&net.OpError{Op: "dial", Err: errTimeout{}})
	if fault != ConnectTimeout || err != nil {
		t.Errorf("%q, %v", fault, err)
	}
	// A TLS handshake that does not end belongs to connecting.
	address := serve(t, hold)
	got := once(t, "https://"+address, func(o *Options) { o.ConnectTimeout = 200 * time.Millisecond })
	if got.Fault != ConnectTimeout || !strings.Contains(got.Detail, "handshake") {
		t.Errorf("%+v", got)
	}
}

type errTimeout struct{}

func (errTimeout) Error() string   { return "i/o timeout" }
func (errTimeout) Timeout() bool   { return true }
func (errTimeout) Temporary() bool { return true }

func TestTLS(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.ServerName != "example.com" || r.Host != "example.com" {
			t.Errorf("asked for %q, host %q", r.TLS.ServerName, r.Host)
		}
		io.WriteString(w, `{"color":"green"}`)
	})
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	defer s.Close()
	trusted := s.Client().Transport.(*http.Transport).TLSClientConfig
	good := func(o *Options) { o.TLS, o.Cases[0].Host = trusted, "example.com" }
	if got := once(t, s.URL, good); got.Outcome != "green" || got.Fault != "" {
		t.Errorf("trusted: %+v", got)
	}
	if got := once(t, s.URL, nil); got.Fault != TLS || !strings.Contains(got.Detail, "certificate") {
		t.Errorf("an unknown authority: %+v", got)
	}
	if got := once(t, "https://"+serve(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); hold(c) }), nil); got.Fault != TLS {
		t.Errorf("not TLS: %+v", got)
	}
	// With TLS 1.3 a client whose certificate is wanted learns of it by reading.
	s2 := httptest.NewUnstartedServer(handler)
	s2.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s2.Config.ErrorLog = quiet()
	s2.StartTLS()
	defer s2.Close()
	pool := s2.Client().Transport.(*http.Transport).TLSClientConfig
	if got := once(t, s2.URL, func(o *Options) { o.TLS = pool }); got.Fault != TLS && got.Fault != Reset {
		t.Errorf("a certificate is wanted: %+v", got)
	}
}

// A gateway that does all this by turns neither stalls nor exhausts the
// sampler, and every request is accounted for.
func TestEveryHostilityTogether(t *testing.T) {
	next := make(chan int)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		for i := 0; ; i++ {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	address := serve(t, func(c net.Conn) {
		readRequest(c)
		switch <-next % 6 {
		case 0:
			hold(c)
		case 1:
			c.(*net.TCPConn).SetLinger(0)
		case 2:
			io.WriteString(c, "HTTP/1.1 200")
		case 3:
			io.WriteString(c, strings.Repeat("x", 1<<20))
		default:
			io.WriteString(c, blueAnswer)
		}
	})
	o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Workers: 8, Timeout: 400 * time.Millisecond}
	tally := NewTally()
	err := Run(context.Background(), o, func(b []Observation) bool { tally.Add(b); return tally.N < 120 })
	if err != nil {
		t.Fatal(err)
	}
	sum := tally.Outcomes["blue"]
	for _, n := range tally.Faults {
		sum += n
	}
	if sum != tally.N || tally.Outcomes["blue"] < 20 {
		t.Errorf("of %d: %v, %v", tally.N, tally.Outcomes, tally.Faults)
	}
	for _, f := range []Fault{FirstByteTimeout, Reset, Cut} {
		if tally.Faults[f] == 0 {
			t.Errorf("no %q among %v", f, tally.Faults)
		}
	}
}

// What ails this machine ends the run; it is not counted against the gateway.
func TestOwnLackIsNoFault(t *testing.T) {
	for _, lack := range lacks {
		if _, err := dialFault(&net.OpError{Op: "dial", Err: lack}); !errors.Is(err, lack) {
			t.Errorf("%v is taken for the gateway's", lack)
		}
	}
}
