package sample

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// The lines are counted as they come, in whatever pieces, up to where net/http
// finds the end of the answer's header.
func FuzzLineCount(f *testing.F) {
	for _, s := range []string{
		blueAnswer, "HTTP/1.1 200 OK\r\n\r\n\n\n\n", "HTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\nA: b\n\n{}\n",
		"HTTP/1.1 100\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 204 No\r\nA: b\r\n c\r\n\r\n\r\n", "H\n", "\n\n\n", "HTTP/1.1 1", "",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, answer []byte, piece uint8) {
		var once, pieces lineCount
		once.add(answer)
		for rest := answer; len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			pieces.add(rest[:n])
			rest = rest[n:]
		}
		if once.n != pieces.n || once.done != pieces.done || once.n > bytes.Count(answer, []byte("\n")) {
			t.Fatalf("%q: %d lines, in pieces %d, done %v and %v", answer, once.n, pieces.n, once.done, pieces.done)
		}
		r := bufio.NewReader(bytes.NewReader(answer))
		for {
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				return // no HTTP; that lines are counted is enough
			}
			if resp.StatusCode >= 200 {
				break
			}
			if resp.StatusCode == http.StatusSwitchingProtocols {
				return
			}
		}
		if strings.Contains(string(answer), "  ") {
			return // net/http skips spaces before a status: only its bytes are bounded then
		}
		body := r.Buffered()
		if len(answer) > r.Size() {
			return // not all of it is there
		}
		if want := bytes.Count(answer[:len(answer)-body], []byte("\n")); once.n != want || !once.done {
			t.Errorf("%q: %d lines, done %v; the header has %d", answer, once.n, once.done, want)
		}
	})
}

// scripted is a connection on which everything has been said.
type scripted struct{ bytes.Reader }

func (*scripted) Write(p []byte) (int, error)      { return len(p), nil }
func (*scripted) Close() error                     { return nil }
func (*scripted) LocalAddr() net.Addr              { return nil }
func (*scripted) RemoteAddr() net.Addr             { return nil }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

// Whatever comes over HTTP/2, the request has an outcome or a fault that is
// explained, and no more is kept than is allowed.
func FuzzStreams(f *testing.F) {
	said := func(write func(*two)) []byte {
		var out bytes.Buffer
		g := &two{Framer: http2.NewFramer(&out, nil)}
		g.code = hpack.NewEncoder(&g.block)
		write(g)
		return out.Bytes()
	}
	f.Add(said(func(g *two) { g.WriteSettings(); g.blue(1) }))
	f.Add(said(func(g *two) {
		g.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
		g.header(1, false, ":status", "103")
		g.WriteWindowUpdate(1, 2)
		g.WritePing(false, [8]byte{})
		g.header(1, false, ":status", "200", "content-length", "3")
		g.WriteDataPadded(1, false, []byte("abc"), make([]byte, 9))
		g.header(1, true, "x", "y")
	}))
	f.Add(said(func(g *two) { g.WriteSettings(); g.WriteGoAway(0, http2.ErrCodeNo, []byte("bye")) }))
	f.Add(said(func(g *two) { g.WriteSettings(); g.WriteRSTStream(1, http2.ErrCodeCancel) }))
	f.Add(said(func(g *two) { g.blue(1) }))
	o := Options{Cases: []Request{{URL: "https://gateway", Method: "POST", Body: []byte("a body")}}, Protocol: HTTP2, BodyLimit: 100, Classifier: tutorial()}
	cases, err := o.prepare()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		conn := new(scripted)
		conn.Reset(said)
		l := &link{raw: conn, conn: conn}
		l.two = newStreams(l)
		x := newExchanger(&o, cases, newNames(), new(atomic.Int64), time.Now())
		var got Observation
		again := x.stream(t.Context(), l, &cases[0], &got, time.Now().Add(time.Hour))
		if (got.Fault == "") != (got.Outcome != "") || got.Fault != "" && got.Detail == "" {
			t.Errorf("%+v", got)
		}
		if again && !lives(got.Fault) {
			t.Errorf("the connection goes on after %+v", got)
		}
		if int64(len(x.body)) > o.BodyLimit+frameSize || len(x.tap.head) > headKept {
			t.Errorf("kept %d bytes of the body and %d of the header", len(x.body), len(x.tap.head))
		}
	})
}
