package sample

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// secureWeb offers HTTP/2 and returns its URL and what a client needs to trust it.
func secureWeb(t *testing.T, f http.HandlerFunc) (url string, trusted *tls.Config) {
	s := unstarted(f)
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	config := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = nil
	return s.URL, config
}

// HTTP/2 is spoken where it is asked for and offered, on connections of one
// stream, or with Reuse of one stream after the other.
func TestHTTP2WhereItIsOffered(t *testing.T) {
	big := strings.Repeat("a body that is longer than any window ", 5000)
	for _, tt := range []struct {
		name     string
		protocol Protocol
		reuse    bool
		want     string
	}{
		{"asked for", HTTP2, false, "HTTP/2.0"},
		{"asked for, kept alive", HTTP2, true, "HTTP/2.0"},
		{"not asked for", HTTP1, false, "HTTP/1.1"},
		{"not asked for, kept alive", HTTP1, true, "HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var peers []string
			handler := func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return // the run has ended
				}
				mu.Lock()
				peers = append(peers, r.RemoteAddr)
				mu.Unlock()
				if r.Host != "example.com" || r.Method != "POST" || r.RequestURI != "/api?x=1" || r.Header.Get("X-Who") != "me" || r.UserAgent() != "assay" || string(body) != big {
					t.Errorf("%s %s %s %v, %d bytes", r.Method, r.Host, r.RequestURI, r.Header, len(body))
				}
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Set("X-Proto", r.Proto)
				w.Header().Set("Trailer", "X-End")
				blue(w, r)
				w.Header().Set("X-End", "1")
			}
			url, trusted := secureWeb(t, handler)
			e := &Examples{}
			o := Options{
				Cases: []Request{{
					URL: url + "/api?x=1", Method: "POST", Host: "example.com", Body: []byte(big), Header: http.Header{"X-Who": {"me"}},
				}},
				Classifier: NewClassifier([]Rule{{Header: "x-proto"}}), TLS: trusted, Protocol: tt.protocol, Reuse: tt.reuse, Examples: e,
			}
			for i, got := range collect(t, o, 5) {
				want := int64(i)
				if tt.reuse {
					want = 0
				}
				if got.Outcome != tt.want || got.Status != 200 || got.Connection != want {
					t.Errorf("%+v, want %s on connection %d", got, tt.want, want)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for i, peer := range peers {
				if (peer == peers[0]) != (tt.reuse || i == 0) {
					t.Errorf("request %d came from %s, the first one from %s", i, peer, peers[0])
				}
			}
			ex := e.List()[0]
			if !strings.HasPrefix(ex.Header[0], tt.want+" 200") || !strings.Contains(strings.ToLower(strings.Join(ex.Header, "\n")), "x-proto: "+strings.ToLower(tt.want)) || ex.Body != `{"color":"blue"}` {
				t.Errorf("%+v", ex)
			}
		})
	}
}

// A gateway that does not offer it is asked in HTTP/1.1, and so is one without TLS.
func TestHTTP2WhereItIsNotOffered(t *testing.T) {
	s := unstarted(blue)
	s.StartTLS()
	defer s.Close()
	for _, url := range []string{s.URL, web(t, blue)} {
		o := Options{
			Cases: []Request{{URL: url}}, Classifier: tutorial(), Protocol: HTTP2, Reuse: true,
			TLS: s.Client().Transport.(*http.Transport).TLSClientConfig,
		}
		for _, got := range collect(t, o, 3) {
			if got.Outcome != "blue" || got.Connection != 0 {
				t.Errorf("%s: %+v", url, got)
			}
		}
	}
}

// two is a gateway that speaks HTTP/2 frame by frame.
type two struct {
	*http2.Framer
	conn  *tls.Conn
	block bytes.Buffer
	code  *hpack.Encoder
}

// header sends a header of names and values.
func (g *two) header(stream uint32, end bool, fields ...string) {
	g.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		g.code.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	first, rest := g.block.Bytes(), []byte(nil)
	for done := false; !done; {
		part := first[:min(len(first), frameSize)]
		rest = first[len(part):]
		if done = len(rest) == 0; &first[0] == &g.block.Bytes()[0] {
			g.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: part, EndHeaders: done, EndStream: end})
		} else {
			g.WriteContinuation(stream, done, part)
		}
		first = rest
	}
}

// blue is a whole answer.
func (g *two) blue(stream uint32) {
	g.header(stream, false, ":status", "200", "content-type", "application/json")
	g.WriteData(stream, true, []byte(`{"color":"blue"}`))
}

// serveTwo gives each stream to f, which says whether the connection goes on.
func serveTwo(t *testing.T, trusted tls.Certificate, f func(g *two, stream uint32) bool) string {
	config := &tls.Config{Certificates: []tls.Certificate{trusted}, NextProtos: []string{"h2"}}
	return serve(t, func(raw net.Conn) {
		conn := tls.Server(raw, config)
		io.ReadFull(conn, make([]byte, len(http2.ClientPreface)))
		g := &two{Framer: http2.NewFramer(conn, conn), conn: conn}
		g.code = hpack.NewEncoder(&g.block)
		g.WriteSettings()
		for {
			frame, err := g.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := frame.(*http2.HeadersFrame); ok && !f(g, h.StreamID) {
				conn.CloseWrite()
				hold(raw) // closed with something unread it would be reset
				return
			}
		}
	})
}

func TestHTTP2FaultsAreToldApart(t *testing.T) {
	s := unstarted(blue)
	s.StartTLS()
	defer s.Close()
	certificate, trusted := s.TLS.Certificates[0], s.Client().Transport.(*http.Transport).TLSClientConfig
	for _, tt := range []struct {
		name   string
		f      func(g *two, stream uint32) bool
		change func(*Options)
		want   Fault
		status int
		detail string
	}{
		{"an answer", func(g *two, n uint32) bool { g.blue(n); return true }, nil, "", 200, ""},
		{"other frames before it", func(g *two, n uint32) bool {
			g.WritePing(false, [8]byte{1})
			g.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15})
			g.WriteWindowUpdate(0, 1000)
			g.WriteRawFrame(0x42, 0, n, []byte("unknown"))
			g.header(n, false, ":status", "103")
			g.blue(n)
			return true
		}, nil, "", 200, ""},
		{"a trailer", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200")
			g.WriteData(n, false, []byte(`{"color":"blue"}`))
			g.header(n, true, "x-end", "1")
			return true
		}, nil, "", 200, ""},
		{"resets the stream before an answer", func(g *two, n uint32) bool { g.WriteRSTStream(n, http2.ErrCodeRefusedStream); return true }, nil, StreamReset, 0, "REFUSED_STREAM"},
		{"resets the stream in the body", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200")
			g.WriteRSTStream(n, http2.ErrCodeInternal)
			return true
		}, nil, StreamReset, 200, "INTERNAL_ERROR"},
		{"takes leave before it took the request", func(g *two, n uint32) bool { g.WriteGoAway(n-1, http2.ErrCodeNo, nil); return true }, nil, GoAway, 0, "not taken"},
		{"takes leave with an error", func(g *two, n uint32) bool {
			g.WriteGoAway(n, http2.ErrCodeEnhanceYourCalm, []byte("too many"))
			return false
		}, nil, GoAway, 0, `ENHANCE_YOUR_CALM) "too many"`},
		{"takes leave, and answers before it goes", func(g *two, n uint32) bool {
			g.WriteGoAway(n, http2.ErrCodeNo, nil)
			g.blue(n)
			return false
		}, nil, "", 200, ""},
		{"closes before a byte", func(g *two, n uint32) bool { return false }, nil, Cut, 0, "before a byte"},
		{"resets before a byte", func(g *two, n uint32) bool { hangsUp(g.conn.NetConn()); g.conn.NetConn().Close(); return false }, nil, Reset, 0, "reset by peer"},
		{"cuts the body", func(g *two, n uint32) bool { g.header(n, false, ":status", "200"); return false }, nil, Cut, 200, "in the middle"},
		{"says nothing", func(g *two, n uint32) bool { return true }, brief, FirstByteTimeout, 0, "not a byte"},
		{"hangs in the body", func(g *two, n uint32) bool { g.header(n, false, ":status", "200"); return true }, brief, Timeout, 200, "did not end"},
		{"the first byte in time, the rest late", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200")
			time.Sleep(1200 * time.Millisecond)
			g.WriteData(n, true, []byte(`{"color":"blue"}`))
			return true
		}, func(o *Options) { o.FirstByteTimeout = time.Second }, "", 200, ""},
		{"a body without end", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200")
			for g.WriteData(n, false, make([]byte, frameSize)) == nil {
			}
			return false
		}, nil, TooLarge, 200, "1024 KiB"},
		{"empty frames without end", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200")
			for g.WriteData(n, false, nil) == nil {
			}
			return false
		}, nil, TooLarge, 200, "1000 frames"},
		{"interim answers without end", func(g *two, n uint32) bool {
			for range 2000 {
				g.header(n, false, ":status", "102")
			}
			return true
		}, nil, TooLarge, 0, "1000 frames"},
		{"pings without end", func(g *two, n uint32) bool {
			for g.WritePing(true, [8]byte{}) == nil {
			}
			return false
		}, nil, TooLarge, 0, "1000 frames"},
		{"1e5 header fields", func(g *two, n uint32) bool {
			g.header(n, true, append([]string{":status", "200"}, strings.Split(strings.Repeat("a b ", 1e5), " ")[:2e5]...)...)
			return true
		}, nil, TooLarge, 0, "256 KiB"},
		{"one header line too many", func(g *two, n uint32) bool {
			g.header(n, true, append([]string{":status", "200"}, strings.Split(strings.Repeat("a b ", HeaderLines), " ")[:2*HeaderLines]...)...)
			return true
		}, nil, TooLarge, 0, "1000 lines"},
		{"a status that is none", func(g *two, n uint32) bool { g.header(n, true, ":status", "9000"); return true }, nil, Malformed, 0, "9000"},
		{"a body before its header", func(g *two, n uint32) bool { g.WriteData(n, true, []byte("x")); return true }, nil, Malformed, 0, "before its header"},
		{"another length than it says", func(g *two, n uint32) bool {
			g.header(n, false, ":status", "200", "content-length", "17")
			g.WriteData(n, true, []byte(`{"color":"blue"}`))
			return true
		}, nil, Malformed, 200, "content-length 17"},
		{"no frames", func(g *two, n uint32) bool { io.WriteString(g.conn, "HTTP/1.1 400 Bad Request\r\n\r\n"); return false }, nil, Malformed, 0, "frame too large"},
		{"a header that cannot be unpacked", func(g *two, n uint32) bool {
			g.WriteHeaders(http2.HeadersFrameParam{StreamID: n, BlockFragment: []byte{0xff, 0xff, 0xff}, EndHeaders: true})
			return true
		}, nil, Malformed, 0, "COMPRESSION_ERROR"},
		{"a header with a field that is none", func(g *two, n uint32) bool { g.header(n, true, ":status", "200", "A", "b"); return true }, nil, Malformed, 0, "invalid header field name"},
		{"503", func(g *two, n uint32) bool { g.header(n, true, ":status", "503"); return true }, nil, ServerError, 503, "status 503"},
	} {
		for _, second := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, second %v", tt.name, second), func(t *testing.T) {
				t.Parallel()
				address := serveTwo(t, certificate, func(g *two, n uint32) bool {
					if second && n == 1 {
						g.blue(n)
						return true
					}
					return tt.f(g, n)
				})
				o := Options{Cases: []Request{{URL: "https://" + address, Host: "example.com"}}, Classifier: tutorial(), TLS: trusted, Protocol: HTTP2, Reuse: second}
				if tt.change != nil {
					tt.change(&o)
				}
				want, detail := tt.want, tt.detail
				n := 1
				if second {
					n = 2
					if strings.HasSuffix(tt.name, "before a byte") {
						want, detail = Stale, "kept-alive"
					}
				}
				got := collect(t, o, n)[n-1]
				if got.Fault != want || (got.Outcome == "blue") != (want == "") || got.Status != tt.status || got.Connection != 0 || !strings.Contains(got.Detail, detail) {
					t.Errorf("got %+v, want %q, status %d, detail %q", got, want, tt.status, detail)
				}
			})
		}
	}
}

// After a GOAWAY, and after any fault, the next request has a new connection.
func TestHTTP2OnAnotherConnection(t *testing.T) {
	s := unstarted(blue)
	s.StartTLS()
	defer s.Close()
	for name, f := range map[string]func(g *two, n uint32) bool{
		"goaway": func(g *two, n uint32) bool { g.WriteGoAway(n, http2.ErrCodeNo, nil); g.blue(n); return true },
		"reset":  func(g *two, n uint32) bool { g.WriteRSTStream(n, http2.ErrCodeNo); return true },
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{
				Cases:      []Request{{URL: "https://" + serveTwo(t, s.TLS.Certificates[0], f), Host: "example.com"}},
				Classifier: tutorial(), Protocol: HTTP2, Reuse: true, TLS: s.Client().Transport.(*http.Transport).TLSClientConfig,
			}
			for i, got := range collect(t, o, 3) {
				if got.Connection != int64(i) || (name == "goaway") != (got.Outcome == "blue") {
					t.Errorf("%+v, want it on connection %d", got, i)
				}
			}
		})
	}
}
