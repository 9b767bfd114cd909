package sample

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
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
