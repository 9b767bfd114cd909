package sample

import (
	"bytes"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// scripted is a connection on which the gateway has said everything.
type scripted struct {
	bytes.Reader
	written bytes.Buffer
}

func (s *scripted) Write(p []byte) (int, error)    { return s.written.Write(p) }
func (*scripted) Close() error                     { return nil }
func (*scripted) LocalAddr() net.Addr              { return nil }
func (*scripted) RemoteAddr() net.Addr             { return nil }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

// frames is what a gateway says over HTTP/2.
func frames(write func(*two)) []byte {
	var out bytes.Buffer
	g := &two{Framer: http2.NewFramer(&out, nil)}
	g.code = hpack.NewEncoder(&g.block)
	write(g)
	return out.Bytes()
}

// streamed is what a request gets that is answered by what was said, and the
// number of bytes of its body that went out.
func streamed(t *testing.T, x *exchanger, said []byte) (got Observation, again bool, sent int) {
	conn := new(scripted)
	conn.Reset(said)
	l := &link{raw: conn, conn: conn}
	l.two = newStreams(l)
	again = x.stream(t.Context(), l, &x.cases[0], &got, time.Now().Add(time.Hour))
	conn.written.Next(len(http2.ClientPreface))
	for sees := http2.NewFramer(nil, &conn.written); ; {
		f, err := sees.ReadFrame()
		if err != nil {
			return got, again, sent
		}
		if data, ok := f.(*http2.DataFrame); ok {
			sent += len(data.Data())
		}
	}
}

// posting asks with a body of so many bytes.
func posting(t testing.TB, body, limit int) *exchanger {
	o := &Options{
		Cases:    []Request{{URL: "https://gateway", Method: "POST", Body: make([]byte, body)}},
		Protocol: HTTP2, BodyLimit: int64(limit), Classifier: tutorial(),
	}
	cases, err := o.prepare()
	if err != nil {
		t.Fatal(err)
	}
	return newExchanger(o, cases, newNames(), new(atomic.Int64), time.Now())
}

// No more of a body goes out than the gateway takes, on the connection and on
// the stream (RFC 9113, 5.2).
func TestStreamsKeepToTheWindows(t *testing.T) {
	for _, tt := range []struct {
		name string
		says func(*two)
		want int // bytes of the 100,000
	}{
		{"what is taken before anything is said", func(g *two) {}, 65535},
		{"more on the connection only", func(g *two) { g.WriteWindowUpdate(0, 1000) }, 65535},
		{"more on the stream only", func(g *two) { g.WriteWindowUpdate(1, 1000) }, 65535},
		{"more on both", func(g *two) { g.WriteWindowUpdate(1, 10); g.WriteWindowUpdate(0, 1000) }, 65545},
		{"more on each stream", func(g *two) {
			g.WriteWindowUpdate(0, 1000)
			g.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535 + 20})
		}, 65555},
		{"less on each stream, and more on this one", func(g *two) {
			g.WriteWindowUpdate(0, 1000)
			g.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			g.WriteWindowUpdate(1, 65535+30)
		}, 65565},
		{"all", func(g *two) { g.WriteWindowUpdate(0, 1<<20); g.WriteWindowUpdate(1, 1<<20) }, 100_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, again, sent := streamed(t, posting(t, 100_000, 100), frames(func(g *two) { g.WriteSettings(); tt.says(g); g.blue(1) }))
			if got.Outcome != "blue" || sent != tt.want || again != (sent == 100_000) {
				t.Errorf("%d bytes went out, want %d; again %v; %+v", sent, tt.want, again, got)
			}
		})
	}
}

// What was read is given back to the connection's window, before it is used up.
func TestStreamsGiveTheWindowBack(t *testing.T) {
	conn := new(scripted)
	s := newStreams(&link{raw: conn, conn: conn})
	s.writer.Flush()
	conn.written.Reset()
	for range windowGiven / frameSize {
		s.giveBack(frameSize)
	}
	sees, given := http2.NewFramer(nil, &conn.written), uint32(0)
	for range 2 {
		f, err := sees.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		given += f.(*http2.WindowUpdateFrame).Increment
	}
	if given != windowGiven {
		t.Errorf("%d of %d bytes were given back", given, windowGiven)
	}
}

func TestStreamsBeginWithSettings(t *testing.T) {
	got, _, _ := streamed(t, posting(t, 0, 100), frames(func(g *two) { g.blue(1) }))
	if got.Fault != Malformed || !strings.Contains(got.Detail, "SETTINGS") {
		t.Errorf("%+v", got)
	}
}

// Whatever comes over HTTP/2, the request has an outcome or a fault that is
// explained, and no more is kept than is allowed.
func FuzzStreams(f *testing.F) {
	f.Add(frames(func(g *two) { g.WriteSettings(); g.blue(1) }))
	f.Add(frames(func(g *two) {
		g.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
		g.header(1, false, ":status", "103")
		g.WriteWindowUpdate(1, 2)
		g.WritePing(false, [8]byte{})
		g.header(1, false, ":status", "200", "content-length", "3")
		g.WriteDataPadded(1, false, []byte("abc"), make([]byte, 9))
		g.header(1, true, "x", "y")
	}))
	f.Add(frames(func(g *two) { g.WriteSettings(); g.WriteGoAway(0, http2.ErrCodeNo, []byte("bye")) }))
	f.Add(frames(func(g *two) { g.WriteSettings(); g.WriteRSTStream(1, http2.ErrCodeCancel) }))
	f.Add(frames(func(g *two) { g.blue(1) }))
	f.Fuzz(func(t *testing.T, said []byte) {
		x := posting(t, 6, 100)
		got, again, sent := streamed(t, x, said)
		if (got.Fault == "") != (got.Outcome != "") || got.Fault != "" && got.Detail == "" {
			t.Errorf("%+v", got)
		}
		if again && (!lives(got.Fault) || sent != 6) {
			t.Errorf("the connection goes on after %+v, %d bytes sent", got, sent)
		}
		if len(x.body) > 100+frameSize || len(x.tap.head) > headKept {
			t.Errorf("kept %d bytes of the body and %d of the header", len(x.body), len(x.tap.head))
		}
	})
}
