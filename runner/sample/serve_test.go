package sample

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// eachPath runs a test for the portable path and for the loop that this system may
// have, which must observe the same. The same means: for what a gateway does,
// the same outcome, fault, status and words of the detail, the same examples
// (status, header lines, beginning of the body); numbers from 0 without a hole;
// and connections told apart as they were. Not the same are times, and which of
// several connections carries a request.
func eachPath(t *testing.T, f func(t *testing.T, portable bool)) {
	t.Helper()
	for name, portable := range map[string]bool{"portable": true, "fast": false} {
		t.Run(name, func(t *testing.T) { f(t, portable) })
	}
}

// serve listens on loopback and gives each connection to f. The connection is
// closed after f. It returns host:port.
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
func readRequest(c net.Conn) { readPath(bufio.NewReader(c)) }

// readPath reads up to the empty line and returns the path asked for; "" when no
// request came.
func readPath(r *bufio.Reader) string {
	path := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return ""
		}
		if line == "\r\n" {
			return path
		}
		if words := strings.Fields(line); path == "" && len(words) == 3 {
			path = words[1] // GET /path HTTP/1.1
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

// secondly answers once as it should, and then does what f does.
func secondly(f func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		says(blueAnswer)(c)
		f(c)
	}
}

// hold keeps the connection until the peer gives up.
func hold(c net.Conn) { io.Copy(io.Discard, c) }

// hangsUp resets the connection once it is closed.
func hangsUp(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		hangsUp(secure.NetConn())
		secure.NetConn().Close() // at once: TLS would take its leave first
		return
	}
	c.(*net.TCPConn).SetLinger(0)
}

const blueAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{\"color\":\"blue\"}"

// trivial answers with as little work as can be, as often as it is asked.
func trivial(t testing.TB) string {
	answer := []byte(blueAnswer)
	return serve(t, func(c net.Conn) {
		var buf [2048]byte
		for { // the sampler hangs up first
			if n, _ := c.Read(buf[:]); n == 0 {
				return
			}
			c.Write(answer)
		}
	})
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// blue answers as the tutorial's service does.
func blue(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"color":"blue"}`) }

func unstarted(f http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(f)
	s.Config.ErrorLog = quiet()
	return s
}

func web(t testing.TB, f http.HandlerFunc) string {
	s := unstarted(f)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// collect runs until n observations were delivered.
func collect(t testing.TB, o Options, n int) []Observation {
	t.Helper()
	var all []Observation
	err := Run(context.Background(), o, func(b []Observation) bool {
		all = append(all, b...)
		return len(all) < n
	})
	if err != nil {
		t.Fatal(err)
	}
	return all[:n]
}
