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
	"sync"
	"syscall"
	"testing"
	"time"
)

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

// hostilities are what gateways do, and what each is to be counted as.
var hostilities = []struct {
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
	{"resets before a byte", func(c net.Conn) { readRequest(c); hangsUp(c) }, nil, Reset, 0, "reset by peer"},
	{"resets in the body", func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, blueAnswer[:len(blueAnswer)-3])
		hangsUpLater(c)
	}, nil, Reset, 200, "reset by peer"},
	{"closes before a byte", says(""), nil, Cut, 0, "before a byte"},
	{"cuts the header", says("HTTP/1.1 200 OK\r\nContent-Le"), nil, Cut, 0, "in the middle"},
	{"cuts the body", says(blueAnswer[:len(blueAnswer)-3]), nil, Cut, 200, "in the middle"},
	{"cuts a chunk", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"color"), nil, Cut, 200, "in the middle"},
	{"says nothing", func(c net.Conn) { hold(c) }, brief, FirstByteTimeout, 0, "not a byte"},
	{"says nothing, bounded apart", func(c net.Conn) { hold(c) }, func(o *Options) { o.FirstByteTimeout = 200 * time.Millisecond }, FirstByteTimeout, 0, ""},
	{"the first byte in time, slow after it", func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, blueAnswer[:20])
		time.Sleep(1200 * time.Millisecond)
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
			time.Sleep(30 * time.Millisecond)
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
	{"as many header lines as may be", says(ofLines(HeaderLines)), nil, "", 200, ""},
	{"one header line too many", says(ofLines(HeaderLines + 1)), nil, TooLarge, 0, "1000 lines"},
	{"a header line of 300 KiB", says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 300<<10)), nil, TooLarge, 0, "256 KiB"},
	{"a body of many lines", says("HTTP/1.1 200 OK\r\nContent-Length: 3016\r\n\r\n" + strings.Repeat("\n", 3000) + `{"color":"blue"}`), nil, "", 200, ""},
	{"a long line that is no HTTP", says(strings.Repeat("x", 100<<10) + "\r\n\r\n"), nil, Malformed, 0, "…"},
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
}

// hangsUpLater resets the connection when the peer has had the time to read what
// was sent: a reset may overtake data.
func hangsUpLater(c net.Conn) {
	time.Sleep(100 * time.Millisecond)
	hangsUp(c)
}

// ofLines is an answer whose status line, header and empty line are n lines.
func ofLines(n int) string {
	return "HTTP/1.1 200 OK\r\n" + strings.Repeat("a:\r\n", n-3) + "Content-Length: 16\r\n\r\n{\"color\":\"blue\"}"
}

func TestFaultsAreToldApart(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		toldApart(t, Options{Portable: portable}, func(server func(net.Conn)) string { return "http://" + serve(t, server) })
	})
}

// Over TLS it is all the same.
func TestFaultsAreToldApartOverTLS(t *testing.T) {
	s := unstarted(blue)
	s.StartTLS()
	defer s.Close()
	config := &tls.Config{Certificates: s.TLS.Certificates}
	o := Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig}
	t.Run("all", func(t *testing.T) {
		toldApart(t, o, func(server func(net.Conn)) string {
			return "https://" + serve(t, func(raw net.Conn) {
				c := tls.Server(raw, config)
				server(c)
				c.Close() // says so, unless the connection is reset
			})
		})
	})
}

// toldApart asks a gateway for each hostility, as the first thing on a
// connection and as the second.
func toldApart(t *testing.T, o Options, start func(server func(net.Conn)) (url string)) {
	for _, tt := range hostilities {
		o := o
		o.Classifier, o.Timeout = tutorial(), 10*time.Second
		if tt.change != nil {
			tt.change(&o)
		}
		check := func(t *testing.T, got Observation, want Fault, detail string) {
			t.Helper()
			outcome := ""
			if want == "" {
				outcome = "blue"
			}
			if got.Fault != want || got.Outcome != outcome || got.Status != tt.status || !strings.Contains(got.Detail, detail) {
				t.Errorf("got %+v, want %q, status %d, detail %q", got, want, tt.status, detail)
			}
			if got.Latency <= 0 || want != "" && got.Detail == "" || len(got.Detail) > detailKept+len("…") {
				t.Errorf("no latency or detail, or too much of it: %+v", got)
			}
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.Cases = []Request{{URL: start(tt.server) + "/api", Host: "example.com"}}
			check(t, collect(t, o, 1)[0], tt.want, tt.detail)
		})
		if o.BodyLimit == 15 {
			continue // the good answer is as long
		}
		t.Run(tt.name+", as its second answer", func(t *testing.T) {
			t.Parallel()
			o := o
			o.Cases, o.Reuse = []Request{{URL: start(secondly(tt.server)) + "/api", Host: "example.com"}}, true
			got := collect(t, o, 2)
			want, detail := tt.want, tt.detail
			if strings.HasSuffix(tt.name, "before a byte") {
				want, detail = Stale, "kept-alive"
			}
			check(t, got[1], want, detail)
			if got[0].Outcome != "blue" || got[0].Connection != 0 {
				t.Errorf("the first answer: %+v", got[0])
			}
			if got[1].Connection != 0 && tt.name != unasked {
				t.Errorf("not on the connection of the first: %+v", got[1])
			}
		})
	}
}

// unasked is what makes a connection unfit for a second request.
const unasked = "answers and closes without reading"

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
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

// A reset that was seen in writing is one, although reading then only ends.
func TestAResetIsToldOnce(t *testing.T) {
	for _, tt := range []struct {
		read, write error
		used        bool
		want        Fault
	}{
		{io.EOF, nil, false, Cut},
		{io.EOF, syscall.EPIPE, false, Cut}, // closed in order before the request was read
		{io.EOF, syscall.ECONNRESET, false, Reset},
		{syscall.ECONNRESET, syscall.EPIPE, false, Reset},
		{io.EOF, syscall.ECONNRESET, true, Stale},
		{errTimeout{}, syscall.ECONNRESET, true, FirstByteTimeout},
	} {
		if got, _ := endFault(ended(tt.read, tt.write), false, tt.used); got != tt.want {
			t.Errorf("reading ended with %v, writing with %v: %q, want %q", tt.read, tt.write, got, tt.want)
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

// A gateway may answer before it has read the request, and read no more of it.
func TestAnAnswerBeforeTheRequestIsRead(t *testing.T) {
	address := serve(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1000))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		<-t.Context().Done()
	})
	eachPath(t, func(t *testing.T, portable bool) {
		request := Request{URL: "http://" + address, Method: "POST", Body: make([]byte, 32<<20)}
		o := Options{Cases: []Request{request}, Classifier: tutorial(), Reuse: true, Portable: portable}
		for i, got := range collect(t, o, 2) {
			if got.Fault != UnknownAnswer || got.Status != 413 || got.Connection != int64(i) {
				t.Errorf("%+v", got)
			}
		}
	})
}

// The end of an answer without a length comes after its bytes, and after those
// of other answers.
func TestAnswersThatEndLater(t *testing.T) {
	var mu sync.Mutex
	end := make(chan struct{}) // that of the connection before
	address := serve(t, func(c net.Conn) {
		path := readPath(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\n{\"color\":\""+strings.TrimPrefix(path, "/")+"\"}")
		own := make(chan struct{})
		mu.Lock()
		close(end)
		end = own
		mu.Unlock()
		select {
		case <-own:
		case <-t.Context().Done():
		}
	})
	eachPath(t, func(t *testing.T, portable bool) {
		o := Options{Cases: []Request{{URL: "http://" + address + "/blue"}, {URL: "http://" + address + "/green"}}, Classifier: tutorial(), Workers: 3, Portable: portable}
		for _, got := range collect(t, o, 100) {
			if want := []string{"blue", "green"}[got.Case]; got.Outcome != want {
				t.Fatalf("want %s: %+v", want, got)
			}
		}
	})
}
