package sample

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Both paths observe the same of answers right and wrong: of real ones that were
// changed here and there by chance, and came in pieces.
func TestBothPathsAgree(t *testing.T) {
	const n = 600
	chance := rand.New(rand.NewPCG(7, 1))
	whole := []string{
		blueAnswer,
		"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n{\"color\":\"blue\"}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"color\"\r\n8\r\n:\"blue\"}\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
		"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n",
	}
	alphabet := "\r\n\t :;,0123456789abcdefHTPx/.\x00\x7f\xff{}\""
	texts := make([]string, n)
	for i := range texts {
		b := []byte(whole[i%len(whole)])
		for changes := chance.IntN(4); changes > 0 && len(b) > 0; changes-- {
			at := chance.IntN(len(b))
			switch c := alphabet[chance.IntN(len(alphabet))]; chance.IntN(4) {
			case 0:
				b[at] = c
			case 1:
				b = append(b[:at:at], append([]byte{c}, b[at:]...)...)
			case 2:
				b = append(b[:at:at], b[at+1:]...)
			case 3:
				b = b[:at+1]
			}
		}
		texts[i] = string(b)
	}
	address := serve(t, func(c net.Conn) {
		i, err := strconv.Atoi(strings.TrimPrefix(readPath(bufio.NewReader(c)), "/"))
		if err != nil {
			return
		}
		text := texts[i]
		for piece := 1 + i%40; len(text) > piece; text = text[piece:] {
			io.WriteString(c, text[:piece])
		}
		io.WriteString(c, text)
	})
	var o Options
	for i := range n {
		o.Cases = append(o.Cases, Request{URL: fmt.Sprintf("http://%s/%d", address, i)})
	}
	o.Classifier, o.Workers, o.Timeout = tutorial(), 4, time.Minute
	got := make(map[bool][]Observation)
	for _, portable := range []bool{true, false} {
		o.Portable = portable
		// All of them at once do not make either path pause.
		o.Open, o.Rate = true, 5000
		got[portable] = collect(t, o, n)
	}
	kinds := make(map[string]int)
	for i, want := range got[true] {
		kinds[want.Outcome+string(want.Fault)]++
		if diff := cmp.Diff(want, got[false][i], cmpopts.IgnoreFields(Observation{}, "At", "Latency", "Connection")); diff != "" {
			t.Errorf("%q (-portable +fast):\n%s", texts[i], diff)
		}
	}
	for _, kind := range []string{"blue", string(Cut), string(Malformed), string(ServerError), string(UnknownAnswer)} {
		if kinds[kind] == 0 {
			t.Errorf("no %q among %v", kind, kinds)
		}
	}
}
