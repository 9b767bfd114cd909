package sample

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// wired reads an answer that comes in pieces of so many bytes and then ends.
func wired(text string, piece int, headMethod bool, limit int64) (*wire, progress) {
	var w wire
	w.begin(headMethod, limit)
	got, buf := more, []byte{}
	for got == more && len(buf) < len(text) {
		n := min(piece, len(text)-len(buf))
		buf = append(buf, text[len(buf):len(buf)+n]...)
		got = w.read(buf)
	}
	if got == more && w.closed() {
		got = whole
	}
	return &w, got
}

func TestWire(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
	for _, tt := range []struct {
		name, text string
		want       progress
		status     int
		body       string
		reusable   bool
	}{
		{"an answer", blueAnswer, whole, 200, `{"color":"blue"}`, true},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", whole, 200, "", true},
		{"Connection: close", "HTTP/1.1 200 OK\r\nconnection: x , Close\r\nContent-Length: 1\r\n\r\nx", whole, 200, "x", false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", whole, 200, "x", false},
		{"HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", whole, 200, "x", true},
		{"until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", whole, 200, "all of it", false},
		{"something after it", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", whole, 200, "x", false},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", whole, 204, "", true},
		{"chunks", chunked + "5\r\nhello\r\n00C\r\n, world and \r\n2\r\nme\r\n0\r\n\r\n", whole, 200, "hello, world and me", true},
		{"no chunk", chunked + "0\r\n\r\n", whole, 200, "", true},
		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n" + blueAnswer, whole, 200, `{"color":"blue"}`, true},
		{"cut in the header", blueAnswer[:30], more, 200, "", false},
		{"cut in the body", blueAnswer[:len(blueAnswer)-1], more, 200, "", false},
		{"cut in a chunk", chunked + "5\r\nhell", more, 200, "", false},
		{"cut in the size of a chunk", chunked + "5\r", more, 200, "", false},
		{"nothing", "", more, 0, "", false},

		{"a body beyond the limit", "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", odd, 200, "", false},
		{"chunks beyond the limit", chunked + "60\r\n" + strings.Repeat("x", 96) + "\r\n5\r\n", odd, 200, "", false},
		{"a body beyond the limit until the end", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 101), odd, 200, "", false},
		{"a long header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 10000), odd, 200, "", false},
		{"a line without end", "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 20000), odd, 200, "", false},
		{"another protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\n", odd, 101, "", false},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", odd, 200, "", false},
		{"length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx", odd, 200, "", false},
		{"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", odd, 200, "", false},
		{"a trailer", chunked + "0\r\nA: b\r\n\r\n", odd, 200, "", false},
		{"an extension", chunked + "0;a=b\r\n\r\n", odd, 200, "", false},
		{"no size", chunked + "\r\n", odd, 200, "", false},
		{"a chunk that goes on", chunked + "1\r\nxx\r\n", odd, 200, "", false},
		{"lines without carriage return", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", odd, 0, "", false},
		{"a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", odd, 200, "", false},
		{"no name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n", odd, 200, "", false},
		{"a blank before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", odd, 200, "", false},
		{"a control character", "HTTP/1.1 200 OK\r\nA: 123456789\x01\r\n\r\n", odd, 200, "", false},
		{"a control character early", "HTTP/1.1 200 OK\r\nA: 1\x7f23456789\r\n\r\n", odd, 200, "", false},
		{"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n", odd, 200, "", false},
		{"another version", "HTTP/2.0 200 OK\r\n\r\n", odd, 0, "", false},
		{"a status that is none", "HTTP/1.1 2x0 OK\r\n\r\n", odd, 0, "", false},
		{"a long status", "HTTP/1.1 2000 OK\r\n\r\n", odd, 0, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{1, 7, 1 << 20} {
				w, got := wired(tt.text, piece, false, 100)
				if got != tt.want || w.status != tt.status && tt.status != 0 {
					t.Fatalf("in pieces of %d: %d, status %d, want %d, %d", piece, got, w.status, tt.want, tt.status)
				}
				if got != whole {
					continue
				}
				if piece > len(tt.text) && w.reusable() != tt.reusable {
					t.Errorf("reusable %v", w.reusable())
				}
				if body := w.content(); string(body) != tt.body {
					t.Errorf("in pieces of %d: body %q", piece, body)
				}
			}
		})
	}
}

// An answer that is mostly the sizes of its chunks is for a reader that does not
// keep them.
func TestWireKeepsNoTinyChunks(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		size int
		want progress
	}{{1, odd}, {1000, whole}} {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", tt.size, strings.Repeat("x", tt.size))
		text := head + strings.Repeat(chunk, 1_000_000/tt.size) + "0\r\n\r\n"
		w, got := wired(text, 64<<10, false, 1<<20)
		if got != tt.want || got == odd && len(w.buf) > 2*64<<10 {
			t.Errorf("chunks of %d bytes: %d, %d bytes kept", tt.size, got, len(w.buf))
		}
	}
}

func TestWireAnswerToHead(t *testing.T) {
	w, got := wired("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 5, true, 100)
	if got != whole || len(w.content()) != 0 || !w.reusable() {
		t.Errorf("%d, body %q, reusable %v", got, w.content(), w.reusable())
	}
}

func TestWireAllocatesNothing(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nX-Served-By: blue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
	buf := make([]byte, len(text))
	c := NewClassifier([]Rule{{Header: "x-served-by"}})
	c.Classify(200, http.Header{"X-Served-By": {"blue"}}, nil)
	var w wire
	if n := testing.AllocsPerRun(100, func() {
		copy(buf, text)
		w.begin(false, 100)
		if w.read(buf) != whole || string(w.content()) != "abcde" {
			t.Fatal("not read")
		}
		if got, ok := c.Outcome(w.status, &w, nil); got != "blue" || !ok {
			t.Fatal("not classified")
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// Whatever a wire takes for whole is what net/http reads; what it waits for the
// end of is no whole answer there either, unless that is malformed.
func FuzzWireAgainstNetHTTP(f *testing.F) {
	for _, s := range []string{
		blueAnswer, blueAnswer + blueAnswer, "HTTP/1.0 200 OK\r\nConnection: Keep-Alive, x\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\nPragma: no-cache\r\n\r\n", "HTTP/1.1 200 OK\r\nA:\tb \r\na: c\r\n\r\nrest", "HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n",
	} {
		for _, piece := range []uint16{1, 5, 1000} {
			f.Add(s, piece, len(s)%2 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, text string, piece uint16, headMethod bool) {
		const limit = 64
		w, got := wired(text, int(piece)+1, headMethod, limit)
		if got == odd {
			return
		}
		r := bufio.NewReader(strings.NewReader(text))
		request := &http.Request{Method: "GET"}
		if headMethod {
			request.Method = "HEAD"
		}
		resp, err := http.ReadResponse(r, request)
		for err == nil && resp.StatusCode < 200 {
			resp, err = http.ReadResponse(r, request)
		}
		var body []byte
		if err == nil {
			body, err = io.ReadAll(resp.Body)
		}
		if got == more {
			if err == nil {
				t.Fatalf("%q: net/http reads all of it", text)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: net/http says %v", text, err)
		}
		if w.status != resp.StatusCode {
			t.Fatalf("%q: status %d, net/http %d", text, w.status, resp.StatusCode)
		}
		for name, values := range resp.Header {
			if value, ok := w.First(name); !ok || string(value) != values[0] {
				t.Fatalf("%q: %s is %q, %v, net/http %q", text, name, value, ok, values[0])
			}
		}
		for _, name := range []string{"Connection", "Transfer-Encoding", "Cache-Control", "A"} {
			if _, ok := w.First(name); ok != (resp.Header.Values(name) != nil) {
				t.Fatalf("%q: %s is there: %v, net/http %v", text, name, ok, !ok)
			}
		}
		// In pieces the wire stops at the end; what follows has not come by then.
		if keep := !resp.Close; w.close == keep {
			t.Fatalf("%q: close %v, net/http %v", text, w.close, resp.Close)
		}
		if left, _ := io.ReadAll(r); w.end != len(text)-len(left) {
			t.Fatalf("%q: ends at %d, net/http leaves %q", text, w.end, left)
		}
		if content := w.content(); !bytes.Equal(content, body) {
			t.Fatalf("%q: body %q, net/http %q", text, content, body)
		}
	})
}

func BenchmarkWire(b *testing.B) {
	text := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 06:21:03 GMT\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: keep-alive\r\nX-Served-By: blue-7d4f\r\n\r\n{\"color\":\"blue\"}")
	var w wire
	b.ReportAllocs()
	for b.Loop() {
		w.begin(false, 1<<20)
		if w.read(text) != whole {
			b.Fatal("not whole")
		}
	}
}
