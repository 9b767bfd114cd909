package sample

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// answers gives each request of a connection the text.
func answers(text string) func(net.Conn) {
	return func(c net.Conn) {
		var buf [2048]byte
		for {
			if n, _ := c.Read(buf[:]); n == 0 {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// A connection carries request after request, unless the gateway, or any doubt
// about where an answer ends, says that it must not.
func TestAConnectionIsUsedAgainOrNot(t *testing.T) {
	const body = `{"color":"blue"}`
	one, three := []int64{0, 0, 0}, []int64{0, 1, 2}
	for _, tt := range []struct {
		name   string
		method string
		server func(net.Conn)
		want   []int64 // connections of three requests
		fault  Fault   // "": blue
	}{
		{"an answer with a length", "GET", answers(blueAnswer), one, ""},
		{"it says that it is kept", "GET", answers("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 16\r\n\r\n" + body), one, ""},
		{"it says that it will close", "GET", says("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 16\r\n\r\n" + body), three, ""},
		{"it says that it will close, and does not", "GET", answers("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 16\r\n\r\n" + body), three, ""},
		{"HTTP/1.0", "GET", answers("HTTP/1.0 200 OK\r\nContent-Length: 16\r\n\r\n" + body), three, ""},
		{"HTTP/1.0 that keeps alive", "GET", answers("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 16\r\n\r\n" + body), one, ""},
		{"an answer without a length", "GET", says("HTTP/1.1 200 OK\r\n\r\n" + body), three, ""},
		{"chunks", "GET", answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"co\r\nc;x=y\r\nlor\":\"blue\"}\r\n0\r\n\r\n"), one, ""},
		{"chunks and a trailer", "GET", answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n10\r\n" + body + "\r\n0\r\nA: b\r\n\r\n"), one, ""},
		{"chunks and a length", "GET", answers("HTTP/1.1 200 OK\r\nContent-length: 26\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + body + "\r\n0\r\n\r\n"), three, ""},
		{"interim answers first", "GET", answers("HTTP/1.1 100 Continue\r\n\r\n" + blueAnswer), one, ""},
		{"more than the answer", "GET", answers(blueAnswer + strings.Replace(blueAnswer, "blue", "grey", 1)), three, ""},
		{"a line end too many", "GET", answers(blueAnswer + "\r\n"), three, ""},
		{"an answer to HEAD has no body", "HEAD", answers("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n"), one, UnknownAnswer},
		{"204", "GET", answers("HTTP/1.1 204 No Content\r\n\r\n"), one, UnknownAnswer},
		{"304 with a length and no body", "GET", answers("HTTP/1.1 304 Not Modified\r\nContent-Length: 16\r\n\r\n"), one, UnknownAnswer},
		{"an empty body", "GET", answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), one, UnknownAnswer},
		{"503 is an answer", "GET", answers("HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nsorry"), one, ServerError},
		{"a body that is too long", "GET", answers("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("x", 1001)), three, TooLarge},
		{"no HTTP", "GET", answers("blue\r\n\r\n"), three, Malformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				o := Options{
					Cases:      []Request{{URL: "http://" + serve(t, tt.server), Method: tt.method}},
					Classifier: tutorial(), Reuse: true, Portable: portable, BodyLimit: 1000,
				}
				var got []int64
				for _, ob := range collect(t, o, 3) {
					got = append(got, ob.Connection)
					if ob.Fault != tt.fault || (ob.Outcome == "blue") != (tt.fault == "") {
						t.Errorf("%+v, want fault %q", ob, tt.fault)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("connections %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// With Reuse each worker has a connection of its own for each gateway. With and
// without it there are never more requests under way than workers.
func TestConnectionsOfWorkers(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("reuse %v", reuse), func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				var opened, under, most atomic.Int64
				server := func(c net.Conn) {
					opened.Add(1)
					var buf [2048]byte
					for {
						if n, _ := c.Read(buf[:]); n == 0 {
							return
						}
						now := under.Add(1)
						for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
						}
						time.Sleep(time.Millisecond)
						under.Add(-1)
						io.WriteString(c, blueAnswer)
					}
				}
				const workers, n = 5, 400
				o := Options{
					Cases:      []Request{{URL: "http://" + serve(t, server)}, {URL: "http://" + serve(t, server)}},
					Classifier: tutorial(), Workers: workers, Reuse: reuse, Portable: portable,
				}
				cases, carried := make(map[int64]int), make(map[int64]int)
				for _, ob := range collect(t, o, n) {
					cases[ob.Connection] |= 1 << ob.Case
					carried[ob.Connection]++
				}
				for connection, of := range cases {
					if connection < 0 || of == 3 || reuse && connection >= 2*workers || !reuse && carried[connection] != 1 {
						t.Errorf("connection %d carried %d requests for gateways %b", connection, carried[connection], of)
					}
				}
				if opened := opened.Load(); reuse && opened > 2*workers || !reuse && opened < n {
					t.Errorf("%d connections", opened)
				}
				if most := most.Load(); most > workers || most < 2 {
					t.Errorf("%d requests at once by %d workers", most, workers)
				}
			})
		})
	}
}

// A connection that was closed while it was idle is seen before a request is
// lost on it.
func TestAClosedConnectionIsNotAsked(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", secure), func(t *testing.T) {
			o := Options{Classifier: tutorial(), Reuse: true, Workers: 1}
			s := unstarted(blue)
			if secure {
				s.StartTLS()
				o.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
			} else {
				s.Start()
			}
			defer s.Close()
			o.Cases = []Request{{URL: s.URL}}
			cases, err := o.prepare()
			if err != nil {
				t.Fatal(err)
			}
			x := newExchanger(&o, cases, newNames(), new(atomic.Int64), time.Now())
			defer x.hangUp()
			for number, want := range []int64{0, 0, 1, 1} {
				if number == 2 {
					s.CloseClientConnections()
					for deadline := time.Now().Add(10 * time.Second); x.kept[0].quiet(); {
						if time.Now().After(deadline) {
							t.Fatal("not seen that it was closed")
						}
					}
				}
				got, err := x.do(context.Background(), int64(number))
				if err != nil || got.Outcome != "blue" || got.Connection != want {
					t.Errorf("request %d: %+v, %v, want connection %d", number, got, err, want)
				}
			}
		})
	}
}

// An example shows the answer's header, not those of interim answers before it.
func TestExampleAfterAnInterimAnswer(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		e := &Examples{}
		o := Options{
			Cases:      []Request{{URL: "http://" + serve(t, answers("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+blueAnswer))}},
			Classifier: tutorial(), Reuse: true, Portable: portable, Examples: e,
		}
		collect(t, o, 2)
		for _, ex := range e.List() {
			if want := []string{"HTTP/1.1 200 OK", "Content-Type: application/json", "Content-Length: 16"}; !slices.Equal(ex.Header, want) || ex.Body != `{"color":"blue"}` {
				t.Errorf("%q, body %q", ex.Header, ex.Body)
			}
		}
	})
}
